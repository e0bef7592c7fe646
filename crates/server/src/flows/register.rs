//! Register: a person makes an account. It signs nobody in.
//!
//! Where addresses must be confirmed, an address that is taken is answered like a new one, after the same work, and its
//! owner gets a mail. So is a username that is taken: the account is made without it. Told, it would tell of the address:
//! one that was free has taken the name, and the next registration with that name would hear of it.

use std::time::Duration;

use symbolon_domain::audit::AuditKind;
use symbolon_domain::mail::MailKind;
use symbolon_domain::{
    DisplayName, Email, Problem, Refusal, RoleName, Roles, User, UserId, UserStatus, Username,
};

use zeroize::Zeroizing;

use super::outbox::{self, Message};
use super::password::choose_for;
use super::{Error, Origin, audit_id, invitations};
use crate::app::App;
use crate::clock::Stopwatch;
use crate::config::{RegistrationMode, Verification};
use crate::throttle::Quota;

/// When the answer goes out after the hash, where it must not tell whether the address is taken: later than either write,
/// and as much later again as chance says, up to 16 ms, which hides what the write leaves behind in caches and queues.
const STORED_AFTER: Duration = Duration::from_millis(25);

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
    /// The token of an invitation.
    pub invitation: Option<Zeroizing<String>>,
}

/// The checked fields of a new account.
pub(super) struct NewAccount {
    pub(super) user: User,
    pub(super) password: symbolon_domain::Password,
}

/// Registers a person.
///
/// # Errors
/// `forbidden` when registration is closed or asks for an invitation, `malformed_request` for one that is not valid any
/// more, `validation_failed` with every field at fault, `conflict`,
/// `rate_limited`, `overloaded`, or a fault.
pub async fn register(
    app: &App,
    mut registration: Registration,
    origin: &Origin,
) -> Result<User, Error> {
    let invitation = registration.invitation.take();
    match (app.settings().registration.mode, &invitation) {
        (RegistrationMode::Open, _) | (RegistrationMode::Invitation, Some(_)) => {}
        _ => return Err(Refusal::RegistrationClosed.into()),
    }
    let now = app.clock.now();
    // Held until the password is hashed.
    let _admitted = app.throttle.begin_registration(origin.address, now)?;
    if let Some(token) = invitation {
        return invitations::accept(app, registration, token, origin).await;
    }
    let account = check(app, &registration, Roles::new(vec![RoleName::USER]))?;
    must_be_welcome(app, &account.user.email)?;
    if app.settings().registration.verification == Verification::Required {
        return register_quietly(app, account, origin).await;
    }
    insert(app, account, origin, AuditKind::UserRegistered).await
}

/// Refuses addresses of other domains than those that may register.
pub(super) fn must_be_welcome(app: &App, email: &Email) -> Result<(), Error> {
    let settings = app.settings();
    let domains = &settings.registration.domains;
    if domains.is_empty() || domains.contains(&email.domain()) {
        return Ok(());
    }
    let sentence = format!(
        "Addresses of these domains can register: {}.",
        domains.join(", ")
    );
    Err(Refusal::Validation(vec![Problem::new("email_domain", sentence).at("/email")]).into())
}

/// Registers without telling whether the address is taken.
async fn register_quietly(app: &App, account: NewAccount, origin: &Origin) -> Result<User, Error> {
    let NewAccount { mut user, password } = account;
    let shown = user.clone();
    let taken = app
        .store
        .find_user_by_email(&user.email.key())
        .await?
        .is_some();
    if let Some(username) = &user.username
        && app
            .store
            .find_user_by_username(&username.key())
            .await?
            .is_some()
    {
        user.username = None;
    }
    let hash = app.hasher.hash(password).await?;
    // A new account is more to write than a mail.
    let watch = Stopwatch::start();
    let chance = app
        .rng
        .bytes::<2>()
        .map_err(|error| Error::fault("random source")(error.into()))?;
    let chance = Duration::from_micros(u64::from(u16::from_le_bytes(chance) / 4));
    let stored = store_quietly(app, &mut user, (!taken).then_some(&*hash), origin).await;
    watch.reach(STORED_AFTER.saturating_add(chance)).await;
    stored.map(|()| shown)
}

/// Makes the account where there is a hash for it, or tells the owner of the address that somebody tried.
async fn store_quietly(
    app: &App,
    user: &mut User,
    hash: Option<&str>,
    origin: &Origin,
) -> Result<(), Error> {
    if let Some(hash) = hash {
        let mut stored = store(app, user, hash, origin, AuditKind::UserRegistered).await;
        if matches!(stored, Err(Error::Refused(Refusal::Conflict("username")))) {
            // Somebody was quicker.
            user.username = None;
            stored = store(app, user, hash, origin, AuditKind::UserRegistered).await;
        }
        match stored {
            Err(Error::Refused(Refusal::Conflict("email"))) => {}
            stored => return stored,
        }
    }
    let now = user.created_at;
    let mut batch = app.store.batch();
    let message = Message {
        kind: MailKind::AddressInUse,
        recipient: &user.email,
        subject: None,
        about: None,
    };
    outbox::write(app, &mut batch, &message, origin, now)?;
    Ok(batch.commit().await?)
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
    store(app, &user, &hash, origin, kind).await?;
    Ok(user)
}

/// Stores an account, and writes the mail to confirm its address where a person registers.
async fn store(
    app: &App,
    user: &User,
    hash: &str,
    origin: &Origin,
    kind: AuditKind,
) -> Result<(), Error> {
    let now = user.created_at;
    let mut batch = app.store.batch();
    batch.insert_user(user, Some(hash));
    let mut event = origin.event(kind, now);
    event.subject = Some(user.id);
    batch.insert_audit(audit_id(app, now)?, &event);
    if kind == AuditKind::UserRegistered {
        batch.update_locale(user.id, origin.locale);
        if app.settings().registration.verification != Verification::Off && !user.email_verified {
            outbox::tell(app, &mut batch, (MailKind::VerifyEmail, user), origin, now)?;
        }
    }
    Ok(batch.commit().await?)
}
