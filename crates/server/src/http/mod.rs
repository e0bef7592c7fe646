//! The HTTP door: parse, call one flow, render. No rule of its own.

pub mod api;
mod bearer;
mod body;
mod connection;
mod context;
mod cookies;
mod cors;
mod csrf;
mod docs;
mod edge;
mod multipart;
mod oauth;
mod ops;
mod pages;
mod problem;
mod query;
mod rate_limit;
mod registration;
pub mod serve;
mod unread;
mod well_known;

use std::sync::Arc;

use axum::Router;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// Every route, with the document that describes it.
fn described() -> (Router<Arc<App>>, utoipa::openapi::OpenApi) {
    let (router, mut document) = OpenApiRouter::with_openapi(docs::Document::openapi())
        .merge(api::routes())
        .merge(oauth::endpoints())
        .merge(registration::routes())
        .merge(well_known::routes())
        .merge(ops::routes())
        .split_for_parts();
    docs::name_problems(&mut document);
    (router, document)
}

/// The OpenAPI 3.1 document, as JSON.
///
/// # Errors
/// When it cannot be written, which a test rules out.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    let mut text = described().1.to_pretty_json()?;
    text.push('\n');
    Ok(text)
}

/// The service behind the edge.
pub fn router(app: Arc<App>) -> Router {
    let (router, document) = described();
    router
        .merge(docs::routes(&document))
        .merge(pages::routes())
        .merge(oauth::screens())
        .merge(well_known::of_issuer_with_path())
        .fallback(pages::nowhere)
        .method_not_allowed_fallback(pages::not_so)
        .with_state(app)
}
