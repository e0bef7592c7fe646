//! The opened keys, and which of them does what at a given time.

use std::sync::Arc;

use symbolon_domain::Timestamp;
use symbolon_store::{KeyRow, KeyState};
use symbolon_token::refresh::ChainKey;
use symbolon_token::{Algorithm, KeySet, SigningKey};

use super::{Error, ID_TOKEN, REFRESH, SIGNING};
use crate::sealing::MasterKey;

/// Every key that is not withdrawn, opened.
pub struct KeyRing {
    rows: Vec<KeyRow>,
    signing: Vec<(KeyRow, Arc<SigningKey>)>,
    chains: Vec<ChainKey>,
}

impl KeyRing {
    /// Opens `rows` with the master key.
    pub(super) fn open(master: &MasterKey, rows: Vec<KeyRow>) -> Result<Self, Error> {
        let mut signing = Vec::new();
        let mut chains = Vec::new();
        for row in rows.iter().filter(|row| row.state == KeyState::Live) {
            let fault = |source: Box<dyn std::error::Error + Send + Sync>| Error::Fault {
                context: "opening a stored key",
                source,
            };
            let secret = master
                .open(&context(&row.purpose, &row.kid), &row.sealed)
                .map_err(|error| fault(error.into()))?;
            match row.purpose.as_str() {
                SIGNING | ID_TOKEN => {
                    let algorithm = row
                        .algorithm
                        .parse()
                        .map_err(|error: symbolon_token::UnknownAlgorithm| fault(error.into()))?;
                    let key = SigningKey::from_private_bytes(algorithm, &row.kid, &secret)
                        .map_err(|error| fault(error.into()))?;
                    signing.push((row.clone(), Arc::new(key)));
                }
                REFRESH => {
                    let secret: [u8; 32] = secret
                        .as_slice()
                        .try_into()
                        .map_err(|_| fault("a refresh key must have 32 bytes".into()))?;
                    let number = u8::try_from(row.number).map_err(|error| fault(error.into()))?;
                    chains.push(ChainKey::from_bytes(number, &secret));
                }
                _ => {}
            }
        }
        signing.sort_by(|(one, _), (other, _)| {
            (one.activate_at, &one.kid).cmp(&(other.activate_at, &other.kid))
        });
        chains.sort_by_key(ChainKey::number);
        Ok(Self {
            rows,
            signing,
            chains,
        })
    }

    /// The key that signs at `now`: the newest one that is active.
    pub fn signer(&self, now: Timestamp) -> Result<&SigningKey, Error> {
        let signing = |(row, _): &&(KeyRow, Arc<SigningKey>)| row.purpose == SIGNING;
        let found = active(self.published(now).filter(signing), now);
        found.ok_or_else(|| Error::Fault {
            context: "signing",
            source: "no signing key is open".into(),
        })
    }

    /// The key that signs ID tokens with `algorithm` at `now`, where there is one.
    pub fn id_token_signer(&self, algorithm: Algorithm, now: Timestamp) -> Option<&SigningKey> {
        let signer = self.signer(now).ok();
        let of_its_own = |(row, key): &&(KeyRow, Arc<SigningKey>)| {
            let signs = row.retire_at.is_none_or(|end| now < end);
            row.purpose == ID_TOKEN && key.algorithm() == algorithm && signs
        };
        signer
            .filter(|key| key.algorithm() == algorithm)
            .or_else(|| active(self.published(now).filter(of_its_own), now))
    }

    /// The key of new refresh chains.
    pub fn newest_chain(&self) -> Result<&ChainKey, Error> {
        self.chains.last().ok_or_else(|| Error::Fault {
            context: "signing in",
            source: "no refresh key is open".into(),
        })
    }

    /// The key of an existing refresh chain.
    pub fn chain(&self, number: u8) -> Option<&ChainKey> {
        self.chains.iter().find(|chain| chain.number() == number)
    }

    /// What verifies access tokens at `now`: published keys whose tokens may still live.
    pub fn key_set(&self, now: Timestamp) -> Result<KeySet, Error> {
        let signing = self
            .published(now)
            .filter(|(row, _)| row.purpose == SIGNING);
        key_set(signing)
    }

    /// What verifies ID tokens of whatever age: every key that was not withdrawn (OpenID Connect RP-Initiated Logout 1.0
    /// section 2).
    pub fn id_token_keys(&self) -> Result<KeySet, Error> {
        key_set(self.signing.iter())
    }

    /// The public keys as RFC 7517 section 5 has them, in JSON.
    pub fn jwks(&self, now: Timestamp) -> String {
        let keys: Vec<&str> = self
            .published(now)
            .filter_map(|(row, _)| row.public_jwk.as_deref())
            .collect();
        format!("{{\"keys\":[{}]}}", keys.join(","))
    }

    /// True when the stored rows are those that this ring was opened from.
    pub fn is_made_of(&self, rows: &[KeyRow]) -> bool {
        self.rows == rows
    }

    fn published(
        &self,
        now: Timestamp,
    ) -> impl Iterator<Item = &(KeyRow, Arc<SigningKey>)> + Clone {
        self.signing
            .iter()
            .filter(move |(row, _)| row.expires_at.is_none_or(|end| now < end))
    }
}

/// The newest of these that is active. A clock that was set back: the oldest one is the one that others know best.
fn active<'a>(
    keys: impl Iterator<Item = &'a (KeyRow, Arc<SigningKey>)> + Clone,
    now: Timestamp,
) -> Option<&'a SigningKey> {
    let mut oldest = keys.clone();
    let newest = keys.take_while(|(row, _)| row.activate_at <= now).last();
    newest.or_else(|| oldest.next()).map(|(_, key)| &**key)
}

fn key_set<'a>(keys: impl Iterator<Item = &'a (KeyRow, Arc<SigningKey>)>) -> Result<KeySet, Error> {
    let keys = keys.map(|(_, key)| key.verifying_key()).collect();
    KeySet::new(keys).map_err(|error| Error::Fault {
        context: "key set",
        source: error.into(),
    })
}

/// What a key does at `now`, among `all`.
pub(super) fn part(row: &KeyRow, all: &[KeyRow], now: Timestamp) -> &'static str {
    if row.state == KeyState::Withdrawn {
        return "withdrawn";
    }
    if row.purpose == REFRESH {
        return "deriving";
    }
    let newer = all.iter().any(|other| {
        other.purpose == row.purpose
            && (row.purpose == SIGNING || other.algorithm == row.algorithm)
            && other.state == KeyState::Live
            && other.activate_at <= now
            && (other.activate_at, &other.kid) > (row.activate_at, &row.kid)
    });
    match () {
        () if row.activate_at > now => "published",
        () if !newer => "signing",
        () if row.expires_at.is_none_or(|end| now < end) => "retired",
        () => "expired",
    }
}

/// What a key is sealed for: a sealed key that is moved to another place does not open.
pub(super) fn context(purpose: &str, kid: &str) -> String {
    format!("key:{purpose}:{kid}")
}
