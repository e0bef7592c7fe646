//! `POST /api/user/password`

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use symbolon_domain::Refusal;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::super::body::{Json, missing};
use super::super::problem::{Failure, Problem};
use super::super::rate_limit;
use super::profile::presented;
use crate::app::App;
use crate::flows::authenticate::Caller;
use crate::flows::login::quotas;
use crate::flows::{Origin, password};

/// The old password and the new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PasswordBody {
    /// The current password.
    #[schema(required, nullable = false, example = "correct horse battery")]
    current_password: Option<String>,
    /// The new password.
    #[schema(required, nullable = false, example = "incorrect zebra dynamo")]
    new_password: Option<String>,
}

/// Change the own password. Every other session ends.
#[utoipa::path(post, path = "/api/user/password", operation_id = "changePassword", tag = "account", security(("bearer" = [])), request_body = PasswordBody,
    responses(
        (status = 204, description = "Changed; every other session has ended"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application; `wrong_password`, `csrf_rejected`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    origin: Origin,
    Json(body): Json<PasswordBody>,
) -> Result<Response, Failure> {
    let new = body.new_password.map(Zeroizing::new);
    let new = new.ok_or_else(|| Refusal::Validation(vec![missing("/newPassword")]))?;
    let current = presented(body.current_password, "/currentPassword")?;
    let changed = password::change(&app, &caller, current, &new, &origin).await;
    let answer = changed.map(|()| StatusCode::NO_CONTENT.into_response());
    Ok(rate_limit::told(
        answer,
        &quotas(&app, caller.user, &origin),
    ))
}
