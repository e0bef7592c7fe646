//! `GET /api/consents`, `DELETE /api/consents/{clientId}`

use serde_json::json;

use super::{Place, refused};

#[tokio::test]
async fn r10_what_is_taken_back_is_dead_everywhere() {
    let place = Place::start().await;
    let tokens = place.tokens("openid offline_access").await;
    let ada = place.app.login("ada").await;
    let list = async || {
        let answer = place
            .app
            .get("/api/consents")
            .bearer(&ada.access)
            .send()
            .await;
        answer.expect(200).json()["items"].clone()
    };
    let found = list().await;
    assert_eq!(
        (&found[0]["clientId"], &found[0]["name"]),
        (&json!("shop"), &json!("The Shop"))
    );
    assert_eq!(found[0]["scopes"], json!(["offline_access", "openid"]));
    let path = "/api/consents/shop";
    // Not by somebody else, and not by the application itself.
    let eve = place.app.other_user().await;
    place
        .app
        .delete(path)
        .bearer(&eve.access)
        .send()
        .await
        .problem(404, "not_found");
    let access = tokens["access_token"].as_str().unwrap();
    place
        .app
        .delete(path)
        .bearer(access)
        .send()
        .await
        .problem(403, "insufficient_scope");
    place
        .app
        .delete(path)
        .bearer(&ada.access)
        .send()
        .await
        .expect(204);
    assert_eq!(list().await, json!([]));
    let userinfo = place.app.get("/oauth/userinfo").bearer(access).send().await;
    refused(&userinfo, 401, "invalid_token");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    refused(&place.refresh(refresh).await, 400, "invalid_grant");
    // Her own sign-in goes on, and the next time she is asked again.
    place.app.profile(&ada.access).await.expect(200);
    let mut browser = place.browser();
    let page = browser.authorize(&[]).await;
    let page = browser.sign_in(&page).await;
    assert!(page.expect(200).text().contains("The Shop"));
}

#[tokio::test]
async fn r10_what_was_withdrawn_does_not_come_back_with_a_smaller_consent() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let code = browser
        .code(&[("scope", "openid profile offline_access")])
        .await;
    let ada = place.app.login("ada").await;
    let gone = place.app.delete("/api/consents/shop").bearer(&ada.access);
    gone.send().await.expect(204);
    let smaller = browser.code(&[("scope", "openid")]).await;
    refused(&place.exchange(&code).await, 400, "invalid_grant");
    place.exchange(&smaller).await.expect(200);
}

#[tokio::test]
async fn a15_another_client_of_the_same_id_begins_with_nothing() {
    let place = Place::start().await;
    let tokens = place.tokens("openid offline_access").await;
    let gone = place.app.delete("/api/admin/clients/shop");
    gone.bearer(&place.admin.access).send().await.expect(204);
    let again = json!({"id": "shop", "type": "public", "name": "Another", "redirectUris": [super::CALLBACK],
        "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "profile"]});
    place.app.oauth_client(&place.admin, &again).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    refused(&place.refresh(refresh).await, 400, "invalid_grant");
    let mut browser = place.browser();
    let page = browser.authorize(&[]).await;
    let page = browser.sign_in(&page).await;
    assert!(page.expect(200).text().contains("Another"));
}
