//! Keys that are replaced by their age, without anybody asking for it (NIST SP 800-57 part 1, section 5.3: a key has an end).

use symbolon_domain::Refusal;
use symbolon_token::Algorithm;

use super::{current, rotate};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::{Error, Origin};

/// Replaces the signing key that has signed for as long as `tokens.rotate_keys` says. Whether there was one. A secret that others
/// have a copy of stays: they would know no other.
///
/// # Errors
/// A fault, or a store that is busy.
pub async fn rotate_by_age(app: &App) -> Result<bool, Error> {
    let most = app.config.tokens.rotate_keys;
    if most.is_zero() {
        return Ok(false);
    }
    let now = app.clock.now();
    let rows = app.store.list_keys().await?;
    let is_due = current(&rows)
        .any(|row| row.algorithm != Algorithm::Hs256.as_str() && row.activate_at.plus(most) <= now);
    if !is_due {
        return Ok(false);
    }
    let master = &app.issuance()?.master;
    match rotate(app, Actor::Operator, master, false, &Origin::default()).await {
        Ok(_) => Ok(true),
        // Somebody was quicker.
        Err(Error::Refused(Refusal::Conflict(_))) => Ok(false),
        Err(error) => Err(error),
    }
}
