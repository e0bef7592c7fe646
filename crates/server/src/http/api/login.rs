//! `POST /api/login`

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::SET_COOKIE;
use serde::{Deserialize, Serialize};
use symbolon_domain::{
    FieldError, Identifier, Password, Problem as FieldFault, Refusal, Transport,
};
use utoipa::ToSchema;

use super::super::body::{Answer, Json, missing};
use super::super::cookies;
use super::super::problem::{Failure, Problem};
use super::super::rate_limit;
use super::user::UserBody;
use crate::app::App;
use crate::flows::Origin;
use crate::flows::login::{Login, SignedIn, login};
use crate::metrics::Count;

/// Longest name of a device, in characters.
const DEVICE_CHARACTERS: usize = 100;

/// Who signs in, and how. One of `email`, `username` and `identifier` is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginBody {
    /// E-mail address.
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// Username.
    username: Option<String>,
    /// Either of the two.
    identifier: Option<String>,
    /// Password.
    #[schema(required, nullable = false, example = "correct horse battery")]
    password: Option<String>,
    /// Whether the session outlives the browser; yes, if absent.
    remember: Option<bool>,
    /// What to call this device.
    #[schema(example = "Ada's laptop")]
    device: Option<String>,
    /// How the refresh token travels: `cookie`, if absent, or `body`.
    #[schema(example = "cookie")]
    transport: Option<String>,
}

/// The tokens of a new session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignedInBody<'a> {
    /// A sentence for people.
    message: &'static str,
    /// Signed JWT (RFC 9068) for `Authorization: Bearer`.
    access_token: &'a str,
    /// `Bearer`
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: i64,
    /// With `transport: "body"` only: exchange it at `POST /api/refresh`.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    /// The user.
    user: UserBody<'a>,
}

/// Sign in.
#[utoipa::path(post, path = "/api/login", operation_id = "signIn", tag = "sign-in", request_body = LoginBody,
    responses(
        (status = 200, description = "The refresh token is in the cookie, or in the body where that was asked for", body = SignedInBody),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`invalid_credentials`", body = Problem),
        (status = 403, description = "`account_disabled`, `csrf_rejected`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn post(
    State(app): State<Arc<App>>,
    origin: Origin,
    Json(body): Json<LoginBody>,
) -> Result<Response, Failure> {
    let request = parse(body)?;
    let transport = request.transport;
    let attempted = login(&app, request, &origin).await;
    let answer = attempted
        .result
        .map(|signed_in| answer(&app, &signed_in, transport));
    Ok(rate_limit::told(answer, &attempted.quotas))
}

fn answer(app: &App, signed_in: &SignedIn, transport: Transport) -> Response {
    app.metrics.count(Count::SignIn);
    let by_body = transport == Transport::Body;
    let answer = SignedInBody {
        message: "Signed in",
        access_token: &signed_in.access.token,
        token_type: "Bearer",
        expires_in: signed_in.access.expires_in,
        refresh_token: by_body.then_some(signed_in.refresh_token.as_str()),
        user: UserBody::from(&signed_in.user),
    };
    let mut response = Answer(StatusCode::OK, answer).into_response();
    let cookie = cookies::set(
        &signed_in.refresh_token,
        &signed_in.session,
        &app.config.cookie,
        app.clock.now(),
    );
    if let (false, Some(cookie)) = (by_body, cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

fn parse(body: LoginBody) -> Result<Login, Refusal> {
    let mut errors: Vec<FieldError> = Vec::new();
    let identifier = keep(&mut errors, identifier(&body));
    let password = body.password.map(zeroize::Zeroizing::new);
    let password = password
        .ok_or_else(|| missing("/password"))
        .and_then(|text| Password::presented(&text).map_err(|problem| problem.at("/password")));
    let password = keep(&mut errors, password);
    let transport = match body.transport.as_deref() {
        None => Some(Transport::Cookie),
        Some(word) => {
            let unknown = FieldFault::new("unknown_value", "This is `cookie` or `body`.");
            keep(
                &mut errors,
                word.parse().map_err(|_| unknown.at("/transport")),
            )
        }
    };
    let device = keep(&mut errors, device(body.device));
    match (identifier, password, transport, device) {
        (Some(identifier), Some(password), Some(transport), Some(device)) => Ok(Login {
            identifier,
            password,
            remember: body.remember.unwrap_or(true),
            device,
            transport,
        }),
        _ => Err(Refusal::Validation(errors)),
    }
}

fn keep<T>(errors: &mut Vec<FieldError>, result: Result<T, FieldError>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

/// Exactly one of the three names.
fn identifier(body: &LoginBody) -> Result<Identifier, FieldError> {
    let names = [
        ("/email", &body.email),
        ("/username", &body.username),
        ("/identifier", &body.identifier),
    ];
    let mut given = names
        .into_iter()
        .filter_map(|(pointer, value)| Some((pointer, value.as_deref()?)));
    match (given.next(), given.next()) {
        (Some((pointer, text)), None) => {
            Identifier::parse(text).map_err(|problem| problem.at(pointer))
        }
        (None, _) => Err(missing("/identifier")),
        (Some(_), Some((pointer, _))) => {
            let sentence = "Give one of email, username and identifier.";
            Err(FieldFault::new("ambiguous", sentence).at(pointer))
        }
    }
}

fn device(given: Option<String>) -> Result<Option<String>, FieldError> {
    let Some(text) = given.map(|text| text.trim().to_owned()) else {
        return Ok(None);
    };
    if text.chars().count() > DEVICE_CHARACTERS || text.chars().any(char::is_control) {
        let sentence = "A device's name has up to 100 printable characters.";
        return Err(FieldFault::new("device_malformed", sentence).at("/device"));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}
