//! The keys of one issuer.

use super::VerifyingKey;
use crate::algorithm::Algorithm;
use crate::compact::{Compact, Header};
use crate::error::{Error, KeyError};
use crate::jwk::{Jwk, Jwks, refuse_duplicates};
use crate::typ::Typ;

/// The keys that one issuer's tokens may be signed with.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
}

impl KeySet {
    /// Collects keys.
    ///
    /// # Errors
    ///
    /// [`KeyError::DuplicateKid`] if two have the same name.
    pub fn new(keys: Vec<VerifyingKey>) -> Result<Self, KeyError> {
        refuse_duplicates(keys.iter().filter_map(VerifyingKey::kid))?;
        Ok(Self { keys })
    }

    /// Reads a JWK Set and prepares each key for its algorithm (see [`Jwks::parse`]
    /// for which are left out).
    ///
    /// # Errors
    ///
    /// Those of [`Jwks::parse`] and [`VerifyingKey::from_jwk`].
    pub fn from_jwks_json(json: &[u8]) -> Result<Self, KeyError> {
        Self::from_jwks(&Jwks::parse(json)?)
    }

    /// Prepares each key of a set for its algorithm.
    ///
    /// # Errors
    ///
    /// Those of [`VerifyingKey::from_jwk`]; keys whose `key_ops` do not allow
    /// verifying are left out.
    pub fn from_jwks(jwks: &Jwks) -> Result<Self, KeyError> {
        Self::prepare(jwks.keys.iter().map(VerifyingKey::from_jwk))
    }

    /// Prepares those keys of a set that fit an algorithm, for it. RSA keys
    /// without `alg` then serve PS256 as well as RS256.
    ///
    /// # Errors
    ///
    /// As [`KeySet::from_jwks`].
    pub fn from_jwks_for(jwks: &Jwks, algorithm: Algorithm) -> Result<Self, KeyError> {
        let fitting = jwks.keys.iter().filter(|jwk: &&Jwk| jwk.fits(algorithm));
        Self::prepare(fitting.map(|jwk| VerifyingKey::from_jwk_for(jwk, algorithm)))
    }

    fn prepare(
        keys: impl Iterator<Item = Result<VerifyingKey, KeyError>>,
    ) -> Result<Self, KeyError> {
        let usable = keys.filter(|key| !matches!(key, Err(KeyError::WrongUse)));
        Self::new(usable.collect::<Result<_, _>>()?)
    }

    /// The key of a name.
    pub fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys.iter().find(|key| key.kid() == Some(kid))
    }

    /// Every key.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key: then no token is accepted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The one key that a token may be verified with. `typ` is the kind that is
    /// wanted, `None` for any.
    pub(crate) fn choose(
        &self,
        token: &Compact<'_>,
        typ: Option<&Typ>,
        allowed: &[Algorithm],
    ) -> Result<&VerifyingKey, Error> {
        // The usual case, one comparison a key: our own header for that kind.
        let written =
            |key: &&VerifyingKey| typ.is_some_and(|typ| key.writes_header(typ, token.header));
        if let Some(key) = self.keys.iter().find(written) {
            return match allowed.contains(&key.algorithm()) {
                true => Ok(key),
                false => Err(Error::AlgorithmNotAllowed),
            };
        }
        let header = Header::read(token.header)?;
        // RFC 8725 section 3.1: a list of algorithms, which `none` is never on.
        let algorithm = header
            .algorithm
            .filter(|algorithm| allowed.contains(algorithm))
            .ok_or(Error::AlgorithmNotAllowed)?;
        let key = self.named(header.kid.as_deref(), algorithm)?;
        // RFC 8725 section 3.1: each key is used with one algorithm.
        if key.algorithm() != algorithm {
            return Err(Error::AlgorithmMismatch);
        }
        // RFC 9068 section 4: `typ` must say what kind of token it is.
        match (typ, &header.typ) {
            (None, _) => Ok(key),
            (Some(wanted), Some(typ)) if wanted.matches(typ) => Ok(key),
            _ => Err(Error::WrongType),
        }
    }

    /// The key that a header names (RFC 7515 section 4.1.4). Where the header has
    /// no `kid`, or the keys have none, the choice must be no choice.
    fn named(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&VerifyingKey, Error> {
        if let Some(key) = kid.and_then(|kid| self.get(kid)) {
            return Ok(key);
        }
        let mut candidates = self
            .keys
            .iter()
            .filter(|key| key.algorithm() == algorithm)
            .filter(|key| kid.is_none() || key.kid().is_none());
        match (candidates.next(), candidates.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(Error::UnknownKey),
        }
    }
}
