//! An issuer that a test leads step by step.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::stream;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use symbolon_guard::{Clock, Event, Guard, GuardBuilder};
use symbolon_token::{AccessClaims, Algorithm, Audience, SigningKey, Typ, encoding, feed_key};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};

pub(crate) const NOW: i64 = 1_790_000_000;
pub(crate) const AUDIENCE: &str = "https://api.example";

/// How long a test waits for what must come.
const GENEROUS: Duration = Duration::from_secs(30);

/// Waits for what must come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(GENEROUS, what)
        .await
        .expect("it should have come by now")
}

#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Status(u16),
    Body(Vec<u8>),
    Problem(u16, &'static str),
    Redirect,
    Hang,
}

impl Answer {
    pub(crate) fn json(value: &Value) -> Self {
        Self::Body(value.to_string().into_bytes())
    }

    async fn give(self) -> Response {
        match self {
            Self::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
            Self::Body(body) => {
                ([(header::CONTENT_TYPE, "application/json")], body).into_response()
            }
            Self::Problem(status, code) => {
                let status = StatusCode::from_u16(status).unwrap();
                (status, json!({ "code": code }).to_string()).into_response()
            }
            Self::Redirect => {
                let target = [(header::LOCATION, "/elsewhere")];
                (StatusCode::TEMPORARY_REDIRECT, target).into_response()
            }
            Self::Hang => std::future::pending().await,
        }
    }
}

/// What the issuer says on one connection to the stream.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) text: String,
    pub(crate) then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The answer ends as it should.
    End,
    /// It stays open, and the test may say more.
    Stay,
    /// It answers 500 and no stream.
    Fail,
}

type Piece = Result<String, std::io::Error>;

pub(crate) struct World {
    pub(crate) metadata: Mutex<Answer>,
    pub(crate) jwks: Mutex<Answer>,
    pub(crate) jwks_fetches: AtomicUsize,
    pub(crate) verification: Mutex<Answer>,
    /// The `Authorization` of each question about a token.
    pub(crate) questions: Mutex<Vec<String>>,
    /// The `Authorization` of every other request, and where it was shown.
    pub(crate) shown: Mutex<Vec<(&'static str, String)>>,
    scripts: Mutex<VecDeque<Script>>,
    /// The `Last-Event-ID` of each connection.
    connections: watch::Sender<Vec<Option<String>>>,
    live: Mutex<Option<mpsc::UnboundedSender<Piece>>>,
}

pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) world: Arc<World>,
    pub(crate) key: SigningKey,
    server: JoinHandle<()>,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Issuer {
    /// One with a key, whose feed is an empty snapshot and a heartbeat.
    pub(crate) async fn start() -> Self {
        Self::with(vec![Script {
            text: snapshot("e1", 0, &[]) + &heartbeat(0),
            then: Then::Stay,
        }])
        .await
    }

    /// One that says these things on the first connections to its feed, and nothing on later ones.
    pub(crate) async fn with(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let world = Arc::new(World {
            metadata: Mutex::new(Answer::json(&metadata(&url))),
            jwks: Mutex::new(jwks(&[&key])),
            jwks_fetches: AtomicUsize::new(0),
            verification: Mutex::new(Answer::Body(Vec::new())),
            questions: Mutex::default(),
            shown: Mutex::default(),
            scripts: Mutex::new(scripts.into()),
            connections: watch::Sender::new(Vec::new()),
            live: Mutex::new(None),
        });
        let router = Router::new()
            .route(
                "/.well-known/oauth-authorization-server",
                get(give_metadata),
            )
            .route("/.well-known/jwks.json", get(give_jwks))
            .route("/api/revocations/stream", get(give_stream))
            .route("/api/verify", get(give_verdict))
            .with_state(Arc::clone(&world));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            world,
            key,
            server,
        }
    }

    pub(crate) fn builder(&self) -> GuardBuilder {
        Guard::discover(self.url.as_str()).audience(AUDIENCE)
    }

    /// A guard whose clock stands at [`NOW`], and what happens to it.
    pub(crate) async fn guard(&self) -> Watched {
        Watched::start(self.builder()).await
    }

    pub(crate) fn claims(&self) -> AccessClaims {
        AccessClaims {
            iss: self.url.clone(),
            sub: "alice".to_owned(),
            aud: Audience::from(AUDIENCE),
            exp: NOW + 900,
            iat: NOW,
            jti: "one".to_owned(),
            sid: Some("laptop".to_owned()),
            ver: Some(5),
            client_id: "symbolon".to_owned(),
            scope: "openid orders:read".to_owned(),
            roles: vec!["user".to_owned()],
            nbf: None,
            email: None,
            cnf: None,
            auth_time: None,
            acr: None,
            act: None,
        }
    }

    /// A token of Alice's session `laptop`.
    pub(crate) fn token(&self) -> String {
        sign(&self.key, &self.claims())
    }

    /// The `Last-Event-ID` of each connection, when there have been so many.
    pub(crate) async fn connections(&self, count: usize) -> Vec<Option<String>> {
        let mut connections = self.world.connections.subscribe();
        let all = soon(connections.wait_for(|all| all.len() >= count))
            .await
            .unwrap();
        all.clone()
    }

    /// Goes on with the open connection.
    pub(crate) fn say(&self, text: impl Into<String>) {
        let live = self.world.live.lock().unwrap();
        live.as_ref().unwrap().send(Ok(text.into())).unwrap();
    }

    /// Breaks the open connection.
    pub(crate) fn break_off(&self) {
        let live = self.world.live.lock().unwrap().take().unwrap();
        live.send(Err(std::io::ErrorKind::ConnectionReset.into()))
            .unwrap();
    }

    pub(crate) fn fetches(&self) -> usize {
        self.world.jwks_fetches.load(Ordering::SeqCst)
    }
}

/// A guard and what happens to it.
pub(crate) struct Watched {
    pub(crate) guard: Guard,
    pub(crate) clock: Clock,
    pub(crate) events: mpsc::UnboundedReceiver<Event>,
}

impl Watched {
    pub(crate) async fn start(builder: GuardBuilder) -> Self {
        let clock = Clock::frozen(NOW);
        let (builder, events) = watched(builder.clock(clock.clone()));
        Self {
            guard: soon(builder.start()).await.unwrap(),
            clock,
            events,
        }
    }

    /// Waits for an event.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        soon(async {
            loop {
                let event = self.events.recv().await.unwrap();
                if wanted(&event) {
                    return event;
                }
            }
        })
        .await
    }

    pub(crate) fn code(&self, token: &str) -> Option<&'static str> {
        self.guard.check(token).err().map(|denied| denied.code())
    }
}

pub(crate) fn watched(builder: GuardBuilder) -> (GuardBuilder, mpsc::UnboundedReceiver<Event>) {
    let (told, events) = mpsc::unbounded_channel();
    let builder = builder.on_event(move |event| {
        let _nobody_listens = told.send(event.clone());
    });
    (builder, events)
}

pub(crate) fn sign(key: &SigningKey, claims: &AccessClaims) -> String {
    key.sign(Typ::AtJwt, claims).unwrap()
}

pub(crate) fn metadata(url: &str) -> Value {
    json!({
        "issuer": url,
        "jwks_uri": format!("{url}/.well-known/jwks.json"),
        "revocation_feed_uri": format!("{url}/api/revocations"),
        "revocation_stream_uri": format!("{url}/api/revocations/stream"),
        "verification_uri": format!("{url}/api/verify"),
    })
}

pub(crate) fn jwks(keys: &[&SigningKey]) -> Answer {
    let keys: Vec<_> = keys.iter().filter_map(|key| key.public_jwk()).collect();
    Answer::json(&json!({ "keys": keys }))
}

/// An entry that ends a session.
pub(crate) fn ended(seq: u64, session: &str) -> Value {
    entry(seq, "session", session)
}

/// An entry that hits by identity.
pub(crate) fn entry(seq: u64, kind: &str, id: &str) -> Value {
    let key = encoding::encode(&feed_key(kind, id));
    json!({"seq": seq, "kind": kind, "key": key, "effect": "revoked", "until": NOW + 900})
}

pub(crate) fn snapshot(epoch: &str, seq: u64, entries: &[Value]) -> String {
    let data = json!({"epoch": epoch, "seq": seq, "now": NOW, "entries": entries});
    format!("event: snapshot\nid: {epoch}:{seq}\ndata: {data}\n\n")
}

pub(crate) fn revocation(epoch: &str, entry: &Value) -> String {
    format!(
        "event: revocation\nid: {epoch}:{}\ndata: {entry}\n\n",
        entry["seq"]
    )
}

pub(crate) fn heartbeat(seq: u64) -> String {
    heartbeat_at(NOW, seq)
}

pub(crate) fn heartbeat_at(now: i64, seq: u64) -> String {
    format!("event: heartbeat\ndata: {{\"now\":{now},\"seq\":{seq}}}\n\n")
}

fn note(world: &World, place: &'static str, headers: &HeaderMap) {
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let authorization = authorization.to_str().unwrap().to_owned();
        world.shown.lock().unwrap().push((place, authorization));
    }
}

async fn give_metadata(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    note(&world, "metadata", &headers);
    let answer = world.metadata.lock().unwrap().clone();
    answer.give().await
}

async fn give_jwks(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    note(&world, "keys", &headers);
    world.jwks_fetches.fetch_add(1, Ordering::SeqCst);
    let answer = world.jwks.lock().unwrap().clone();
    answer.give().await
}

async fn give_verdict(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let authorization = headers[header::AUTHORIZATION].to_str().unwrap().to_owned();
    world.questions.lock().unwrap().push(authorization);
    let answer = world.verification.lock().unwrap().clone();
    answer.give().await
}

async fn give_stream(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    note(&world, "feed", &headers);
    let last = headers
        .get("last-event-id")
        .map(|id| id.to_str().unwrap().to_owned());
    let script = world.scripts.lock().unwrap().pop_front().unwrap_or(Script {
        text: String::new(),
        then: Then::Stay,
    });
    let (say, said) = mpsc::unbounded_channel::<Piece>();
    say.send(Ok(script.text)).unwrap();
    match script.then {
        Then::End => {}
        Then::Stay => *world.live.lock().unwrap() = Some(say),
        Then::Fail => {
            world.connections.send_modify(|all| all.push(last));
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    }
    world.connections.send_modify(|all| all.push(last));
    let pieces = stream::unfold(said, |mut said| async {
        said.recv().await.map(|piece| (piece, said))
    });
    let stream = [(header::CONTENT_TYPE, "text/event-stream")];
    (stream, Body::from_stream(pieces)).into_response()
}

/// Sends a request through a router, without a network.
pub(crate) async fn through(router: &Router, request: http::Request<Body>) -> Response {
    let answered: Result<Response, Infallible> =
        tower::ServiceExt::oneshot(router.clone(), request).await;
    answered.unwrap()
}
