//! `GET /api/user/identities`, `DELETE /api/user/identities/{id}`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::body::{Answer, OptionalJson};
use super::super::problem::{Failure, Problem};
use super::super::rate_limit;
use super::profile::presented;
use crate::app::App;
use crate::flows::Origin;
use crate::flows::authenticate::Caller;
use crate::flows::login::quotas;
use crate::flows::upstream::{self, Identity};
use crate::rfc3339::text as rfc3339;

/// What the caller can sign in with elsewhere.
#[derive(Serialize, ToSchema)]
pub(super) struct IdentitiesBody {
    /// By issuer; at most 20.
    items: Vec<IdentityBody>,
}

/// An identity at another provider.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IdentityBody {
    /// What it is called here: base64url of SHA-256 over issuer, a zero byte and subject.
    #[schema(example = "Xt2qZ0dXgkyPzDs4tq2NSrNiWJwnBDBPPGvzCUs0tHc")]
    id: String,
    /// The provider's name in paths, where it is one that people can sign in at.
    #[schema(nullable, required, example = "google")]
    provider: Option<String>,
    /// Who the provider is.
    #[schema(example = "https://accounts.google.com")]
    issuer: String,
    /// What the person is called there.
    #[schema(example = "110169484474386276334")]
    subject: String,
    /// Since when it is linked. RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last used to sign in. RFC 3339, UTC.
    #[schema(format = DateTime)]
    last_used_at: String,
}

impl From<Identity> for IdentityBody {
    fn from(identity: Identity) -> Self {
        let link = &identity.link;
        Self {
            issuer: link.identity.issuer().to_owned(),
            subject: link.identity.subject().to_owned(),
            created_at: rfc3339(link.created_at),
            last_used_at: rfc3339(link.last_used_at),
            id: identity.id,
            provider: identity.provider,
        }
    }
}

/// The current password, of an account that has one.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct UnlinkBody {
    /// The current password.
    #[schema(nullable = false, example = "correct horse battery")]
    password: Option<String>,
}

/// The identities at other providers that the caller signs in with.
#[utoipa::path(get, path = "/api/user/identities", operation_id = "listIdentities", tag = "account", security(("bearer" = [])),
    responses(
        (status = 200, body = IdentitiesBody),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Failure> {
    let identities = upstream::list(&app, caller.user).await?;
    let items = identities.into_iter().map(IdentityBody::from).collect();
    Ok(Answer(StatusCode::OK, IdentitiesBody { items }).into_response())
}

/// Unlink an identity: nobody signs in with it any more. Sessions go on.
///
/// The password is asked for where the account has one. Where it has none, its last identity stays.
#[utoipa::path(delete, path = "/api/user/identities/{id}", operation_id = "unlinkIdentity", tag = "account", security(("bearer" = [])), request_body = UnlinkBody,
    params(("id" = String, Path, description = "What it is called in the list")),
    responses(
        (status = 204, description = "It is not linked any more"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application; `wrong_password`, `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`: the caller has no such identity", body = Problem),
        (status = 409, description = "`conflict`: the account has no password, and no other identity", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 415, description = "`unsupported_media_type`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
        (status = 429, description = "`rate_limited`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    origin: Origin,
    Path(id): Path<String>,
    OptionalJson(body): OptionalJson<UnlinkBody>,
) -> Result<Response, Failure> {
    let given = body.password.map(|text| presented(Some(text), "/password"));
    let password = given.transpose()?;
    let unlinked = upstream::unlink(&app, &caller, (&id, password), &origin).await;
    let answer = unlinked.map(|()| StatusCode::NO_CONTENT.into_response());
    Ok(rate_limit::told(
        answer,
        &quotas(&app, caller.user, &origin),
    ))
}
