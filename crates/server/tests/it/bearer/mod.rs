//! The `Authorization` header of protected routes: how it is read (SECURITY rows N5, N13), forged access tokens, and those that are bound to a key.

pub mod bound;
mod forged;
mod keys;

use serde_json::{Value, json};
use symbolon_token::encoding;

use crate::app::TestApp;
use crate::people::{Device, claims, header};

/// Signs with the service's own key whatever header and claims say.
fn signed(app: &TestApp, header: &Value, claims: &Value) -> String {
    let issuance = app.app.issuance().unwrap();
    let ring = issuance.ring.load();
    let key = ring.signer(app.clock.now()).unwrap();
    key.sign_raw(header.to_string().as_bytes(), claims.to_string().as_bytes())
        .unwrap()
}

fn joined(header: &str, claims: &Value, signature: &[u8]) -> String {
    format!(
        "{}.{}.{}",
        segment(header),
        segment(&claims.to_string()),
        encoding::encode(signature)
    )
}

fn segment(text: &str) -> String {
    encoding::encode(text.as_bytes())
}

fn with(value: &Value, member: &str, to: Value) -> Value {
    let mut value = value.clone();
    value[member] = to;
    value
}

fn without(value: &Value, member: &str) -> Value {
    let mut value = value.clone();
    value.as_object_mut().unwrap().remove(member);
    value
}

async fn refused(app: &TestApp, token: &str) {
    let problem = app.profile(token).await.problem(401, "invalid_token");
    assert_eq!(problem["detail"], "Invalid token");
}

async fn ready() -> (TestApp, Device, Value, Value) {
    let app = TestApp::start().await;
    let device = app.user().await;
    let (header, claims) = (header(&device.access), claims(&device.access));
    app.profile(&signed(&app, &header, &claims))
        .await
        .expect(200);
    (app, device, header, claims)
}

#[tokio::test]
async fn no_token_and_the_challenge() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let answer = app.get("/api/user/profile").send().await;
    assert_eq!(
        answer.problem(401, "no_token")["detail"],
        "No token provided"
    );
    assert_eq!(
        answer.header("www-authenticate"),
        Some(r#"Bearer, DPoP algs="ES256 EdDSA RS256 PS256""#),
        "without credentials no error is named"
    );
    for other in [
        "Basic YWRhOnB3",
        "Digest username=ada",
        "DPoPX x",
        "Bearer2 x",
        "",
    ] {
        let answer = app
            .get("/api/user/profile")
            .header("authorization", other)
            .send()
            .await;
        answer.problem(401, "no_token");
    }
    let cookie = app
        .get("/api/user/profile")
        .header("cookie", &format!("access_token={}", device.access));
    cookie.send().await.problem(401, "no_token");
    let bad = app.profile("x.y.z").await;
    assert!(
        bad.header("www-authenticate")
            .unwrap()
            .starts_with(r#"Bearer error="invalid_token""#)
    );
}

#[tokio::test]
async fn n13_one_scheme_one_space_one_credential() {
    let app = TestApp::start().await;
    let token = app.user().await.access;
    let ask = |value: String| {
        app.get("/api/user/profile")
            .header("authorization", &value)
            .send()
    };
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        ask(format!("{scheme} {token}")).await.expect(200);
    }
    for value in [
        format!("Bearer  {token}"),
        format!("Bearer\t{token}"),
        format!("Bearer {token},{token}"),
        format!("Bearer {token} x"),
        format!("Bearer \"{token}\""),
        format!("Bearer Bearer {token}"),
    ] {
        ask(value).await.problem(401, "invalid_token");
    }
    app.get(&format!("/api/user/profile?access_token={token}"))
        .send()
        .await
        .problem(401, "no_token");
    let body = app
        .patch("/api/user/profile")
        .json(&json!({"access_token": token}));
    body.send().await.problem(401, "no_token");
}

#[tokio::test]
async fn n5_duplicate_authorization() {
    let app = TestApp::start().await;
    let token = app.user().await.access;
    let twice = app.get("/api/user/profile").bearer(&token).bearer(&token);
    twice.send().await.problem(400, "malformed_request");
    let other = app
        .get("/api/user/profile")
        .bearer(&token)
        .header("authorization", "Basic eDp5");
    other.send().await.problem(400, "malformed_request");
}
