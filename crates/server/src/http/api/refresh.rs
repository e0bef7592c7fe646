//! `POST /api/refresh`, `DELETE /api/refresh`

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use symbolon_domain::Refusal;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::super::body::{Answer, OptionalJson};
use super::super::cookies;
use super::super::problem::{Failure, Problem};
use crate::app::App;
use crate::flows::login::OWN_CLIENT;
use crate::flows::logout::logout_by_refresh_token;
use crate::flows::refresh::refresh;
use crate::flows::{Error, Origin};
use crate::metrics::Count;

/// The refresh token of a client that keeps it itself; others send the cookie and no body.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RefreshBody {
    /// The refresh token.
    #[schema(example = "sbr_…")]
    refresh_token: Option<String>,
}

/// The next tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefreshedBody<'a> {
    /// Signed JWT (RFC 9068) for `Authorization: Bearer`.
    access_token: &'a str,
    /// `Bearer`
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: i64,
    /// The next refresh token, where the last one came in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

/// Exchange the refresh token for the next one and a fresh access token.
///
/// Asking again with the same token gets the same next one for a while; an older one ends the session.
#[utoipa::path(post, path = "/api/refresh", operation_id = "refresh", tag = "sign-in", request_body = Option<RefreshBody>, security((), ("refreshCookie" = [])),
    responses(
        (status = 200, body = RefreshedBody),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_refresh_token`, `invalid_refresh_token`, `refresh_token_expired`, `refresh_token_reused`, `session_revoked`", body = Problem),
        (status = 403, description = "`csrf_rejected`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn post(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    origin: Origin,
    OptionalJson(body): OptionalJson<RefreshBody>,
) -> Result<Response, Failure> {
    let cookie = cookies::read(&headers, &app.config.cookie)?;
    let by_body = body.refresh_token.map(Zeroizing::new);
    let presented = by_body
        .as_deref()
        .map(String::as_str)
        .or(cookie)
        .ok_or(Refusal::NoRefreshToken)?;
    match refresh(&app, presented, &origin).await {
        Ok(refreshed) => {
            app.metrics.count(Count::Refresh);
            let answer = RefreshedBody {
                access_token: &refreshed.access.token,
                token_type: "Bearer",
                expires_in: refreshed.access.expires_in,
                refresh_token: by_body
                    .is_some()
                    .then_some(refreshed.refresh_token.as_str()),
            };
            let mut response = Answer(StatusCode::OK, answer).into_response();
            if by_body.is_none() {
                let now = app.clock.now();
                let next = cookies::set(
                    &refreshed.refresh_token,
                    &refreshed.session,
                    &app.config.cookie,
                    now,
                );
                response
                    .headers_mut()
                    .extend(next.map(|cookie| (SET_COOKIE, cookie)));
            }
            Ok(response)
        }
        Err(error) => {
            let over = is_over(&error);
            if matches!(error, Error::Refused(Refusal::RefreshTokenReused)) {
                app.metrics.count(Count::Reuse);
            }
            let mut response = Failure(error).into_response();
            if over && by_body.is_none() {
                response
                    .headers_mut()
                    .extend(cookies::clear(&app.config.cookie).map(|cookie| (SET_COOKIE, cookie)));
            }
            Ok(response)
        }
    }
}

/// True when the session is over, so that the browser may forget its cookie. A late duplicate is refused too,
/// but by then the browser holds a newer cookie, which must not be cleared.
fn is_over(error: &Error) -> bool {
    matches!(
        error,
        Error::Refused(
            Refusal::RefreshTokenReused | Refusal::RefreshTokenExpired | Refusal::SessionRevoked
        )
    )
}

/// Sign out with the refresh token.
///
/// For a client whose access token has expired. Whatever is sent, the answer is the same.
#[utoipa::path(delete, path = "/api/refresh", operation_id = "signOutByRefreshToken", tag = "sign-in", request_body = Option<RefreshBody>, security((), ("refreshCookie" = [])),
    responses(
        (status = 204, description = "The session of that token, if there is one, has ended"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 403, description = "`csrf_rejected`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    origin: Origin,
    OptionalJson(body): OptionalJson<RefreshBody>,
) -> Result<Response, Failure> {
    let cookie = cookies::read(&headers, &app.config.cookie)?;
    let by_body = body.refresh_token.map(Zeroizing::new);
    if let Some(presented) = by_body.as_deref().map(String::as_str).or(cookie) {
        logout_by_refresh_token(&app, presented, OWN_CLIENT, &origin).await?;
    }
    Ok(super::logout::signed_out(&app))
}
