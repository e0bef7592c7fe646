//! `POST /oauth/token`, `/oauth/introspect`, `/oauth/revoke`, `/oauth/par`, `/oauth/device`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::json;
use symbolon_domain::Refusal;
use symbolon_domain::oauth::{ErrorCode, OAuthError};
use utoipa::ToSchema;

use super::super::bearer::proofs;
use super::described::{
    AboutToken, ClientFaults, DeviceBody, DeviceForm, IntrospectionBody, PushedBody, PushedForm,
    TokenForm,
};
use super::form::ClientRequest;
use super::reply::{Told, json as answer};
use crate::app::App;
use crate::flows::oauth;
use crate::flows::oauth::grants::device as devices;
use crate::flows::oauth::introspect::Active;
use crate::flows::oauth::token::{TokenRequest, Tokens};
use crate::flows::{Error, Origin, dpop};

const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Tokens (RFC 6749 section 5.1; OpenID Connect Core 1.0 section 3.1.3.3).
#[derive(Serialize, ToSchema)]
struct TokensBody<'a> {
    access_token: &'a str,
    token_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'a str>,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    scope: String,
}

/// Get tokens (RFC 6749 section 3.2).
#[utoipa::path(post, path = "/oauth/token", operation_id = "token", tag = "oauth", security((), ("clientSecret" = [])),
    request_body(content = TokenForm, description = "The grant, and who the client is", content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "RFC 6749 section 5.1", body = TokensBody),
        ClientFaults))]
pub(super) async fn token(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: ClientRequest,
) -> Result<Response, Told> {
    let request = TokenRequest {
        credentials: request.credentials(),
        jkt: key_of(&app, &request, "/oauth/token")?,
    };
    let tokens = oauth::token::token(&app, &request, &origin).await?;
    let mut response = answer(StatusCode::OK, &body(&tokens));
    if request.jkt.is_some() {
        next_nonce(&app, &mut response);
    }
    Ok(response)
}

/// The thumbprint of the key of the proof that a request has (RFC 9449 section 5).
fn key_of(app: &App, request: &ClientRequest, path: &str) -> Result<Option<String>, Told> {
    let proofs = proofs(&request.headers);
    let sent = dpop::Sent {
        proofs: &proofs,
        method: "POST",
        path,
    };
    match dpop::bound(app, &sent, app.clock.now()) {
        Ok(key) => Ok(key.map(|key| key.to_string())),
        Err(Error::Refused(refusal @ (Refusal::InvalidProof | Refusal::ProofNonceNeeded))) => {
            let code = match refusal {
                Refusal::ProofNonceNeeded => ErrorCode::UseDpopNonce,
                _ => ErrorCode::InvalidDpopProof,
            };
            Err(OAuthError::new(code, refusal.detail().into_owned()).into())
        }
        Err(other) => Err(other.into()),
    }
}

/// The nonce for the next proof, where they need one (RFC 9449 section 8.2).
fn next_nonce(app: &App, response: &mut Response) {
    let nonce = dpop::nonce(app, app.clock.now());
    if let Some(Ok(nonce)) = nonce.map(HeaderValue::try_from) {
        response.headers_mut().insert(NONCE, nonce);
    }
}

fn body(tokens: &Tokens) -> TokensBody<'_> {
    TokensBody {
        access_token: &tokens.access.token,
        token_type: tokens.token_type,
        issued_token_type: tokens.issued_token_type,
        expires_in: tokens.access.expires_in,
        refresh_token: tokens.refresh_token.as_ref().map(|token| token.as_str()),
        id_token: tokens.id_token.as_deref(),
        scope: tokens.scopes.to_string(),
    }
}

/// Ask what a token is worth (RFC 7662 section 2).
#[utoipa::path(post, path = "/oauth/introspect", operation_id = "introspect", tag = "oauth", security((), ("clientSecret" = [])),
    request_body(content = AboutToken, description = "The token, and who the client is", content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "RFC 7662 section 2.2", body = IntrospectionBody),
        ClientFaults))]
pub(super) async fn introspect(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: ClientRequest,
) -> Result<Response, Told> {
    #[derive(Serialize)]
    struct Body {
        active: bool,
        #[serde(flatten)]
        rest: Option<Active>,
    }
    let rest = oauth::introspect::introspect(&app, &request.credentials(), &origin).await?;
    let body = Body {
        active: rest.is_some(),
        rest,
    };
    Ok(answer(StatusCode::OK, &body))
}

/// Revoke a token (RFC 7009 section 2). A refresh token takes its session along.
#[utoipa::path(post, path = "/oauth/revoke", operation_id = "revoke", tag = "oauth", security((), ("clientSecret" = [])),
    request_body(content = AboutToken, description = "The token, and who the client is", content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "It is dead, or never was one"),
        ClientFaults))]
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: ClientRequest,
) -> Result<StatusCode, Told> {
    oauth::revoke::revoke(&app, &request.credentials(), &origin).await?;
    Ok(StatusCode::OK)
}

/// Push an authorization request (RFC 9126 section 2).
#[utoipa::path(post, path = "/oauth/par", operation_id = "pushRequest", tag = "oauth", security((), ("clientSecret" = [])),
    request_body(content = PushedForm, description = "The request, and who the client is", content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 201, description = "RFC 9126 section 2.2", body = PushedBody),
        ClientFaults))]
pub(super) async fn push(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: ClientRequest,
) -> Result<Response, Told> {
    let jkt = key_of(&app, &request, "/oauth/par")?;
    let asked = (jkt.as_deref(), &origin);
    let pushed = oauth::pushed::push(&app, &request.credentials(), asked).await?;
    let body = json!({"request_uri": pushed.request_uri, "expires_in": pushed.expires_in});
    Ok(answer(StatusCode::CREATED, &body))
}

/// Begin at a device (RFC 8628 section 3.1).
#[utoipa::path(post, path = "/oauth/device", operation_id = "beginDevice", tag = "oauth", security((), ("clientSecret" = [])),
    request_body(content = DeviceForm, description = "What it asks for, and who the client is", content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "RFC 8628 section 3.2", body = DeviceBody),
        ClientFaults))]
pub(super) async fn device(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: ClientRequest,
) -> Result<Response, Told> {
    let begun = devices::authorize(&app, &request.credentials(), &origin).await?;
    let page = format!("{}{}", app.issuance()?.issuer, super::device::CODE);
    let body = json!({
        "device_code": begun.device_code.as_str(),
        "user_code": begun.user_code,
        "verification_uri_complete": format!("{page}?user_code={}", begun.user_code),
        "verification_uri": page,
        "expires_in": begun.expires_in,
        "interval": begun.interval,
    });
    Ok(answer(StatusCode::OK, &body))
}
