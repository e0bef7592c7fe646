//! `GET /api/consents`, `DELETE /api/consents/{clientId}`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::{StatusCode, Uri};
use serde::Serialize;
use symbolon_domain::{ClientId, Refusal, Scope};
use utoipa::ToSchema;

use super::super::problem::{Failure, Problem};
use super::admin::page::{PageBody, Paging};
use super::admin::parameters::Parameters;
use crate::app::App;
use crate::flows::Origin;
use crate::flows::authenticate::Caller;
use crate::flows::oauth::consents::{self, Application};
use crate::rfc3339::text as rfc3339;

/// An application that somebody let in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConsentBody {
    /// The application's `client_id`.
    #[schema(example = "shop")]
    client_id: String,
    /// Its name, unless it is gone.
    #[schema(nullable)]
    name: Option<String>,
    /// What was agreed to.
    #[schema(example = json!(["openid", "profile"]))]
    scopes: Vec<String>,
    /// The APIs that it may call for the person.
    resources: Vec<String>,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl ConsentBody {
    pub(super) fn of(application: &Application) -> Self {
        let consent = &application.consent;
        let name = application.client.as_ref();
        Self {
            client_id: consent.client.to_string(),
            name: name.map(|client| client.definition.name.to_string()),
            scopes: consent
                .agreement
                .scopes()
                .iter()
                .map(Scope::to_string)
                .collect(),
            resources: consent
                .agreement
                .resources()
                .map(ToString::to_string)
                .collect(),
            created_at: rfc3339(consent.created_at),
            updated_at: rfc3339(consent.updated_at),
        }
    }
}

/// The applications that the caller let in.
#[utoipa::path(get, path = "/api/consents", operation_id = "listConsents", tag = "account", security(("bearer" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Rows on a page, 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before")),
    responses(
        (status = 200, body = PageBody<ConsentBody>),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri, &[])?;
    let mut paging = Paging::of(&app, "consents", &parameters)?;
    let after = paging.after.take();
    let page = consents::list(&app, caller.user, paging.limit, after).await?;
    Ok(paging.answer(&page, ConsentBody::of)?)
}

/// Take back what was agreed to: every token that the application has for the caller dies at once, everywhere.
#[utoipa::path(delete, path = "/api/consents/{clientId}", operation_id = "withdrawConsent", tag = "account", security(("bearer" = [])),
    params(("clientId" = String, Path, description = "The application's `client_id`")),
    responses(
        (status = 204, description = "The application has no access any more"),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`insufficient_scope`: the token is that of an application; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`: nothing was agreed to", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    origin: Origin,
    Path(client): Path<String>,
) -> Result<StatusCode, Failure> {
    let client = ClientId::parse(&client).map_err(|_| Refusal::NotFound)?;
    consents::withdraw(&app, &caller, &client, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
