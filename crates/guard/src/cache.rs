//! Tokens whose signature and claims have been found good, so that the next request need not pay for it again.

use std::{
    fmt,
    hash::{BuildHasher, Hasher},
    sync::Arc,
};

use quick_cache::{UnitWeighter, sync::Cache};
use symbolon_token::{AccessClaims, feed_key};

use crate::{keys::Generation, revocations::Subject, table::Seed};

/// A token with a good signature, of the right issuer, audience and type.
///
/// Whether it is alive is for [`Checker::check`](crate::Checker::check) to say, at each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    claims: AccessClaims,
    subject: Subject,
    /// The key set that it was verified with.
    pub(crate) generation: Generation,
}

impl Verified {
    pub(crate) fn new(claims: AccessClaims, kid: &str, generation: Generation) -> Self {
        let subject = Subject {
            session: claims.sid.as_deref().map(|sid| feed_key("session", sid)),
            user: feed_key("user", &claims.sub),
            token: feed_key("token", &claims.jti),
            client: feed_key("client", &claims.client_id),
            key: feed_key("key", kid),
            version: claims.ver,
            issued_at: claims.iat,
        };
        Self {
            claims,
            subject,
            generation,
        }
    }

    /// What the token says.
    #[must_use]
    pub fn claims(&self) -> &AccessClaims {
        &self.claims
    }

    /// What revocations ask about it.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// Verified tokens by their whole text, bounded by number. Those not seen for longest make room.
pub(crate) struct VerifiedCache(Cache<Box<str>, Arc<Verified>, UnitWeighter, Tails>);

impl VerifiedCache {
    /// A cache of about `capacity` tokens; 0 keeps none.
    pub(crate) fn new(capacity: usize) -> Self {
        let tails = Tails(Seed::random());
        Self(Cache::with(
            capacity,
            capacity as u64,
            UnitWeighter,
            tails,
            Default::default(),
        ))
    }

    pub(crate) fn find(&self, token: &str) -> Option<Arc<Verified>> {
        self.0.get(token)
    }

    pub(crate) fn insert(&self, token: &str, verified: &Arc<Verified>) {
        self.0.insert(token.into(), Arc::clone(verified));
    }
}

impl fmt::Debug for VerifiedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedCache")
            .field("len", &self.0.len())
            .finish_non_exhaustive()
    }
}

/// Hashes the last 16 bytes of a token: 96 bits of a signature that only the issuer can choose, which spreads as well
/// as a hash of the whole and costs a fiftieth. The cache then compares whole tokens, so an attacker who borrows the
/// end of another's token only reaches a comparison that fails.
#[derive(Clone, Copy)]
struct Tails(Seed);

impl BuildHasher for Tails {
    type Hasher = TailHasher;

    fn build_hasher(&self) -> TailHasher {
        TailHasher {
            seed: self.0,
            hash: 0,
        }
    }
}

struct TailHasher {
    seed: Seed,
    hash: u64,
}

impl Hasher for TailHasher {
    fn write(&mut self, bytes: &[u8]) {
        let tail = bytes.last_chunk().copied().unwrap_or_default();
        self.hash = self.seed.hash(&tail);
    }

    /// The byte that ends a `str`.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use symbolon_token::Audience;

    use super::*;

    fn verified(name: &str) -> Arc<Verified> {
        let claims = AccessClaims {
            iss: "https://issuer.example".to_owned(),
            sub: "user".to_owned(),
            aud: Audience::from("api"),
            exp: 0,
            iat: 0,
            jti: name.to_owned(),
            sid: None,
            ver: None,
            client_id: "symbolon".to_owned(),
            scope: String::new(),
            roles: Vec::new(),
            nbf: None,
            email: None,
            cnf: None,
            auth_time: None,
            acr: None,
            act: None,
        };
        Arc::new(Verified::new(claims, "kid", Generation::default()))
    }

    proptest! {
        /// Few letters and one tail, so that texts share their hash, their beginning or their end.
        #[test]
        fn a_token_finds_only_itself(tokens in prop::collection::vec("[ab]{0,3}(|0123456789abcdef)", 1..80)) {
            let cache = VerifiedCache::new(1_000);
            for (number, token) in tokens.iter().enumerate() {
                let known = tokens[..number].contains(token);
                prop_assert_eq!(cache.find(token).map(|found| found.claims.jti.clone()), known.then(|| token.clone()));
                cache.insert(token, &verified(token));
            }
        }
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        for capacity in [0, 1, 500] {
            let cache = VerifiedCache::new(capacity);
            for number in 0..5_000 {
                cache.insert(&format!("{number:020}"), &verified("same"));
            }
            assert!(
                cache.0.len() <= capacity + 64,
                "{} of {capacity}",
                cache.0.len()
            );
        }
    }
}
