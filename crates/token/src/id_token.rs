//! ID tokens that come back to us as hints (OpenID Connect RP-Initiated Logout
//! 1.0 section 2, OpenID Connect Core 1.0 section 3.1.2.1, `id_token_hint`).
//!
//! 1. It is a JWT of no other kind (`typ`: `JWT`), signed with a key of ours.
//! 2. `iss` is our issuer.
//! 3. Its expiry does not count: a person may sign out long after it.

use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::claims::{Audience, Date, optional, required};
use crate::compact::Compact;
use crate::error::Error;
use crate::key::KeySet;
use crate::slot::Slot;
use crate::strict;
use crate::typ::Typ;

/// What a hint must be.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Our issuer, byte for byte.
    pub issuer: &'a str,
    /// The algorithms of our keys.
    pub algorithms: &'a [Algorithm],
}

/// An ID token that we once gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdTokenHint {
    /// The subject as that client knows it.
    pub sub: String,
    /// The clients that it was made for.
    pub aud: Audience,
    /// Whom it was given to, where it names one.
    pub azp: Option<String>,
    /// The session.
    pub sid: Option<String>,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it expired or will, in seconds since 1970.
    pub exp: i64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawClaims {
    iss: Slot<String>,
    sub: Slot<String>,
    aud: Slot<Audience>,
    azp: Slot<String>,
    exp: Slot<Date>,
    iat: Slot<Date>,
    sid: Slot<String>,
}

impl IdTokenHint {
    /// Verifies a hint with our own keys.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify(text: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<Self, Error> {
        let token = Compact::split(text)?;
        let key = keys.choose(&token, Some(&Typ::Jwt), expected.algorithms)?;
        let claims: RawClaims = token.with_payload(|payload| {
            key.check(token.signing_input, token.signature)?;
            Ok(strict::from_slice(payload)?)
        })?;
        if required("iss", claims.iss)? != expected.issuer {
            return Err(Error::WrongIssuer);
        }
        Ok(Self {
            sub: required("sub", claims.sub)?,
            aud: required("aud", claims.aud)?,
            azp: optional("azp", claims.azp)?,
            sid: optional("sid", claims.sid)?,
            iat: required("iat", claims.iat)?.0,
            exp: required("exp", claims.exp)?.0,
        })
    }
}
