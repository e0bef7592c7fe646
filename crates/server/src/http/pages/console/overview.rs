//! `GET /console`: how things are.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use minijinja::{Value, context};

use super::super::super::api::admin::permitted::StatsRead;
use super::Permitted;
use crate::app::App;
use crate::flows::stats::{self, Counted};

pub(super) async fn show(State(app): State<Arc<App>>, permitted: Permitted<StatsRead>) -> Response {
    let stats = match stats::stats(&app).await {
        Ok(stats) => stats,
        Err(error) => return permitted.seated.failed(error),
    };
    let facts = context! {
        tiles => vec![
            tile("users", stats.active),
            tile("sessions", stats.sessions),
            tile("sign_ins", stats.day.succeeded),
            tile("refusals", stats.day.failed),
            tile("revocations", stats.revocations),
        ],
    };
    permitted.show("overview", "console/overview.html", facts)
}

/// A number, and whether there are more than were counted.
fn tile(name: &str, counted: Counted) -> Value {
    context! { name, value => counted.found, more => counted.more }
}
