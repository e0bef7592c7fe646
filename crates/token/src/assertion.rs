//! JWTs by which a client says who it is: `private_key_jwt` (RFC 7521 section
//! 4.2, RFC 7523 section 3, and the draft rfc7523bis, which narrows the audience).
//!
//! 1. The header names an asymmetric algorithm that the client may use, and no other kind of token.
//! 2. The signature is made with a key that the client registered.
//! 3. `iss` and `sub` are both the client's id.
//! 4. `aud` is the issuer, as one text: neither a list nor an endpoint, which a
//!    foreign server could have made the client write (rfc7523bis section 4).
//! 5. `exp` is there, ahead, and at most five minutes so; `nbf` and `iat`, where they are there, are not ahead.
//! 6. `jti` is there. That it comes once is for the caller to remember, until [`ClientAssertion::exp`].

use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::claims::{Date, optional, required};
use crate::compact::{Compact, Header};
use crate::encoding;
use crate::error::{Error, KeyError};
use crate::jwk::Jwks;
use crate::key::KeySet;
use crate::slot::Slot;
use crate::strict;
use crate::typ::Typ;
use crate::verify::judge_times;

/// How far ahead `exp` may be, in seconds.
pub const LONGEST_LIFE: i64 = 300;

/// How far clocks may differ, in seconds.
pub const LEEWAY: i64 = 10;

/// The algorithms of assertions: a secret that both sides know proves nothing to a third.
pub const ALGORITHMS: [Algorithm; 4] = crate::dpop::ALGORITHMS;

/// The longest `jti`, in bytes.
const MAX_JTI: usize = 256;

/// What an assertion must be about.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The id of the client whose keys are given.
    pub client_id: &'a str,
    /// Our issuer, byte for byte.
    pub issuer: &'a str,
    /// The algorithms that the client may use. Symmetric ones do not count.
    pub algorithms: &'a [Algorithm],
    /// Seconds since 1970.
    pub now_seconds: i64,
}

/// A good assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAssertion {
    /// Its identifier, of 1 to 256 bytes.
    pub jti: String,
    /// Expiry in seconds since 1970. Until [`LEEWAY`] later the `jti` must be remembered.
    pub exp: i64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawClaims {
    iss: Slot<String>,
    sub: Slot<String>,
    /// One text: a list is malformed here.
    aud: Slot<String>,
    exp: Slot<Date>,
    nbf: Slot<Date>,
    iat: Slot<Date>,
    jti: Slot<String>,
}

impl ClientAssertion {
    /// Verifies an assertion with the keys that the client registered.
    ///
    /// # Errors
    ///
    /// The first check that fails; [`Error::UnknownKey`] for keys that cannot be used with the algorithm.
    pub fn verify(text: &str, keys: &Jwks, expected: &Expected<'_>) -> Result<Self, Error> {
        let token = Compact::split(text)?;
        let header = Header::read(token.header)?;
        let algorithm = header
            .algorithm
            .filter(|algorithm| ALGORITHMS.contains(algorithm))
            .filter(|algorithm| expected.algorithms.contains(algorithm))
            .ok_or(Error::AlgorithmNotAllowed)?;
        if !header.typ.as_deref().is_none_or(is_assertion) {
            return Err(Error::WrongType);
        }
        let keys =
            KeySet::from_jwks_for(keys, algorithm).map_err(|_: KeyError| Error::UnknownKey)?;
        let key = keys.choose(&token, None, &[algorithm])?;
        let claims: RawClaims = token.with_payload(|payload| {
            key.check(token.signing_input, token.signature)?;
            Ok(strict::from_slice(payload)?)
        })?;
        claims.judge(expected)
    }

    /// The client that an assertion says it is of, to find the keys to verify it with. Nothing of it is verified.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] and the like for what is no JWT, [`Error::MissingClaim`] and [`Error::MalformedClaim`].
    pub fn claimed_client_id(text: &str) -> Result<String, Error> {
        let token = Compact::split(text)?;
        let payload = encoding::decode(token.payload)?;
        let claims: RawClaims = strict::from_slice(&payload)?;
        required("sub", claims.sub)
    }
}

/// Explicitly typed as the draft asks, or not, as most clients do.
fn is_assertion(typ: &str) -> bool {
    Typ::Jwt.matches(typ) || Typ::Other("client-authentication+jwt".into()).matches(typ)
}

impl RawClaims {
    /// Steps 3 to 6.
    fn judge(self, expected: &Expected<'_>) -> Result<ClientAssertion, Error> {
        if required("iss", self.iss)? != expected.client_id {
            return Err(Error::WrongIssuer);
        }
        if required("sub", self.sub)? != expected.client_id {
            return Err(Error::MalformedClaim("sub"));
        }
        if required("aud", self.aud)? != expected.issuer {
            return Err(Error::WrongAudience);
        }
        let exp = required("exp", self.exp)?.0;
        let nbf = optional("nbf", self.nbf)?.map(|date| date.0);
        let iat = optional("iat", self.iat)?.map(|date| date.0);
        let now = expected.now_seconds;
        judge_times(exp, nbf, iat, LEEWAY, now)?;
        if exp > now.saturating_add(LONGEST_LIFE + LEEWAY) {
            return Err(Error::MalformedClaim("exp"));
        }
        let jti = required("jti", self.jti)?;
        if !(1..=MAX_JTI).contains(&jti.len()) {
            return Err(Error::MalformedClaim("jti"));
        }
        Ok(ClientAssertion { jti, exp })
    }
}
