//! `GET`, `PATCH`, `DELETE /api/user/profile`

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use symbolon_domain::{Password, Refusal};
use utoipa::ToSchema;

use super::super::body::{Answer, Json, missing, nullable};
use super::super::problem::{Failure, Problem};
use super::super::rate_limit;
use super::user::UserBody;
use crate::app::App;
use crate::flows::authenticate::Caller;
use crate::flows::login::quotas;
use crate::flows::{Origin, profile};

/// What to change. A field that is absent stays; `null` clears it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileChange {
    /// Name to be shown.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "Ada Lovelace")]
    name: Option<Option<String>>,
    /// Name to sign in with.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "ada")]
    username: Option<Option<String>>,
}

/// The password, asked for again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmation {
    /// The current password.
    #[schema(required, nullable = false, example = "correct horse battery")]
    password: Option<String>,
}

/// The signed-in user.
#[utoipa::path(get, path = "/api/user/profile", operation_id = "showProfile", tag = "account", security(("bearer" = [])),
    responses(
        (status = 200, body = UserBody),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Failure> {
    let user = profile::show(&app, &caller).await?;
    Ok(Answer(StatusCode::OK, UserBody::from(&user)).into_response())
}

/// Change the own name and username. The address has a confirmed way of its own.
#[utoipa::path(patch, path = "/api/user/profile", operation_id = "changeProfile", tag = "account", security(("bearer" = [])), request_body = ProfileChange,
    responses(
        (status = 200, body = UserBody),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application; `csrf_rejected`", body = Problem),
        (status = 409, description = "`conflict`: the username is taken", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller,
    origin: Origin,
    Json(body): Json<ProfileChange>,
) -> Result<Response, Failure> {
    let change = profile::Change {
        name: body.name,
        username: body.username,
    };
    let user = profile::change(&app, &caller, &change, &origin).await?;
    Ok(Answer(StatusCode::OK, UserBody::from(&user)).into_response())
}

/// Delete the own account.
#[utoipa::path(delete, path = "/api/user/profile", operation_id = "deleteProfile", tag = "account", security(("bearer" = [])), request_body = Confirmation,
    responses(
        (status = 204, description = "The account and every token of it are gone"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application; `wrong_password`, `csrf_rejected`", body = Problem),
        (status = 409, description = "`conflict`: the last administrator stays", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    origin: Origin,
    Json(body): Json<Confirmation>,
) -> Result<Response, Failure> {
    let password = presented(body.password, "/password")?;
    let deleted = profile::delete(&app, &caller, password, &origin).await;
    let answer = deleted.map(|()| super::logout::signed_out(&app));
    Ok(rate_limit::told(
        answer,
        &quotas(&app, caller.user, &origin),
    ))
}

/// The current password as it was typed.
pub(super) fn presented(text: Option<String>, pointer: &str) -> Result<Password, Refusal> {
    let text =
        zeroize::Zeroizing::new(text.ok_or_else(|| Refusal::Validation(vec![missing(pointer)]))?);
    Password::presented(&text).map_err(|problem| Refusal::Validation(vec![problem.at(pointer)]))
}
