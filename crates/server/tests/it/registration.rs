//! `/oauth/register`

use serde_json::{Value, json};
use symbolon::flows::clients;
use symbolon_domain::ClientId;
use symbolon_domain::audit::AuditKind;

use crate::app::TestApp;
use crate::client::Answer;
use crate::oauth::feed::{PATHS, refused_to_client};

async fn open() -> TestApp {
    TestApp::with(&[("oauth.registration", "true")]).await
}

async fn register(app: &TestApp, metadata: &Value) -> Answer {
    app.post("/oauth/register").json(metadata).send().await
}

fn web() -> Value {
    json!({"redirect_uris": ["https://app.example.com/cb"], "client_name": "App", "software_version": "1.0",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"], "scope": "openid admin"})
}

#[tokio::test]
async fn m9_nobody_registers_where_that_is_off() {
    let app = TestApp::start().await;
    register(&app, &web()).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_client_registers() {
    let app = open().await;
    let answer = register(&app, &web()).await;
    assert_eq!(answer.expect(201).header("cache-control"), Some("no-store"));
    let body = answer.json();
    let expected = json!({
        "client_name": "App", "redirect_uris": ["https://app.example.com/cb"], "scope": "openid",
        "token_endpoint_auth_method": "client_secret_basic", "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"], "subject_type": "public",
        "client_secret_expires_at": 0, "client_id_issued_at": app.now_seconds()
    });
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(&body[member], value, "{member}");
    }
    let secret = body["client_secret"].as_str().unwrap();
    let id = ClientId::parse(body["client_id"].as_str().unwrap()).unwrap();
    let client = clients::find(&app.app, &id).await.unwrap();
    assert!(clients::proves(&client, secret));
    assert!(client.definition.roles.is_empty());
    let written = app.audit(AuditKind::ClientCreated).await;
    assert!(written[0].detail.as_deref().unwrap().contains(id.as_str()));
    assert!(!format!("{written:?}").contains(&secret[4..]));
}

#[tokio::test]
async fn who_cannot_keep_a_secret_gets_none() {
    let app = open().await;
    let mut page = web();
    page["token_endpoint_auth_method"] = json!("none");
    let body = register(&app, &page).await.expect(201).json();
    assert_eq!(body.get("client_secret"), None);
    assert_eq!(body.get("client_secret_expires_at"), None);
    let again = register(&app, &page).await.expect(201).json();
    assert_ne!(again["client_id"], body["client_id"]);
}

#[tokio::test]
async fn a1_k6_what_is_wrong_is_said_as_the_rfc_says_it() {
    let app = open().await;
    let with = |member: &str, value: Value| {
        let mut metadata = web();
        metadata[member] = value;
        metadata
    };
    let private = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwaaPJgHURo",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]});
    let (uri, metadata) = ("invalid_redirect_uri", "invalid_client_metadata");
    for (body, code) in [
        (
            with("redirect_uris", json!(["https://*.example.com/"])),
            uri,
        ),
        (
            with("redirect_uris", json!(["http://app.example.com/"])),
            uri,
        ),
        (with("redirect_uris", json!(["javascript:alert(1)"])), uri),
        (with("redirect_uris", json!([])), uri),
        (with("redirect_uris", json!("https://a.example/")), metadata),
        (with("jwks", private), metadata),
        (with("jwks_uri", json!("http://169.254.169.254/")), metadata),
        (
            with("token_endpoint_auth_method", json!("tls_client_auth")),
            metadata,
        ),
        (
            with("token_endpoint_auth_method", json!("private_key_jwt")),
            metadata,
        ),
        (with("grant_types", json!(["password"])), metadata),
        (with("client_name", json!("a\u{202e}b")), metadata),
        (json!([web()]), metadata),
        (json!("x"), metadata),
    ] {
        let answer = register(&app, &body).await;
        assert_eq!(answer.expect(400).json()["error"], code, "{body}");
    }
    let broken = app.post("/oauth/register").text_json("{").send().await;
    assert_eq!(broken.expect(400).json()["error"], metadata);
    let form = app.post("/oauth/register").body("a=b").send().await;
    form.problem(415, "unsupported_media_type");
    let get = app.get("/oauth/register").send().await;
    get.problem(405, "method_not_allowed");
}

#[tokio::test]
async fn one_network_registers_few_clients() {
    let app = open().await;
    for _ in 0..20 {
        register(&app, &web()).await.expect(201);
    }
    register(&app, &web()).await.problem(429, "rate_limited");
    app.wait(180);
    register(&app, &web()).await.expect(201);
}

#[tokio::test]
async fn m9_whoever_registers_does_not_read_a_feed_for_clients() {
    let app = TestApp::with(&[("oauth.registration", "true"), ("feed.access", "clients")]).await;
    let made = register(&app, &web()).await.expect(201).json();
    let [id, secret] = ["client_id", "client_secret"].map(|name| made[name].as_str().unwrap());
    for path in PATHS {
        let answer = app.get(path).basic(id, secret).send().await;
        refused_to_client(&answer);
    }
}
