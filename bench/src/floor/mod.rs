//! What the same machine does with the same libraries and nothing else: the floors.
//!
//! Each runs in a process of its own (this program, started again with `floor`), so that it can be
//! kept on the core that the server is kept on and counted in the same way. One thread drives all
//! connections: on one core nothing is faster.

mod journal;
mod relay;

use std::{convert::Infallible, future::Future, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use journal::Journal;
pub use journal::{Shape, bare_rows_per_second};
use tokio::net::{TcpListener, TcpStream};

use crate::{clock, say};

type Answer = Response<Full<Bytes>>;

/// The arguments after `floor`: `commit DIR insert|update BYTES`, `profile BYTES` or `relay`.
pub fn main(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        ["commit", dir, shape, bytes] => {
            let commit = Commit::new(PathBuf::from(dir), shape.parse()?, bytes.parse()?)?;
            let commit = Arc::new(commit);
            serve(move |request| Arc::clone(&commit).answer(request))
        }
        ["profile", bytes] => {
            let profile = Arc::new(Profile::new(bytes.parse()?));
            serve(move |request| std::future::ready(profile.answer(&request)))
        }
        ["relay"] => {
            let readers = relay::Readers::default();
            listen(move |stream| relay::serve(stream, readers.clone()))
        }
        _ => bail!("unknown floor"),
    }
}

/// Answers the requests of every connection.
fn serve<H, F>(handler: H) -> Result<()>
where
    H: Fn(Request<Incoming>) -> F + Clone + 'static,
    F: Future<Output = Answer> + 'static,
{
    listen(move |stream| {
        let handler = handler.clone();
        let service = service_fn(move |request| {
            let answer = handler(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        http1::Builder::new().serve_connection(TokioIo::new(stream), service)
    })
}

/// Serves every connection on one thread until the process is killed.
fn listen<F, E>(serve: impl Fn(TcpStream) -> F) -> Result<()>
where
    F: Future<Output = Result<(), E>> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        say::line(format!("listening on http://{}", listener.local_addr()?));
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let served = serve(stream);
            tokio::task::spawn_local(async move {
                // A caller that goes away is none of the floor's business.
                let _ = served.await;
            });
        }
    })
}

fn json(body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}

fn refusal(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = status;
    answer
}

/// The floor of a refresh: one ES256 signature and one durable row for a request.
struct Commit {
    key: EcdsaKeyPair,
    random: SystemRandom,
    journal: Journal,
    body: Bytes,
}

impl Commit {
    fn new(dir: PathBuf, shape: Shape, bytes: usize) -> Result<Self> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?;
        Ok(Self {
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref())?,
            random,
            journal: Journal::open(dir, shape)?,
            body: filler(bytes),
        })
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let answer = async {
            let asked = request.into_body().collect().await?.to_bytes();
            let signature = self.key.sign(&self.random, &self.body)?;
            self.journal.write(&asked, signature.as_ref()).await?;
            anyhow::Ok(json(self.body.clone()))
        };
        answer
            .await
            .unwrap_or_else(|_| refusal(StatusCode::SERVICE_UNAVAILABLE))
    }
}

/// The floor of a protected route: a cache keyed by the whole `Authorization` value.
struct Profile {
    seen: quick_cache::sync::Cache<HeaderValue, Seen>,
    bytes: usize,
}

#[derive(Clone)]
struct Seen {
    expires_at: i64,
    body: Bytes,
}

impl Profile {
    fn new(bytes: usize) -> Self {
        Self {
            seen: quick_cache::sync::Cache::new(100_000),
            bytes,
        }
    }

    fn answer(&self, request: &Request<Incoming>) -> Answer {
        let Some(credential) = request.headers().get(AUTHORIZATION) else {
            return refusal(StatusCode::UNAUTHORIZED);
        };
        let seen = self.seen.get(credential).unwrap_or_else(|| {
            // What is measured is a token seen before; the first sight costs nothing here.
            let seen = Seen {
                expires_at: clock::unix_seconds() + 900,
                body: filler(self.bytes),
            };
            self.seen.insert(credential.clone(), seen.clone());
            seen
        });
        if seen.expires_at <= clock::unix_seconds() {
            return refusal(StatusCode::UNAUTHORIZED);
        }
        json(seen.body)
    }
}

/// A JSON string of so many bytes.
fn filler(bytes: usize) -> Bytes {
    Bytes::from(format!("\"{}\"", "x".repeat(bytes.saturating_sub(2))))
}

/// The address in the line with which a server says that it listens.
pub fn address_in(line: &str) -> Result<std::net::SocketAddr> {
    let address = line
        .trim()
        .rsplit_once("listening on http://")
        .with_context(|| format!("no address in {line:?}"))?
        .1;
    Ok(address.parse()?)
}
