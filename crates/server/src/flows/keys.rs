//! Keys: made at the first start, sealed under the master key, published before they sign, kept until
//! their last token has died (CONTRACT section 4; RFC 7517).
//!
//! A key's part follows from its times alone, so that nodes agree without speaking to each other:
//!
//! 1. from `created_at` it is published;
//! 2. from `activate_at` it signs, until a newer key does;
//! 3. until `expires_at`, set when it is replaced, it stays published.
//!
//! A withdrawn key is gone at once.
//!
//! One key signs access tokens, and the ID tokens of clients that ask for nothing else. For each other algorithm that a
//! client asks for there is one that signs ID tokens alone: made when it is first needed, replaced with the other by
//! command, and by its own age (`rotation.rs`).

mod id_token;
mod reach;
mod ring;
mod rotation;

use std::time::Duration;

use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_domain::revocation::{Effect, Revocation, Subject};
use symbolon_domain::{Refusal, Timestamp};
use symbolon_store::{Batch, KeyRow, KeyState};
use symbolon_token::{Algorithm, KeySet, SigningKey};
use zeroize::Zeroizing;

pub(super) use id_token::provide;
pub use reach::{Announced, Reach, reach};
pub use ring::KeyRing;
pub use rotation::{rotate, rotate_by_age};

use super::actor::Actor;
use super::oauth::id_token::LIFE;
use super::{Error, Origin, ROUNDS, audit_id, lost_race, overloaded, was_forestalled};
use crate::app::App;
use crate::sealing::MasterKey;

/// How long a new key is published before it signs: longer than a guard keeps the key set.
pub const PUBLISH_LEAD: Duration = Duration::from_secs(15 * 60);
/// How much longer than its tokens a replaced key is published, for clocks that differ.
const SLACK: Duration = Duration::from_secs(120);
/// What it takes to see keys.
pub const READ: &str = "keys:read";
/// What it takes to rotate and withdraw them.
pub const WRITE: &str = "keys:write";
pub(crate) const SIGNING: &str = "sign";
pub(crate) const ID_TOKEN: &str = "id_token";
pub(crate) const REFRESH: &str = "refresh";

/// A key as an operator sees it.
pub struct KeyStatus {
    /// The stored row; its secret part is sealed.
    pub row: KeyRow,
    /// `published`, `signing`, `retired` or `withdrawn`.
    pub part: &'static str,
}

/// Loads and opens every key; makes the first ones in an empty store.
///
/// # Errors
/// A fault that says so when the master key does not open the keys.
pub async fn open(app: &App, master: &MasterKey) -> Result<KeyRing, Error> {
    let now = app.clock.now();
    let rows = app.store.list_keys().await?;
    let mut batch = app.store.batch();
    let mut missing = false;
    if !rows
        .iter()
        .any(|row| row.purpose == REFRESH && row.state == KeyState::Live)
    {
        let numbers = rows
            .iter()
            .filter(|row| row.purpose == REFRESH)
            .map(|row| row.number);
        let number = numbers.max().unwrap_or(0) + 1;
        let new = refresh_key(app, master, number, now)?;
        batch.insert_key(&new);
        note_created(app, &mut batch, &new)?;
        missing = true;
    }
    if !current(&rows).any(|row| row.algorithm == app.config.tokens.algorithm.as_str()) {
        // Another algorithm than before: the key that guards know signs until they know the new one.
        let first = current(&rows).next().is_none();
        let activate = if first { now } else { now.plus(PUBLISH_LEAD) };
        let new = replace_signing_key(app, master, &rows, &mut batch, activate)?;
        note_created(app, &mut batch, &new)?;
        missing = true;
    }
    if !missing {
        return KeyRing::open(master, rows);
    }
    let committed = batch.commit().await;
    // Another node was quicker: its keys are as good.
    if !was_forestalled(&committed) {
        committed?;
    }
    KeyRing::open(master, app.store.list_keys().await?)
}

/// Reads the keys, and how long tokens live, again, for what another process did.
///
/// # Errors
/// A fault of the store, or a key that does not open.
pub async fn reload(app: &App) -> Result<(), Error> {
    let issuance = app.issuance()?;
    app.reload_longest_access_ttl().await?;
    let rows = app.store.list_keys().await?;
    if issuance.ring.load().is_made_of(&rows) {
        return Ok(());
    }
    let ring = KeyRing::open(&issuance.master, rows)?;
    issuance.trust(Some(ring), app.clock.now())
}

/// What verifies at this moment, for a look from beside the server: nothing is made and nothing is kept.
///
/// # Errors
/// A fault of the store, or a key that does not open.
pub async fn verifying(app: &App, master: &MasterKey) -> Result<KeySet, Error> {
    let rows = app.store.list_keys().await?;
    KeyRing::open(master, rows)?.key_set(app.clock.now())
}

/// Every key and its part at this moment.
///
/// # Errors
/// A fault of the store.
pub async fn list(app: &App) -> Result<Vec<KeyStatus>, Error> {
    let now = app.clock.now();
    let rows = app.store.list_keys().await?;
    let parts: Vec<_> = rows.iter().map(|row| ring::part(row, &rows, now)).collect();
    Ok(rows
        .into_iter()
        .zip(parts)
        .map(|(row, part)| KeyStatus { row, part })
        .collect())
}

/// The published keys, and a tag that changes with them.
pub struct Published {
    /// RFC 7517 section 5.
    pub json: String,
    /// A strong entity tag (RFC 9110 section 8.8.3).
    pub etag: String,
}

/// The public keys that verify tokens at this moment.
///
/// # Errors
/// A fault when the keys are not open.
pub fn published(app: &App) -> Result<Published, Error> {
    let json = app.issuance()?.ring.load().jwks(app.clock.now());
    let etag = format!(
        "\"{}\"",
        symbolon_token::encoding::encode(&symbolon_token::feed_key("jwks", &json))
    );
    Ok(Published { json, etag })
}

/// Kills a leaked signing key: it verifies nothing any more, here and at every guard. When it was the one
/// that signs, a new one takes its place at once.
///
/// # Errors
/// `forbidden`, `not_found` for a key that is not there or withdrawn already, or a fault.
pub async fn withdraw(
    app: &App,
    actor: Actor,
    master: &MasterKey,
    kid: &str,
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, WRITE).await?;
        let now = app.clock.now();
        let rows = app.store.list_keys().await?;
        rows.iter()
            .find(|row| row.kid == kid && row.purpose != REFRESH && row.state == KeyState::Live)
            .ok_or(Refusal::NotFound)?;
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        batch.withdraw_key(kid, now);
        // A key that is being replaced does not count: it is on its way out.
        if !current(&rows).any(|other| other.kid != kid) {
            let new = signing_key(app, master, now, now)?;
            batch.insert_key(&new);
            let mut event = created(&new, origin);
            authority.stamp(&mut event);
            batch.insert_audit(audit_id(app, now)?, &event);
        }
        let mut event = origin.event(AuditKind::KeyWithdrawn, now);
        authority.stamp(&mut event);
        event.detail = Some(kid.to_owned());
        batch.insert_audit(audit_id(app, now)?, &event);
        let revocation = Revocation {
            subject: Subject::Key(kid.to_owned()),
            effect: Effect::Revoked,
            until: now.plus(app.longest_access_ttl()).plus(SLACK),
        };
        let committed = app.commit(batch, &[revocation]).await;
        // A rotation that came in between is no reason to let a leaked key live.
        let rotated = matches!(
            committed,
            Err(symbolon_store::Error::Conflict("current_key"))
        );
        if !lost_race(&committed) && !rotated {
            return Ok(committed?);
        }
    }
    Err(overloaded().into())
}

/// The signing keys that nothing replaces yet: one, but for a withdrawal that is under way.
fn current(rows: &[KeyRow]) -> impl Iterator<Item = &KeyRow> {
    current_of(rows, SIGNING)
}

fn current_of<'a>(rows: &'a [KeyRow], purpose: &'static str) -> impl Iterator<Item = &'a KeyRow> {
    let live = move |row: &&KeyRow| row.purpose == purpose && row.state == KeyState::Live;
    rows.iter()
        .filter(move |row| live(row) && row.expires_at.is_none())
}

/// Puts a new key of the configured algorithm in the place of the current one, from `activate` on.
fn replace_signing_key(
    app: &App,
    master: &MasterKey,
    rows: &[KeyRow],
    batch: &mut Batch,
    activate: Timestamp,
) -> Result<KeyRow, Error> {
    // It may have signed ID tokens as well.
    let longest = app.longest_access_ttl().max(LIFE);
    let expires = activate.plus(longest).plus(SLACK);
    for row in current(rows) {
        batch.retire_key(&row.kid, activate, expires);
    }
    let new = signing_key(app, master, app.clock.now(), activate)?;
    batch.insert_key(&new);
    Ok(new)
}

/// A line for a key that nobody asked for.
fn note_created(app: &App, batch: &mut Batch, key: &KeyRow) -> Result<(), Error> {
    let event = created(key, &Origin::default());
    batch.insert_audit(audit_id(app, key.created_at)?, &event);
    Ok(())
}

fn created(key: &KeyRow, origin: &Origin) -> AuditEvent {
    let mut event = origin.event(AuditKind::KeyCreated, key.created_at);
    event.detail = Some(key.kid.clone());
    event
}

fn signing_key(
    app: &App,
    master: &MasterKey,
    now: Timestamp,
    activate: Timestamp,
) -> Result<KeyRow, Error> {
    let key = generate(app, app.config.tokens.algorithm)?;
    stored(app, master, (SIGNING, &key), now, activate)
}

fn generate(app: &App, algorithm: Algorithm) -> Result<SigningKey, Error> {
    let fault = Error::fault("signing key");
    if algorithm != Algorithm::Hs256 {
        return SigningKey::generate(algorithm).map_err(|error| fault(error.into()));
    }
    let random = |error: crate::rng::RngError| Error::fault("random source")(error.into());
    let secret = Zeroizing::new(app.rng.bytes::<32>().map_err(random)?);
    let kid: [u8; 16] = app.rng.bytes().map_err(random)?;
    SigningKey::hmac(&symbolon_token::encoding::encode(&kid), &*secret)
        .map_err(|error| fault(error.into()))
}

fn stored(
    app: &App,
    master: &MasterKey,
    (purpose, key): (&str, &SigningKey),
    now: Timestamp,
    activate: Timestamp,
) -> Result<KeyRow, Error> {
    let fault = |source: Box<dyn std::error::Error + Send + Sync>| Error::Fault {
        context: "signing key",
        source,
    };
    let private = key
        .to_private_bytes()
        .map_err(|error| fault(error.into()))?;
    let public = key
        .public_jwk()
        .map(|jwk| serde_json::to_string(&jwk))
        .transpose();
    Ok(KeyRow {
        kid: key.kid().to_owned(),
        purpose: purpose.to_owned(),
        algorithm: key.algorithm().as_str().to_owned(),
        number: 0,
        public_jwk: public.map_err(|error| fault(error.into()))?,
        sealed: master
            .seal(&app.rng, &ring::context(purpose, key.kid()), &private)
            .map_err(|error| fault(error.into()))?,
        state: KeyState::Live,
        created_at: now,
        activate_at: activate,
        retire_at: None,
        expires_at: None,
    })
}

fn refresh_key(
    app: &App,
    master: &MasterKey,
    number: i64,
    now: Timestamp,
) -> Result<KeyRow, Error> {
    let fault = |source: Box<dyn std::error::Error + Send + Sync>| Error::Fault {
        context: "refresh key",
        source,
    };
    let secret = Zeroizing::new(app.rng.bytes::<32>().map_err(|error| fault(error.into()))?);
    // The number is in the name, so that two nodes that start at once cannot both make the same one.
    let kid = format!("refresh-{number}");
    Ok(KeyRow {
        sealed: master
            .seal(&app.rng, &ring::context(REFRESH, &kid), &*secret)
            .map_err(|error| fault(error.into()))?,
        kid,
        purpose: REFRESH.to_owned(),
        algorithm: "HMAC-SHA256".to_owned(),
        number,
        public_jwk: None,
        state: KeyState::Live,
        created_at: now,
        activate_at: now,
        retire_at: None,
        expires_at: None,
    })
}
