//! JWK Sets (RFC 7517 section 5).

use serde::{Deserialize, Serialize};

use super::Jwk;
use super::members::RawJwk;
use crate::error::KeyError;
use crate::strict;

/// A set of public keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys, in the order of the document.
    pub keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct RawJwks {
    keys: Vec<RawJwk>,
}

impl Jwks {
    /// Reads a set to verify with. Keys of a kind, use or algorithm that is not
    /// ours are left out, as RFC 7517 section 5 says; anything else that is
    /// wrong with any key refuses the whole set.
    ///
    /// # Errors
    ///
    /// Whatever [`KeyError`] describes of public keys, and
    /// [`KeyError::DuplicateKid`].
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        Self::read(json, |error| {
            matches!(error, KeyError::Unsupported | KeyError::WrongUse)
        })
    }

    /// Reads a set that somebody wants to register: every key must be one of ours.
    ///
    /// # Errors
    ///
    /// As [`Jwks::parse`], and [`KeyError::Unsupported`] and [`KeyError::WrongUse`].
    pub fn parse_all(json: &[u8]) -> Result<Self, KeyError> {
        Self::read(json, |_| false)
    }

    fn read(json: &[u8], skip: impl Fn(KeyError) -> bool) -> Result<Self, KeyError> {
        let raw: RawJwks = strict::from_slice(json)?;
        let mut keys: Vec<Jwk> = Vec::with_capacity(raw.keys.len());
        for raw in raw.keys {
            match Jwk::try_from(raw) {
                Ok(jwk) => keys.push(jwk),
                Err(error) if skip(error) => {}
                Err(error) => return Err(error),
            }
        }
        let mut kids: Vec<&str> = keys.iter().filter_map(Jwk::kid).collect();
        kids.sort_unstable();
        if kids.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(KeyError::DuplicateKid);
        }
        Ok(Self { keys })
    }
}
