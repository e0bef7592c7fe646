//! Proofs of possession (DPoP, RFC 9449): a client shows with each request that
//! it holds the key that its tokens are bound to.
//!
//! What makes a proof good, in the order of RFC 9449 section 4.3:
//!
//! 1. There is one header `DPoP`: its owner counts them, a [`Proof`] is one text.
//! 2. It is one well-formed JWT in compact form.
//! 3. It has every claim that section 4.2 requires, each of the right type.
//! 4. `typ` is `dpop+jwt`.
//! 5. `alg` is one of ours that is not symmetric.
//! 6. The signature is made with the key in `jwk`.
//! 7. That key is a public one, and a sound one.
//! 8. `htm` is the method of the request.
//! 9. `htu` is its URI without query and fragment, compared after normalisation.
//! 10. `nonce` is the server's: a [`Proof`] gives it back, [`Nonces`] judges it.
//! 11. `iat` is recent, and not in the future.
//! 12. With an access token, `ath` is its hash, and the token is bound to the
//!     key: the caller compares [`Proof::jkt`].
//!
//! That a `jti` comes once is for its owner to remember (section 11.1).

mod error;
mod nonces;
mod sign;
mod uri;

use aws_lc_rs::digest;
use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::claims::Date;
use crate::compact::Compact;
use crate::encoding;
use crate::error::Error;
use crate::jwk::{Jwk, RawJwk};
use crate::key::VerifyingKey;
use crate::slot::{Present, Slot};
use crate::strict;
use crate::thumbprint::Thumbprint;
use crate::typ::Typ;

pub use error::DpopError;
pub use nonces::Nonces;
pub use sign::Draft;
pub use uri::is_same_target;

/// The algorithms of proofs, in the order in which challenges name them.
pub const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
];

/// The names of [`ALGORITHMS`], as the parameter `algs` of a challenge lists them (RFC 9449 section 7.1).
pub const ALGORITHM_NAMES: &str = "ES256 EdDSA RS256 PS256";

/// For how many seconds a proof is good where nobody chose another bound.
pub const DEFAULT_MAX_AGE: u32 = 60;

/// The longest bound that may be chosen, in seconds.
pub const LONGEST_MAX_AGE: u32 = 300;

/// How many seconds a client's clock may be ahead (RFC 9449 section 11.1: "on the order of seconds").
pub const AHEAD: i64 = 5;

/// The longest `jti`, in bytes: whoever remembers them should not have to remember books.
const MAX_JTI: usize = 256;

pub(crate) const TYP: &str = "dpop+jwt";

/// What a proof must be about.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The method of the request, as it was sent.
    pub method: &'a str,
    /// The URI of the request as clients know it: absolute, `https` or `http`.
    /// A query or fragment is ignored.
    pub uri: &'a str,
    /// The access token that comes with the request, if one does.
    pub access_token: Option<&'a str>,
    /// Seconds since 1970.
    pub now_seconds: i64,
    /// How old a proof may be, in seconds: at most [`LONGEST_MAX_AGE`], which a larger number counts as.
    pub max_age_seconds: u32,
}

/// A good proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of the key that signed it.
    pub jkt: Thumbprint,
    /// Its identifier, of 1 to 256 bytes, which a client uses once.
    pub jti: String,
    /// When it was made by the client's clock, in seconds since 1970.
    pub iat: i64,
    /// The server's nonce, where the client knew one.
    pub nonce: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawHeader {
    typ: Slot<String>,
    alg: Slot<String>,
    jwk: Option<RawJwk>,
    crit: Present,
    b64: Present,
    enc: Present,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawClaims {
    jti: Slot<String>,
    htm: Slot<String>,
    htu: Slot<String>,
    iat: Slot<Date>,
    ath: Slot<String>,
    nonce: Slot<String>,
}

impl Proof {
    /// Reads the value of a header `DPoP` and judges all of it that the request
    /// decides (RFC 9449 section 4.3).
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn read(text: &str, expected: &Expected<'_>) -> Result<Self, DpopError> {
        let token = Compact::split(text)?;
        let (key, jwk) = header(token.header)?;
        let claims = token.with_payload(|payload| {
            key.check(token.signing_input, token.signature)?;
            Ok(strict::from_slice::<RawClaims>(payload)?)
        })?;
        claims.judge(jwk.jkt(), expected)
    }
}

/// Steps 4 to 7, save the signature itself.
fn header(segment: &[u8]) -> Result<(VerifyingKey, Jwk), DpopError> {
    let json = encoding::decode(segment).map_err(Error::from)?;
    let raw: RawHeader = strict::from_slice(&json).map_err(Error::from)?;
    // As for every token: no extension is understood (RFC 7515 section 4.1.11).
    if raw.crit.0 || raw.b64.0 {
        return Err(Error::CriticalHeader.into());
    }
    if raw.enc.0 {
        return Err(Error::Malformed.into());
    }
    let typ = raw.typ.required(Error::WrongType, Error::WrongType)?;
    if !Typ::Other(TYP.into()).matches(&typ) {
        return Err(Error::WrongType.into());
    }
    let alg = raw.alg.required(Error::Malformed, Error::Malformed)?;
    let algorithm = Algorithm::from_jose(&alg)
        .filter(|algorithm| ALGORITHMS.contains(algorithm))
        .ok_or(Error::AlgorithmNotAllowed)?;
    let jwk = Jwk::try_from(raw.jwk.ok_or(DpopError::NoKey)?)?;
    let key = VerifyingKey::from_jwk_for(&jwk, algorithm)?;
    Ok((key, jwk))
}

impl RawClaims {
    /// Steps 3 and 8 to 12.
    fn judge(self, jkt: Thumbprint, expected: &Expected<'_>) -> Result<Proof, DpopError> {
        let jti = required("jti", self.jti)?;
        if !(1..=MAX_JTI).contains(&jti.len()) {
            return Err(Error::MalformedClaim("jti").into());
        }
        if required("htm", self.htm)? != expected.method {
            return Err(DpopError::WrongMethod);
        }
        if !is_same_target(&required("htu", self.htu)?, expected.uri) {
            return Err(DpopError::WrongUri);
        }
        let iat = required("iat", self.iat)?.0;
        let now = expected.now_seconds;
        if iat > now.saturating_add(AHEAD) {
            return Err(DpopError::FromTheFuture);
        }
        let max_age = expected.max_age_seconds.min(LONGEST_MAX_AGE);
        if iat < now.saturating_sub(i64::from(max_age)) {
            return Err(DpopError::TooOld);
        }
        let ath = self.ath.optional(Error::MalformedClaim("ath"))?;
        if let Some(token) = expected.access_token
            && ath != Some(access_token_hash(token))
        {
            return Err(DpopError::WrongToken);
        }
        let nonce = self.nonce.optional(Error::MalformedClaim("nonce"))?;
        Ok(Proof {
            jkt,
            jti,
            iat,
            nonce,
        })
    }
}

fn required<T>(name: &'static str, slot: Slot<T>) -> Result<T, Error> {
    slot.required(Error::MissingClaim(name), Error::MalformedClaim(name))
}

/// The `ath` of an access token (RFC 9449 section 4.2): base64url of its SHA-256.
#[must_use]
pub fn access_token_hash(token: &str) -> String {
    encoding::encode(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}
