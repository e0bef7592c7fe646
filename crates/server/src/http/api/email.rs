//! `POST /api/user/email/verification`, `POST /api/email/verify`

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
use crate::app::App;
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

/// Send the mail that confirms the own address again.
///
/// Nothing is sent for an address that is confirmed; the answer is the same.
#[utoipa::path(post, path = "/api/user/email/verification", operation_id = "askToVerifyEmail", tag = "account", security(("bearer" = [])),
    responses(
        (status = 202, description = "The mail is on its way, unless it is not needed or there were too many"),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`csrf_rejected`", body = Problem),
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
