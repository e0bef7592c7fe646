//! `POST /api/register`

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon_domain::{Refusal, User};
use utoipa::ToSchema;

use super::super::body::{Answer, Json, missing};
use super::super::problem::{Failure, Problem};
use super::super::rate_limit;
use super::user::UserBody;
use crate::app::App;
use crate::flows::Origin;
use crate::flows::register::{Registration, quotas, register};

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RegisterBody {
    /// E-mail address.
    #[schema(required, nullable = false, example = "ada@example.com")]
    email: Option<String>,
    /// Password: 8 characters or more by default, none of the common ones.
    #[schema(required, nullable = false, example = "correct horse battery")]
    password: Option<String>,
    /// Name to sign in with.
    #[schema(example = "ada")]
    username: Option<String>,
    /// Name to be shown.
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
    /// The token of an invitation, which is for this address.
    #[schema(example = "sbl_…")]
    invitation: Option<String>,
}

/// The account that was made.
#[derive(Serialize, ToSchema)]
pub(super) struct Registered<'a> {
    /// A sentence for people.
    message: &'static str,
    /// The user.
    user: UserBody<'a>,
}

impl<'a> Registered<'a> {
    pub(super) fn new(message: &'static str, user: &'a User) -> Self {
        Self {
            message,
            user: UserBody::from(user),
        }
    }
}

/// Make an account.
#[utoipa::path(post, path = "/api/register", operation_id = "register", tag = "sign-in", request_body = RegisterBody,
    responses(
        (status = 201, body = Registered),
        (status = 400, description = "`malformed_request`, also for an invitation that is not valid any more", body = Problem),
        (status = 403, description = "`forbidden` where registration is closed or asks for an invitation, `csrf_rejected`", body = Problem),
        (status = 409, description = "`conflict`: the address or the name is taken", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn post(
    State(app): State<Arc<App>>,
    origin: Origin,
    Json(body): Json<RegisterBody>,
) -> Result<Response, Failure> {
    let (Some(email), Some(password)) = (body.email.as_ref(), body.password.as_ref()) else {
        let absent = [("/email", &body.email), ("/password", &body.password)];
        let errors = absent
            .iter()
            .filter(|(_, value)| value.is_none())
            .map(|(pointer, _)| missing(pointer))
            .collect();
        return Err(Refusal::Validation(errors).into());
    };
    let registration = Registration {
        email: email.clone(),
        password: zeroize::Zeroizing::new(password.clone()),
        username: body.username,
        name: body.name,
        invitation: body.invitation.map(zeroize::Zeroizing::new),
    };
    let registered = register(&app, registration, &origin).await;
    let answer = registered.map(|user| {
        let registered = Registered::new("Registered", &user);
        Answer(StatusCode::CREATED, registered).into_response()
    });
    Ok(rate_limit::told(answer, &quotas(&app, &origin)))
}
