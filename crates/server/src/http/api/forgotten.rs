//! `POST /api/password/forgot`, `POST /api/password/reset`

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use symbolon_domain::{Email, Refusal};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::super::body::{Json, missing};
use super::super::problem::{Failure, Problem};
use super::super::rate_limit;
use crate::app::App;
use crate::flows::{Origin, outbox, reset};

/// Whose password was forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForgottenBody {
    /// E-mail address of the account.
    #[schema(required, nullable = false, example = "ada@example.com")]
    email: Option<String>,
}

/// The token of a link and the password that is chosen by it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ResetBody {
    /// What stands behind `token=` in the link.
    #[schema(required, nullable = false, example = "sbl_…")]
    token: Option<String>,
    /// The new password.
    #[schema(required, nullable = false, example = "incorrect zebra dynamo")]
    new_password: Option<String>,
}

/// Ask for a link to choose another password.
///
/// The answer is the same whether or not there is such an account.
#[utoipa::path(post, path = "/api/password/forgot", operation_id = "forgotPassword", tag = "sign-in", request_body = ForgottenBody,
    responses(
        (status = 202, description = "If there is such an account, a mail is on its way to its address"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 403, description = "`csrf_rejected`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn forgot(
    State(app): State<Arc<App>>,
    origin: Origin,
    Json(body): Json<ForgottenBody>,
) -> Result<Response, Failure> {
    let email = body.email.ok_or_else(|| missing("/email"));
    let email = email.and_then(|text| Email::parse(&text).map_err(|problem| problem.at("/email")));
    let email = email.map_err(|error| Refusal::Validation(vec![error]))?;
    let asked = reset::ask(&app, &email, &origin).await;
    let answer = asked.map(|()| StatusCode::ACCEPTED.into_response());
    Ok(rate_limit::told(answer, &outbox::quotas(&app, &origin)))
}

/// Choose another password by the link in a mail.
///
/// Every session ends, and nobody is signed in by it.
#[utoipa::path(post, path = "/api/password/reset", operation_id = "resetPassword", tag = "sign-in", request_body = ResetBody,
    responses(
        (status = 204, description = "The password is the new one; every session has ended"),
        (status = 400, description = "`malformed_request`: the link is wrong, used, replaced or expired", body = Problem),
        (status = 403, description = "`csrf_rejected`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`: the link is still good", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn reset(
    State(app): State<Arc<App>>,
    origin: Origin,
    Json(body): Json<ResetBody>,
) -> Result<StatusCode, Failure> {
    let fields = [
        ("/token", body.token.is_none()),
        ("/newPassword", body.new_password.is_none()),
    ];
    let (Some(token), Some(new)) = (body.token, body.new_password) else {
        let absent = fields.into_iter().filter(|(_, absent)| *absent);
        let errors = absent.map(|(pointer, _)| missing(pointer)).collect();
        return Err(Refusal::Validation(errors).into());
    };
    let (token, new) = (Zeroizing::new(token), Zeroizing::new(new));
    reset::reset(&app, &token, &new, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
