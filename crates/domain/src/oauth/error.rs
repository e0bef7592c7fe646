use std::borrow::Cow;

use crate::words::words;

words! {
    /// The registered codes of OAuth errors that are told here.
    pub enum ErrorCode ("error code") {
        /// RFC 6749 sections 4.1.2.1 and 5.2.
        InvalidRequest => "invalid_request",
        /// RFC 6749 section 5.2.
        InvalidClient => "invalid_client",
        /// RFC 6749 section 5.2.
        InvalidGrant => "invalid_grant",
        /// RFC 6749 sections 4.1.2.1 and 5.2.
        UnauthorizedClient => "unauthorized_client",
        /// RFC 6749 section 5.2.
        UnsupportedGrantType => "unsupported_grant_type",
        /// RFC 6749 section 4.1.2.1.
        UnsupportedResponseType => "unsupported_response_type",
        /// RFC 6749 sections 4.1.2.1 and 5.2.
        InvalidScope => "invalid_scope",
        /// RFC 8707 section 2.
        InvalidTarget => "invalid_target",
        /// RFC 6749 section 4.1.2.1.
        AccessDenied => "access_denied",
        /// RFC 6749 section 4.1.2.1.
        ServerError => "server_error",
        /// RFC 6749 section 4.1.2.1.
        TemporarilyUnavailable => "temporarily_unavailable",
        /// OpenID Connect Core 1.0 section 3.1.2.6.
        LoginRequired => "login_required",
        /// OpenID Connect Core 1.0 section 3.1.2.6.
        ConsentRequired => "consent_required",
        /// OpenID Connect Core 1.0 section 3.1.2.6.
        AccountSelectionRequired => "account_selection_required",
        /// OpenID Connect Core 1.0 section 3.1.2.6.
        RequestNotSupported => "request_not_supported",
        /// OpenID Connect Core 1.0 section 3.1.2.6.
        RequestUriNotSupported => "request_uri_not_supported",
        /// OpenID Connect Core 1.0 section 3.1.2.6.
        RegistrationNotSupported => "registration_not_supported",
        /// OpenID Connect Core 1.0 section 3.1.2.6; RFC 9126 section 2.2.
        InvalidRequestUri => "invalid_request_uri",
        /// OpenID Connect Core Unmet Authentication Requirements 1.0; RFC 9470 section 5.
        UnmetAuthenticationRequirements => "unmet_authentication_requirements",
        /// RFC 8628 section 3.5.
        AuthorizationPending => "authorization_pending",
        /// RFC 8628 section 3.5.
        SlowDown => "slow_down",
        /// RFC 8628 section 3.5.
        ExpiredToken => "expired_token",
        /// RFC 7009 section 2.2.1.
        UnsupportedTokenType => "unsupported_token_type",
        /// RFC 6750 section 3.1.
        InvalidToken => "invalid_token",
        /// RFC 6750 section 3.1.
        InsufficientScope => "insufficient_scope",
        /// RFC 9449 section 5.
        InvalidDpopProof => "invalid_dpop_proof",
        /// RFC 9449 section 8.
        UseDpopNonce => "use_dpop_nonce",
        /// RFC 7591 section 3.2.2.
        InvalidRedirectUri => "invalid_redirect_uri",
        /// RFC 7591 section 3.2.2.
        InvalidClientMetadata => "invalid_client_metadata",
    }
}

/// Why a request is refused, as OAuth tells it. Never repeats what was sent, apart from names of parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", .code.as_str())]
pub struct OAuthError {
    /// `error`.
    pub code: ErrorCode,
    /// `error_description`: printable ASCII without quotes and backslashes (RFC 6749 section 5.2).
    pub description: Cow<'static, str>,
}

impl OAuthError {
    /// An error with its sentence.
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            description: description.into(),
        }
    }

    /// `invalid_request`.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// `invalid_grant`: one sentence for every reason, so that it tells nothing of codes and tokens of others.
    pub fn invalid_grant() -> Self {
        Self::new(
            ErrorCode::InvalidGrant,
            "The grant is not valid: it is unknown, expired, used, or of another client.",
        )
    }

    /// `invalid_client`, for every reason.
    pub fn invalid_client() -> Self {
        Self::new(
            ErrorCode::InvalidClient,
            "The client is unknown, or has not shown that it is this client.",
        )
    }
}
