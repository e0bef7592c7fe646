//! The identities that an account has: seeing them, and taking one away.
//!
//! 1. An identity is named by a digest of issuer and subject.
//! 2. The current password is asked for, as for every change of the ways in (ASVS 7.5.1); not of an account that has none.
//! 3. The last way in stays: an account without a password keeps one identity, whatever is taken away at the same time.

use aws_lc_rs::digest::{SHA256, digest};
use symbolon_domain::audit::AuditKind;
use symbolon_domain::upstream::{ForeignIdentity, IdentityLink};
use symbolon_domain::{FieldError, Password, Refusal, UserId};
use symbolon_store::Batch;
use symbolon_token::encoding;

use super::super::authenticate::Caller;
use super::super::password::confirm;
use super::super::{Error, Origin, ROUNDS, audit_id, lost_race, overloaded};
use crate::app::App;

/// Identities of one user.
pub(super) const MOST: u32 = 20;

/// An identity of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name that it has here: base64url of SHA-256 over issuer, a zero byte and subject.
    pub id: String,
    /// What the provider is called in the settings, where it is there.
    pub provider: Option<String>,
    /// The identity.
    pub link: IdentityLink,
}

/// The identities of a user, by issuer; at most 20.
///
/// # Errors
/// A fault of the store.
pub async fn list(app: &App, user: UserId) -> Result<Vec<Identity>, Error> {
    let links = app.store.list_upstream_identities(user, MOST).await?;
    let identity = |link: IdentityLink| {
        let mut upstreams = app.config.upstreams.iter();
        let provider = upstreams.find(|one| one.issuer == link.identity.issuer());
        Identity {
            id: id(&link.identity),
            provider: provider.map(|one| one.name.clone()),
            link,
        }
    };
    Ok(links.into_iter().map(identity).collect())
}

/// Takes an identity from the caller: nobody signs in with it any more.
///
/// # Errors
/// `not_found`, `wrong_password`, `rate_limited`, `validation_failed` where there is a password and none is given,
/// `conflict` for the last way in, `overloaded`, or a fault.
pub async fn unlink(
    app: &App,
    caller: &Caller,
    (wanted, password): (&str, Option<Password>),
    origin: &Origin,
) -> Result<(), Error> {
    // Before a password is compared: what is not there costs nothing.
    find(app, caller.user, wanted).await?;
    let found = app.store.find_credentials(caller.user).await?;
    let has_password = found.ok_or(Refusal::InvalidToken)?.password_hash.is_some();
    if has_password {
        let password = password.ok_or_else(|| Refusal::Validation(vec![missing()]))?;
        confirm(app, caller, password, origin).await?;
    }
    for _ in 0..ROUNDS {
        let (gone, others) = find(app, caller.user, wanted).await?;
        let mut batch = app.store.batch();
        match (others.first(), has_password) {
            (None, false) => return Err(Refusal::Conflict("last_identity").into()),
            (Some(kept), false) => one_of_two(&mut batch, (&gone, kept), caller.user),
            (_, true) => {
                batch.delete_upstream_identity(&gone, caller.user);
            }
        }
        let now = app.clock.now();
        let session = Some(caller.session);
        let mut event = origin.own_event(AuditKind::IdentityUnlinked, now, caller.user, session);
        event.detail = Some(named(&gone));
        batch.insert_audit(audit_id(app, now)?, &event);
        let committed = batch.commit().await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
    }
    Err(overloaded().into())
}

/// The identity of this name, and the others that the user has.
async fn find(
    app: &App,
    user: UserId,
    wanted: &str,
) -> Result<(ForeignIdentity, Vec<ForeignIdentity>), Error> {
    let links = app.store.list_upstream_identities(user, MOST).await?;
    let all = links.into_iter().map(|link| link.identity);
    let (found, others): (Vec<_>, Vec<_>) = all.partition(|identity| id(identity) == wanted);
    let found = found.into_iter().next().ok_or(Refusal::NotFound)?;
    Ok((found, others))
}

/// Step 3: takes one away as long as the other is there. In an order that two who do this at once share: neither waits for
/// the other in a circle.
fn one_of_two(batch: &mut Batch, (gone, kept): (&ForeignIdentity, &ForeignIdentity), user: UserId) {
    let key =
        |identity: &ForeignIdentity| (identity.issuer().to_owned(), identity.subject().to_owned());
    if key(kept) < key(gone) {
        batch.require_upstream_identity(kept, user);
        batch.delete_upstream_identity(gone, user);
    } else {
        batch.delete_upstream_identity(gone, user);
        batch.require_upstream_identity(kept, user);
    }
}

/// Step 1. Neither part has control characters, so that no two pairs read the same.
fn id(identity: &ForeignIdentity) -> String {
    let both = format!("{}\0{}", identity.issuer(), identity.subject());
    encoding::encode(digest(&SHA256, both.as_bytes()).as_ref())
}

/// What the audit log calls it.
pub(super) fn named(identity: &ForeignIdentity) -> String {
    format!("{} at {}", identity.subject(), identity.issuer())
}

fn missing() -> FieldError {
    FieldError {
        pointer: "/password".to_owned(),
        code: "required",
        detail: "This field is required.".to_owned(),
    }
}
