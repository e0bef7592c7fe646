//! Access tokens that were found good, so that the next question about them costs no signature check.
//!
//! What changes with time is looked at each time: expiry, and revocations. The keys are those of the whole cache, which is
//! emptied when others come; what slips in at that moment was signed by a key whose revocation hits it.

use std::sync::Arc;

use quick_cache::sync::Cache;
use symbolon_guard::Subject;
use symbolon_token::AccessClaims;

/// Tokens that are kept, of some 2 KB each.
const MOST: usize = 10_000;

/// A token with a good signature.
pub(super) struct Known {
    pub(super) claims: AccessClaims,
    pub(super) subject: Subject,
}

impl Known {
    pub(super) fn is_in_time(&self, now: i64) -> bool {
        let AccessClaims { exp, iat, nbf, .. } = self.claims;
        now < exp && iat <= now && nbf.is_none_or(|nbf| nbf <= now)
    }
}

/// By their whole text. Those not seen for longest make room.
pub struct SeenTokens(Cache<Box<str>, Arc<Known>>);

impl Default for SeenTokens {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl SeenTokens {
    pub(super) fn find(&self, token: &str) -> Option<Arc<Known>> {
        self.0.get(token)
    }

    pub(super) fn keep(&self, token: &str, known: &Arc<Known>) {
        self.0.insert(token.into(), Arc::clone(known));
    }

    /// Forgets all: other keys are trusted.
    pub fn clear(&self) {
        self.0.clear();
    }
}
