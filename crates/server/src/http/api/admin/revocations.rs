//! `GET /api/admin/revocations`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::Uri;

use super::super::super::problem::{Failure, Problem};
use super::super::revocations::EntryBody;
use super::page::{PageBody, Paging};
use super::parameters::Parameters;
use super::permitted::{Permitted, RevocationsRead};
use crate::app::App;
use crate::flows::revocations;

/// The live revocations in the order of their numbers.
#[utoipa::path(get, path = "/api/admin/revocations", operation_id = "listLiveRevocations", tag = "administration", security(("bearer" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Rows on a page, 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the page before")),
    responses(
        (status = 200, body = PageBody<EntryBody>),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`no_token`, `invalid_token`, `token_expired`, `token_revoked`, `token_stale`", body = Problem),
        (status = 403, description = "`forbidden`: `revocations:read` is needed", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Permitted<RevocationsRead>,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri, &[])?;
    let paging = Paging::of(&app, "revocations", &parameters)?;
    let page = revocations::page(&app, paging.limit, paging.after).await?;
    Ok(paging.answer(&page, EntryBody::from)?)
}
