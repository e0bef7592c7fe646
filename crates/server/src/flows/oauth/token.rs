//! The token endpoint (OAuth 2.1 section 3.2): which client asks, and by which grant.

use std::sync::Arc;

use symbolon_domain::oauth::{ErrorCode, OAuthError, Scopes};
use symbolon_domain::{Client, Grant, Timestamp};
use zeroize::Zeroizing;

use super::grants::{client_credentials, code, device, refresh, token_exchange};
use super::{Credentials, Failed, authenticate};
use crate::app::App;
use crate::flows::Origin;
use crate::flows::access_token::AccessToken;

/// A request for tokens.
pub struct TokenRequest<'a> {
    /// What it shows, and its parameters.
    pub credentials: Credentials<'a>,
    /// The thumbprint of the key of its DPoP proof (RFC 9449 section 5), once that was checked.
    pub jkt: Option<String>,
}

/// The answer (RFC 6749 section 5.1; OpenID Connect Core 1.0 section 3.1.3.3).
pub struct Tokens {
    /// `access_token`, `expires_in`.
    pub access: AccessToken,
    /// `token_type`: `Bearer`, or `DPoP` for one that is bound to a key.
    pub token_type: &'static str,
    /// `issued_token_type`, of an exchange (RFC 8693 section 2.2.1).
    pub issued_token_type: Option<&'static str>,
    /// `refresh_token`.
    pub refresh_token: Option<Zeroizing<String>>,
    /// `id_token`.
    pub id_token: Option<String>,
    /// `scope`.
    pub scopes: Scopes,
}

/// What every grant knows.
pub(super) struct Asked<'a> {
    pub(super) request: &'a TokenRequest<'a>,
    /// The client, which has shown that it is this one and may use this grant.
    pub(super) client: Arc<Client>,
    /// Read before the client was: what ends its tokens from that second on hits what is made now.
    pub(super) now: Timestamp,
    pub(super) origin: &'a Origin,
}

/// Gives tokens.
///
/// # Errors
/// `invalid_request`, `invalid_client`, `unsupported_grant_type`, `unauthorized_client`, and those of the grant; a fault.
pub async fn token(
    app: &App,
    request: &TokenRequest<'_>,
    origin: &Origin,
) -> Result<Tokens, Failed> {
    let now = app.clock.now();
    let name = request.credentials.parameters.required("grant_type")?;
    let client = authenticate(app, &request.credentials, origin).await?;
    let unsupported = || {
        let sentence = "The parameter grant_type names no grant of this server.";
        OAuthError::new(ErrorCode::UnsupportedGrantType, sentence)
    };
    let grant = Grant::of_grant_type(name).ok_or_else(unsupported)?;
    if !client.definition.grants.contains(&grant) {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "The client may not use this grant.",
        )
        .into());
    }
    if client.definition.dpop_bound && request.jkt.is_none() {
        let sentence = "The tokens of this client are bound to a key: a DPoP proof is missing.";
        return Err(OAuthError::new(ErrorCode::InvalidDpopProof, sentence).into());
    }
    let asked = Asked {
        request,
        client,
        now,
        origin,
    };
    match grant {
        Grant::AuthorizationCode => code::exchange(app, &asked).await,
        Grant::RefreshToken => refresh::refresh(app, &asked).await,
        Grant::ClientCredentials => client_credentials::give(app, &asked).await,
        Grant::DeviceCode => device::poll(app, &asked).await,
        Grant::TokenExchange => token_exchange::exchange(app, &asked).await,
    }
}
