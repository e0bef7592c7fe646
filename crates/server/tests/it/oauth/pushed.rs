//! `POST /oauth/par`

use std::time::Duration;

use super::{Place, REQUEST, changed, refused, told};

async fn push(place: &Place) -> String {
    let pushed = place.post("/oauth/par", &REQUEST).await;
    let pushed = pushed.expect(201).json();
    assert_eq!(pushed["expires_in"], 60);
    pushed["request_uri"].as_str().unwrap().to_owned()
}

fn path(uri: &str, client: &str) -> String {
    format!(
        "/oauth/authorize?{}",
        super::form(&[("request_uri", uri), ("client_id", client)])
    )
}

#[tokio::test]
async fn a17_a_request_that_was_pushed_is_good_once_for_its_client_and_for_a_minute() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let uri = push(&place).await;
    for client in ["web", ""] {
        let answer = browser.get(&path(&uri, client)).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (400, None),
            "{client}"
        );
    }
    let page = browser.get(&path(&uri, "shop")).await;
    let page = browser.sign_in(&page).await;
    let answer = browser.decide(&page, "allow").await;
    place.exchange(&told(&answer, "code")).await.expect(200);
    browser.get(&path(&uri, "shop")).await.expect(400);
    let uri = push(&place).await;
    place.app.clock.advance(Duration::from_secs(60));
    browser.get(&path(&uri, "shop")).await.expect(400);
    place
        .app
        .get("/oauth/par")
        .send()
        .await
        .problem(405, "method_not_allowed");
}

#[tokio::test]
async fn what_is_wrong_with_it_is_said_at_once() {
    let place = Place::start().await;
    for (name, value, error) in [
        (
            "request_uri",
            "urn:ietf:params:oauth:request_uri:x",
            "invalid_request",
        ),
        ("redirect_uri", "https://evil.example/", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge", "x", "invalid_request"),
        ("scope", "admin", "invalid_scope"),
    ] {
        let request = changed(&REQUEST, &[(name, value)]);
        refused(&place.post("/oauth/par", &request).await, 400, error);
    }
    refused(
        &place.post("/oauth/par", &[("client_id", "nobody")]).await,
        401,
        "invalid_client",
    );
}

#[tokio::test]
async fn a_client_that_must_push_does() {
    let place = Place::start().await;
    let change = place
        .app
        .patch("/api/admin/clients/shop")
        .bearer(&place.admin.access);
    change
        .json(&serde_json::json!({"requirePushed": true}))
        .send()
        .await
        .expect(200);
    let answer = place.browser().authorize(&[]).await;
    assert_eq!(told(&answer, "error"), "invalid_request");
    let uri = push(&place).await;
    let mut browser = place.browser();
    let page = browser.get(&path(&uri, "shop")).await;
    browser.sign_in(&page).await.expect(200);
}
