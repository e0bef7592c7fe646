//! `grant_type=refresh_token`

use std::time::Duration;

use super::{Place, changed, refresh_form, refused};
use crate::people::claims;

#[tokio::test]
async fn r1_r3_the_rules_of_our_own_sign_in_hold() {
    let place = Place::start().await;
    let first = place.tokens("openid").await["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let second = place.refresh(&first).await.expect(200).json()["refresh_token"].clone();
    // A lost answer is given again.
    let again = place.refresh(&first).await.expect(200).json()["refresh_token"].clone();
    assert_eq!(again, second);
    place.refresh(second.as_str().unwrap()).await.expect(200);
    place.app.clock.advance(Duration::from_secs(11));
    refused(&place.refresh(&first).await, 400, "invalid_grant");
    refused(
        &place.refresh(second.as_str().unwrap()).await,
        400,
        "invalid_grant",
    );
}

#[tokio::test]
async fn tokens_of_one_client_are_worth_nothing_to_another() {
    let place = Place::start().await;
    let tokens = place.tokens("openid").await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let pairs = changed(&refresh_form(token), &[("client_id", "-")]);
    refused(
        &place.post_as_web("/oauth/token", &pairs).await,
        400,
        "invalid_grant",
    );
    place
        .app
        .post("/api/refresh")
        .cookie(token)
        .send()
        .await
        .problem(401, "invalid_refresh_token");
    let own = place.app.login("ada").await;
    refused(&place.refresh(&own.refresh).await, 400, "invalid_grant");
    // Nobody lost anything by that.
    place.refresh(token).await.expect(200);
}

#[tokio::test]
async fn r9_a_narrower_scope_holds_once() {
    let place = Place::start().await;
    let tokens = place.tokens("openid profile").await;
    let mut token = tokens["refresh_token"].as_str().unwrap().to_owned();
    for (scope, granted) in [("openid", "openid"), ("", "openid profile")] {
        let pairs = changed(&refresh_form(&token), &[("scope", scope)]);
        let answer = place.post("/oauth/token", &pairs).await.expect(200).json();
        assert_eq!(answer["scope"], granted);
        token = answer["refresh_token"].as_str().unwrap().to_owned();
    }
    let pairs = changed(&refresh_form(&token), &[("scope", "email")]);
    refused(
        &place.post("/oauth/token", &pairs).await,
        400,
        "invalid_scope",
    );
    place.refresh(&token).await.expect(200);
}

#[tokio::test]
async fn r10_permissions_are_those_that_the_person_has_at_that_moment() {
    let place = Place::start().await;
    place
        .app
        .role(
            &place.admin,
            &serde_json::json!({"name": "clerk", "permissions": ["orders:read"]}),
        )
        .await;
    let ada = place.app.login("ada").await;
    // What she does not have is not granted.
    let tokens = place.tokens("openid orders:read").await;
    assert_eq!(tokens["scope"], "openid");
    place.app.give(&ada, "clerk user").await;
    let tokens = place.tokens("openid orders:read roles").await;
    assert_eq!(tokens["scope"], "openid orders:read roles");
    assert_eq!(
        claims(tokens["access_token"].as_str().unwrap())["roles"],
        serde_json::json!(["clerk", "user"])
    );
    let ada = place.app.login("ada").await;
    place.app.give(&ada, "user").await;
    let next = place
        .refresh(tokens["refresh_token"].as_str().unwrap())
        .await;
    assert_eq!(next.expect(200).json()["scope"], "openid roles");
}

#[tokio::test]
async fn r10_a_password_change_ends_it() {
    let place = Place::start().await;
    let tokens = place.tokens("openid offline_access").await;
    let ada = place.app.login("ada").await;
    let body = serde_json::json!({"currentPassword": crate::people::PASSWORD, "newPassword": "granite meadow lantern 3"});
    place
        .app
        .post("/api/user/password")
        .bearer(&ada.access)
        .json(&body)
        .send()
        .await
        .expect(204);
    refused(
        &place
            .refresh(tokens["refresh_token"].as_str().unwrap())
            .await,
        400,
        "invalid_grant",
    );
}
