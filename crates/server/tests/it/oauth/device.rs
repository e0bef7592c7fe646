//! `POST /oauth/device`, `/device`, and the grant of devices

use std::time::Duration;

use serde_json::json;

use super::{Place, refused};
use crate::people::{OTHER_PASSWORD, PASSWORD};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn poll(place: &Place, code: &str) -> crate::client::Answer {
    let pairs = [
        ("grant_type", GRANT),
        ("client_id", "shop"),
        ("device_code", code),
    ];
    place.post("/oauth/token", &pairs).await
}

#[tokio::test]
async fn a20_a_person_lets_a_device_in() {
    let place = Place::start().await;
    let begun = place
        .post(
            "/oauth/device",
            &[("client_id", "shop"), ("scope", "openid")],
        )
        .await;
    let begun = begun.expect(200).json();
    let (code, typed) = (
        begun["device_code"].as_str().unwrap(),
        begun["user_code"].as_str().unwrap(),
    );
    assert_eq!(
        (begun["interval"].as_u64(), begun["expires_in"].as_u64()),
        (Some(5), Some(600))
    );
    refused(&poll(&place, code).await, 400, "authorization_pending");
    refused(&poll(&place, code).await, 400, "slow_down");
    place.app.clock.advance(Duration::from_secs(9));
    refused(&poll(&place, code).await, 400, "slow_down");
    let mut browser = place.browser();
    let page = browser.get(&format!("/device?user_code={typed}")).await;
    assert!(page.expect(200).text().contains(typed));
    let page = browser.post("/device", &[("user_code", typed)]).await;
    assert!(page.text().contains("type=\"password\""));
    let who = [
        ("interaction", typed),
        ("identifier", "ada"),
        ("password", "wrong wrong wrong"),
    ];
    browser.post("/device/sign-in", &who).await.expect(200);
    let who = [
        ("interaction", typed),
        ("identifier", "ada@example.com"),
        ("password", PASSWORD),
    ];
    browser.post("/device/sign-in", &who).await.expect(303);
    let unknown = browser.post("/device", &[("user_code", "BCDF-BCDF")]).await;
    assert!(!unknown.text().contains("name=\"decision\""));
    let lower = typed.to_lowercase().replace('-', " ");
    let page = browser.post("/device", &[("user_code", &lower)]).await;
    assert!(page.text().contains("The Shop"), "{}", page.text());
    browser
        .post(
            "/device/confirm",
            &[("interaction", typed), ("decision", "allow")],
        )
        .await
        .expect(200);
    place.app.clock.advance(Duration::from_secs(20));
    let tokens = poll(&place, code).await.expect(200).json();
    assert_eq!(tokens["scope"], "openid");
    place.app.clock.advance(Duration::from_secs(20));
    refused(&poll(&place, code).await, 400, "invalid_grant");
    // The code of one kind is none of another (row A10).
    refused(&place.exchange(code).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_device_may_be_refused_and_may_come_too_late() {
    let place = Place::start().await;
    let mut browser = place.browser();
    browser.code(&[]).await;
    let begin = async || {
        place
            .post("/oauth/device", &[("client_id", "shop")])
            .await
            .expect(200)
            .json()
    };
    let begun = begin().await;
    let typed = begun["user_code"].as_str().unwrap();
    browser
        .post(
            "/device/confirm",
            &[("interaction", typed), ("decision", "deny")],
        )
        .await
        .expect(200);
    refused(
        &poll(&place, begun["device_code"].as_str().unwrap()).await,
        400,
        "access_denied",
    );
    let begun = begin().await;
    place.app.clock.advance(Duration::from_secs(600));
    refused(
        &poll(&place, begun["device_code"].as_str().unwrap()).await,
        400,
        "expired_token",
    );
    let other = place.post_as_web("/oauth/device", &[]).await;
    refused(&other, 400, "unauthorized_client");
}

#[tokio::test]
async fn a_device_goes_on_after_a_sign_out_and_not_after_a_change_of_the_password() {
    let place = Place::start().await;
    for (path, good) in [("/api/logout", true), ("/api/user/password", false)] {
        let mut browser = place.browser();
        browser.code(&[]).await;
        let begun = place.post("/oauth/device", &[("client_id", "shop")]).await;
        let begun = begun.expect(200).json();
        let typed = begun["user_code"].as_str().unwrap();
        let decision = [("interaction", typed), ("decision", "allow")];
        browser.post("/device/confirm", &decision).await.expect(200);
        if path == "/api/logout" {
            let page = browser.get("/oauth/logout").await;
            let hidden = super::hidden(&page);
            let decision = [("interaction", hidden.as_str()), ("decision", "allow")];
            browser
                .post("/oauth/logout/confirm", &decision)
                .await
                .expect(200);
            assert_eq!(browser.cookie, None);
        } else {
            let new = json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD});
            let ada = place.app.login("ada").await;
            let request = place.app.post(path).json(&new).bearer(&ada.access);
            request.send().await.expect(204);
        }
        let answer = poll(&place, begun["device_code"].as_str().unwrap()).await;
        if good {
            answer.expect(200);
        } else {
            refused(&answer, 400, "invalid_grant");
        }
    }
}

#[tokio::test]
async fn a20_codes_cannot_be_guessed_by_trying() {
    let place = Place::start().await;
    let mut browser = place.browser();
    browser.code(&[]).await;
    let mut last = 0;
    for _ in 0..40 {
        last = browser
            .post("/device", &[("user_code", "BCDF-BCDF")])
            .await
            .status;
    }
    assert_eq!(last, 429);
}
