//! ID tokens of other providers, at which people sign in to come to us
//! (OpenID Connect Core 1.0 section 3.1.3.7).
//!
//! 1. It is a JWT, of no other kind where it says, signed with a key of the
//!    provider and an algorithm of the list.
//! 2. `iss` is the provider, byte for byte.
//! 3. `aud` names us. Where it names others too, or where `azp` is there, `azp`
//!    is us: the token was given to nobody else.
//! 4. It has not expired, and was not made in the future.
//! 5. `nonce` is the one that was sent.

use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::claims::{Audience, Date, optional, required};
use crate::compact::{Compact, Header};
use crate::error::Error;
use crate::key::KeySet;
use crate::slot::Slot;
use crate::strict;
use crate::typ::Typ;
use crate::verify::judge_times;

/// What clocks may differ by, in seconds.
const LEEWAY: i64 = 60;

/// What an ID token must be.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The provider's issuer.
    pub issuer: &'a str,
    /// What we are called there.
    pub client_id: &'a str,
    /// The nonce of the request.
    pub nonce: &'a str,
    /// The algorithms that are taken from this provider.
    pub algorithms: &'a [Algorithm],
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// Who signed in at a provider. Nothing of it but `sub` says who that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignIdToken {
    /// The person, by a name that the provider never gives to another.
    pub sub: String,
    /// An address, which may be anybody's unless `email_verified`.
    pub email: Option<String>,
    /// Whether the provider says that the address is the person's: JSON `true`, and nothing else.
    pub email_verified: bool,
    /// The name to be shown.
    pub name: Option<String>,
    /// When the person gave proof of who they are, in seconds since 1970.
    pub auth_time: Option<i64>,
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
    nbf: Slot<Date>,
    nonce: Slot<String>,
    auth_time: Slot<Date>,
    email: Slot<String>,
    email_verified: Slot<bool>,
    name: Slot<String>,
}

impl ForeignIdToken {
    /// Verifies an ID token with the provider's keys.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify(text: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<Self, Error> {
        let token = Compact::split(text)?;
        let key = keys.choose(&token, None, expected.algorithms)?;
        // Some leave `typ` out; what is of another kind says so.
        let typ = Header::read(token.header)?.typ;
        if typ.is_some_and(|typ| !Typ::Jwt.matches(&typ)) {
            return Err(Error::WrongType);
        }
        let claims: RawClaims = token.with_payload(|payload| {
            key.check(token.signing_input, token.signature)?;
            Ok(strict::from_slice(payload)?)
        })?;
        claims.judge(expected)
    }
}

impl RawClaims {
    fn judge(self, expected: &Expected<'_>) -> Result<ForeignIdToken, Error> {
        if required("iss", self.iss)? != expected.issuer {
            return Err(Error::WrongIssuer);
        }
        let aud = required("aud", self.aud)?;
        let azp = optional("azp", self.azp)?;
        let alone = aud.iter().count() == 1;
        let is_ours = match &azp {
            Some(azp) => azp == expected.client_id,
            None => alone,
        };
        if !is_ours || !aud.contains(expected.client_id) {
            return Err(Error::WrongAudience);
        }
        let (exp, iat) = (required("exp", self.exp)?.0, required("iat", self.iat)?.0);
        let nbf = optional("nbf", self.nbf)?.map(|date| date.0);
        judge_times(exp, nbf, Some(iat), LEEWAY, expected.now)?;
        if required("nonce", self.nonce)? != expected.nonce {
            return Err(Error::MalformedClaim("nonce"));
        }
        let sub = required("sub", self.sub)?;
        if sub.is_empty() || sub.len() > 255 {
            return Err(Error::MalformedClaim("sub"));
        }
        Ok(ForeignIdToken {
            sub,
            // What is of the wrong type is absent: it is not what a person is known by.
            email: self.email.good(),
            email_verified: self.email_verified.good() == Some(true),
            name: self.name.good(),
            auth_time: self.auth_time.good().map(|date| date.0),
        })
    }
}
