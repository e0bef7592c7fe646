//! The layer and the extractors in an axum application.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::FromRef,
    middleware::{self, Next},
    routing::get,
};
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde::Deserialize;
use symbolon_guard::{Bearer, Guard, Payload, Staleness, Verified};
use symbolon_token::{Algorithm, SigningKey, Typ};

use crate::issuer::{Answer, Issuer, Watched, jwks, sign, soon, through};

#[derive(Clone)]
struct App {
    guard: Guard,
}

impl FromRef<App> for Guard {
    fn from_ref(app: &App) -> Self {
        app.guard.clone()
    }
}

#[derive(Deserialize)]
struct Whose {
    sub: String,
    tenant: String,
}

/// Public and protected routes side by side.
fn router(guard: &Guard) -> Router {
    let layer = guard.layer();
    let deep = Router::new()
        .route(
            "/deep",
            get(|Bearer(claims): Bearer| async move { claims.sub }),
        )
        .route_layer(layer.clone().require_role("user"))
        .route_layer(layer.clone());
    Router::new()
        .route("/layered", get(|Extension(token): Extension<Arc<Verified>>| async move { token.claims().sub.clone() }))
        .route_layer(layer.clone())
        .route("/admin", get(|| async { "in" }).layer(layer.clone().require_role("admin")))
        .route("/either", get(|| async { "in" }).layer(layer.clone().require_any_role(["admin", "user"])))
        .route("/orders", get(|| async { "in" }).layer(layer.clone().require_permission("orders:read")))
        .route("/all", get(|| async { "in" }).layer(layer.clone().require_scope("openid").require_permission("orders:write")))
        .route("/scope", get(|| async { "in" }).layer(layer.require_scope("orders:write")))
        .route("/", get(|| async { "public" }))
        .route("/claims", get(|Bearer(claims): Bearer| async move { claims.sub }))
        .route("/whole", get(|Bearer(token): Bearer<Arc<Verified>>| async move { token.claims().jti.clone() }))
        .route("/own", get(|Bearer(Payload(whose)): Bearer<Payload<Whose>>| async move { whose.sub + " of " + &whose.tenant }))
        .route("/perhaps", get(|bearer: Option<Bearer>| async move { bearer.map_or("nobody".to_owned(), |Bearer(claims)| claims.sub) }))
        .merge(deep)
        .merge(guard.metadata_route())
        .with_state(App { guard: guard.clone() })
}

async fn ask(router: &Router, path: &str, authorization: Option<&str>) -> (u16, String) {
    let mut request = Request::get(path);
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let response = soon(through(router, request.body(Body::empty()).unwrap())).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// The status, and the code of a problem or the text.
async fn brief(router: &Router, path: &str, token: Option<&str>) -> (u16, String) {
    let authorization = token.map(|token| format!("Bearer {token}"));
    let (status, body) = ask(router, path, authorization.as_deref()).await;
    let code = serde_json::from_str::<serde_json::Value>(&body)
        .ok()
        .and_then(|problem| problem["code"].as_str().map(str::to_owned));
    (status, code.unwrap_or(body))
}

fn ok(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

fn no(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn public_and_protected_routes_live_side_by_side() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let (router, token) = (router(&watched.guard), issuer.token());
    for token in [None, Some("garbage"), Some(token.as_str())] {
        assert_eq!(brief(&router, "/", token).await, ok("public"));
    }
    for path in ["/layered", "/claims", "/deep"] {
        assert_eq!(
            brief(&router, path, None).await,
            no(401, "no_token"),
            "{path}"
        );
        assert_eq!(
            brief(&router, path, Some("garbage")).await,
            no(401, "invalid_token"),
            "{path}"
        );
        assert_eq!(
            brief(&router, path, Some(&token)).await,
            ok("alice"),
            "{path}"
        );
    }
    assert_eq!(brief(&router, "/whole", Some(&token)).await, ok("one"));
    assert_eq!(brief(&router, "/perhaps", None).await, ok("nobody"));
    assert_eq!(brief(&router, "/perhaps", Some(&token)).await, ok("alice"));
    assert_eq!(
        brief(&router, "/perhaps", Some("garbage")).await,
        no(401, "invalid_token")
    );
    assert_eq!(brief(&router, "/nowhere", None).await.0, 404);
}

#[tokio::test]
async fn demands_are_met_or_refused() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let (router, token) = (router(&watched.guard), issuer.token());
    for (path, expected) in [
        ("/admin", no(403, "forbidden")),
        ("/either", ok("in")),
        ("/orders", ok("in")),
        ("/all", no(403, "forbidden")),
        ("/scope", no(403, "insufficient_scope")),
    ] {
        assert_eq!(
            brief(&router, path, None).await,
            no(401, "no_token"),
            "{path}"
        );
        assert_eq!(brief(&router, path, Some(&token)).await, expected, "{path}");
    }
    let mut claims = issuer.claims();
    claims.scope = "*".to_owned();
    let all_powerful = sign(&issuer.key, &claims);
    assert_eq!(
        brief(&router, "/orders", Some(&all_powerful)).await,
        ok("in")
    );
    assert_eq!(
        brief(&router, "/scope", Some(&all_powerful)).await,
        no(403, "insufficient_scope")
    );
}

#[tokio::test]
async fn a_layer_and_an_extractor_answer_alike() {
    let issuer = Issuer::start().await;
    let watched = Watched::start(issuer.builder().resource("https://api.example/v1/")).await;
    let router = router(&watched.guard);
    for values in [
        &[][..],
        &["Bearer  x"],
        &["Bearer x"],
        &["Basic x"],
        &["Bearer x", "Bearer x"],
    ] {
        let mut answers = Vec::new();
        for path in ["/layered", "/claims"] {
            let mut request = Request::get(path).header("x-request-id", "r.1_-");
            for value in values {
                request = request.header(header::AUTHORIZATION, *value);
            }
            let response = soon(through(&router, request.body(Body::empty()).unwrap())).await;
            let (mut parts, body) = response.into_parts();
            parts.headers.remove(header::CONTENT_LENGTH);
            let body = body.collect().await.unwrap().to_bytes();
            answers.push((parts.status, parts.headers, body));
        }
        assert_eq!(answers[0], answers[1], "{values:?}");
        let expected = if values.len() == 2 {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::UNAUTHORIZED
        };
        assert_eq!(answers[0].0, expected);
        assert_eq!(answers[0].1["x-request-id"], "r.1_-");
        if let Some(challenge) = answers[0].1.get(header::WWW_AUTHENTICATE) {
            let named = r#"Bearer resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1""#;
            assert!(
                challenge.to_str().unwrap().starts_with(named),
                "{challenge:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_the_issuer_must_be_asked_is_waited_for() {
    let issuer = Issuer::start().await;
    let watched = Watched::start(issuer.builder().staleness(Staleness::Introspect)).await;
    let router = router(&watched.guard);
    let next = SigningKey::generate(Algorithm::Es256).unwrap();
    *issuer.world.jwks.lock().unwrap() = jwks(&[&issuer.key, &next]);
    watched.clock.advance(Duration::from_secs(10));
    let token = sign(&next, &issuer.claims());
    assert_eq!(brief(&router, "/layered", Some(&token)).await, ok("alice"));

    watched.clock.advance(Duration::from_secs(16));
    assert_eq!(brief(&router, "/layered", Some(&token)).await, ok("alice"));
    assert_eq!(brief(&router, "/claims", Some(&token)).await, ok("alice"));
    *issuer.world.verification.lock().unwrap() = Answer::Problem(401, "token_revoked");
    for path in ["/layered", "/claims"] {
        assert_eq!(
            brief(&router, path, Some(&token)).await,
            no(401, "token_revoked")
        );
    }
}

#[tokio::test]
async fn one_request_is_judged_and_counted_once() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let router = router(&watched.guard);
    assert_eq!(
        brief(&router, "/deep", Some(&issuer.token())).await,
        ok("alice")
    );
    assert_eq!(brief(&router, "/deep", Some("garbage")).await.0, 401);
    let metrics = watched.guard.metrics();
    assert_eq!(
        (metrics.accepted, metrics.rejected["invalid_token"]),
        (1, 1)
    );
}

#[tokio::test]
async fn what_another_guard_found_does_not_count() {
    let (issuer, other) = (Issuer::start().await, Issuer::start().await);
    let (ours, theirs) = (issuer.guard().await, other.guard().await);
    let handler = get(|Bearer(claims): Bearer| async move { claims.sub });
    let router: Router = Router::new()
        .route("/", handler)
        .route_layer(theirs.guard.layer())
        .with_state(App {
            guard: ours.guard.clone(),
        });
    assert_eq!(
        brief(&router, "/", Some(&other.token())).await,
        no(401, "invalid_token")
    );
}

#[tokio::test]
async fn a_header_that_was_changed_on_the_way_is_judged_anew() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let exchange = |mut request: axum::extract::Request, next: Next| async move {
        let other = HeaderValue::from_static("Bearer garbage");
        request.headers_mut().insert(header::AUTHORIZATION, other);
        next.run(request).await
    };
    let router: Router = Router::new()
        .route("/", get(|Bearer(claims): Bearer| async move { claims.sub }))
        .route_layer(middleware::from_fn(exchange))
        .route_layer(watched.guard.layer())
        .with_state(App {
            guard: watched.guard.clone(),
        });
    assert_eq!(
        brief(&router, "/", Some(&issuer.token())).await,
        no(401, "invalid_token")
    );
}

#[tokio::test]
async fn claims_may_be_of_a_type_of_the_resource() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let router = router(&watched.guard);
    let mut claims = serde_json::to_value(issuer.claims()).unwrap();
    claims["tenant"] = "acme".into();
    let token = issuer.key.sign(Typ::AtJwt, &claims).unwrap();
    assert_eq!(
        brief(&router, "/own", Some(&token)).await,
        ok("alice of acme")
    );
    assert_eq!(
        brief(&router, "/own", Some(&issuer.token())).await,
        no(401, "invalid_token")
    );
}

#[tokio::test]
async fn the_metadata_of_the_resource_is_where_challenges_say() {
    let issuer = Issuer::start().await;
    let builder = issuer
        .builder()
        .resource("https://api.example")
        .scopes_supported(["openid", "orders:read"]);
    let watched = Watched::start(builder).await;
    let url = "https://api.example/.well-known/oauth-protected-resource";
    assert_eq!(watched.guard.metadata_url(), Some(url));
    let (status, body) = ask(
        &router(&watched.guard),
        "/.well-known/oauth-protected-resource",
        None,
    )
    .await;
    let expected = format!(
        r#"{{"resource":"https://api.example","authorization_servers":["{}"],"bearer_methods_supported":["header"],"scopes_supported":["openid","orders:read"],"dpop_signing_alg_values_supported":["ES256","EdDSA","RS256","PS256"]}}"#,
        issuer.url
    );
    assert_eq!((status, body), (200, expected));

    let other = Issuer::start().await;
    let plain = other.guard().await;
    assert_eq!(plain.guard.metadata_url(), None);
    assert!(plain.guard.resource_metadata().is_none());
}
