//! The accept loop: bounds on connections, headers and idle time; a drain at the end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::connection::{Accepted, Protocols};
use super::edge::Edge;
use crate::app::App;

/// Connections served at once; others wait in the listener's queue.
const CONNECTIONS: usize = 20_000;
/// Longest wait for requests in flight at the end.
const DRAIN: Duration = Duration::from_secs(20);

/// Serves `app` on `listener` until `stop` resolves, then lets requests in flight end.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let router = super::router(Arc::clone(&app));
    serve_router(app, router, listener, stop).await;
}

/// Serves the counters on a listener of their own, as long as the process lives.
pub async fn serve_metrics(app: Arc<App>, listener: TcpListener) {
    let router = super::ops::metrics_router(Arc::clone(&app));
    serve_router(app, router, listener, std::future::pending()).await;
}

async fn serve_router(
    app: Arc<App>,
    router: Router,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) {
    let edge = Arc::new(Edge::new(Arc::clone(&app), router));
    let protocols = Arc::new(Protocols::new());
    let (stopping, stopped) = watch::channel(());
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            // The semaphore is never closed; were it, the connection would go uncounted, not unserved.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                app.metrics
                    .connections((CONNECTIONS - places.available_permits()) as u64);
                let accepted = Accepted {
                    stream,
                    peer: peer.ip(),
                    watcher: graceful.watcher(),
                    stopped: stopped.clone(),
                    _place: place,
                };
                tokio::spawn(accepted.serve(Arc::clone(&protocols), Arc::clone(&edge)));
            }
            Err(error) => {
                // Out of file descriptors, mostly: they come back as connections end.
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    // Connections that have asked nothing yet are not waited for.
    drop(stopping);
    // Streams have no end of their own.
    if let Ok(issuance) = app.issuance() {
        issuance.feed.close();
    }
    if timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests in flight did not end in time");
    }
}
