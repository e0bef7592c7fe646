//! What clients may say of themselves, and what is wrong with what they say

use serde_json::{Value, json};

use super::{call, emptied, send};
use crate::app::TestApp;

/// A small client with one field more or another.
fn with(field: &str, value: Value) -> Value {
    let mut body = json!({"id": "app", "type": "public", "name": "App"});
    body[field] = value;
    body
}

/// Mistakes in how a client proves who it is and in what it wants of tokens.
fn odd_metadata() -> Vec<(Value, &'static str, &'static str)> {
    let uuid = "0192b3a1-7c1e-7d3a-8b2f-3c4d5e6f7a8b";
    let rsa = json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]});
    vec![
        (with("id", json!(uuid)), "/id", "client_id_reserved"),
        (
            with("id", json!("https://a.example/client.json")),
            "/id",
            "client_id_malformed",
        ),
        (
            with("authMethod", json!("client_secret_jwt")),
            "/authMethod",
            "auth_method_unknown",
        ),
        (
            with("authMethod", json!("client_secret_basic")),
            "/authMethod",
            "auth_method_needs_secret",
        ),
        (with("jwks", rsa), "/jwks", "jwks_key_refused"),
        (with("jwks", json!("a")), "/jwks", "jwks_malformed"),
        (
            with("jwksUri", json!("http://a.example/")),
            "/jwksUri",
            "endpoint_uri_insecure",
        ),
        (
            with("subjectType", json!("private")),
            "/subjectType",
            "subject_type_unknown",
        ),
        (
            with("idTokenAlg", json!("none")),
            "/idTokenAlg",
            "algorithm_unknown",
        ),
        (
            with("idTokenAlg", json!("HS256")),
            "/idTokenAlg",
            "id_token_alg_symmetric",
        ),
        (
            with("consent", json!("never")),
            "/consent",
            "consent_unknown",
        ),
        (
            with("dpopBound", json!("yes")),
            "/dpopBound",
            "type_mismatch",
        ),
        (
            with("backchannelLogoutUri", json!("https://a.example/#x")),
            "/backchannelLogoutUri",
            "endpoint_uri_malformed",
        ),
    ]
}

#[tokio::test]
async fn what_a_client_wants_of_tokens_is_kept() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "use": "sig",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwaaPJgHURo"});
    let metadata = json!({
        "authMethod": "private_key_jwt", "jwks": {"keys": [key]}, "jwksUri": null, "subjectType": "pairwise",
        "idTokenAlg": "RS256", "consent": "trusted", "requirePushed": true, "dpopBound": true,
        "backchannelLogoutUri": "https://shop.example.com/out"
    });
    let mut body = json!({"id": "shop", "type": "confidential", "name": "Shop",
        "grants": ["client_credentials", "token_exchange"]});
    let plain = app.oauth_client(&admin, &with("id", json!("plain"))).await;
    assert_eq!(plain.json()["authMethod"], "none");
    merge(&mut body, &metadata);
    let made = app.oauth_client(&admin, &body).await.json();
    for (field, value) in metadata.as_object().unwrap() {
        assert_eq!(&made[field], value, "{field}");
    }
    // What is null goes, what is absent stays.
    let change = json!({"jwks": null, "jwksUri": "https://shop.example.com/keys", "idTokenAlg": null, "dpopBound": false});
    let changed = send(&app, &admin, ("PATCH", "/shop"), &change).await;
    let changed = changed.expect(200).json();
    merge(&mut body, &change);
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&changed[field], value, "{field}");
    }
    let emptied = emptied(&app, &admin, "\"2\"").await.expect(200).json();
    assert_eq!(emptied["authMethod"], "client_secret_basic");
    assert_eq!(
        (&emptied["jwksUri"], &emptied["consent"]),
        (&Value::Null, &json!("ask"))
    );
}

fn merge(body: &mut Value, more: &Value) {
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
}

/// Clients with one mistake, where it is, and what it is called.
fn mistakes() -> Vec<(Value, &'static str, &'static str)> {
    vec![
        (json!({"name": "App"}), "/type", "required"),
        (json!({"type": "public"}), "/name", "required"),
        (with("id", json!("a b")), "/id", "client_id_malformed"),
        (with("id", json!("Symbolon")), "/id", "client_id_reserved"),
        (with("type", json!("secret")), "/type", "type_unknown"),
        (with("name", json!("a\u{0}b")), "/name", "name_malformed"),
        (with("name", json!("\u{202e}")), "/name", "name_malformed"),
        (
            with(
                "redirectUris",
                json!(["https://a.example/", "http://a.example/"]),
            ),
            "/redirectUris/1",
            "redirect_uri_insecure",
        ),
        (
            with("redirectUris", json!(["https://*.example/"])),
            "/redirectUris/0",
            "redirect_uri_malformed",
        ),
        (
            with("origins", json!(["https://a.example/"])),
            "/origins/0",
            "origin_malformed",
        ),
        (
            with("grants", json!(["password"])),
            "/grants/0",
            "grant_unknown",
        ),
        (
            with("grants", json!(["client_credentials"])),
            "/grants",
            "grant_needs_secret",
        ),
        (
            with("grants", json!(["authorization_code"])),
            "/redirectUris",
            "redirect_uri_required",
        ),
        (
            with("scopes", json!(["a b"])),
            "/scopes/0",
            "scope_malformed",
        ),
        (
            with("roles", json!(["nobody"])),
            "/roles",
            "roles_need_secret",
        ),
        (with("status", json!("gone")), "/status", "status_unknown"),
        (with("secrets", json!([])), "/secrets", "unknown_field"),
        (with("version", json!(7)), "/version", "unknown_field"),
    ]
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (body, pointer, code) in mistakes().into_iter().chain(odd_metadata()) {
        let answer = send(&app, &admin, ("POST", ""), &body).await;
        answer.problem(422, "validation_failed");
        let error = &answer.json()["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!(pointer), &json!(code)),
            "{body}"
        );
    }
    let unknown = json!({"type": "confidential", "name": "App", "roles": ["nobody"]});
    let answer = send(&app, &admin, ("POST", ""), &unknown).await;
    assert_eq!(answer.json()["errors"][0]["code"], "role_unknown");
    app.oauth_client(&admin, &with("name", json!("<script>alert(1)</script>")))
        .await;
    send(&app, &admin, ("POST", ""), &with("name", json!("x")))
        .await
        .problem(409, "conflict");
    // The type stays.
    let change = json!({"type": "confidential"});
    send(&app, &admin, ("PATCH", "/app"), &change)
        .await
        .problem(422, "validation_failed");
    for path in ["/nobody", "/symbolon", "/a%20b", "/..%2Fusers"] {
        call(&app, &admin, "GET", path)
            .await
            .problem(404, "not_found");
    }
    call(&app, &admin, "DELETE", "/app/secrets/x")
        .await
        .problem(404, "not_found");
    call(&app, &admin, "GET", "?sort=name")
        .await
        .problem(400, "malformed_request");
}
