//! Register: a person makes an account. It signs nobody in.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::{
    DisplayName, Email, Problem, Refusal, RoleName, Roles, User, UserId, UserStatus, Username,
};

use zeroize::Zeroizing;

use super::password::choose_for;
use super::{Error, Origin, audit_id};
use crate::app::App;
use crate::config::RegistrationMode;
use crate::throttle::Quota;

/// What a person gives to register, as it came in.
pub struct Registration {
    /// E-mail address.
    pub email: String,
    /// Password as typed.
    pub password: Zeroizing<String>,
    /// Name to sign in with.
    pub username: Option<String>,
    /// Name to be shown.
    pub name: Option<String>,
}

/// The checked fields of a new account.
pub(super) struct NewAccount {
    pub(super) user: User,
    pub(super) password: symbolon_domain::Password,
}

/// Registers a person.
///
/// # Errors
/// `forbidden` when registration is closed, `validation_failed` with every field at fault, `conflict`,
/// `rate_limited`, `overloaded`, or a fault.
pub async fn register(
    app: &App,
    registration: Registration,
    origin: &Origin,
) -> Result<User, Error> {
    if app.config.registration.mode != RegistrationMode::Open {
        return Err(Refusal::Forbidden.into());
    }
    let now = app.clock.now();
    // Held until the password is hashed.
    let _admitted = app.throttle.begin_registration(origin.address, now)?;
    let account = check(app, &registration, Roles::new(vec![RoleName::USER]))?;
    let user = insert(app, account, origin, AuditKind::UserRegistered).await?;
    Ok(user)
}

/// What is left of the registrations from there.
#[must_use]
pub fn quotas(app: &App, origin: &Origin) -> Vec<Quota> {
    app.throttle
        .registration_quotas(origin.address, app.clock.now())
}

/// Checks every field and names all that is wrong at once.
pub(super) fn check(
    app: &App,
    registration: &Registration,
    roles: Roles,
) -> Result<NewAccount, Error> {
    let mut errors = Vec::new();
    let mut note = |pointer: &str, problem: Problem| errors.push(problem.at(pointer));
    let email = Email::parse(&registration.email)
        .map_err(|problem| note("/email", problem))
        .ok();
    let username = registration
        .username
        .as_deref()
        .map(Username::parse)
        .transpose();
    let username = username
        .map_err(|problem| note("/username", problem))
        .unwrap_or_default();
    let name = registration
        .name
        .as_deref()
        .map(DisplayName::parse)
        .transpose();
    let name = name
        .map_err(|problem| note("/name", problem))
        .unwrap_or_default();
    let context: Vec<&str> = [
        Some(registration.email.as_str()),
        registration.username.as_deref(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let password = choose_for(app, &registration.password, &context)
        .map_err(|problem| note("/password", problem))
        .ok();
    let (Some(email), Some(password), true) = (email, password, errors.is_empty()) else {
        return Err(Refusal::Validation(errors).into());
    };
    let now = app.clock.now();
    let id = app.rng.uuid_v7(now).map_err(|error| Error::Fault {
        context: "random source",
        source: error.into(),
    })?;
    let user = User {
        id: UserId::new(id),
        email,
        username,
        name,
        roles,
        status: UserStatus::Active,
        email_verified: false,
        token_version: 1,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    Ok(NewAccount { user, password })
}

/// Hashes and stores; whoever loses the race for an address or a name gets `conflict`.
pub(super) async fn insert(
    app: &App,
    account: NewAccount,
    origin: &Origin,
    kind: AuditKind,
) -> Result<User, Error> {
    let NewAccount { user, password } = account;
    let hash = app.hasher.hash(password).await?;
    let mut batch = app.store.batch();
    batch.insert_user(&user, Some(&hash));
    let mut event = origin.event(kind, user.created_at);
    event.subject = Some(user.id);
    batch.insert_audit(audit_id(app, user.created_at)?, &event);
    batch.commit().await?;
    Ok(user)
}
