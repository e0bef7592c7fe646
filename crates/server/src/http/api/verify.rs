//! `GET /api/verify`: forward authentication, for a proxy that asks about each request before it lets it through.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode, Uri};

use super::super::bearer::Credential;
use super::super::problem::{Failure, Problem};
use super::super::query::demands;
use crate::app::App;
use crate::flows::verify::{Demand, verify};
use crate::metrics::Count;

/// Whether a request with this access token may pass.
///
/// The headers `X-Forwarded-…` and `X-Original-…` are not looked at: the proxy says what it demands in the query. A
/// parameter that is not known is refused, for a demand that is misspelt must not let everybody pass. Tokens that are
/// bound to a key are refused: their proof is about the address that the client called, which is not known here.
#[utoipa::path(get, path = "/api/verify", operation_id = "verify", tag = "guards", security(("bearer" = [])),
    params(
        ("role" = Option<String>, Query, description = "One of these roles, separated by commas, is needed"),
        ("permission" = Option<String>, Query, description = "This permission is needed"),
        ("scope" = Option<String>, Query, description = "This scope is needed")),
    responses(
        (status = 200, description = "It may pass. Always with all four headers, so that none of the caller's gets through.",
            headers(
                ("Remote-User" = String, description = "The user's id: it never changes and is never given to another"),
                ("Remote-Email" = String), ("Remote-Name" = String, description = "UTF-8; may be empty"),
                ("Remote-Groups" = String, description = "Roles, separated by commas"))),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`, `insufficient_scope`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let [roles, permission, scope] = demands(&uri, ["role", "permission", "scope"])?;
    let roles = roles.as_deref().map(|roles| roles.split(',').collect());
    let demand = Demand {
        roles,
        permission: permission.as_deref(),
        scope: scope.as_deref(),
    };
    let token = Credential::bearer(&headers)?;
    let passed = verify(&app, token, &demand).await.inspect_err(|_| {
        app.metrics.count(Count::RejectedToken);
    })?;
    let identity = [
        ("remote-user", passed.user.id.to_string()),
        ("remote-email", passed.user.email.to_string()),
        (
            "remote-name",
            passed
                .user
                .name
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        ("remote-groups", passed.groups),
    ];
    let mut response = StatusCode::OK.into_response();
    for (name, text) in identity {
        // Text that no header can carry is left out, but the header is there.
        let value = HeaderValue::from_bytes(text.as_bytes());
        response.headers_mut().insert(
            HeaderName::from_static(name),
            value.unwrap_or(HeaderValue::from_static("")),
        );
    }
    Ok(response)
}
