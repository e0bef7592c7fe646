//! Keys that sign ID tokens alone, for clients that ask for another algorithm than that of access tokens: many know only
//! `RS256`, which every provider has (OpenID Connect Discovery 1.0 section 3).
//!
//! Nobody but the client verifies them, which looks for a key that it does not know: so they sign from when they are made.

use symbolon_domain::Timestamp;
use symbolon_store::{Batch, KeyRow};
use symbolon_token::{Algorithm, SigningKey};

use super::{ID_TOKEN, SLACK, current_of, note_created, reload, stored};
use crate::app::App;
use crate::flows::oauth::id_token::LIFE;
use crate::flows::{Error, ROUNDS, overloaded};
use crate::sealing::MasterKey;

/// Makes the key for `algorithm` unless there is one.
///
/// # Errors
/// `overloaded`, or a fault of the store.
pub(in crate::flows) async fn provide(app: &App, algorithm: Algorithm) -> Result<(), Error> {
    let issuance = app.issuance()?;
    let now = app.clock.now();
    let known = || {
        let ring = issuance.ring.load();
        ring.id_token_signer(algorithm, now).is_some()
    };
    if known() {
        return Ok(());
    }
    // An RSA key takes a while: one is made at a time, beside the requests.
    let _turn = issuance.key_maker.lock().await;
    for _ in 0..ROUNDS {
        if known() {
            return Ok(());
        }
        let key = generated(algorithm).await?;
        let new = stored(app, &issuance.master, (ID_TOKEN, &key), now, now)?;
        let mut batch = app.store.batch();
        batch.insert_key(&new);
        note_created(app, &mut batch, &new)?;
        match batch.commit().await {
            // Another node was quicker: its key is as good.
            Ok(()) | Err(symbolon_store::Error::Conflict(_)) => reload(app).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(overloaded().into())
}

async fn generated(algorithm: Algorithm) -> Result<SigningKey, Error> {
    let fault = Error::fault("key for ID tokens");
    match tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await {
        Ok(Ok(key)) => Ok(key),
        Ok(Err(error)) => Err(fault(error.into())),
        Err(error) => Err(fault(error.into())),
    }
}

/// Puts new keys in the place of all these, from `activate` on, and returns them.
pub(super) async fn replace(
    app: &App,
    master: &MasterKey,
    rows: &[KeyRow],
    batch: &mut Batch,
    activate: Timestamp,
) -> Result<Vec<KeyRow>, Error> {
    let now = app.clock.now();
    let mut made = Vec::new();
    for row in current_of(rows, ID_TOKEN) {
        let fault = Error::fault("key for ID tokens");
        let algorithm = match row.algorithm.parse::<Algorithm>() {
            Ok(algorithm) => algorithm,
            Err(error) => return Err(fault(error.into())),
        };
        let key = generated(algorithm).await?;
        batch.retire_key(&row.kid, activate, activate.plus(LIFE).plus(SLACK));
        let new = stored(app, master, (ID_TOKEN, &key), now, activate)?;
        batch.insert_key(&new);
        note_created(app, batch, &new)?;
        made.push(new);
    }
    Ok(made)
}
