//! `POST /oauth/register`: clients that register themselves (RFC 7591)

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
use serde::Serialize;
use symbolon_domain::{Client, ClientJwks, Grant, MetadataError, Refusal};
use symbolon_token::{Algorithm, Jwks};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Answer, is_json, read};
use super::problem::{Failure, Problem};
use crate::app::App;
use crate::flows::Origin;
use crate::flows::clients::{NotRegistered, Registered, register};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(post))
}

/// A client that has registered (RFC 7591 section 3.2.1): its metadata as they are kept.
#[derive(Serialize, ToSchema)]
struct Information {
    #[schema(example = "client-0192b3a1-7c1e-7d3a-8b2f-3c4d5e6f7a8b")]
    client_id: String,
    /// Seconds since 1970.
    client_id_issued_at: i64,
    /// Shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// 0: it does not expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    client_name: String,
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: &'static str,
    grant_types: Vec<&'static str>,
    response_types: Vec<&'static str>,
    scope: String,
    subject_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token_signed_response_alg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    jwks: Option<Jwks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    post_logout_redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backchannel_logout_uri: Option<String>,
    require_pushed_authorization_requests: bool,
    dpop_bound_access_tokens: bool,
}

/// Why a client did not register (RFC 7591 section 3.2.2).
#[derive(Serialize, ToSchema)]
struct RegistrationError {
    /// `invalid_redirect_uri` or `invalid_client_metadata`
    #[schema(example = "invalid_redirect_uri")]
    error: &'static str,
    error_description: String,
}

/// Register a client. It gets what is open to anybody, and no more.
#[utoipa::path(post, path = "/oauth/register", operation_id = "registerClient", tag = "discovery",
    request_body(content = serde_json::Value, description = "Metadata of RFC 7591 section 2", content_type = "application/json"),
    responses(
        (status = 201, description = "RFC 7591 section 3.2.1", body = Information),
        (status = 400, description = "RFC 7591 section 3.2.2", body = RegistrationError),
        (status = 403, description = "`csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`: `oauth.registration` is off", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
async fn post(
    State(app): State<Arc<App>>,
    origin: Origin,
    request: Request,
) -> Result<Response, Failure> {
    if !app.config.oauth.registration {
        return Err(Refusal::NotFound.into());
    }
    if !is_json(request.headers()) {
        return Err(Refusal::UnsupportedMediaType.into());
    }
    let registered = match read(request.into_body()).await {
        Ok(body) => register(&app, &body, &origin).await,
        Err(Refusal::MalformedRequest(sentence)) => Err(MetadataError::Metadata(sentence).into()),
        Err(refusal) => return Err(refusal.into()),
    };
    let mut response = match registered {
        Ok(registered) => {
            Answer(StatusCode::CREATED, Information::from(&registered)).into_response()
        }
        Err(NotRegistered::Metadata(error)) => {
            Answer(StatusCode::BAD_REQUEST, RegistrationError::from(&error)).into_response()
        }
        Err(NotRegistered::Other(error)) => return Err(error.into()),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

impl From<&MetadataError> for RegistrationError {
    fn from(error: &MetadataError) -> Self {
        let code = match error {
            MetadataError::RedirectUri(_) => "invalid_redirect_uri",
            MetadataError::Metadata(_) => "invalid_client_metadata",
        };
        Self {
            error: code,
            error_description: error.to_string(),
        }
    }
}

impl From<&Registered> for Information {
    fn from(registered: &Registered) -> Self {
        let secret = registered.secret.as_ref();
        Self {
            client_secret: secret.map(|secret| secret.expose().to_owned()),
            client_secret_expires_at: secret.map(|_| 0),
            ..Self::from(&registered.client)
        }
    }
}

impl From<&Client> for Information {
    fn from(client: &Client) -> Self {
        let parts = &client.definition;
        let has_code = parts.grants.contains(&Grant::AuthorizationCode);
        let scopes: Vec<_> = parts.scopes.iter().map(|scope| scope.as_str()).collect();
        let texts = |uris: &std::collections::BTreeSet<symbolon_domain::RedirectUri>| {
            uris.iter().map(ToString::to_string).collect()
        };
        Self {
            client_id: client.id.to_string(),
            client_id_issued_at: client.created_at.seconds(),
            client_secret: None,
            client_secret_expires_at: None,
            client_name: parts.name.to_string(),
            redirect_uris: texts(&parts.redirect_uris),
            token_endpoint_auth_method: parts.auth_method.as_str(),
            grant_types: parts
                .grants
                .iter()
                .map(|grant| grant.grant_type())
                .collect(),
            response_types: if has_code { vec!["code"] } else { Vec::new() },
            scope: scopes.join(" "),
            subject_type: parts.subject_type.as_str(),
            id_token_signed_response_alg: parts.id_token_alg.map(Algorithm::as_str),
            jwks: parts.jwks.as_ref().map(ClientJwks::keys).cloned(),
            jwks_uri: parts.jwks_uri.as_ref().map(ToString::to_string),
            post_logout_redirect_uris: texts(&parts.post_logout_redirect_uris),
            backchannel_logout_uri: parts
                .backchannel_logout_uri
                .as_ref()
                .map(ToString::to_string),
            require_pushed_authorization_requests: parts.require_pushed,
            dpop_bound_access_tokens: parts.dpop_bound,
        }
    }
}
