//! A server of sign-ins and a resource, which a test leads step by step. It is stricter than the real one: of the tokens
//! that were replaced, only the last may come again.

use std::{
    collections::{BTreeSet, VecDeque},
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::stream;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use symbolon_client::{Client, ClientBuilder, Clock, Login};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

/// How long access tokens live.
pub(crate) const LIFE: Duration = Duration::from_secs(900);
/// How long a test waits for what must come.
const GENEROUS: Duration = Duration::from_secs(30);

/// Waits for what must come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(GENEROUS, what)
        .await
        .expect("it should have come by now")
}

/// What happens to a call of the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not carried out, and the connection breaks.
    RequestLost,
    /// It is carried out, and the connection breaks.
    AnswerLost,
    /// It is carried out, and half of the answer comes.
    AnswerCut,
    /// It is carried out, and nothing comes.
    Hang,
    /// It is carried out, and a page comes instead of the answer.
    Page,
    /// It is not carried out.
    Status(u16, Option<u64>),
    /// It is not carried out.
    Problem(u16, &'static str),
    /// It is carried out when the test lets it.
    Held,
}

/// Numbers that look like chance and are the same in every run (Marsaglia's xorshift).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20).is_multiple_of(many)
    }
}

#[derive(Default)]
pub(crate) struct World {
    /// The generation of each session, as long as it lives.
    pub(crate) families: Vec<Option<u64>>,
    /// What the next calls of the issuer meet.
    pub(crate) faults: VecDeque<Fault>,
    /// Loses one in five answers to a refresh, if set.
    pub(crate) dice: Option<Dice>,
    pub(crate) refreshes: u32,
    pub(crate) repeats: u32,
    pub(crate) lost: u32,
    pub(crate) most_at_once: u32,
    at_once: u32,
    good_access: BTreeSet<String>,
    /// Each call but a refresh, with its path, and what the resource was shown.
    pub(crate) calls: Vec<(String, String)>,
    /// What the resource answers, if it is not to judge.
    pub(crate) resource: Option<(u16, &'static str, String)>,
}

pub(crate) type Shared = Arc<Mutex<World>>;

pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) world: Shared,
    gate: Arc<Semaphore>,
    arrivals: mpsc::UnboundedReceiver<()>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Door {
    world: Shared,
    gate: Arc<Semaphore>,
    arrived: mpsc::UnboundedSender<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let (world, gate) = (Shared::default(), Arc::new(Semaphore::new(0)));
        let door = Door {
            world: Arc::clone(&world),
            gate: Arc::clone(&gate),
            arrived,
        };
        let router = Router::new()
            .route("/api/login", post(login))
            .route("/api/register", post(register))
            .route("/api/refresh", post(refresh).delete(end))
            .route("/api/logout/all", post(end_all))
            .route("/api/user/profile", get(profile))
            .fallback(resource)
            .with_state(door);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            world,
            gate,
            arrivals,
            server,
        }
    }

    /// A client with a clock that stands still and waits that are the same in each run.
    pub(crate) fn builder(&self, clock: &Clock) -> ClientBuilder {
        let client = Client::builder(self.url.as_str());
        client.clock(clock.clone()).seed(7)
    }

    /// One in which Ada has signed in.
    pub(crate) async fn signed_in(&self, clock: &Clock) -> Client {
        let client = self.builder(clock).build().unwrap();
        client.login(&Login::new("ada", "secret")).await.unwrap();
        client
    }

    pub(crate) fn meets(&self, faults: impl IntoIterator<Item = Fault>) {
        self.world().faults.extend(faults);
    }

    pub(crate) fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Every access token expires, or is stale.
    pub(crate) fn refuse_access(&self) {
        self.world().good_access.clear();
    }

    /// Waits for a call that is held.
    pub(crate) async fn arrival(&mut self) {
        soon(self.arrivals.recv()).await.unwrap();
    }

    /// Lets one held call go on.
    pub(crate) fn let_go(&self) {
        self.gate.add_permits(1);
    }

    pub(crate) fn refreshes(&self) -> u32 {
        self.world().refreshes
    }

    /// The calls to a path, and what they brought.
    pub(crate) fn calls(&self, path: &str) -> Vec<String> {
        let world = self.world();
        let calls = world.calls.iter().filter(|call| call.0 == path);
        calls.map(|call| call.1.clone()).collect()
    }
}

impl World {
    fn tokens(&mut self, family: usize) -> Value {
        let generation = self.families[family].unwrap();
        let access = format!("at_{family}_{generation}");
        self.good_access.insert(access.clone());
        json!({
            "accessToken": access,
            "tokenType": "Bearer",
            "expiresIn": LIFE.as_secs(),
            "refreshToken": format!("sbr_{family}_{generation}"),
        })
    }

    /// As CONTRACT section 5 has it, with the last answer repeated and no other.
    fn rotate(&mut self, token: &str) -> Result<Value, &'static str> {
        let (family, presented) = parsed(token).ok_or("invalid_refresh_token")?;
        let generation = self.families.get(family).ok_or("invalid_refresh_token")?;
        let generation = generation.ok_or("session_revoked")?;
        match generation - presented {
            0 => self.families[family] = Some(generation + 1),
            1 => self.repeats += 1,
            _ => {
                self.families[family] = None;
                return Err("refresh_token_reused");
            }
        }
        Ok(self.tokens(family))
    }
}

fn parsed(token: &str) -> Option<(usize, u64)> {
    let mut parts = token.split('_').skip(1);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

pub(crate) fn user() -> Value {
    json!({"id": "01", "email": "ada@example.com", "username": "ada", "name": null, "roles": ["user"],
        "emailVerified": true, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"})
}

impl Door {
    /// Does the work, or not, and answers, or not.
    async fn through(self, work: impl FnOnce(&mut World) -> Response) -> Response {
        let fault = self.world.lock().unwrap().faults.pop_front();
        match fault {
            Some(Fault::RequestLost) => return broken_off(""),
            Some(Fault::Status(status, after)) => return busy(status, after),
            Some(Fault::Problem(status, code)) => return problem(status, code),
            Some(Fault::Held) => {
                self.arrived.send(()).unwrap();
                self.gate.acquire().await.unwrap().forget();
            }
            _ => {}
        }
        let answer = work(&mut self.world.lock().unwrap());
        match fault {
            Some(Fault::AnswerLost) => broken_off(""),
            Some(Fault::AnswerCut) => broken_off(r#"{"accessToken":"at_0_"#),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Page) => "<html>Welcome to the hotel".into_response(),
            _ => answer,
        }
    }
}

async fn login(State(door): State<Door>, body: Bytes) -> Response {
    door.through(|world| {
        let body: Value = serde_json::from_slice(&body).unwrap();
        world
            .calls
            .push(("/api/login".to_owned(), body.to_string()));
        if body["password"] != "secret" {
            return problem(401, "invalid_credentials");
        }
        world.families.push(Some(0));
        let mut answer = world.tokens(world.families.len() - 1);
        answer["user"] = user();
        answer.to_string().into_response()
    })
    .await
}

async fn register(State(door): State<Door>, body: Bytes) -> Response {
    door.through(|world| {
        let body = String::from_utf8(body.to_vec()).unwrap();
        world.calls.push(("/api/register".to_owned(), body));
        let answer = json!({"message": "Registered", "user": user()});
        (StatusCode::CREATED, answer.to_string()).into_response()
    })
    .await
}

async fn refresh(State(door): State<Door>, body: Bytes) -> Response {
    {
        let mut world = door.world.lock().unwrap();
        world.refreshes += 1;
        world.at_once += 1;
        world.most_at_once = world.most_at_once.max(world.at_once);
        if world.faults.is_empty() && world.dice.as_mut().is_some_and(|dice| dice.one_in(5)) {
            world.lost += 1;
            world.faults.push_back(Fault::AnswerLost);
        }
    }
    let _leaves = Leaving(Arc::clone(&door.world));
    // Whoever else is on the way arrives meanwhile.
    tokio::task::yield_now().await;
    door.through(|world| match world.rotate(&presented(&body)) {
        Ok(tokens) => tokens.to_string().into_response(),
        Err(code) => problem(401, code),
    })
    .await
}

struct Leaving(Shared);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.lock().unwrap().at_once -= 1;
    }
}

fn presented(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    body["refreshToken"].as_str().unwrap().to_owned()
}

async fn end(State(door): State<Door>, body: Bytes) -> Response {
    door.through(|world| {
        let token = presented(&body);
        if let Some((family, _)) = parsed(&token) {
            world.families[family] = None;
        }
        world.calls.push(("/api/refresh".to_owned(), token));
        StatusCode::NO_CONTENT.into_response()
    })
    .await
}

async fn end_all(State(door): State<Door>, headers: HeaderMap) -> Response {
    door.through(|world| {
        world
            .calls
            .push(("/api/logout/all".to_owned(), bearer(&headers)));
        if !world.good_access.contains(&bearer(&headers)) {
            return problem(401, "token_expired");
        }
        world.families.fill(None);
        world.good_access.clear();
        StatusCode::NO_CONTENT.into_response()
    })
    .await
}

async fn profile(State(door): State<Door>, headers: HeaderMap) -> Response {
    door.through(
        |world| match world.good_access.contains(&bearer(&headers)) {
            true => user().to_string().into_response(),
            false => problem(401, "token_expired"),
        },
    )
    .await
}

async fn resource(State(door): State<Door>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
    let shown = format!(
        "{} {}",
        bearer(&parts.headers),
        String::from_utf8_lossy(&body)
    );
    let mut world = door.world.lock().unwrap();
    let path = parts.uri.path().to_owned();
    world.calls.push((path, shown.trim().to_owned()));
    if let Some((status, header, value)) = world.resource.clone() {
        return (StatusCode::from_u16(status).unwrap(), [(header, value)]).into_response();
    }
    match world.good_access.contains(&bearer(&parts.headers)) {
        true => "tea".into_response(),
        false => problem(401, "token_expired"),
    }
}

fn bearer(headers: &HeaderMap) -> String {
    let value = headers.get(header::AUTHORIZATION);
    let value = value.map_or("", |value| value.to_str().unwrap());
    value.strip_prefix("Bearer ").unwrap_or(value).to_owned()
}

/// A connection that breaks behind this much of the body.
fn broken_off(beginning: &'static str) -> Response {
    let pieces = [
        Ok(beginning),
        Err(std::io::ErrorKind::ConnectionReset.into()),
    ];
    let pieces: [Result<&str, std::io::Error>; 2] = pieces;
    Body::from_stream(stream::iter(pieces)).into_response()
}

fn busy(status: u16, after: Option<u64>) -> Response {
    let mut response = StatusCode::from_u16(status).unwrap().into_response();
    if let Some(after) = after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, after.into());
    }
    response
}

fn problem(status: u16, code: &str) -> Response {
    let body = json!({"code": code, "detail": "A sentence.", "requestId": "r1",
        "errors": [{"pointer": "/email", "code": "email_malformed", "detail": "No address."}]});
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}
