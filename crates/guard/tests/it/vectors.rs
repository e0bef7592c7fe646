//! What guards of every language must do: `sdk/vectors/guard.json`, whose README tells how to read it.
//!
//! Its part `authorization` is run beside the reader of that header.

use std::collections::BTreeMap;

use axum::{Router, body::Body, routing::get};
use futures_util::future::join_all;
use http::{Request, request};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::Value;
use symbolon_guard::{
    Address, Clock, Demand, Endpoints, Event, Guard, GuardBuilder, GuardLayer, ProofOptions,
};
use symbolon_token::{dpop::Nonces, encoding, feed_key};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::issuer::{Answer, Issuer, Script, Then, heartbeat_at, soon, through, watched};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vectors {
    version: u32,
    issuer: String,
    audience: String,
    pub(crate) now: i64,
    leeway: u64,
    jwks: Value,
    feed_keys: Vec<FeedKey>,
    feeds: BTreeMap<String, Value>,
    tokens: Vec<Token>,
    demands: Vec<Demanding>,
    pub(crate) proofs: Vec<Proven>,
    answers: Vec<Refusal>,
    streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct FeedKey {
    kind: String,
    id: String,
    key: String,
}

#[derive(Deserialize)]
struct Token {
    name: String,
    token: String,
    feed: String,
    now: i64,
    code: Option<String>,
    subject: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Proven {
    pub(crate) name: String,
    pub(crate) scheme: String,
    pub(crate) token: String,
    pub(crate) dpop: Vec<String>,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Demanding {
    name: String,
    token: String,
    roles: Option<Vec<String>>,
    permission: Option<String>,
    scope: Option<String>,
    sign_in: Option<SignIn>,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignIn {
    max_age: Option<u64>,
    acr: Option<Vec<String>>,
}

impl SignIn {
    fn demands(&self) -> Vec<Demand> {
        let age = self.max_age.map(std::time::Duration::from_secs);
        let acr = self.acr.as_deref();
        let acr = acr.map(|values| Demand::acr(values.iter().map(String::as_str)));
        let age = age.map(Demand::signed_in_within);
        age.into_iter().chain(acr).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    code: String,
    resource_metadata: Option<String>,
    proofs: bool,
    scope: Option<String>,
    sign_in: Option<SignIn>,
    status: u16,
    challenge: Option<String>,
    retry_after: Option<u32>,
    title: String,
    detail: String,
}

#[derive(Deserialize)]
struct Stream {
    name: String,
    connections: Vec<Connection>,
    after: After,
    probe: Vec<Probe>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    last_event_id: Option<String>,
    text: String,
}

#[derive(Debug, Deserialize, PartialEq)]
struct After {
    epoch: String,
    seq: u64,
    entries: usize,
    malformed: u64,
}

#[derive(Deserialize)]
struct Probe {
    token: String,
    code: Option<String>,
}

pub(crate) fn vectors() -> Vectors {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/vectors/guard.json");
    let text = std::fs::read(path).expect("sdk/vectors/guard.json, which `cargo xtask gen` writes");
    let vectors: Vectors = serde_json::from_slice(&text).unwrap();
    assert_eq!(vectors.version, 1);
    vectors
}

impl Vectors {
    /// Their issuer, at an address of this test, which says these things on its feed.
    pub(crate) async fn issuer(&self, scripts: Vec<Script>) -> Issuer {
        let issuer = Issuer::with(scripts).await;
        *issuer.world.jwks.lock().unwrap() = Answer::json(&self.jwks);
        issuer
    }

    pub(crate) fn builder(&self, issuer: &Issuer, now: i64) -> GuardBuilder {
        let url = |path: &str| format!("{}{path}", issuer.url).parse().unwrap();
        Guard::discover(self.issuer.as_str())
            .audience(self.audience.as_str())
            .leeway(std::time::Duration::from_secs(self.leeway))
            .clock(Clock::frozen(now))
            .endpoints(Endpoints {
                jwks: url("/.well-known/jwks.json"),
                stream: url("/api/revocations/stream"),
                verification: None,
            })
    }

    /// A guard that has taken that feed for its snapshot.
    async fn guard(&self, feed: &str, now: i64) -> (Issuer, Guard) {
        let feed = &self.feeds[feed];
        let id = format!("{}:{}", feed["epoch"].as_str().unwrap(), feed["seq"]);
        let text = format!("event: snapshot\nid: {id}\ndata: {feed}\n\n");
        let issuer = self
            .issuer(vec![Script {
                text,
                then: Then::Stay,
            }])
            .await;
        let guard = soon(self.builder(&issuer, now).start()).await.unwrap();
        (issuer, guard)
    }
}

fn code(guard: &Guard, token: &str) -> Option<String> {
    guard
        .check(token)
        .err()
        .map(|denied| denied.code().to_owned())
}

#[test]
fn feed_keys() {
    for case in vectors().feed_keys {
        let key = feed_key(&case.kind, &case.id);
        assert_eq!(
            encoding::encode(&key),
            case.key,
            "{}:{}",
            case.kind,
            case.id
        );
    }
}

#[tokio::test]
async fn tokens() {
    let vectors = vectors();
    let mut groups: BTreeMap<(&str, i64), Vec<&Token>> = BTreeMap::new();
    for case in &vectors.tokens {
        groups.entry((&case.feed, case.now)).or_default().push(case);
    }
    for ((feed, now), cases) in groups {
        let (_issuer, guard) = vectors.guard(feed, now).await;
        for case in cases {
            for time in ["first", "second"] {
                let verdict = guard.check(&case.token);
                let subject = verdict
                    .as_ref()
                    .ok()
                    .map(|verified| verified.claims().sub.clone());
                let code = verdict.err().map(|denied| denied.code());
                let expected = (case.code.as_deref(), case.subject.clone());
                assert_eq!((code, subject), expected, "{}, the {time} time", case.name);
            }
        }
    }
}

#[tokio::test]
async fn demands() {
    let vectors = vectors();
    let (_issuer, guard) = vectors.guard("empty", vectors.now).await;
    for case in &vectors.demands {
        let mut demands = Vec::new();
        let roles = case.roles.as_deref();
        demands.extend(roles.map(|roles| Demand::any_role(roles.iter().map(String::as_str))));
        demands.extend(case.permission.as_deref().map(Demand::permission));
        demands.extend(case.scope.as_deref().map(Demand::scope));
        demands.extend(case.sign_in.iter().flat_map(SignIn::demands));
        assert!(!demands.is_empty(), "{} demands something else", case.name);
        let verified = guard.check(&case.token).unwrap();
        let mut verdicts = demands
            .iter()
            .map(|demand| guard.require(&verified, demand));
        let code = verdicts.find_map(Result::err).map(|denied| denied.code());
        assert_eq!(code, case.code.as_deref(), "{}", case.name);
    }
}

#[tokio::test]
async fn answers() {
    let vectors = vectors();
    for case in &vectors.answers {
        let (request, layer, _issuer) = vectors.refused(case).await;
        let router = Router::new().fallback_service(get(|| async { "in" }).layer(layer));
        let response = through(&router, request).await;
        let name = (&case.code, &case.resource_metadata, case.proofs);
        assert_eq!(response.status().as_u16(), case.status, "{name:?}");
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(header("www-authenticate"), case.challenge, "{name:?}");
        assert_eq!(
            header("retry-after"),
            case.retry_after.map(|seconds| seconds.to_string()),
            "{name:?}"
        );
        assert_eq!(
            header("content-type").as_deref(),
            Some("application/problem+json")
        );
        assert_eq!(header("cache-control").as_deref(), Some("no-store"));
        assert_eq!(header("x-request-id").as_deref(), Some("req-1"));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let expected = format!(
            r#"{{"type":"urn:symbolon:problem:{code}","title":"{}","status":{},"detail":"{}","code":"{code}","requestId":"req-1"}}"#,
            case.title,
            case.status,
            case.detail,
            code = case.code,
        );
        assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
    }
}

impl Refusal {
    /// The layer with what refuses the request, where that is a demand.
    fn demanding(&self, layer: GuardLayer) -> GuardLayer {
        let mut layer = match (self.code.as_str(), &self.scope) {
            ("forbidden", _) => layer.require_role("nobody has it"),
            ("insufficient_scope", Some(scope)) => layer.require_scope(scope),
            _ => layer,
        };
        for demand in self.sign_in.iter().flat_map(SignIn::demands) {
            layer = layer.require(demand);
        }
        layer
    }
}

impl Vectors {
    /// A request that a layer refuses in this way.
    async fn refused(&self, case: &Refusal) -> (Request<Body>, GuardLayer, Issuer) {
        let token = |code: Option<&str>| {
            let fits = |token: &&Token| token.code.as_deref() == code && token.now == self.now;
            self.tokens.iter().find(fits).unwrap()
        };
        let chosen = match case.code.as_str() {
            "forbidden"
            | "insufficient_scope"
            | "insufficient_user_authentication"
            | "overloaded"
            | "no_token"
            | "malformed_request"
            | "invalid_dpop_proof"
            | "use_dpop_nonce" => token(None),
            code => token(Some(code)),
        };
        let feed = &self.feeds[&chosen.feed];
        let id = format!("{}:{}", feed["epoch"].as_str().unwrap(), feed["seq"]);
        let text = format!("event: snapshot\nid: {id}\ndata: {feed}\n\n");
        let issuer = self
            .issuer(vec![Script {
                text,
                then: Then::Stay,
            }])
            .await;
        let clock = Clock::frozen(self.now);
        let mut builder = self.builder(&issuer, self.now).clock(clock.clone());
        if let Some(url) = &case.resource_metadata {
            builder = builder.resource_metadata(url.as_str());
        }
        if case.proofs {
            builder = builder.address(Address::fixed("https://api.example"));
        }
        if case.code == "use_dpop_nonce" {
            builder = builder.proofs(ProofOptions {
                nonces: Some(Nonces::new(&[7; 32])),
                ..ProofOptions::default()
            });
        }
        let guard = soon(builder.start()).await.unwrap();
        let mut request = Request::get("/").header("x-request-id", "req-1");
        let times = match case.code.as_str() {
            "no_token" => 0,
            "malformed_request" => 2,
            _ => 1,
        };
        for _ in 0..times {
            request = request.header("authorization", format!("Bearer {}", chosen.token));
        }
        if let "invalid_dpop_proof" | "use_dpop_nonce" = case.code.as_str() {
            request = self.unproven(&case.code);
        }
        let layer = case.demanding(guard.layer());
        if case.code == "overloaded" {
            clock.advance(std::time::Duration::from_secs(16));
        }
        (request.body(Body::empty()).unwrap(), layer, issuer)
    }
}

impl Vectors {
    /// A request whose token is bound, without a proof or with one that lacks a nonce.
    fn unproven(&self, code: &str) -> request::Builder {
        let good = self.proofs.iter().find(|case| case.code.is_none()).unwrap();
        let request = Request::get("/orders")
            .header("x-request-id", "req-1")
            .header("authorization", format!("DPoP {}", good.token));
        match code {
            "use_dpop_nonce" => request.header("dpop", &good.dpop[0]),
            _ => request,
        }
    }
}

#[tokio::test]
async fn streams() {
    let vectors = vectors();
    assert!(vectors.streams.len() > 50);
    join_all(
        vectors
            .streams
            .iter()
            .map(|stream| follow(&vectors, stream)),
    )
    .await;
}

async fn follow(vectors: &Vectors, stream: &Stream) {
    let name = &stream.name;
    let count = stream.connections.len();
    let scripts = stream
        .connections
        .iter()
        .enumerate()
        .map(|(number, connection)| Script {
            text: connection.text.clone(),
            then: if number + 1 == count {
                Then::Stay
            } else {
                Then::End
            },
        });
    let issuer = vectors.issuer(scripts.collect()).await;
    let (builder, mut events) = watched(vectors.builder(&issuer, vectors.now));
    let guard = builder.start_in_background().unwrap();
    issuer.connections(count).await;
    // The guard has read everything when it has read this.
    issuer.say(heartbeat_at(vectors.now + 2, stream.after.seq));
    until_skewed(&mut events, name).await;
    let connections = issuer.connections(count).await;
    let expected: Vec<_> = stream
        .connections
        .iter()
        .map(|one| one.last_event_id.clone())
        .collect();
    assert_eq!(connections, expected, "{name}");
    let metrics = guard.metrics();
    let after = After {
        epoch: metrics.epoch.unwrap_or_default(),
        seq: metrics.seq,
        entries: metrics.entries,
        malformed: metrics.malformed,
    };
    assert_eq!(after, stream.after, "{name}");
    for (number, probe) in stream.probe.iter().enumerate() {
        assert_eq!(
            code(&guard, &probe.token),
            probe.code,
            "{name}, probe {number}"
        );
    }
}

async fn until_skewed(events: &mut UnboundedReceiver<Event>, name: &str) {
    let mut seen = Vec::new();
    let skewed = async {
        while let Some(event) = events.recv().await {
            if event == (Event::Skew { seconds: Some(2) }) {
                return;
            }
            seen.push(event);
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(60), skewed).await;
    assert!(waited.is_ok(), "{name}: {seen:?}");
}
