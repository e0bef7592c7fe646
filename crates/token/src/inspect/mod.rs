//! Looking into tokens by hand: for command lines and tests, never for a server.
//!
//! A server uses [`crate::Verifier`], which cannot be made without an issuer and
//! an audience. What is here can be told to check less, and says so in its names.

mod files;

use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::claims::{Audience, Date, optional, required};
use crate::compact::Compact;
use crate::encoding;
use crate::error::Error;
use crate::key::KeySet;
use crate::slot::Slot;
use crate::strict;
use crate::typ::Typ;
use crate::verify::judge_times;

pub use files::{keys_from_jwks_file, keys_from_secret_file, signing_key_from_secret_file};

/// What is done without any proof.
pub mod danger {
    use super::{Compact, Error, encoding};

    /// The parts of a token of which nothing is known: anybody can have written them.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Unverified {
        /// The header's bytes, JSON if the token is well-formed.
        pub header: Vec<u8>,
        /// The payload's bytes.
        pub payload: Vec<u8>,
        /// The signature's bytes.
        pub signature: Vec<u8>,
    }

    /// Takes a token apart and verifies nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], [`Error::TooLong`] or [`Error::HeaderTooLarge`].
    pub fn decode_unverified(token: &str) -> Result<Unverified, Error> {
        let token = Compact::split(token)?;
        Ok(Unverified {
            header: encoding::decode(token.header)?,
            payload: encoding::decode(token.payload)?,
            signature: encoding::decode(token.signature)?,
        })
    }
}

/// Verifies the signature of a JWS with any payload and any `typ`, and returns
/// the payload. No claim is looked at: an expired token passes.
///
/// # Errors
///
/// [`Error`] up to [`Error::BadSignature`].
pub fn verify_signature_only(
    keys: &KeySet,
    token: &str,
    allowed: &[Algorithm],
) -> Result<Vec<u8>, Error> {
    verify_payload(keys, token, None, allowed)
}

fn verify_payload(
    keys: &KeySet,
    token: &str,
    typ: Option<&Typ>,
    allowed: &[Algorithm],
) -> Result<Vec<u8>, Error> {
    let token = Compact::split(token)?;
    let key = keys.choose(&token, typ, allowed)?;
    let payload = encoding::decode(token.payload)?;
    key.check(token.signing_input, token.signature)?;
    Ok(payload)
}

/// Checks of a token's claims that can be left out one by one.
///
/// The times are always checked, and `exp` must be there.
#[derive(Debug, Clone)]
pub struct Checks {
    /// The algorithms that are allowed.
    pub algorithms: Vec<Algorithm>,
    /// The type that the header must have; `None` for any or none.
    pub typ: Option<Typ>,
    /// The issuer that the token must have; `None` for any or none.
    pub issuer: Option<String>,
    /// The audience that the token must have; `None` for any or none.
    pub audience: Option<String>,
    /// Leeway in seconds.
    pub leeway: u32,
}

impl Default for Checks {
    /// Any algorithm of this crate, type `at+jwt`, any issuer and audience, no leeway.
    fn default() -> Self {
        Self {
            algorithms: Algorithm::ALL.to_vec(),
            typ: Some(Typ::AtJwt),
            issuer: None,
            audience: None,
            leeway: 0,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawClaims {
    iss: Slot<String>,
    sub: Slot<String>,
    aud: Slot<Audience>,
    exp: Slot<Date>,
    nbf: Slot<Date>,
    iat: Slot<Date>,
    jti: Slot<String>,
}

impl Checks {
    /// Verifies a token at a time in seconds since 1970 and returns its payload,
    /// a JSON object.
    ///
    /// # Errors
    ///
    /// The first check that fails, in the order of [`crate::Verifier::verify`].
    pub fn verify(&self, keys: &KeySet, token: &str, now_seconds: i64) -> Result<Vec<u8>, Error> {
        let payload = verify_payload(keys, token, self.typ.as_ref(), &self.algorithms)?;
        let claims: RawClaims = strict::from_slice(&payload)?;
        // RFC 7519 section 4.1: each registered claim has its type.
        let iss = optional("iss", claims.iss)?;
        let aud = optional("aud", claims.aud)?;
        let exp = required("exp", claims.exp)?;
        let nbf = optional("nbf", claims.nbf)?;
        let iat = optional("iat", claims.iat)?;
        optional("sub", claims.sub)?;
        optional("jti", claims.jti)?;
        if let Some(issuer) = &self.issuer {
            match iss.ok_or(Error::MissingClaim("iss"))? {
                iss if iss == *issuer => {}
                _ => return Err(Error::WrongIssuer),
            }
        }
        if let Some(audience) = &self.audience {
            match aud.ok_or(Error::MissingClaim("aud"))? {
                aud if aud.contains(audience) => {}
                _ => return Err(Error::WrongAudience),
            }
        }
        let seconds = |date: Date| date.0;
        judge_times(
            exp.0,
            nbf.map(seconds),
            iat.map(seconds),
            i64::from(self.leeway),
            now_seconds,
        )?;
        Ok(payload)
    }
}
