//! Keys are replaced: because somebody says so, or by their age (NIST SP 800-57 part 1, section 5.3: a key has an end).

use std::time::Duration;

use symbolon_domain::audit::AuditKind;
use symbolon_domain::{Refusal, Timestamp};
use symbolon_store::{Batch, KeyRow};
use symbolon_token::Algorithm;

use super::{PUBLISH_LEAD, WRITE, current, id_token, replace_signing_key};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::{Error, Origin, ROUNDS, audit_id, lost_race, overloaded};
use crate::sealing::MasterKey;

/// Makes a new signing key of the configured algorithm, and one for each that signs ID tokens alone. They sign after
/// [`PUBLISH_LEAD`], or at once.
///
/// # Errors
/// `forbidden`, `conflict` when another rotation is under way, or a fault.
pub async fn rotate(
    app: &App,
    actor: Actor,
    master: &MasterKey,
    at_once: bool,
    origin: &Origin,
) -> Result<KeyRow, Error> {
    let which = Which::All { at_once };
    let new = replace(app, &actor, master, which, origin).await?;
    // Where all are replaced there is one.
    new.ok_or_else(|| Refusal::Conflict("key").into())
}

/// Replaces the keys that have signed for as long as `tokens.rotate_keys` says. Whether there was one. A secret that others
/// have a copy of stays: they would know no other.
///
/// # Errors
/// A fault, or a store that is busy.
pub async fn rotate_by_age(app: &App) -> Result<bool, Error> {
    let most = app.config.tokens.rotate_keys;
    if most.is_zero() {
        return Ok(false);
    }
    let master = &app.issuance()?.master;
    let which = Which::Older { most };
    match replace(app, &Actor::Operator, master, which, &Origin::default()).await {
        Ok(new) => Ok(new.is_some()),
        // Somebody was quicker.
        Err(Error::Refused(Refusal::Conflict(_))) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The keys that are replaced.
#[derive(Clone, Copy)]
enum Which {
    All { at_once: bool },
    Older { most: Duration },
}

impl Which {
    fn takes(self, row: &KeyRow, now: Timestamp) -> bool {
        match self {
            Self::All { .. } => true,
            Self::Older { most } => {
                row.algorithm != Algorithm::Hs256.as_str() && row.activate_at.plus(most) <= now
            }
        }
    }
}

/// The new key that signs access tokens, or else the first of those that sign ID tokens; nothing where none was replaced.
async fn replace(
    app: &App,
    actor: &Actor,
    master: &MasterKey,
    which: Which,
    origin: &Origin,
) -> Result<Option<KeyRow>, Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let now = app.clock.now();
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        let Some(new) = exchange(app, master, which, &mut batch).await? else {
            return Ok(None);
        };
        let mut event = origin.event(AuditKind::KeyRotated, now);
        authority.stamp(&mut event);
        event.detail = Some(new.kid.clone());
        batch.insert_audit(audit_id(app, now)?, &event);
        let committed = batch.commit().await;
        if matches!(committed, Err(symbolon_store::Error::Conflict(_))) {
            return Err(Refusal::Conflict("key").into());
        }
        if !lost_race(&committed) {
            committed?;
            return Ok(Some(new));
        }
    }
    Err(overloaded().into())
}

async fn exchange(
    app: &App,
    master: &MasterKey,
    which: Which,
    batch: &mut Batch,
) -> Result<Option<KeyRow>, Error> {
    let now = app.clock.now();
    let at_once = matches!(which, Which::All { at_once: true });
    let activate = if at_once { now } else { now.plus(PUBLISH_LEAD) };
    let mut rows = app.store.list_keys().await?;
    rows.retain(|row| which.takes(row, now));
    let mut new = None;
    if matches!(which, Which::All { .. }) || current(&rows).next().is_some() {
        new = Some(replace_signing_key(app, master, &rows, batch, activate)?);
    }
    let for_clients = id_token::replace(app, master, &rows, batch, activate).await?;
    Ok(new.or_else(|| for_clients.into_iter().next()))
}
