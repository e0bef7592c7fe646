//! Step 4: what becomes of somebody who comes from a provider.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::mail::MailKind;
use symbolon_domain::upstream::{Arrival, Facts, ForeignIdentity, IdentityLink, arrive};
use symbolon_domain::{
    DisplayName, Email, RoleName, Roles, SignInMethod, User, UserId, UserStatus,
};
use symbolon_store::Batch;

use super::super::{
    Error, Origin, ROUNDS, audit_id, login::ask_to_verify, lost_race, outbox, overloaded,
    register::must_be_welcome,
};
use super::bound::Bound;
use super::exchange::Told;
use super::identities::named;
use super::linking::{Offer, Offered};
use super::{Landed, NotLanded};
use crate::app::App;
use crate::config::{RegistrationMode, Verification};

/// Decides, and does what was decided. Who is quicker wins; the other decides again.
pub(super) async fn settle(
    app: &App,
    told: Told,
    bound: Bound,
    origin: &Origin,
) -> Result<Landed, NotLanded> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let (arrival, owner, email) = decide(app, &told).await?;
        let mut batch = app.store.batch();
        let user = match (arrival, owner, email) {
            (Arrival::SignIn, Some(user), _) => {
                may_sign_in(app, &user, origin).await?;
                batch.touch_upstream_identity(&told.identity, now);
                user
            }
            (Arrival::Taken, _, Some(email)) => {
                let offer = Offer::new(told.identity, &email, now);
                return Err(NotLanded::Taken(Offered {
                    offer: offer.seal(app)?,
                    email: email.to_string(),
                    carried: bound.carried,
                }));
            }
            (Arrival::Register, _, Some(email)) => {
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
                identity: told.identity,
                method: match bound.anew {
                    true => SignInMethod::UpstreamAnew,
                    false => SignInMethod::Upstream,
                },
                carried: bound.carried,
            });
        }
    }
    Err(Error::from(overloaded()).into())
}

/// Loads what is known, and lets `domain` decide.
async fn decide(app: &App, told: &Told) -> Result<(Arrival, Option<User>, Option<Email>), Error> {
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
        email: email.as_ref().map(|email| (email, told.email_verified)),
        is_taken,
        is_open: settings.registration.mode == RegistrationMode::Open
            && (is_open || email.is_none()),
        must_be_verified: settings.registration.verification == Verification::Required,
    };
    Ok((arrive(&facts), owner, email))
}

/// As by the password.
async fn may_sign_in(app: &App, user: &User, origin: &Origin) -> Result<(), Error> {
    let required = app.settings().registration.verification == Verification::Required;
    match required && !user.email_verified {
        true => Err(ask_to_verify(app, user, origin).await?),
        false => Ok(()),
    }
}

/// Links an identity, in the batch that acts on it.
pub(super) fn insert(
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
    let mut event = origin.own_event(AuditKind::IdentityLinked, now, user.id, None);
    event.detail = Some(named(identity));
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
