//! `POST /api/logout`, `POST /api/logout/all`

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::SET_COOKIE;

use super::super::cookies;
use super::super::problem::{Failure, Problem};
use crate::app::App;
use crate::flows::authenticate::Caller;
use crate::flows::{Origin, logout};

/// Sign out: end this session.
#[utoipa::path(post, path = "/api/logout", operation_id = "signOut", tag = "sign-in", security(("bearer" = [])),
    responses(
        (status = 204, description = "Every token of this session is dead"),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application; `csrf_rejected`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    origin: Origin,
) -> Result<Response, Failure> {
    logout::logout(&app, &caller, &origin).await?;
    Ok(signed_out(&app))
}

/// Sign out everywhere: end every session of the user.
#[utoipa::path(post, path = "/api/logout/all", operation_id = "signOutEverywhere", tag = "sign-in", security(("bearer" = [])),
    responses(
        (status = 204, description = "Every token of the user is dead"),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application; `csrf_rejected`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn post_all(
    State(app): State<Arc<App>>,
    caller: Caller,
    origin: Origin,
) -> Result<Response, Failure> {
    logout::logout_all(&app, &caller, &origin).await?;
    Ok(signed_out(&app))
}

/// `204` that clears the cookie.
pub(super) fn signed_out(app: &App) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response
        .headers_mut()
        .extend(cookies::clear(&app.config.cookie).map(|cookie| (SET_COOKIE, cookie)));
    response
}
