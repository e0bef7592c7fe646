//! Why a request is refused, as the contract words it.

use symbolon_token::Error;
use thiserror::Error as ThisError;

use crate::{checker::Rejection, proofs::ProofRejection};

/// Why a [`Guard`](crate::Guard) lets a request not through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ThisError)]
pub enum Denied {
    /// There is no `Authorization: Bearer`, nor `DPoP` where the guard judges proofs.
    #[error("no token provided")]
    NoToken,
    /// The header `Authorization` is there twice, so that it is open which one counts.
    #[error("the header authorization is given more than once")]
    MalformedRequest,
    /// It is not a good token of this issuer for this audience.
    #[error("the access token is not valid")]
    Invalid,
    /// It was good, and its time is over.
    #[error("the access token expired")]
    Expired,
    /// It was good, and was revoked.
    #[error("the access token was revoked")]
    Revoked,
    /// Its claims are out of date: a refreshed one will do.
    #[error("the access token is stale")]
    Stale,
    /// The token is bound to a key, and no good proof of that key came along (RFC 9449 section 7.1).
    #[error("the proof of possession is not valid")]
    InvalidProof,
    /// As [`InvalidProof`](Self::InvalidProof): a proof with the nonce that comes with the answer will do.
    #[error("the proof of possession needs a nonce")]
    NonceNeeded,
    /// The token is good, and its owner signed in too long ago for this, or in another way (RFC 9470 section 3).
    #[error("the token's owner must sign in again for this")]
    InsufficientUserAuthentication,
    /// The token is good, and its owner may not do this: a role or a permission is missing.
    #[error("the token's owner is not allowed to do this")]
    Forbidden,
    /// The token is good, and its scope does not allow this.
    #[error("the token's scope does not allow this")]
    InsufficientScope,
    /// It cannot be told now whether the token is good: the revocation feed is not heard, or the keys are not known yet.
    #[error("whether the token is good cannot be told now")]
    Overloaded,
}

impl Denied {
    /// Each of them, in the order of their statuses.
    pub const ALL: [Self; 12] = [
        Self::MalformedRequest,
        Self::NoToken,
        Self::Invalid,
        Self::Expired,
        Self::Revoked,
        Self::Stale,
        Self::InvalidProof,
        Self::NonceNeeded,
        Self::InsufficientUserAuthentication,
        Self::Forbidden,
        Self::InsufficientScope,
        Self::Overloaded,
    ];

    /// The stable word for programs, such as `token_revoked`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::MalformedRequest => "malformed_request",
            Self::Invalid => "invalid_token",
            Self::Expired => "token_expired",
            Self::Revoked => "token_revoked",
            Self::Stale => "token_stale",
            Self::InvalidProof => "invalid_dpop_proof",
            Self::NonceNeeded => "use_dpop_nonce",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::Forbidden => "forbidden",
            Self::InsufficientScope => "insufficient_scope",
            Self::Overloaded => "overloaded",
        }
    }

    /// The HTTP status: 400, 401, 403 or 503.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::MalformedRequest => 400,
            Self::NoToken
            | Self::Invalid
            | Self::Expired
            | Self::Revoked
            | Self::Stale
            | Self::InvalidProof
            | Self::NonceNeeded
            | Self::InsufficientUserAuthentication => 401,
            Self::Forbidden | Self::InsufficientScope => 403,
            Self::Overloaded => 503,
        }
    }

    /// The sentence for people, which tells nothing about the token.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::NoToken => "No token provided",
            Self::Invalid | Self::Expired | Self::Revoked | Self::Stale => "Invalid token",
            Self::InvalidProof => "Invalid proof",
            Self::NonceNeeded => "The proof needs a nonce",
            Self::MalformedRequest => "The header authorization is given more than once.",
            Self::InsufficientUserAuthentication => "You must sign in again for this.",
            Self::Forbidden => "You are not allowed to do this.",
            Self::InsufficientScope => "The token's scope does not allow this.",
            Self::Overloaded => "The service is busy. Wait and try again.",
        }
    }

    /// That of the codes with this word, if there is one.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|denied| denied.code() == code)
    }
}

impl From<Rejection> for Denied {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Invalid(Error::Expired) | Rejection::Expired => Self::Expired,
            Rejection::Invalid(_) => Self::Invalid,
            Rejection::Revoked(_) => Self::Revoked,
            Rejection::Stale(_) => Self::Stale,
        }
    }
}

impl From<ProofRejection> for Denied {
    fn from(rejection: ProofRejection) -> Self {
        match rejection {
            ProofRejection::Unbound => Self::Invalid,
            ProofRejection::NotOne | ProofRejection::Invalid(_) | ProofRejection::Replayed => {
                Self::InvalidProof
            }
            ProofRejection::NonceNeeded => Self::NonceNeeded,
            ProofRejection::Full => Self::Overloaded,
        }
    }
}
