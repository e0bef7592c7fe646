//! JWK Sets (RFC 7517 section 5).

use serde::{Deserialize, Serialize};

use super::members::RawJwk;
use super::{Jwk, PrivateJwk};
use crate::error::KeyError;
use crate::strict;

/// A set of public keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys, in the order of the document.
    pub keys: Vec<Jwk>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawJwks {
    keys: Option<Vec<RawJwk>>,
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

    /// The set in JSON: public members only, those of a key in one order.
    pub fn to_json(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a set of symmetric keys.
    pub(crate) fn parse_symmetric(json: &[u8]) -> Result<Vec<PrivateJwk>, KeyError> {
        let keys = raw_keys(json)?
            .into_iter()
            .map(|raw| match PrivateJwk::try_from(raw) {
                Err(KeyError::NotPrivate) => Err(KeyError::MixedSet),
                Ok(key) if key.public().is_some() => Err(KeyError::MixedSet),
                key => key,
            });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        refuse_duplicates(keys.iter().filter_map(PrivateJwk::kid))?;
        Ok(keys)
    }

    fn read(json: &[u8], skip: impl Fn(KeyError) -> bool) -> Result<Self, KeyError> {
        let raw = raw_keys(json)?;
        let mut keys: Vec<Jwk> = Vec::with_capacity(raw.len());
        for raw in raw {
            match Jwk::try_from(raw) {
                Ok(jwk) => keys.push(jwk),
                Err(error) if skip(error) => {}
                Err(error) => return Err(error),
            }
        }
        refuse_duplicates(keys.iter().filter_map(Jwk::kid))?;
        Ok(Self { keys })
    }
}

fn raw_keys(json: &[u8]) -> Result<Vec<RawJwk>, KeyError> {
    let raw: RawJwks = strict::from_slice(json)?;
    raw.keys.ok_or(KeyError::MissingMember("keys"))
}

/// RFC 7517 section 4.5: different keys should have different names; with two of
/// one name it would depend on the reader which is used.
pub(crate) fn refuse_duplicates<'k>(kids: impl Iterator<Item = &'k str>) -> Result<(), KeyError> {
    let mut kids: Vec<&str> = kids.collect();
    kids.sort_unstable();
    match kids.windows(2).any(|pair| pair.first() == pair.last()) {
        true => Err(KeyError::DuplicateKid),
        false => Ok(()),
    }
}
