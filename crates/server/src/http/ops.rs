//! What operators and balancers ask (CONTRACT section 3.7).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Answer;
use super::problem::{Failure, Problem};
use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(metrics))
}

/// How the server is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`
    #[schema(example = "ok")]
    status: &'static str,
}

/// The process is alive.
#[utoipa::path(get, path = "/healthz", operation_id = "health", tag = "operations", responses((status = 200, body = Health)))]
async fn healthz() -> Answer<Health> {
    Answer(StatusCode::OK, Health { status: "ok" })
}

/// The store answers, and the server is not about to end.
#[utoipa::path(get, path = "/readyz", operation_id = "readiness", tag = "operations",
    responses((status = 200, body = Health), (status = 503, description = "`overloaded`", body = Problem)))]
async fn readyz(State(app): State<Arc<App>>) -> Result<Answer<Health>, Failure> {
    crate::flows::ready(&app).await?;
    Ok(Answer(StatusCode::OK, Health { status: "ok" }))
}

/// Counters in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "operations",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, description = "They have a listener of their own", body = Problem)))]
async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    if app.config.metrics.listen.is_some() {
        return Err(symbolon_domain::Refusal::NotFound.into());
    }
    Ok(rendered(&app))
}

/// The counters alone, for a listener of their own.
pub(super) fn metrics_router(app: Arc<App>) -> Router {
    let counters = get(|State(app): State<Arc<App>>| async move { rendered(&app) });
    Router::new().route("/metrics", counters).with_state(app)
}

fn rendered(app: &App) -> Response {
    if let Ok(issuance) = app.issuance() {
        app.metrics.feed_streams(issuance.feed.streams() as u64);
    }
    let mut response = app.metrics.render().into_response();
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    response
}
