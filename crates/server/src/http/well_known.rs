//! What everybody may know: public keys (RFC 7517 section 5), and where things are (RFC 8414).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use symbolon_domain::Refusal;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Answer;
use super::problem::Failure;
use crate::app::App;
use crate::flows::keys::published;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(jwks))
        .routes(routes!(metadata))
}

/// The public keys that verify our tokens: a JSON Web Key Set.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "keys", tag = "discovery",
    responses((status = 200, description = "RFC 7517 section 5", body = serde_json::Value, content_type = "application/jwk-set+json"), (status = 304, description = "Not changed since `If-None-Match`")))]
async fn jwks(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    let keys = published(&app)?;
    let same = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|given| given.as_bytes() == keys.etag.as_bytes());
    let mut response = if same {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        keys.json.into_response()
    };
    for_everybody(&mut response, "application/jwk-set+json");
    let answer = response.headers_mut();
    if let Ok(etag) = HeaderValue::try_from(keys.etag) {
        answer.insert(ETAG, etag);
    }
    Ok(response)
}

/// Where the parts of this server are.
#[derive(Serialize, ToSchema)]
struct Metadata {
    /// The `iss` of every token.
    #[schema(example = "https://login.example.com")]
    issuer: String,
    /// The public keys.
    jwks_uri: String,
    /// Required by RFC 8414; empty as long as there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    /// Empty for the same reason.
    grant_types_supported: [&'static str; 0],
    /// The list of revocations.
    revocation_feed_uri: String,
    /// The stream of revocations.
    revocation_stream_uri: String,
    /// Forward authentication.
    verification_uri: String,
}

/// Where the keys, the revocation feed and forward authentication are (RFC 8414 section 3).
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", operation_id = "metadata", tag = "discovery",
    responses((status = 200, description = "RFC 8414 section 3.2", body = Metadata)))]
async fn metadata(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let issuer = &app.issuance()?.issuer;
    let metadata = Metadata {
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        response_types_supported: [],
        grant_types_supported: [],
        revocation_feed_uri: format!("{issuer}/api/revocations"),
        revocation_stream_uri: format!("{issuer}/api/revocations/stream"),
        verification_uri: format!("{issuer}/api/verify"),
        issuer: issuer.clone(),
    };
    let mut response = Answer(StatusCode::OK, metadata).into_response();
    for_everybody(&mut response, "application/json");
    Ok(response)
}

/// The metadata of an issuer with a path, which comes behind the well-known part (RFC 8414 section 3.1). Not in the
/// OpenAPI document: the path is the owner's.
pub(super) fn of_issuer_with_path() -> Router<Arc<App>> {
    let handler = |State(app): State<Arc<App>>, Path(path): Path<String>| async move {
        let issuer = &app.issuance()?.issuer;
        let own = url::Url::parse(issuer).is_ok_and(|issuer| issuer.path() == format!("/{path}"));
        match own {
            true => metadata(State(app)).await,
            false => Err(Failure::from(Refusal::NotFound)),
        }
    };
    Router::new().route(
        "/.well-known/oauth-authorization-server/{*path}",
        get(handler),
    )
}

/// Pages of other origins may read it, and caches keep it for five minutes.
fn for_everybody(response: &mut Response, media_type: &'static str) {
    let fixed = [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, "public, max-age=300"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
}
