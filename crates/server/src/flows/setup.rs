//! The first administrator: whoever reads what the server prints makes it.
//!
//! 1. A server that starts on a store without an administrator makes a token, good for an hour, and prints it. Only its
//!    digest is stored, in the place of a former one: of several nodes, the one that started last has the good token.
//! 2. Without an administrator and with that token, an account with the role `admin` is made. The token is used up in
//!    the same transaction, which also asks again whether there is an administrator. The address counts as confirmed:
//!    whoever has the token has the machine, and mail may not be set up yet.
//! 3. Once there is one, there is nothing to set up: no token is made, and the operation is not found.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use symbolon_domain::audit::AuditKind;
use symbolon_domain::refresh::Digest;
use symbolon_domain::{Refusal, RoleName, Roles, Timestamp, User, UserId};
use symbolon_store::SetupToken;
use symbolon_token::encoding;
use zeroize::Zeroizing;

use super::register::{Registration, check};
use super::{Error, Origin, audit_id, lost_race};
use crate::app::App;
use crate::throttle::Quota;

/// What every token begins with, so that secret scanners know one when they see it.
const PREFIX: &str = "sbs_";
/// How long a token is good.
const LIFE: Duration = Duration::from_secs(3600);

/// Step 1: a new token in its text form, where one is needed.
///
/// # Errors
/// A fault of the store or of the random source.
pub async fn prepare(app: &App) -> Result<Option<Zeroizing<String>>, Error> {
    if is_done(app).await? {
        if app.store.find_setup_token().await?.is_some() {
            app.store.batch().delete_setup_token().commit().await?;
        }
        return Ok(None);
    }
    let bytes = app.rng.bytes::<32>().map_err(|error| Error::Fault {
        context: "random source",
        source: error.into(),
    })?;
    let bytes = Zeroizing::new(bytes);
    let text = Zeroizing::new(format!("{PREFIX}{}", encoding::encode(bytes.as_slice())));
    let token = SetupToken {
        digest: digest_of(&text),
        expires_at: app.clock.now().plus(LIFE),
    };
    app.store.batch().put_setup_token(&token).commit().await?;
    Ok(Some(text))
}

/// Steps 2 and 3.
///
/// # Errors
/// `not_found` when there is an administrator; `forbidden` for a token that is wrong, used, replaced or too old;
/// `validation_failed`, `conflict`, `rate_limited`, `overloaded`, or a fault.
pub async fn setup(
    app: &App,
    token: &str,
    registration: &Registration,
    origin: &Origin,
) -> Result<User, Error> {
    if is_done(app).await? {
        return Err(Refusal::NotFound.into());
    }
    let now = app.clock.now();
    // Held until the password is hashed.
    let _admitted = app.throttle.begin_setup(origin.address, now)?;
    let presented = digest_of(token);
    let stored = app.store.find_setup_token().await?;
    if !stored.is_some_and(|stored| is_good(&stored, presented, now)) {
        let mut batch = app.store.batch();
        let event = origin.event(AuditKind::SetupRefused, now);
        batch.insert_audit(audit_id(app, now)?, &event);
        batch.commit().await?;
        // Somebody may have been quicker since step 3.
        return Err(refused(app).await?.into());
    }
    let roles = Roles::new(vec![RoleName::ADMIN, RoleName::USER]);
    let account = check(app, registration, roles)?;
    let hash = app.hasher.hash(account.password).await?;
    let mut user = account.user;
    user.email_verified = true;
    let mut batch = app.store.batch();
    batch.take_setup_token(presented, app.clock.now());
    batch.require_no_admin();
    batch.insert_user(&user, Some(&hash));
    let event = origin.own_event(AuditKind::SetupCompleted, now, user.id, None);
    batch.insert_audit(audit_id(app, now)?, &event);
    let committed = batch.commit().await;
    if lost_race(&committed) {
        // Somebody else was quicker, or a newer server has printed another token.
        return Err(refused(app).await?.into());
    }
    committed?;
    Ok(user)
}

/// What is left of the tries from there.
#[must_use]
pub fn quotas(app: &App, origin: &Origin) -> Vec<Quota> {
    app.throttle.setup_quotas(origin.address, app.clock.now())
}

async fn refused(app: &App) -> Result<Refusal, Error> {
    Ok(match is_done(app).await? {
        true => Refusal::NotFound,
        false => Refusal::Forbidden,
    })
}

/// Step 3: whether there is an administrator who is not disabled.
/// Whether there is an administrator.
///
/// # Errors
/// As the store says.
pub(super) async fn is_done(app: &App) -> Result<bool, Error> {
    let nobody = UserId::from_bytes([0; 16]);
    Ok(app.store.count_other_admins(nobody).await? > 0)
}

fn is_good(stored: &SetupToken, presented: Digest, now: Timestamp) -> bool {
    stored.digest == presented && now < stored.expires_at
}

fn digest_of(text: &str) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    Digest::new(bytes)
}
