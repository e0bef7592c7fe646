//! The accept loop: bounds on connections, headers and idle time; a drain at the end.
//!
//! 1. Until the server is told to end, connections are accepted.
//! 2. For as long as `server.drain` says they still are, but `/readyz` answers 503 and every HTTP/1 answer closes its
//!    connection: balancers turn away, and no kept connection is closed while a request is on its way to it.
//! 3. Whoever stands in the queue is let in, for he was told that he is connected; then the listener is closed.
//! 4. Requests in flight are finished; idle connections and streams are closed.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::stream::{Stream, StreamExt, pending};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::connection::{Accepted, Protocols};
use super::edge::Edge;
use crate::app::App;

/// Connections served at once; others wait in the listener's queue.
const CONNECTIONS: usize = 20_000;
/// Longest wait for requests in flight at the end.
const DRAIN: Duration = Duration::from_secs(20);

/// Serves `app` on `listener` until it is told to stop, then lets requests in flight end. Told again, it ends the drain
/// before its time.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Stream<Item = ()>) {
    let router = super::router(Arc::clone(&app));
    serve_router(app, router, listener, stop).await;
}

/// Serves the counters on a listener of their own, as long as the process lives.
pub async fn serve_metrics(app: Arc<App>, listener: TcpListener) {
    let router = super::ops::metrics_router(Arc::clone(&app));
    serve_router(app, router, listener, pending()).await;
}

async fn serve_router(
    app: Arc<App>,
    router: Router,
    listener: TcpListener,
    stop: impl Stream<Item = ()>,
) {
    let (stopping, stopped) = watch::channel(());
    let door = Door {
        edge: Arc::new(Edge::new(Arc::clone(&app), router)),
        protocols: Arc::new(Protocols::new()),
        places: Arc::new(Semaphore::new(CONNECTIONS)),
        graceful: GracefulShutdown::new(),
        stopped,
        app: Arc::clone(&app),
    };
    let mut stop = std::pin::pin!(stop);
    door.accept_until(&listener, stop.next()).await;
    app.begin_draining();
    let drain = app.config.server.drain;
    if !drain.is_zero() {
        tracing::info!(
            seconds = drain.as_secs_f32(),
            "stopping: /readyz answers 503 for as long as server.drain says, then the listener closes; a second signal closes it now"
        );
        door.accept_until(&listener, timeout(drain, stop.next()))
            .await
            .ok();
    }
    door.empty_queue(listener);
    // Connections that have asked nothing yet are hardly waited for.
    drop(stopping);
    // Streams have no end of their own.
    if let Ok(issuance) = app.issuance() {
        issuance.feed.close();
    }
    if timeout(DRAIN, door.graceful.shutdown()).await.is_err() {
        tracing::warn!("requests in flight did not end in time");
    }
}

/// Where connections come in.
struct Door {
    app: Arc<App>,
    edge: Arc<Edge>,
    protocols: Arc<Protocols>,
    places: Arc<Semaphore>,
    graceful: GracefulShutdown,
    stopped: watch::Receiver<()>,
}

impl Door {
    /// Steps 1 and 2.
    async fn accept_until<T>(&self, listener: &TcpListener, end: impl Future<Output = T>) -> T {
        let mut end = std::pin::pin!(end);
        loop {
            let accepted = async {
                // The semaphore is never closed; were it, the connection would go uncounted, not unserved.
                let place = Arc::clone(&self.places).acquire_owned().await.ok();
                (listener.accept().await, place)
            };
            let (accepted, place) = tokio::select! {
                accepted = accepted => accepted,
                ended = &mut end => return ended,
            };
            match accepted {
                Ok((stream, peer)) => self.let_in(stream, peer, place),
                Err(error) => {
                    // Out of file descriptors, mostly: they come back as connections end.
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Step 3. Without the runtime, which knows of a connection only after the system does.
    fn empty_queue(&self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else {
            return;
        };
        while let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            let (stream, peer) = match listener.accept() {
                Ok(accepted) => accepted,
                // This one broke off; others may wait behind it.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                // The queue is empty.
                Err(_) => return,
            };
            let stream = stream
                .set_nonblocking(true)
                .and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                self.let_in(stream, peer, Some(place));
            }
        }
    }

    fn let_in(&self, stream: TcpStream, peer: SocketAddr, place: Option<OwnedSemaphorePermit>) {
        self.app
            .metrics
            .connections((CONNECTIONS - self.places.available_permits()) as u64);
        let accepted = Accepted {
            stream,
            peer: peer.ip(),
            watcher: self.graceful.watcher(),
            stopped: self.stopped.clone(),
            _place: place,
        };
        tokio::spawn(accepted.serve(Arc::clone(&self.protocols), Arc::clone(&self.edge)));
    }
}
