//! Whether a request may use the token that it brings: tokens that are bound to a key are good only together with a proof
//! of that key (RFC 9449 section 7).
//!
//! 1. A token that is bound comes under the scheme `DPoP`, one that is not under `Bearer` (section 7.2: it would
//!    otherwise be good in a thief's hands).
//! 2. There is exactly one proof, and it is good for this request and this token (`symbolon_token::dpop`).
//! 3. It is signed with the key that the token is bound to.
//! 4. Where nonces are asked for, it has a living one (section 9).
//! 5. It comes for the first time (section 11.1).

mod replays;

use symbolon_token::{
    Confirmation, Thumbprint,
    dpop::{DEFAULT_MAX_AGE, DpopError, Expected, Nonces, Proof},
};
use thiserror::Error;

use replays::Replays;

/// How a token is brought (RFC 6750 section 2.1, RFC 9449 section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Whoever has the token may use it.
    Bearer,
    /// Whoever has the token and the key that it is bound to.
    Dpop,
}

/// What of a request is judged: its token, and what a proof must be about.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The scheme of the header `Authorization`.
    pub scheme: Scheme,
    /// The token in it.
    pub token: &'a str,
    /// The value of each header `DPoP`.
    pub proofs: &'a [&'a str],
    /// The method, as it was sent.
    pub method: &'a str,
    /// The absolute URI, as the client knows it. It must not come out of headers that anybody may send.
    pub uri: &'a str,
}

impl<'a> Presented<'a> {
    /// A token under the scheme `Bearer`, which no proof goes with.
    #[must_use]
    pub const fn bearer(token: &'a str) -> Self {
        Self {
            scheme: Scheme::Bearer,
            token,
            proofs: &[],
            method: "",
            uri: "",
        }
    }
}

/// Why a request may not use its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofRejection {
    /// The token is bound and came as `Bearer`, is not bound and came under `DPoP`, or is bound to another key: 401
    /// `invalid_token`.
    #[error("the token is not bound to the key of the request")]
    Unbound,
    /// There is no header `DPoP`, or more than one: 401 `invalid_dpop_proof`.
    #[error("the request has not exactly one proof")]
    NotOne,
    /// The proof is not good: 401 `invalid_dpop_proof`.
    #[error("{0}")]
    Invalid(#[from] DpopError),
    /// The proof came before: 401 `invalid_dpop_proof`.
    #[error("the proof was used before")]
    Replayed,
    /// The proof has no living nonce: 401 `use_dpop_nonce`, with a header `DPoP-Nonce`.
    #[error("the proof has no living nonce")]
    NonceNeeded,
    /// More proofs came within their life than can be remembered: 503.
    #[error("too many proofs to remember")]
    Full,
}

/// What [`Proofs`] is made of.
#[derive(Debug)]
pub struct ProofOptions {
    /// How old a proof may be, in seconds: at most 300.
    pub max_age_seconds: u32,
    /// How many proofs are remembered, about, at some 40 bytes each. Past that, requests are refused until old ones
    /// have had their time: none is forgotten while it is good.
    pub capacity: usize,
    /// Nonces that proofs must have, if any.
    pub nonces: Option<Nonces>,
}

impl Default for ProofOptions {
    fn default() -> Self {
        Self {
            max_age_seconds: DEFAULT_MAX_AGE,
            capacity: 1_000_000,
            nonces: None,
        }
    }
}

/// Judges proofs, and remembers them while they are good. Share it; everything takes `&self`.
#[derive(Debug)]
pub struct Proofs {
    max_age_seconds: u32,
    nonces: Option<Nonces>,
    replays: Replays,
}

impl Proofs {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(options: ProofOptions) -> Self {
        Self {
            max_age_seconds: options.max_age_seconds,
            nonces: options.nonces,
            replays: Replays::new(options.max_age_seconds, options.capacity),
        }
    }

    /// Whether the request may use its token, whose claim `cnf` is given, at `now` (seconds since 1970).
    ///
    /// # Errors
    ///
    /// The first of the steps above that fails.
    pub fn check(
        &self,
        presented: &Presented<'_>,
        bound_to: Option<&Confirmation>,
        now: i64,
    ) -> Result<(), ProofRejection> {
        let jkt = match (presented.scheme, bound_to) {
            (Scheme::Bearer, None) => return Ok(()),
            (Scheme::Dpop, Some(cnf)) => cnf.jkt,
            (Scheme::Bearer, Some(_)) | (Scheme::Dpop, None) => {
                return Err(ProofRejection::Unbound);
            }
        };
        let proof = self.read(presented, Some(presented.token), now)?;
        if proof.jkt != jkt {
            return Err(ProofRejection::Unbound);
        }
        self.first_time(&proof, now)
    }

    /// The key behind the proof of a request that brings no access token, such as one for a token, at `now` (seconds
    /// since 1970). `scheme` and `token` do not count. None where there is no proof.
    ///
    /// # Errors
    ///
    /// Steps 2, 4 and 5 above.
    pub fn key(
        &self,
        presented: &Presented<'_>,
        now: i64,
    ) -> Result<Option<Thumbprint>, ProofRejection> {
        if presented.proofs.is_empty() {
            return Ok(None);
        }
        let proof = self.read(presented, None, now)?;
        self.first_time(&proof, now)?;
        Ok(Some(proof.jkt))
    }

    /// The nonce to send along with [`ProofRejection::NonceNeeded`], where nonces are asked for.
    #[must_use]
    pub fn nonce(&self, now: i64) -> Option<String> {
        self.nonces.as_ref().map(|nonces| nonces.current(now))
    }

    /// Step 2.
    fn read(
        &self,
        presented: &Presented<'_>,
        access_token: Option<&str>,
        now: i64,
    ) -> Result<Proof, ProofRejection> {
        let &[text] = presented.proofs else {
            return Err(ProofRejection::NotOne);
        };
        let expected = Expected {
            method: presented.method,
            uri: presented.uri,
            access_token,
            now_seconds: now,
            max_age_seconds: self.max_age_seconds,
        };
        Ok(Proof::read(text, &expected)?)
    }

    /// Steps 4 and 5.
    fn first_time(&self, proof: &Proof, now: i64) -> Result<(), ProofRejection> {
        if let Some(nonces) = &self.nonces {
            let nonce = proof.nonce.as_deref().unwrap_or_default();
            if !nonces.accepts(nonce, now) {
                return Err(ProofRejection::NonceNeeded);
            }
        }
        self.replays.note(proof, now)
    }
}

impl Default for Proofs {
    fn default() -> Self {
        Self::new(ProofOptions::default())
    }
}

#[cfg(test)]
mod tests;
