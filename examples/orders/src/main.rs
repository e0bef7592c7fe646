//! An API for orders that only signed-in people may use: what `symbolon-guard` takes in an axum application.
//!
//! Settings come from the environment: see [`Settings`]. Orders are kept in memory.

mod orders;
mod problem;

use std::{io::Write, time::Duration};

use anyhow::{Context as _, Result};
use axum::{
    Json, Router,
    extract::{FromRef, State},
    routing::get,
};
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};
use symbolon_guard::{Bearer, Guard, Metrics, Staleness};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use orders::Orders;

#[derive(Parser)]
struct Settings {
    /// The address of the Symbolon server, such as http://127.0.0.1:8080
    #[arg(long, env)]
    issuer: String,
    /// Whom tokens must be for; the issuer unless set
    #[arg(long, env)]
    audience: Option<String>,
    #[arg(long, env, default_value = "127.0.0.1:0")]
    listen: String,
    /// What to do while the revocation feed is not heard
    #[arg(long, env, value_enum, default_value = "fail_closed")]
    staleness: Policy,
    /// For how many seconds it may not be heard
    #[arg(long, env, default_value = "15")]
    staleness_bound: f64,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Policy {
    FailClosed,
    Introspect,
    FailOpen,
}

/// What handlers may ask for.
#[derive(Clone)]
struct App {
    guard: Guard,
    orders: Orders,
}

impl FromRef<App> for Guard {
    fn from_ref(app: &App) -> Self {
        app.guard.clone()
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let settings = Settings::parse();
    let listener = TcpListener::bind(&settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}", settings.listen))?;
    // With port 0 the address is known only now, and the metadata of the resource names it.
    let address = format!("http://{}", listener.local_addr()?);
    let guard = guard(settings, &address).await?;
    writeln!(std::io::stdout(), "listening on {address}")?;
    axum::serve(listener, router(guard))
        .with_graceful_shutdown(stopped())
        .await?;
    Ok(())
}

async fn guard(settings: Settings, address: &str) -> Result<Guard> {
    let bound = Duration::try_from_secs_f64(settings.staleness_bound)
        .context("STALENESS_BOUND is no number of seconds")?;
    let guard = Guard::discover(&settings.issuer)
        .audience(settings.audience.unwrap_or(settings.issuer))
        .resource(address)
        .scopes_supported(["openid"])
        .staleness(match settings.staleness {
            Policy::FailClosed => Staleness::FailClosed,
            Policy::Introspect => Staleness::Introspect,
            Policy::FailOpen => Staleness::FailOpen,
        })
        .staleness_bound(bound);
    Ok(guard.start().await?)
}

fn router(guard: Guard) -> Router {
    let signed_in = guard.layer();
    let admin = signed_in.clone().require_role("admin");
    let reader = signed_in.clone().require_permission("reports:read");
    let openid = signed_in.clone().require_scope("openid");
    Router::new()
        .merge(orders::routes().route_layer(signed_in))
        .route("/admin/orders", get(every_order).layer(admin))
        .route("/reports", get(reports).layer(reader))
        .route("/scoped", get(scoped).layer(openid))
        // From here on anybody may come.
        .route("/", get(front))
        .route("/guard", get(metrics))
        .merge(guard.metadata_route())
        .fallback(problem::no_such_page)
        .method_not_allowed_fallback(problem::no_such_method)
        .with_state(App {
            guard,
            orders: Orders::default(),
        })
}

async fn front(State(app): State<App>) -> Json<Value> {
    Json(json!({ "service": "orders", "orders": app.orders.len() }))
}

async fn every_order(State(app): State<App>) -> Json<Value> {
    Json(json!({ "items": app.orders.all() }))
}

async fn reports() -> Json<Value> {
    Json(json!({ "reports": [] }))
}

async fn scoped(Bearer(claims): Bearer) -> Json<Value> {
    Json(json!({ "scope": claims.scope }))
}

async fn metrics(State(guard): State<Guard>) -> Json<Metrics> {
    Json(guard.metrics())
}

/// Requests in flight are finished when the process is asked to end.
async fn stopped() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
