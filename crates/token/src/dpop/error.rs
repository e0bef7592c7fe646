//! Why a proof is refused.

use crate::error::{Error, KeyError};

/// Why a proof is refused. None carries a byte of the input. Whatever it is, a
/// client is told `invalid_dpop_proof` (RFC 9449 sections 5 and 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// It is no proof, or its signature is wrong.
    #[error("{0}")]
    Token(#[from] Error),
    /// The header has no object `jwk`.
    #[error("the proof's header has no key")]
    NoKey,
    /// The key in the header is none that a proof may be signed with: private, symmetric, weak or of another algorithm.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// `htm` is not the method of the request.
    #[error("the proof is for another method")]
    WrongMethod,
    /// `htu` is not the URI of the request.
    #[error("the proof is for another URI")]
    WrongUri,
    /// `iat` is too long ago.
    #[error("the proof is too old")]
    TooOld,
    /// `iat` is further ahead than clocks differ.
    #[error("the proof is from the future")]
    FromTheFuture,
    /// `ath` is not the hash of the access token that came along, or is absent.
    #[error("the proof is for another access token")]
    WrongToken,
}

impl DpopError {
    /// The stable name of the refusal, in snake case, for logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::NoKey => "no_key",
            Self::Key(error) => error.code(),
            Self::WrongMethod => "wrong_method",
            Self::WrongUri => "wrong_uri",
            Self::TooOld => "proof_too_old",
            Self::FromTheFuture => "proof_from_the_future",
            Self::WrongToken => "wrong_token",
        }
    }
}
