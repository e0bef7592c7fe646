//! `GET /api/admin/keys`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::super::problem::{Failure, Problem};
use super::page::{PageBody, only_page};
use super::parameters::Parameters;
use super::permitted::{KeysRead, Permitted};
use crate::app::App;
use crate::flows::keys::{self, KeyStatus};
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
