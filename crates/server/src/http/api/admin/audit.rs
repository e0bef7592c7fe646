//! `GET /api/admin/audit`, `GET /api/admin/audit/{id}`: what happened. Nothing here changes it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri};
use serde::Serialize;
use symbolon_domain::audit::{AuditKind, Outcome};
use symbolon_domain::{Refusal, SessionId, UserId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::super::body::Answer;
use super::super::super::problem::{Failure, Problem};
use super::page::{PageBody, Paging};
use super::parameters::Parameters;
use super::permitted::{AuditRead, Permitted};
use crate::app::App;
use crate::flows::audit::{self, AuditFilter, AuditRow};
use crate::rfc3339::text as rfc3339;

const FILTER: &[&str] = &["user", "actor", "session", "kind", "outcome", "from", "to"];

/// A line of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct AuditBody {
    /// Its id; the order of ids is that of time.
    id: Uuid,
    /// Its number in the chain.
    #[schema(nullable, required)]
    seq: Option<i64>,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    at: String,
    /// What happened.
    #[schema(example = "login_failed")]
    kind: &'static str,
    /// How it ended: `success` or `failure`.
    #[schema(example = "failure")]
    outcome: &'static str,
    /// The user who did it; `null` for the command line, and for who is not known.
    #[schema(value_type = Option<Uuid>, nullable, required)]
    actor: Option<String>,
    /// The user to whom it was done.
    #[schema(value_type = Option<Uuid>, nullable, required)]
    subject: Option<String>,
    /// On which session.
    #[schema(value_type = Option<Uuid>, nullable, required)]
    session: Option<String>,
    /// From which network address.
    #[schema(nullable, required)]
    address: Option<String>,
    /// With which browser or program.
    #[schema(nullable, required)]
    user_agent: Option<String>,
    /// In which request.
    #[schema(nullable, required)]
    request_id: Option<String>,
    /// What else there is to say.
    #[schema(nullable, required, example = "wrong_password")]
    detail: Option<String>,
}

impl From<&AuditRow> for AuditBody {
    fn from(row: &AuditRow) -> Self {
        let event = row.event.clone();
        Self {
            id: row.id,
            seq: row.seq,
            at: rfc3339(event.at),
            kind: event.kind.as_str(),
            outcome: event.kind.outcome().as_str(),
            actor: event.actor.map(|id| id.to_string()),
            subject: event.subject.map(|id| id.to_string()),
            session: event.session.map(|id| id.to_string()),
            address: event.address,
            user_agent: event.user_agent,
            request_id: event.request_id,
            detail: event.detail,
        }
    }
}

/// What happened, the latest first. A page may be short without being the last: go on while there is a `nextCursor`.
#[utoipa::path(get, path = "/api/admin/audit", operation_id = "listAudit", tag = "administration", security(("bearer" = [])),
    params(
        ("user" = Option<Uuid>, Query, description = "What this user did, or what was done to them"),
        ("actor" = Option<Uuid>, Query, description = "What this user did"),
        ("session" = Option<Uuid>, Query, description = "What happened on this session"),
        ("kind" = Option<String>, Query, description = "Such as `login_failed`"),
        ("outcome" = Option<String>, Query, description = "`success` or `failure`"),
        ("from" = Option<String>, Query, description = "From this time on, RFC 3339"),
        ("to" = Option<String>, Query, description = "Before this time, RFC 3339"),
        ("limit" = Option<u32>, Query, description = "Rows on a page, 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before")),
    responses(
        (status = 200, body = PageBody<AuditBody>),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `audit:read` is needed", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Permitted<AuditRead>,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri, FILTER)?;
    let filter = filter(&parameters)?;
    let paging = Paging::of(&app, "audit", &parameters)?;
    let page = audit::page(&app, &filter, paging.limit, paging.after).await?;
    Ok(paging.answer(&page, AuditBody::from)?)
}

/// One line of the audit log.
#[utoipa::path(get, path = "/api/admin/audit/{id}", operation_id = "showAudit", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = AuditBody),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `audit:read` is needed", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _: Permitted<AuditRead>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = id.parse().map_err(|_| Refusal::NotFound)?;
    let row = audit::find(&app, id).await?;
    Ok(Answer(StatusCode::OK, AuditBody::from(&row)).into_response())
}

fn filter(parameters: &Parameters) -> Result<AuditFilter, Refusal> {
    let user = |name| parameters.parsed(name, "the id of a user", str::parse::<UserId>);
    let session = |text: &str| text.parse::<SessionId>();
    Ok(AuditFilter {
        user: user("user")?,
        actor: user("actor")?,
        session: parameters.parsed("session", "the id of a session", session)?,
        kind: parameters.parsed(
            "kind",
            "a kind of event, such as login_failed",
            str::parse::<AuditKind>,
        )?,
        outcome: parameters.parsed("outcome", "success or failure", str::parse::<Outcome>)?,
        from: parameters.time("from")?,
        to: parameters.time("to")?,
    })
}
