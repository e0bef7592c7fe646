//! Step 4: what becomes of somebody who comes from a provider.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::mail::MailKind;
use symbolon_domain::upstream::{Arrival, Facts, ForeignIdentity, IdentityLink, arrive};
use symbolon_domain::{
    DisplayName, Email, Refusal, RoleName, Roles, Timestamp, User, UserId, UserStatus,
};
use symbolon_store::Batch;

use super::super::{
    Error, Origin, ROUNDS, audit_id, lost_race, outbox, overloaded, register::must_be_welcome,
};
use super::bound::Bound;
use super::exchange::Told;
use super::{Landed, NotLanded};
use crate::app::App;
use crate::config::{RegistrationMode, Verification};

/// Identities of one user.
const MOST: u32 = 20;

/// Decides, and does what was decided. Who is quicker wins; the other decides again.
pub(super) async fn settle(
    app: &App,
    told: Told,
    bound: Bound,
    origin: &Origin,
) -> Result<Landed, NotLanded> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let (arrival, owner, email) = decide(app, &told, bound.linking).await?;
        let mut batch = app.store.batch();
        let user = match (arrival, owner, bound.linking) {
            (Arrival::SignIn, Some(user), _) => {
                may_sign_in(app, &user)?;
                batch.touch_upstream_identity(&told.identity, now);
                user
            }
            (Arrival::Linked, Some(user), _) => user,
            (Arrival::Link, _, Some(id)) => {
                let user = app.store.find_user(id).await?.filter(User::is_active);
                let user = user.ok_or(Refusal::AccountDisabled).map_err(Error::from)?;
                link(app, &mut batch, (&told.identity, &user), origin).await?;
                user
            }
            (Arrival::Register, ..) => {
                let email = email.ok_or(NotLanded::Refused(Arrival::NoAddress))?;
                let counted = app.throttle.begin_registration(origin.address, now);
                drop(counted.map_err(Error::from)?);
                let user = newcomer(app, &told, email)?;
                make(app, &mut batch, (&told.identity, &user), origin)?;
                user
            }
            (refused, ..) => return Err(NotLanded::Refused(refused)),
        };
        let committed = batch.commit().await;
        let conflict = matches!(committed, Err(symbolon_store::Error::Conflict(_)));
        if !conflict && !lost_race(&committed) {
            committed?;
            return Ok(Landed {
                user,
                arrival,
                carried: bound.carried,
            });
        }
    }
    Err(Error::from(overloaded()).into())
}

/// Loads what is known, and lets `domain` decide.
async fn decide(
    app: &App,
    told: &Told,
    linking: Option<UserId>,
) -> Result<(Arrival, Option<User>, Option<Email>), Error> {
    let link = app.store.find_upstream_identity(&told.identity).await?;
    let owner = match link {
        Some(link) => app.store.find_user(link.user).await?,
        None => None,
    };
    let email = told
        .email
        .as_deref()
        .and_then(|text| Email::parse(text).ok());
    let (mut is_taken, mut is_open) = (false, false);
    let settings = app.settings();
    if let Some(email) = &email {
        is_taken = app.store.find_user_by_email(&email.key()).await?.is_some();
        is_open = must_be_welcome(app, email).is_ok();
    }
    let facts = Facts {
        owner: owner.as_ref(),
        linking,
        email: email.as_ref().map(|email| (email, told.email_verified)),
        is_taken,
        is_open: settings.registration.mode == RegistrationMode::Open
            && (is_open || email.is_none()),
        must_be_verified: settings.registration.verification == Verification::Required,
    };
    Ok((arrive(&facts), owner, email))
}

/// As every other way in.
fn may_sign_in(app: &App, user: &User) -> Result<(), Error> {
    let required = app.settings().registration.verification == Verification::Required;
    match required && !user.email_verified {
        true => Err(Refusal::EmailNotVerified.into()),
        false => Ok(()),
    }
}

async fn link(
    app: &App,
    batch: &mut Batch,
    (identity, user): (&ForeignIdentity, &User),
    origin: &Origin,
) -> Result<(), Error> {
    let known = app.store.list_upstream_identities(user.id, MOST).await?;
    if known.len() >= MOST as usize {
        return Err(Refusal::Conflict("identities").into());
    }
    batch.require_user(user.id, user.version);
    insert(app, batch, (identity, user), origin)
}

fn insert(
    app: &App,
    batch: &mut Batch,
    (identity, user): (&ForeignIdentity, &User),
    origin: &Origin,
) -> Result<(), Error> {
    let now = app.clock.now();
    batch.insert_upstream_identity(&IdentityLink {
        identity: identity.clone(),
        user: user.id,
        created_at: now,
        last_used_at: now,
    });
    let linked = (AuditKind::IdentityLinked, identity);
    write_down(app, batch, linked, (user.id, now), origin)
}

fn write_down(
    app: &App,
    batch: &mut Batch,
    (kind, identity): (AuditKind, &ForeignIdentity),
    (user, now): (UserId, Timestamp),
    origin: &Origin,
) -> Result<(), Error> {
    let mut event = origin.own_event(kind, now, user, None);
    event.detail = Some(format!("{} at {}", identity.subject(), identity.issuer()));
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(())
}

/// Somebody who has no account. There is no password until one is set by a link in a mail.
fn newcomer(app: &App, told: &Told, email: Email) -> Result<User, Error> {
    let now = app.clock.now();
    let name = told.name.as_deref().map(DisplayName::parse);
    Ok(User {
        id: UserId::new(audit_id(app, now)?),
        email,
        username: None,
        // One that is not to be shown is left out.
        name: name.and_then(Result::ok),
        roles: Roles::new(vec![RoleName::USER]),
        status: UserStatus::Active,
        email_verified: told.email_verified,
        token_version: 1,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

fn make(
    app: &App,
    batch: &mut Batch,
    (identity, user): (&ForeignIdentity, &User),
    origin: &Origin,
) -> Result<(), Error> {
    let now = user.created_at;
    batch.insert_user(user, None);
    batch.update_locale(user.id, origin.locale);
    let mut event = origin.event(AuditKind::UserRegistered, now);
    event.subject = Some(user.id);
    batch.insert_audit(audit_id(app, now)?, &event);
    if app.settings().registration.verification != Verification::Off && !user.email_verified {
        outbox::tell(app, batch, (MailKind::VerifyEmail, user), origin, now)?;
    }
    insert(app, batch, (identity, user), origin)
}

/// The identities of a user, by issuer.
///
/// # Errors
/// A fault of the store.
pub async fn list(app: &App, user: UserId) -> Result<Vec<IdentityLink>, Error> {
    Ok(app.store.list_upstream_identities(user, MOST).await?)
}

/// Takes an identity from a user: nobody signs in with it any more.
///
/// # Errors
/// `not_found`, or a fault.
pub async fn unlink(
    app: &App,
    user: UserId,
    identity: &ForeignIdentity,
    origin: &Origin,
) -> Result<(), Error> {
    let now = app.clock.now();
    let mut batch = app.store.batch();
    batch.delete_upstream_identity(identity, user);
    let gone = (AuditKind::IdentityUnlinked, identity);
    write_down(app, &mut batch, gone, (user, now), origin)?;
    let committed = batch.commit().await;
    match lost_race(&committed) {
        true => Err(Refusal::NotFound.into()),
        false => Ok(committed?),
    }
}
