//! `POST /api/setup`

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use symbolon_domain::Refusal;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::super::body::{Answer, Json, missing};
use super::super::problem::{Failure, Problem};
use super::super::rate_limit;
use super::register::Registered;
use crate::app::App;
use crate::flows::Origin;
use crate::flows::register::Registration;
use crate::flows::setup::{quotas, setup};

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetupBody {
    /// The token that the server printed when it started.
    #[schema(required, nullable = false, example = "sbs_…")]
    token: Option<String>,
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
}

/// Make the first administrator.
#[utoipa::path(post, path = "/api/setup", operation_id = "setUp", tag = "administration", request_body = SetupBody,
    responses(
        (status = 201, description = "The account has the roles `admin` and `user`", body = Registered),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 403, description = "`forbidden`: the token is wrong, used, replaced by a restart, or older than an hour; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`: there is an administrator", body = Problem),
        (status = 409, description = "`conflict`: the address or the name is taken", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn post(
    State(app): State<Arc<App>>,
    origin: Origin,
    Json(body): Json<SetupBody>,
) -> Result<Response, Failure> {
    let (token, registration) = parse(body)?;
    let made = setup(&app, &token, &registration, &origin).await;
    let answer = made.map(|user| {
        let registered = Registered::new("The first administrator is there", &user);
        Answer(StatusCode::CREATED, registered).into_response()
    });
    Ok(rate_limit::told(answer, &quotas(&app, &origin)))
}

fn parse(body: SetupBody) -> Result<(Zeroizing<String>, Registration), Refusal> {
    let fields = [
        ("/token", &body.token),
        ("/email", &body.email),
        ("/password", &body.password),
    ];
    let absent = fields.iter().filter(|(_, value)| value.is_none());
    let errors: Vec<_> = absent.map(|(pointer, _)| missing(pointer)).collect();
    match (body.token, body.email, body.password) {
        (Some(token), Some(email), Some(password)) => {
            let registration = Registration {
                email,
                password: Zeroizing::new(password),
                username: body.username,
                name: body.name,
                invitation: None,
            };
            Ok((Zeroizing::new(token), registration))
        }
        _ => Err(Refusal::Validation(errors)),
    }
}
