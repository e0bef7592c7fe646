//! The issuer's keys, and which of them a cached token may still rely on.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use symbolon_token::{KeySet, Verifier, VerifyingKey, feed_key};

use crate::{cache::Verified, entry::FeedKey};

/// Counts the key sets of a guard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation(u64);

/// One set of keys.
///
/// Key sets come again and again, mostly the same. A cached token is worth something as long as its key stayed, and a
/// name is no proof of that: a key may come back under its old name with other material. Keys cannot be compared, but
/// a signature can be checked again: one token for each key, kept as a witness, vouches for all the others.
pub(crate) struct Keys {
    pub(crate) set: KeySet,
    pub(crate) generation: Generation,
    held: Vec<Held>,
}

/// A key with a name. Tokens of nameless keys are verified anew after each change.
struct Held {
    key: FeedKey,
    /// The generation since which the same key has been there without a gap.
    since: Generation,
    witness: OnceLock<Witness>,
}

#[derive(Clone)]
struct Witness {
    token: Box<str>,
    verified: Arc<Verified>,
}

impl Keys {
    pub(crate) fn new(set: KeySet) -> Self {
        Self::with(set, Generation::default(), |_| None)
    }

    /// The set that follows this one.
    pub(crate) fn next(&self, set: KeySet, verifier: &Verifier) -> Self {
        let same = set.clone();
        Self::with(set, Generation(self.generation.0 + 1), |key| {
            let held = self.held.iter().find(|held| held.key == *key)?;
            let witness = held.witness.get()?;
            witness
                .vouches(verifier, &same)
                .then(|| (held.since, witness.clone()))
        })
    }

    fn with(
        set: KeySet,
        generation: Generation,
        kept: impl Fn(&FeedKey) -> Option<(Generation, Witness)>,
    ) -> Self {
        let held = |kid| {
            let key = feed_key("key", kid);
            match kept(&key) {
                Some((since, witness)) => Held {
                    key,
                    since,
                    witness: witness.into(),
                },
                // Without a witness no token of this key was cached, so that none is lost.
                None => Held {
                    key,
                    since: generation,
                    witness: OnceLock::new(),
                },
            }
        };
        let held = set.iter().filter_map(VerifyingKey::kid).map(held).collect();
        Self {
            set,
            generation,
            held,
        }
    }

    /// Whether what an earlier set (or this one) verified would be verified by this one.
    pub(crate) fn upholds(&self, verified: &Verified) -> bool {
        verified.generation == self.generation
            || self
                .held(verified)
                .is_some_and(|held| held.since <= verified.generation)
    }

    /// Keeps a token that this set verified, where its key has none yet.
    pub(crate) fn witness(&self, token: &str, verified: &Arc<Verified>) {
        if let Some(held) = self.held(verified) {
            held.witness.get_or_init(|| Witness {
                token: token.into(),
                verified: Arc::clone(verified),
            });
        }
    }

    fn held(&self, verified: &Verified) -> Option<&Held> {
        self.held
            .iter()
            .find(|held| held.key == verified.subject().key)
    }
}

impl Witness {
    fn vouches(&self, verifier: &Verifier, keys: &KeySet) -> bool {
        let claims = self.verified.claims();
        // At a time when it was valid: its key is in question, not its life.
        let then = claims.nbf.unwrap_or(claims.iat).max(claims.iat);
        let again = verifier.verify_keyed(keys, &self.token, then);
        again.is_ok_and(|(_, key)| {
            key.kid()
                .is_some_and(|kid| feed_key("key", kid) == self.verified.subject().key)
        })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("set", &self.set)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
