//! `GET /api/admin/users/{id}/consents`, `DELETE /api/admin/users/{id}/consents/{clientId}`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::{StatusCode, Uri};
use symbolon_domain::{ClientId, Refusal};

use super::super::super::problem::{Failure, Problem};
use super::super::consents::ConsentBody;
use super::page::{PageBody, Paging};
use super::parameters::Parameters;
use super::permitted::{Permitted, SessionsRead, SessionsWrite};
use super::users::known_id;
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::oauth::consents;
use crate::flows::{Origin, users};

/// A page of the applications that a user let in, by their ids.
#[utoipa::path(get, path = "/api/admin/users/{id}/consents", operation_id = "listUserConsents", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user's id"),
        ("limit" = Option<u32>, Query, description = "Rows on a page, 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before")),
    responses(
        (status = 200, body = PageBody<ConsentBody>),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `sessions:read` is needed", body = Problem),
        (status = 404, description = "`not_found`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Permitted<SessionsRead>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri, &[])?;
    let mut paging = Paging::of(&app, "consents of a user", &parameters)?;
    let user = users::show(&app, known_id(&id)?).await?.user;
    let after = paging.after.take();
    let page = consents::list(&app, user.id, paging.limit, after).await?;
    Ok(paging.answer(&page, ConsentBody::of)?)
}

/// Take back what a user agreed to: every token that the application has for the user dies at once, everywhere.
#[utoipa::path(delete, path = "/api/admin/users/{id}/consents/{clientId}", operation_id = "withdrawUserConsent", tag = "administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user's id"),
        ("clientId" = String, Path, description = "The application's `client_id`")),
    responses(
        (status = 204, description = "The application has no access to this account any more"),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `sessions:write` is needed, and all that the user has; `csrf_rejected`", body = Problem),
        (status = 404, description = "`not_found`: there is no such user, or nothing was agreed to", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    permitted: Permitted<SessionsWrite>,
    origin: Origin,
    Path((id, client)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let user = known_id(&id)?;
    let client = ClientId::parse(&client).map_err(|_| Refusal::NotFound)?;
    let actor = Actor::from(&permitted.caller);
    consents::withdraw_from(&app, actor, (user, &client), &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
