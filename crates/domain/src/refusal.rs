use std::borrow::Cow;
use std::time::Duration;

use crate::FieldError;

#[cfg(test)]
mod tests;

/// Every reason to say no. What it means for HTTP or for the command line is decided there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.detail())]
pub enum Refusal {
    /// No access token was sent.
    NoToken,
    /// The access token is not one of ours, or is not for here.
    InvalidToken,
    /// The access token has expired.
    TokenExpired,
    /// A revocation hits the access token.
    TokenRevoked,
    /// The access token says what is no longer true, such as former roles: refresh and go on.
    TokenStale,
    /// The access token is bound to a key, and no good proof of it came along (RFC 9449 section 7.1).
    InvalidProof,
    /// As [`InvalidProof`](Self::InvalidProof): a proof with the nonce that the answer has will do (RFC 9449 section 9).
    ProofNonceNeeded,
    /// Unknown user or wrong password; which of the two is not told.
    InvalidCredentials,
    /// Not the credentials of a client that may do this.
    InvalidClient,
    /// No refresh token was sent.
    NoRefreshToken,
    /// The refresh token is not one of ours, or was late.
    InvalidRefreshToken,
    /// The session's idle or absolute life is over.
    RefreshTokenExpired,
    /// The refresh token was used before: the session is ended.
    RefreshTokenReused,
    /// The session was ended.
    SessionRevoked,
    /// Known, and not allowed.
    Forbidden,
    /// Nobody makes an account here, or nobody without an invitation.
    RegistrationClosed,
    /// The access token's scope does not allow it (RFC 6750 section 3.1).
    InsufficientScope,
    /// The password that was asked for again is wrong.
    WrongPassword,
    /// The right password of a disabled user.
    AccountDisabled,
    /// The request came from a page of another site.
    CsrfRejected,
    /// There is no such thing, or none to be seen by whoever asks.
    NotFound,
    /// The thing is there and does not do that.
    MethodNotAllowed,
    /// The thing is no longer of the version that the request is meant for (RFC 9110 section 13.1.1).
    PreconditionFailed,
    /// The value of this field is taken.
    Conflict(&'static str),
    /// The body is too large.
    PayloadTooLarge,
    /// The body is not of the media type that is read here.
    UnsupportedMediaType,
    /// Fields are wrong.
    Validation(Vec<FieldError>),
    /// The request cannot be read; the sentence says why and quotes nothing.
    MalformedRequest(String),
    /// The token of a link is wrong, used, replaced or expired; which of them is not told.
    InvalidLink,
    /// The right password of a user whose address has to be confirmed first.
    EmailNotVerified,
    /// Too many tries.
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Too much to do, or the store does not answer.
    Overloaded {
        /// How long to wait.
        retry_after: Duration,
    },
}

impl Refusal {
    /// The stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::InvalidToken => "invalid_token",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::TokenStale => "token_stale",
            Self::InvalidProof => "invalid_dpop_proof",
            Self::ProofNonceNeeded => "use_dpop_nonce",
            Self::InvalidCredentials | Self::InvalidClient => "invalid_credentials",
            Self::NoRefreshToken => "no_refresh_token",
            Self::InvalidRefreshToken => "invalid_refresh_token",
            Self::RefreshTokenExpired => "refresh_token_expired",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::SessionRevoked => "session_revoked",
            Self::Forbidden | Self::RegistrationClosed => "forbidden",
            Self::InsufficientScope => "insufficient_scope",
            Self::WrongPassword => "wrong_password",
            Self::AccountDisabled => "account_disabled",
            Self::CsrfRejected => "csrf_rejected",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::PreconditionFailed => "precondition_failed",
            Self::Conflict(_) => "conflict",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Validation(_) => "validation_failed",
            Self::MalformedRequest(_) | Self::InvalidLink => "malformed_request",
            Self::EmailNotVerified => "email_not_verified",
            Self::RateLimited { .. } => "rate_limited",
            Self::Overloaded { .. } => "overloaded",
        }
    }

    /// The sentence for people. Every bad access token has the same one, on purpose.
    pub fn detail(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NoToken => "No token provided",
            Self::InvalidToken | Self::TokenExpired | Self::TokenRevoked | Self::TokenStale => {
                "Invalid token"
            }
            Self::InvalidProof => "Invalid proof",
            Self::ProofNonceNeeded => "The proof needs a nonce",
            Self::InvalidCredentials => "Invalid credentials",
            Self::InvalidClient => "Invalid client credentials",
            Self::NoRefreshToken => "No refresh token provided",
            Self::InvalidRefreshToken => "Invalid refresh token",
            Self::RefreshTokenExpired => "The refresh token has expired. Sign in again.",
            Self::RefreshTokenReused => {
                "The refresh token was used before, so the session was ended. Sign in again."
            }
            Self::SessionRevoked => "The session was ended. Sign in again.",
            Self::Forbidden => "You are not allowed to do this.",
            Self::RegistrationClosed => "Accounts are made by invitation only here, or not at all.",
            Self::InsufficientScope => "The token's scope does not allow this.",
            Self::WrongPassword => "The current password is wrong.",
            Self::AccountDisabled => "The account is disabled.",
            Self::CsrfRejected => "Requests from other sites are not accepted.",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Conflict("last_admin") => "The last administrator stays.",
            Self::PreconditionFailed => "It was changed in the meantime. Read it again.",
            Self::Conflict("role_in_use") => "The role is still in use.",
            Self::Conflict("plan") => {
                "The state has changed since the plan was made. Run it again."
            }
            Self::Conflict("secrets") => {
                "The client has two secrets already. Delete the one that is no longer used."
            }
            Self::Conflict("last_identity") => {
                "The account has no password, so this identity is its last way in. Set a password first."
            }
            Self::Conflict("key") => "Another rotation is under way.",
            Self::Conflict(field) => return Cow::Owned(format!("This {field} is taken.")),
            Self::PayloadTooLarge => "The body is too large.",
            Self::UnsupportedMediaType => "The body must be application/json.",
            Self::Validation(_) => "Some fields are not valid.",
            Self::MalformedRequest(why) => return Cow::Owned(why.clone()),
            Self::InvalidLink => "This link is not valid any more.",
            Self::EmailNotVerified => {
                "The e-mail address has to be confirmed first. The mail for it is on its way."
            }
            Self::RateLimited { .. } => "Too many tries. Wait and try again.",
            Self::Overloaded { .. } => "The service is busy. Wait and try again.",
        })
    }

    /// How long to wait, for the refusals that say so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Overloaded { retry_after } => {
                Some(*retry_after)
            }
            _ => None,
        }
    }
}
