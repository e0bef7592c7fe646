//! `GET`, `POST /api/admin/keys`; `GET`, `DELETE /api/admin/keys/{kid}`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{HeaderValue, LOCATION};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use symbolon_domain::Refusal;
use utoipa::ToSchema;

use super::super::super::body::{Answer, OptionalJson};
use super::super::super::problem::{Failure, Problem};
use super::page::{PageBody, only_page};
use super::parameters::Parameters;
use super::permitted::{KeysRead, KeysWrite, Permitted};
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::keys::{self, KeyStatus};
use crate::flows::{Error, Origin};
use crate::rfc3339::text as rfc3339;

/// A key of this server. Its secret part is never shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyBody {
    /// Its name in the header of tokens.
    kid: String,
    /// `sign` or `refresh`.
    #[schema(example = "sign")]
    purpose: String,
    /// Of JOSE, or `HMAC-SHA256` for refresh tokens.
    #[schema(example = "ES256")]
    algorithm: String,
    /// What it does now: `published`, `signing`, `retired` or `withdrawn`.
    #[schema(example = "signing")]
    state: &'static str,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// From when on it signs. RFC 3339, UTC.
    #[schema(format = DateTime)]
    activate_at: String,
    /// From when on it signs no more. RFC 3339, UTC.
    #[schema(format = DateTime, nullable, required)]
    retire_at: Option<String>,
    /// When nothing that it signed is alive any more. RFC 3339, UTC.
    #[schema(format = DateTime, nullable, required)]
    expires_at: Option<String>,
}

impl From<KeyStatus> for KeyBody {
    fn from(KeyStatus { row, part }: KeyStatus) -> Self {
        Self {
            kid: row.kid,
            purpose: row.purpose,
            algorithm: row.algorithm,
            state: part,
            created_at: rfc3339(row.created_at),
            activate_at: rfc3339(row.activate_at),
            retire_at: row.retire_at.map(rfc3339),
            expires_at: row.expires_at.map(rfc3339),
        }
    }
}

/// Every key, the oldest first. There are never many: one page holds them.
#[utoipa::path(get, path = "/api/admin/keys", operation_id = "listKeys", tag = "administration", security(("bearer" = [])),
    responses(
        (status = 200, body = PageBody<KeyBody>),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `keys:read` is needed", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Permitted<KeysRead>,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri, &[])?;
    let found = keys::list(&app).await?;
    let items = found.into_iter().map(KeyBody::from).collect();
    Ok(only_page(&parameters, items)?)
}

/// A rotation.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    /// Sign with the new key at once, rather than in a quarter of an hour: guards that keep the old key set refuse its
    /// tokens until they ask again.
    #[serde(default)]
    now: bool,
}

/// Make a new signing key of the configured algorithm: published now, signing in a quarter of an hour.
#[utoipa::path(post, path = "/api/admin/keys", operation_id = "rotateKeys", tag = "administration", security(("bearer" = [])), request_body = Rotation,
    responses(
        (status = 201, body = KeyBody, headers(("Location" = String, description = "Where it is"))),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `keys:write` is needed; `csrf_rejected`", body = Problem),
        (status = 409, description = "`conflict`: another rotation is under way", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    permitted: Permitted<KeysWrite>,
    origin: Origin,
    OptionalJson(body): OptionalJson<Rotation>,
) -> Result<Response, Failure> {
    let actor = Actor::from(&permitted.caller);
    let master = &app.issuance()?.master;
    let made = keys::rotate(&app, actor, master, body.now, &origin).await?;
    let answer = Answer(StatusCode::CREATED, find(&app, &made.kid).await?);
    let mut response = answer.into_response();
    if let Ok(place) = HeaderValue::from_str(&format!("/api/admin/keys/{}", made.kid)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// One key.
#[utoipa::path(get, path = "/api/admin/keys/{kid}", operation_id = "showKey", tag = "administration", security(("bearer" = [])),
    params(("kid" = String, Path, description = "The key's name")),
    responses(
        (status = 200, body = KeyBody),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `keys:read` is needed", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _: Permitted<KeysRead>,
    Path(kid): Path<String>,
) -> Result<Response, Failure> {
    Ok(Answer(StatusCode::OK, find(&app, &kid).await?).into_response())
}

/// Kill a leaked signing key with every token that it signed, everywhere and at once.
#[utoipa::path(delete, path = "/api/admin/keys/{kid}", operation_id = "withdrawKey", tag = "administration", security(("bearer" = [])),
    params(("kid" = String, Path, description = "The key's name")),
    responses(
        (status = 204, description = "Nothing that it signed is good any more"),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `keys:write` is needed; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`: there is none, it does not sign tokens, or it is withdrawn already", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    permitted: Permitted<KeysWrite>,
    origin: Origin,
    Path(kid): Path<String>,
) -> Result<StatusCode, Failure> {
    let actor = Actor::from(&permitted.caller);
    let master = &app.issuance()?.master;
    keys::withdraw(&app, actor, master, &kid, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(app: &App, kid: &str) -> Result<KeyBody, Error> {
    let keys = keys::list(app).await?;
    let found = keys.into_iter().find(|key| key.row.kid == kid);
    Ok(found.map(KeyBody::from).ok_or(Refusal::NotFound)?)
}
