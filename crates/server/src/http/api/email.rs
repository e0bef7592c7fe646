//! `POST /api/user/email`, `POST /api/user/email/verification`, `POST /api/email/verify`, `POST /api/email/confirm`

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon_domain::{Email, Refusal};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::super::body::{Answer, Json, missing};
use super::super::problem::{Failure, Problem};
use super::super::rate_limit;
use super::profile::presented;
use crate::app::App;
use crate::flows::address::{self, Confirmed};
use crate::flows::authenticate::Caller;
use crate::flows::{Origin, outbox, verification};

/// The token of a link in a mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkBody {
    /// What stands behind `token=` in the link.
    #[schema(required, nullable = false, example = "sbl_…")]
    token: Option<String>,
}

impl LinkBody {
    /// The token.
    pub(super) fn token(self) -> Result<Zeroizing<String>, Refusal> {
        let token = self.token.map(Zeroizing::new);
        token.ok_or_else(|| Refusal::Validation(vec![missing("/token")]))
    }
}

/// Another address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddressBody {
    /// The new e-mail address.
    #[schema(required, nullable = false, example = "ada@example.org")]
    email: Option<String>,
    /// The current password.
    #[schema(required, nullable = false, example = "correct horse battery")]
    password: Option<String>,
}

/// What a confirmation came to.
#[derive(Serialize, ToSchema)]
pub(super) struct ConfirmedBody {
    /// `confirmed`: the address is the new one. `waiting`: the other address has yet to confirm.
    #[schema(example = "waiting")]
    status: &'static str,
}

/// Ask for another address. It is changed when it was confirmed at the new one and at the one before.
///
/// The answer is the same for an address that has an account.
#[utoipa::path(post, path = "/api/user/email", operation_id = "changeEmail", tag = "account", security(("bearer" = [])), request_body = AddressBody,
    responses(
        (status = 202, description = "Mails to both addresses are on their way"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application; `wrong_password`, `csrf_rejected`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    origin: Origin,
    Json(body): Json<AddressBody>,
) -> Result<Response, Failure> {
    let mut errors = Vec::new();
    let email = body.email.ok_or_else(|| missing("/email"));
    let email = email
        .and_then(|text| Email::parse(&text).map_err(|problem| problem.at("/email")))
        .map_err(|error| errors.push(error));
    let password = match presented(body.password, "/password") {
        Err(Refusal::Validation(found)) => {
            errors.extend(found);
            None
        }
        other => Some(other?),
    };
    let (Ok(email), Some(password)) = (email, password) else {
        return Err(Refusal::Validation(errors).into());
    };
    let asked = address::ask(&app, &caller, (email, password), &origin).await;
    let answer = asked.map(|()| StatusCode::ACCEPTED.into_response());
    Ok(rate_limit::told(answer, &outbox::quotas(&app, &origin)))
}

/// Confirm a change of address by the link in a mail.
#[utoipa::path(post, path = "/api/email/confirm", operation_id = "confirmEmailChange", tag = "account", request_body = LinkBody,
    responses(
        (status = 200, body = ConfirmedBody),
        (status = 400, description = "`malformed_request`: the link is wrong, used, replaced or expired", body = Problem),
        (status = 403, description = "`csrf_rejected`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    origin: Origin,
    Json(body): Json<LinkBody>,
) -> Result<Answer<ConfirmedBody>, Failure> {
    let status = match address::confirm(&app, &body.token()?, &origin).await? {
        Confirmed::Changed => "confirmed",
        Confirmed::Waiting => "waiting",
    };
    Ok(Answer(StatusCode::OK, ConfirmedBody { status }))
}

/// Send the mail that confirms the own address again.
///
/// Nothing is sent for an address that is confirmed; the answer is the same.
#[utoipa::path(post, path = "/api/user/email/verification", operation_id = "askToVerifyEmail", tag = "account", security(("bearer" = [])),
    responses(
        (status = 202, description = "The mail is on its way, unless it is not needed or there were too many"),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application; `csrf_rejected`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn ask(State(app): State<Arc<App>>, caller: Caller, origin: Origin) -> Response {
    let asked = verification::ask(&app, &caller, &origin).await;
    let answer = asked.map(|()| StatusCode::ACCEPTED.into_response());
    rate_limit::told(answer, &outbox::quotas(&app, &origin))
}

/// Confirm an address by the link in a mail.
#[utoipa::path(post, path = "/api/email/verify", operation_id = "verifyEmail", tag = "account", request_body = LinkBody,
    responses(
        (status = 204, description = "The address is confirmed"),
        (status = 400, description = "`malformed_request`: the link is wrong, used, replaced or expired", body = Problem),
        (status = 403, description = "`csrf_rejected`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    origin: Origin,
    Json(body): Json<LinkBody>,
) -> Result<StatusCode, Failure> {
    verification::confirm(&app, &body.token()?, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
