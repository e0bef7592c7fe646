//! Public keys (RFC 7517 section 5).

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Failure;
use crate::app::App;
use crate::flows::keys::published;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(jwks))
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
    let answer = response.headers_mut();
    answer.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/jwk-set+json"),
    );
    answer.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    answer.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    if let Ok(etag) = HeaderValue::try_from(keys.etag) {
        answer.insert(ETAG, etag);
    }
    Ok(response)
}
