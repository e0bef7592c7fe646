//! Private and symmetric JWKs.

use std::fmt;

use zeroize::Zeroizing;

use super::members::RawJwk;
use super::{Jwk, Operations};
use crate::algorithm::Algorithm;
use crate::error::KeyError;
use crate::strict;

/// A private or symmetric key, read from JSON. It is never written out again:
/// it has no `Serialize`, its `Debug` shows no private number, and its memory
/// is wiped when dropped.
pub struct PrivateJwk {
    public: Option<Jwk>,
    secret: Secret,
}

/// The private part.
pub(crate) enum Secret {
    Curve {
        d: Zeroizing<Vec<u8>>,
    },
    Rsa {
        d: Zeroizing<Vec<u8>>,
        /// p, q, dp, dq, qi.
        crt: [Zeroizing<Vec<u8>>; 5],
    },
    Symmetric {
        k: Zeroizing<Vec<u8>>,
        kid: Option<String>,
        operations: Operations,
    },
}

impl PrivateJwk {
    /// Reads a private key from JSON.
    ///
    /// # Errors
    ///
    /// Whatever [`KeyError`] describes of a key; [`KeyError::NotPrivate`] for a
    /// public one.
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        strict::from_slice::<RawJwk>(json)?.try_into()
    }

    /// The public half; a symmetric key has none.
    pub fn public(&self) -> Option<&Jwk> {
        self.public.as_ref()
    }

    /// The key's name.
    pub fn kid(&self) -> Option<&str> {
        match &self.secret {
            Secret::Symmetric { kid, .. } => kid.as_deref(),
            _ => self.public.as_ref().and_then(Jwk::kid),
        }
    }

    /// The algorithm that the key is for; HS256 for a symmetric one.
    pub fn algorithm(&self) -> Algorithm {
        self.public
            .as_ref()
            .map_or(Algorithm::Hs256, Jwk::algorithm_or_default)
    }

    pub(crate) fn operations(&self) -> Operations {
        match &self.secret {
            Secret::Symmetric { operations, .. } => *operations,
            _ => self
                .public
                .as_ref()
                .map_or_else(Operations::default, Jwk::operations),
        }
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl TryFrom<RawJwk> for PrivateJwk {
    type Error = KeyError;

    fn try_from(raw: RawJwk) -> Result<Self, KeyError> {
        let (public, secret) = raw.read()?;
        let secret = secret.ok_or(KeyError::NotPrivate)?;
        Ok(Self { public, secret })
    }
}

impl fmt::Debug for PrivateJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateJwk")
            .field("kid", &self.kid())
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}
