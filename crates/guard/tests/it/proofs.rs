//! Tokens that are bound to a key, in an axum application (RFC 9449; SECURITY D1, D3, D4).

use std::{collections::BTreeMap, sync::Arc};

use axum::{Extension, Router, body::Body, routing::get};
use http::{Request, header, request};
use http_body_util::BodyExt;
use symbolon_guard::{
    Address, Bearer, Clock, Denied, Guard, Presented, ProofOptions, Scheme, Staleness, Verified,
};
use symbolon_token::{Algorithm, Confirmation, SigningKey, dpop::Draft, dpop::Nonces};

use crate::{
    issuer::{Issuer, NOW, Script, Then, Watched, sign, snapshot, soon, through},
    vectors::{Proven, vectors},
};

const ADDRESS: &str = "https://api.example";

/// A client with a key of its own.
struct Client(SigningKey);

impl Client {
    fn new() -> Self {
        Self(SigningKey::generate(Algorithm::EdDsa).unwrap())
    }

    /// Alice's token, bound to the key.
    fn token(&self, issuer: &Issuer) -> String {
        let jkt = self.0.public_jwk().unwrap().jkt();
        let mut claims = issuer.claims();
        claims.cnf = Some(Confirmation { jkt });
        sign(&issuer.key, &claims)
    }

    fn proof(&self, token: &str, uri: &str, jti: &str, nonce: Option<&str>) -> String {
        let draft = Draft {
            jti,
            method: "GET",
            uri,
            iat_seconds: NOW,
            access_token: Some(token),
            nonce,
        };
        draft.sign(&self.0).unwrap()
    }
}

fn router(guard: &Guard) -> Router {
    let subject =
        |Extension(token): Extension<Arc<Verified>>| async move { token.claims().sub.clone() };
    let claims = |Bearer(claims): Bearer| async move { claims.sub };
    let inner = Router::new()
        .route("/layered", get(subject))
        .route_layer(guard.layer())
        .route("/claims", get(claims))
        .route("/deep", get(claims).layer(guard.layer()))
        .fallback_service(get(subject).layer(guard.layer()).with_state(()))
        .with_state(guard.clone());
    Router::new().nest("/v1", inner.clone()).merge(inner)
}

/// The status, the code of a problem or the text, and the header `DPoP-Nonce`.
async fn ask(router: &Router, request: request::Builder) -> (u16, String, Option<String>) {
    let response = soon(through(router, request.body(Body::empty()).unwrap())).await;
    let status = response.status().as_u16();
    let nonce = response.headers().get("dpop-nonce");
    let nonce = nonce.map(|nonce| nonce.to_str().unwrap().to_owned());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let code = serde_json::from_slice::<serde_json::Value>(&body)
        .ok()
        .and_then(|problem| problem["code"].as_str().map(str::to_owned));
    let text = || String::from_utf8(body.to_vec()).unwrap();
    (status, code.unwrap_or_else(text), nonce)
}

fn request(path: &str, token: &str, proof: &str) -> request::Builder {
    Request::get(path)
        .header(header::AUTHORIZATION, format!("DPoP {token}"))
        .header("dpop", proof)
}

fn good() -> (u16, String, Option<String>) {
    (200, "alice".to_owned(), None)
}

fn refused(code: &str) -> (u16, String, Option<String>) {
    (401, code.to_owned(), None)
}

fn of_vector(case: &Proven) -> request::Builder {
    let path = case.url.strip_prefix(ADDRESS).unwrap();
    let mut request = Request::builder().method(case.method.as_str()).uri(path);
    let authorization = format!("{} {}", case.scheme, case.token);
    request = request.header(header::AUTHORIZATION, authorization);
    for proof in &case.dpop {
        request = request.header("dpop", proof);
    }
    request
}

#[tokio::test]
async fn d1_d3_vectors() {
    let vectors = vectors();
    assert!(vectors.proofs.len() > 80);
    let text = snapshot("e1", 0, &[]);
    let then = Then::Stay;
    let issuer = vectors.issuer(vec![Script { text, then }]).await;
    let builder = vectors.builder(&issuer, vectors.now);
    let guard = soon(builder.address(Address::fixed(ADDRESS)).start()).await;
    let guard = guard.unwrap();
    let router = router(&guard);
    for case in &vectors.proofs {
        let (_, said, _) = ask(&router, of_vector(case)).await;
        match &case.code {
            Some(code) => assert_eq!(&said, code, "{}", case.name),
            None => assert!(
                !said.contains(' ') && said.len() == 36,
                "{}: {said}",
                case.name
            ),
        }
        if case.code.is_none() && case.scheme == "dpop" {
            let again = ask(&router, of_vector(case)).await;
            assert_eq!(again, refused("invalid_dpop_proof"), "{}, again", case.name);
        }
    }
}

#[tokio::test]
async fn d4_the_proof_is_for_the_address_that_clients_know() {
    let issuer = Issuer::start().await;
    let watched = Watched::start(issuer.builder().resource("https://api.example/v1/")).await;
    let (router, client) = (router(&watched.guard), Client::new());
    let token = client.token(&issuer);
    let mut jti = 0;
    let mut proof = |uri: &str| {
        jti += 1;
        client.proof(&token, uri, &jti.to_string(), None)
    };
    for path in ["/v1/layered", "/v1/claims", "/v1/deep", "/layered?x=1"] {
        let proof = proof(&format!("{ADDRESS}{path}"));
        let poisoned = request(path, &token, &proof)
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "http")
            .header("forwarded", "host=evil.example");
        assert_eq!(ask(&router, poisoned).await, good(), "{path}");
    }
    // What another server was sent is not good here, whatever the headers say.
    for header in ["host", "x-forwarded-host", "forwarded"] {
        let proof = proof("https://evil.example/v1/claims");
        let request = request("/v1/claims", &token, &proof).header(header, "evil.example");
        assert_eq!(ask(&router, request).await, refused("invalid_dpop_proof"));
    }
}

#[tokio::test]
async fn d4_the_host_counts_only_where_the_owner_says_so() {
    let issuer = Issuer::start().await;
    let watched = Watched::start(issuer.builder().address(Address::from_host())).await;
    let (router, client) = (router(&watched.guard), Client::new());
    let token = client.token(&issuer);
    let ask_at = async |uri: &str, host: &str, jti: &str| {
        let proof = client.proof(&token, uri, jti, None);
        let request = request("/claims", &token, &proof).header("host", host);
        ask(&router, request).await
    };
    let uri = "https://one.example/claims";
    assert_eq!(ask_at(uri, "one.example", "1").await, good());
    assert_eq!(ask_at(uri, "ONE.example:443", "2").await, good());
    for host in ["two.example", "one.example/x", "one.example@x", "", "x?"] {
        let said = ask_at(uri, host, "3").await;
        assert_eq!(said, refused("invalid_dpop_proof"), "{host}");
    }
    let deep = "https://one.example/x/claims";
    let said = ask_at(deep, "one.example/x", "4").await;
    assert_eq!(said, refused("invalid_dpop_proof"));
}

#[tokio::test]
async fn d3_without_an_address_no_proof_is_judged() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let (router, client) = (router(&watched.guard), Client::new());
    let token = client.token(&issuer);
    let proof = client.proof(&token, "https://api.example/claims", "1", None);
    let said = ask(&router, request("/claims", &token, &proof)).await;
    assert_eq!(said, refused("no_token"));
    let bearer = Request::get("/claims").header("authorization", format!("Bearer {token}"));
    assert_eq!(ask(&router, bearer).await, refused("invalid_token"));
}

#[tokio::test]
async fn d3_a_nonce_comes_with_the_refusal() {
    let issuer = Issuer::start().await;
    let options = ProofOptions {
        nonces: Some(Nonces::random().unwrap()),
        ..ProofOptions::default()
    };
    let builder = issuer.builder().resource(ADDRESS).proofs(options);
    let watched = Watched::start(builder).await;
    let (router, client) = (router(&watched.guard), Client::new());
    let token = client.token(&issuer);
    for path in ["/layered", "/claims"] {
        let uri = format!("{ADDRESS}{path}");
        let proof = client.proof(&token, &uri, path, None);
        let (status, code, nonce) = ask(&router, request(path, &token, &proof)).await;
        assert_eq!((status, code.as_str()), (401, "use_dpop_nonce"));
        let proof = client.proof(&token, &uri, path, nonce.as_deref());
        let said = ask(&router, request(path, &token, &proof)).await;
        assert_eq!(said, good());
    }
    let metrics = watched.guard.metrics();
    assert_eq!(
        (metrics.accepted, metrics.rejected["use_dpop_nonce"]),
        (2, 2)
    );
}

#[tokio::test]
async fn d3_elsewhere_a_bound_token_needs_its_proof_too() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let (guard, client) = (&watched.guard, Client::new());
    let token = client.token(&issuer);
    assert_eq!(guard.check(&token), Err(Denied::Invalid));
    assert_eq!(guard.verify(&token).await, Err(Denied::Invalid));
    let proof = client.proof(&token, "https://other.example/x", "1", None);
    let presented = Presented {
        scheme: Scheme::Dpop,
        token: &token,
        proofs: &[&proof],
        method: "GET",
        uri: "https://other.example/x",
    };
    let verified = guard.verify_presented(&presented).await.unwrap();
    assert_eq!(verified.claims().sub, "alice");
    let again = guard.verify_presented(&presented).await;
    assert_eq!(again, Err(Denied::InvalidProof));
    let expected = BTreeMap::from([("invalid_dpop_proof", 1), ("invalid_token", 2)]);
    let mut rejected = guard.metrics().rejected;
    rejected.retain(|_, count| *count > 0);
    assert_eq!(rejected, expected);
}

#[tokio::test]
async fn while_the_feed_is_not_heard_nobody_can_be_asked_about_a_bound_token() {
    let issuer = Issuer::start().await;
    let builder = issuer.builder().resource(ADDRESS);
    let watched = Watched::start(builder.staleness(Staleness::Introspect)).await;
    let (router, client) = (router(&watched.guard), Client::new());
    let token = client.token(&issuer);
    watched.clock.advance(std::time::Duration::from_secs(16));
    let proof = client.proof(&token, "https://api.example/claims", "1", None);
    let said = ask(&router, request("/claims", &token, &proof)).await;
    assert_eq!(said, (503, "overloaded".to_owned(), None));
    assert!(issuer.world.questions.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_address_must_be_one() {
    for url in [
        "api.example",
        "ftp://api.example",
        "https://api.example/?x",
        "https://me@api.example",
        "",
    ] {
        let builder = Guard::discover("https://auth.example").audience("a");
        let builder = builder
            .clock(Clock::frozen(NOW))
            .address(Address::fixed(url));
        assert!(builder.start_in_background().is_err(), "{url}");
    }
}
