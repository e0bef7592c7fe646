//! The verdict on a token.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use symbolon_token::{AccessClaims, KeySet, Verifier};
use thiserror::Error;

use crate::{
    cache::{Verified, VerifiedCache},
    entry::{Effect, Entry, Kind},
    keys::Keys,
    revocations::{Hit, Replacement, RevocationSet},
};

/// What a [`Checker`] is made of.
#[derive(Debug)]
pub struct CheckerOptions {
    /// Knows the issuer, the audience and the algorithms.
    pub verifier: Verifier,
    /// How many verified tokens are kept, about; 0 keeps none. A kept token costs its length and some 900 bytes.
    pub cache_capacity: usize,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// It is not a good token of this issuer for this audience.
    #[error("{0}")]
    Invalid(#[from] symbolon_token::Error),
    /// It was good, and its time is over.
    #[error("the token has expired")]
    Expired,
    /// It was good, and was revoked by an entry of this kind.
    #[error("the token was revoked ({})", .0.as_str())]
    Revoked(Kind),
    /// Its claims are out of date, by an entry of this kind: a refreshed one will do.
    #[error("the token is out of date ({})", .0.as_str())]
    Stale(Kind),
}

impl Rejection {
    /// `invalid_token`, `token_expired`, `token_revoked` or `token_stale`; all are answered with 401.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_token",
            Self::Expired => "token_expired",
            Self::Revoked(_) => "token_revoked",
            Self::Stale(_) => "token_stale",
        }
    }
}

/// Decides about access tokens with what it knows: keys, revocations, and tokens seen before. It asks nobody.
///
/// Share it; everything takes `&self`. Whoever owns it brings new keys, new revocations and the time.
#[derive(Debug)]
pub struct Checker {
    verifier: Verifier,
    keys: ArcSwap<Keys>,
    keys_writer: Mutex<()>,
    cache: VerifiedCache,
    revocations: RevocationSet,
}

impl Checker {
    /// A guard that trusts these keys and knows of no revocation.
    #[must_use]
    pub fn new(options: CheckerOptions, keys: KeySet) -> Self {
        Self {
            verifier: options.verifier,
            keys: ArcSwap::from_pointee(Keys::new(keys)),
            keys_writer: Mutex::new(()),
            cache: VerifiedCache::new(options.cache_capacity),
            revocations: RevocationSet::new(),
        }
    }

    /// The token, if it is good at `now` (seconds since 1970) and no revocation hits it.
    ///
    /// # Errors
    ///
    /// The first of [`Rejection::Invalid`] or [`Rejection::Expired`], then [`Rejection::Revoked`], then
    /// [`Rejection::Stale`].
    pub fn check(&self, token: &str, now: i64) -> Result<Arc<Verified>, Rejection> {
        let verified = self.verified(token, now)?;
        match self.revocations.find(verified.subject()) {
            None => Ok(verified),
            Some(Hit {
                effect: Effect::Revoked,
                kind,
            }) => Err(Rejection::Revoked(kind)),
            Some(Hit {
                effect: Effect::Stale,
                kind,
            }) => Err(Rejection::Stale(kind)),
        }
    }

    /// Trusts these keys and no others, from now on for every token, seen before or not.
    ///
    /// It costs one signature check for each key that has been used.
    pub fn set_keys(&self, keys: KeySet) {
        let _turn = self
            .keys_writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let next = self.keys.load().next(keys, &self.verifier);
        self.keys.store(next.into());
    }

    /// Heeds an entry of the feed: when this returns, [`check`](Self::check) refuses what it hits.
    pub fn apply(&self, entry: &Entry) {
        self.revocations.apply(entry);
    }

    /// Puts a snapshot of the feed in the place of all entries. See [`RevocationSet::replace`].
    pub fn replace(&self, snapshot: impl IntoIterator<Item = Entry>) {
        self.revocations.replace(snapshot);
    }

    /// An empty set to be filled while this one goes on deciding, then [`install`](Self::install)ed.
    #[must_use]
    pub fn beside(&self) -> Replacement {
        self.revocations.beside()
    }

    /// Puts what was filled beside in the place of all entries, at once.
    pub fn install(&self, replacement: Replacement) {
        self.revocations.install(replacement);
    }

    /// Forgets entries that no living token can be hit by at `now` (seconds since 1970), and says how many.
    ///
    /// They are kept for as much longer as the verifier's leeway lets tokens live.
    pub fn expire(&self, now: i64) -> usize {
        self.revocations
            .expire(now.saturating_sub(self.verifier.leeway()))
    }

    /// Seconds by which clocks may differ.
    #[must_use]
    pub fn leeway(&self) -> i64 {
        self.verifier.leeway()
    }

    /// The revocations, to be counted.
    #[must_use]
    pub fn revocations(&self) -> &RevocationSet {
        &self.revocations
    }

    fn verified(&self, token: &str, now: i64) -> Result<Arc<Verified>, Rejection> {
        let keys = self.keys.load();
        if let Some(known) = self.cache.find(token).filter(|known| keys.upholds(known)) {
            in_time(known.claims(), self.verifier.leeway(), now)?;
            return Ok(known);
        }
        let (claims, key) = self
            .verifier
            .verify_keyed(&keys.set, token, now)
            .map_err(|error| match error {
                symbolon_token::Error::Expired => Rejection::Expired,
                error => Rejection::Invalid(error),
            })?;
        let verified = Arc::new(Verified::new(
            claims,
            key.kid().unwrap_or_default(),
            keys.generation,
        ));
        self.cache.insert(token, &verified);
        keys.witness(token, &verified);
        Ok(verified)
    }
}

/// What of a verified token changes with the time, as the verifier judges it (RFC 7519 sections 4.1.4 to 4.1.6).
fn in_time(claims: &AccessClaims, leeway: i64, now: i64) -> Result<(), Rejection> {
    if now >= claims.exp.saturating_add(leeway) {
        return Err(Rejection::Expired);
    }
    let latest = now.saturating_add(leeway);
    if claims.iat > latest || claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(symbolon_token::Error::NotYetValid.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
