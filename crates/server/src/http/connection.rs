//! One connection, HTTP/1 or HTTP/2, and what it may cost.
//!
//! A kept connection costs memory as long as it lives, and there may be thousands that follow the feed. HTTP/1 is
//! therefore recognised by a look at its first bytes, before a protocol is chosen: what tells the two apart while it reads
//! doubles the buffer of every connection.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{sleep, timeout};

use super::edge::Edge;
use super::unread::WriteLimit;

/// Longest wait for a request's headers, the idle time of a kept connection included.
const HEADERS: Duration = Duration::from_secs(30);
/// How long a connection that has asked nothing yet may still do so when the server ends: what is on its way is answered.
const LAST_WORD: Duration = Duration::from_millis(250);
/// Bytes of a request's line and headers.
const HEADER_BYTES: usize = 32 * 1024;
/// Headers of a request.
const HEADER_COUNT: usize = 100;
/// Requests that one HTTP/2 connection has under way.
const STREAMS: u32 = 100;
/// Bytes of an answer's body that are kept for an HTTP/2 peer that does not read: the usual 400 KB, for each of its
/// streams, would let few connections fill the memory.
const UNSENT_BYTES: usize = 16 * 1024;
/// How a connection begins that may be HTTP/2 (RFC 9113 section 3.4).
const HTTP2: [u8; 3] = *b"PRI";

/// How both protocols are spoken.
pub(super) struct Protocols {
    http1: http1::Builder,
    either: auto::Builder<TokioExecutor>,
}

/// A connection that was just accepted.
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: IpAddr,
    pub(super) watcher: Watcher,
    /// Closed when the server ends.
    pub(super) stopped: watch::Receiver<()>,
    /// Its place among all connections, until it ends.
    pub(super) _place: Option<OwnedSemaphorePermit>,
}

/// What a connection begins with.
enum Beginning {
    Http1,
    /// HTTP/2, or too little to tell.
    Either,
    /// It ended, or said nothing in time.
    Nothing,
}

impl Protocols {
    pub(super) fn new() -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(HEADER_BYTES)
            // No `pipeline_flush`: while anything is left in the buffer it writes nothing, the refusal of it included.
            .max_headers(HEADER_COUNT);
        let mut either = auto::Builder::new(TokioExecutor::new());
        either
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(HEADER_BYTES)
            .max_headers(HEADER_COUNT);
        either
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_send_buf_size(UNSENT_BYTES)
            .max_header_list_size(HEADER_BYTES as u32)
            .keep_alive_interval(HEADERS)
            .keep_alive_timeout(HEADERS);
        Self { http1, either }
    }
}

impl Accepted {
    /// Answers what it asks until it ends.
    pub(super) async fn serve(mut self, protocols: Arc<Protocols>, edge: Arc<Edge>) {
        // Answers are small: waiting for more to send only makes them late.
        if let Err(error) = self.stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY is not set");
        }
        match self.beginning().await {
            Beginning::Http1 => self.http1(&protocols.http1, edge).await,
            // Boxed: it is much the larger, and the rarer.
            Beginning::Either => Box::pin(self.either(&protocols.either, edge)).await,
            Beginning::Nothing => {}
        }
    }

    async fn beginning(&mut self) -> Beginning {
        let mut first = [0; HTTP2.len()];
        let looked = tokio::select! {
            looked = timeout(HEADERS, self.stream.peek(&mut first)) => looked,
            () = ended(&mut self.stopped) => return Beginning::Nothing,
        };
        match looked {
            Ok(Ok(3)) if first != HTTP2 => Beginning::Http1,
            Ok(Ok(1..)) => Beginning::Either,
            Ok(Ok(0) | Err(_)) | Err(_) => Beginning::Nothing,
        }
    }

    async fn http1(self, server: &http1::Builder, edge: Arc<Edge>) {
        let peer = self.peer;
        let service = service_fn(move |request| {
            let edge = Arc::clone(&edge);
            // Boxed, for hyper keeps room for it as long as the connection lives.
            Box::pin(async move { edge.answer(peer, request).await })
        });
        let io = TokioIo::new(WriteLimit::new(self.stream));
        let connection = server.serve_connection(io, service);
        if self.stopped.has_changed().is_err() {
            // To be told to end before it has read anything would close it unanswered. Its answer says that it is the last.
            broke_off(connection.await);
        } else {
            broke_off(self.watcher.watch(connection).await);
        }
    }

    async fn either(self, server: &auto::Builder<TokioExecutor>, edge: Arc<Edge>) {
        let peer = self.peer;
        let begun = Arc::new(AtomicBool::new(false));
        let first = Arc::clone(&begun);
        let service = service_fn(move |request| {
            first.store(true, Ordering::Relaxed);
            let edge = Arc::clone(&edge);
            async move { edge.answer(peer, request).await }
        });
        let io = TokioIo::new(WriteLimit::new(self.stream));
        let connection = server.serve_connection(io, service).into_owned();
        let mut served = pin!(self.watcher.watch(connection));
        // The limit on headers counts from when HTTP/1 and HTTP/2 are told apart, which who sends half of HTTP/2's
        // first line would put off for ever.
        broke_off(match timeout(HEADERS, &mut served).await {
            Err(_) if !begun.load(Ordering::Relaxed) => return,
            Err(_) => served.await,
            Ok(ended) => ended,
        });
    }
}

/// Resolves when the server has ended and a connection has had its last word.
async fn ended(stopped: &mut watch::Receiver<()>) {
    // Nothing is ever sent: it resolves when the sender is dropped.
    while stopped.changed().await.is_ok() {}
    sleep(LAST_WORD).await;
}

fn broke_off<E: std::fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
