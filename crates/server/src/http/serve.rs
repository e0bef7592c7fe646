//! The accept loop: bounds on connections, headers and idle time; a drain at the end.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::edge::Edge;
use super::unread::WriteLimit;
use crate::app::App;

/// Connections served at once; others wait in the listener's queue.
const CONNECTIONS: usize = 20_000;
/// Longest wait for a request's headers, the idle time of a kept connection included.
const HEADERS: Duration = Duration::from_secs(30);
/// Bytes of a request's line and headers.
const HEADER_BYTES: usize = 32 * 1024;
/// Headers of a request.
const HEADER_COUNT: usize = 100;
/// Requests that one HTTP/2 connection has under way.
const STREAMS: u32 = 100;
/// Bytes of an answer's body that are kept for an HTTP/2 peer that does not read: the usual 400 KB, for each of its
/// streams, would let few connections fill the memory.
const UNSENT_BYTES: usize = 16 * 1024;
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
    let server = Arc::new(server());
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
                connect(Arc::clone(&edge), &server, &graceful, (stream, peer, place));
            }
            Err(error) => {
                // Out of file descriptors, mostly: they come back as connections end.
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    // Streams have no end of their own.
    if let Ok(issuance) = app.issuance() {
        issuance.feed.close();
    }
    if timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests in flight did not end in time");
    }
}

fn server() -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(HEADER_BYTES)
        // No `pipeline_flush`: while anything is left in the buffer it writes nothing, the refusal of it included.
        .max_headers(HEADER_COUNT);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_send_buf_size(UNSENT_BYTES)
        .max_header_list_size(HEADER_BYTES as u32)
        .keep_alive_interval(HEADERS)
        .keep_alive_timeout(HEADERS);
    server
}

fn connect(
    edge: Arc<Edge>,
    server: &Arc<auto::Builder<TokioExecutor>>,
    graceful: &GracefulShutdown,
    (stream, peer, place): (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>),
) {
    // Answers are small: waiting for more to send only makes them late.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY is not set");
    }
    let server = Arc::clone(server);
    let watcher = graceful.watcher();
    tokio::spawn(async move {
        let begun = Arc::new(AtomicBool::new(false));
        let first = Arc::clone(&begun);
        let service = service_fn(move |request| {
            first.store(true, Ordering::Relaxed);
            let edge = Arc::clone(&edge);
            async move { edge.answer(peer.ip(), request).await }
        });
        let connection = server.serve_connection(TokioIo::new(WriteLimit::new(stream)), service);
        let mut served = pin!(watcher.watch(connection.into_owned()));
        // The limit on headers counts from when HTTP/1 and HTTP/2 are told apart, which who sends nothing, or half
        // of HTTP/2's first line, would put off for ever.
        let ended = match timeout(HEADERS, &mut served).await {
            Err(_) if !begun.load(Ordering::Relaxed) => Ok(()),
            Err(_) => served.await,
            Ok(ended) => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke off");
        }
        drop(place);
    });
}
