//! `GET /api/sessions`, `DELETE /api/sessions/{id}`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use symbolon_domain::{Refusal, Session};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::body::Answer;
use super::super::problem::{Failure, Problem};
use crate::app::App;
use crate::flows::authenticate::Caller;
use crate::flows::{Origin, sessions};
use crate::rfc3339::text as rfc3339;

/// The own devices.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionsBody<'a> {
    /// Live sessions, newest first.
    items: Vec<SessionBody<'a>>,
}

/// One sign-in on one device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionBody<'a> {
    /// The session's id, the `sid` of its tokens.
    id: Uuid,
    /// What the person called the device.
    #[schema(nullable)]
    device: Option<&'a str>,
    /// The browser or app that signed in.
    #[schema(nullable)]
    user_agent: Option<&'a str>,
    /// The address that signed in.
    #[schema(nullable)]
    address: Option<&'a str>,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    last_used_at: String,
    /// When it ends if it is not used. RFC 3339, UTC.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Whether it is the one that asks.
    current: bool,
}

/// The own sessions.
#[utoipa::path(get, path = "/api/sessions", operation_id = "listSessions", tag = "account", security(("bearer" = [])),
    responses(
        (status = 200, body = SessionsBody),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Failure> {
    let sessions = sessions::list(&app, &caller).await?;
    let items = sessions
        .iter()
        .map(|session| device(session, session.id == caller.session))
        .collect();
    Ok(Answer(StatusCode::OK, SessionsBody { items }).into_response())
}

fn device(session: &Session, current: bool) -> SessionBody<'_> {
    SessionBody {
        id: session.id.uuid(),
        device: session.device.as_deref(),
        user_agent: session.user_agent.as_deref(),
        address: session.address.as_deref(),
        created_at: rfc3339(session.created_at),
        last_used_at: rfc3339(session.last_used_at),
        expires_at: rfc3339(session.idle_expires_at()),
        current,
    }
}

/// End one of the own sessions.
#[utoipa::path(delete, path = "/api/sessions/{id}", operation_id = "endSession", tag = "account", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session's id")),
    responses(
        (status = 204, description = "Every token of that session is dead"),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`: not live, or not the caller's", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    origin: Origin,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = id.parse().map_err(|_| Refusal::NotFound)?;
    sessions::end(&app, &caller, id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
