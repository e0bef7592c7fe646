//! The verifier: one issuer, one audience, one kind of token.

use std::fmt;
use std::marker::PhantomData;

use crate::algorithm::Algorithm;
use crate::claims::{Access, Profile, Registered};
use crate::compact::Compact;
use crate::error::Error;
use crate::key::{KeySet, VerifyingKey};

/// Verifies tokens of one [`Profile`]. It cannot be made without an issuer, an
/// audience and at least one algorithm.
pub struct Verifier<P: Profile = Access> {
    issuer: String,
    audience: String,
    algorithms: Vec<Algorithm>,
    leeway: i64,
    profile: PhantomData<fn() -> P>,
}

/// Why a [`Verifier`] cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The issuer is the empty string.
    #[error("a verifier needs an issuer")]
    NoIssuer,
    /// The audience is the empty string.
    #[error("a verifier needs an audience")]
    NoAudience,
    /// The list of algorithms is empty.
    #[error("a verifier needs at least one algorithm")]
    NoAlgorithm,
    /// More than 60 seconds of leeway (RFC 7519 section 4.1.4: "a few minutes" at most).
    #[error("the leeway must not be longer than 60 seconds")]
    LeewayTooLong,
}

impl Verifier<Access> {
    /// Makes a verifier of access tokens (RFC 9068), with no leeway.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if an argument is empty.
    pub fn access(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        algorithms: &[Algorithm],
    ) -> Result<Self, BuildError> {
        Self::new(issuer, audience, algorithms)
    }
}

impl<P: Profile> Verifier<P> {
    /// Makes a verifier of any kind of token, with no leeway.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if an argument is empty.
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        algorithms: &[Algorithm],
    ) -> Result<Self, BuildError> {
        let (issuer, audience) = (issuer.into(), audience.into());
        if issuer.is_empty() {
            return Err(BuildError::NoIssuer);
        }
        if audience.is_empty() {
            return Err(BuildError::NoAudience);
        }
        if algorithms.is_empty() {
            return Err(BuildError::NoAlgorithm);
        }
        Ok(Self {
            issuer,
            audience,
            algorithms: algorithms.to_vec(),
            leeway: 0,
            profile: PhantomData,
        })
    }

    /// Allows for clocks that differ by up to `seconds`, at most 60.
    ///
    /// # Errors
    ///
    /// [`BuildError::LeewayTooLong`].
    pub fn leeway_seconds(self, seconds: u32) -> Result<Self, BuildError> {
        match seconds {
            0..=60 => Ok(Self {
                leeway: i64::from(seconds),
                ..self
            }),
            _ => Err(BuildError::LeewayTooLong),
        }
    }

    /// The leeway in seconds.
    pub fn leeway(&self) -> i64 {
        self.leeway
    }

    /// Verifies a token at a time given in seconds since 1970, and returns its claims.
    ///
    /// # Errors
    ///
    /// The first check that fails, in this order: length and form, header,
    /// algorithm, key, type, signature, claims, issuer, audience, expiry, not before.
    pub fn verify(&self, keys: &KeySet, token: &str, now_seconds: i64) -> Result<P::Claims, Error> {
        self.verify_keyed(keys, token, now_seconds)
            .map(|(claims, _)| claims)
    }

    /// As [`Verifier::verify`], and returns the key too.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify`].
    pub fn verify_keyed<'k>(
        &self,
        keys: &'k KeySet,
        token: &str,
        now_seconds: i64,
    ) -> Result<(P::Claims, &'k VerifyingKey), Error> {
        let token = Compact::split(token)?;
        let key = keys.choose(&token, Some(&P::TYP), &self.algorithms)?;
        let claims = token.with_payload(|payload| {
            key.check(token.signing_input, token.signature)?;
            P::read(payload)
        })?;
        self.judge(&P::registered(&claims), now_seconds)?;
        Ok((claims, key))
    }

    fn judge(&self, claims: &Registered<'_>, now: i64) -> Result<(), Error> {
        // RFC 7519 section 4.1.1, RFC 9068 section 4: byte for byte.
        if claims.iss != self.issuer {
            return Err(Error::WrongIssuer);
        }
        // RFC 7519 section 4.1.3.
        if !claims.aud.contains(&self.audience) {
            return Err(Error::WrongAudience);
        }
        judge_times(claims.exp, claims.nbf, claims.iat, self.leeway, now)
    }
}

/// Checks the times of a token; all are seconds since 1970 or seconds.
pub(crate) fn judge_times(
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    leeway: i64,
    now: i64,
) -> Result<(), Error> {
    // RFC 7519 section 4.1.4: "on or after" is expired.
    if now >= exp.saturating_add(leeway) {
        return Err(Error::Expired);
    }
    // RFC 7519 section 4.1.5; and a token cannot have been issued in the future.
    let latest = now.saturating_add(leeway);
    if nbf.is_some_and(|nbf| nbf > latest) || iat.is_some_and(|iat| iat > latest) {
        return Err(Error::NotYetValid);
    }
    Ok(())
}

impl<P: Profile> fmt::Debug for Verifier<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("algorithms", &self.algorithms)
            .field("leeway", &self.leeway)
            .finish()
    }
}

impl<P: Profile> Clone for Verifier<P> {
    fn clone(&self) -> Self {
        Self {
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            algorithms: self.algorithms.clone(),
            leeway: self.leeway,
            profile: PhantomData,
        }
    }
}
