//! `GET /api/admin/sessions`; `GET`, `DELETE /api/admin/sessions/{id}`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri};
use serde::Serialize;
use symbolon_domain::{Life, Refusal, Session, SessionId, Timestamp, UserId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::super::body::Answer;
use super::super::super::problem::{Failure, Problem};
use super::page::{PageBody, Paging};
use super::parameters::Parameters;
use super::permitted::{Permitted, SessionsRead, SessionsWrite};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::sessions::{self, Filter};
use crate::flows::{Error, Origin, users};
use crate::rfc3339::text as rfc3339;

/// One sign-in on one device, as administrators see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct SignInBody {
    /// The session's id, the `sid` of its tokens.
    id: Uuid,
    /// The id of the user.
    user: Uuid,
    /// The client that it was made for; `symbolon` for the own sign-in.
    #[schema(example = "symbolon")]
    client_id: String,
    /// `live`, `expired` or `ended`.
    #[schema(example = "live")]
    state: &'static str,
    /// What the person called the device.
    #[schema(nullable, required)]
    device: Option<String>,
    /// The browser or app that signed in.
    #[schema(nullable, required)]
    user_agent: Option<String>,
    /// The address that signed in.
    #[schema(nullable, required)]
    address: Option<String>,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    last_used_at: String,
    /// When it ends if it is not used. RFC 3339, UTC.
    #[schema(format = DateTime)]
    expires_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime, nullable, required)]
    ended_at: Option<String>,
    /// Why it was ended.
    #[schema(example = "logout", nullable, required)]
    end_reason: Option<&'static str>,
}

impl SignInBody {
    pub(in crate::http) fn of(session: &Session, now: Timestamp) -> Self {
        Self {
            id: session.id.uuid(),
            user: session.user.uuid(),
            client_id: session.client_id.clone(),
            state: match session.life(now) {
                Life::Live => "live",
                Life::IdleExpired | Life::AbsoluteExpired => "expired",
                Life::Ended(_) => "ended",
            },
            device: session.device.clone(),
            user_agent: session.user_agent.clone(),
            address: session.address.clone(),
            created_at: rfc3339(session.created_at),
            last_used_at: rfc3339(session.last_used_at),
            expires_at: rfc3339(session.idle_expires_at()),
            ended_at: session.ended.map(|ended| rfc3339(ended.at)),
            end_reason: session.ended.map(|ended| ended.reason.as_str()),
        }
    }
}

/// A page of sessions, the newest first.
#[utoipa::path(get, path = "/api/admin/sessions", operation_id = "listAllSessions", tag = "administration", security(("bearer" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Rows on a page, 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before"),
        ("user" = Option<Uuid>, Query, description = "Of this user only"),
        ("state" = Option<String>, Query, description = "`live`, or `all` that are stored; `live` where nothing is asked for")),
    responses(
        (status = 200, body = PageBody<SignInBody>),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `sessions:read` is needed", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Permitted<SessionsRead>,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri, &["user", "state"])?;
    let dead = parameters.parsed("state", "live or all", |text| match text {
        "live" => Ok(false),
        "all" => Ok(true),
        _ => Err(()),
    })?;
    let filter = Filter {
        user: parameters.parsed("user", "the id of a user", str::parse::<UserId>)?,
        dead: dead.unwrap_or_default(),
    };
    let paging = Paging::of(&app, "sessions", &parameters)?;
    let page = sessions::page(&app, filter, paging.limit, paging.after).await?;
    let now = app.clock.now();
    Ok(paging.answer(&page, |session| SignInBody::of(session, now))?)
}

/// One session, alive or not.
#[utoipa::path(get, path = "/api/admin/sessions/{id}", operation_id = "showSession", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session's id")),
    responses(
        (status = 200, body = SignInBody),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `sessions:read` is needed", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _: Permitted<SessionsRead>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let session = sessions::show(&app, known_id(&id)?).await?;
    let body = SignInBody::of(&session, app.clock.now());
    Ok(Answer(StatusCode::OK, body).into_response())
}

/// End a session, with every token of it.
#[utoipa::path(delete, path = "/api/admin/sessions/{id}", operation_id = "endAnySession", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session's id")),
    responses(
        (status = 204, description = "Every token of that session is dead"),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `sessions:write` is needed, and all that the user has; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`: there is none, or it is not live", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    permitted: Permitted<SessionsWrite>,
    origin: Origin,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let actor = (Actor::from(&permitted.caller), sessions::WRITE);
    users::revoke_session(&app, actor, known_id(&id)?, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no id is no session's.
fn known_id(id: &str) -> Result<SessionId, Error> {
    Ok(id.parse().map_err(|_| Refusal::NotFound)?)
}
