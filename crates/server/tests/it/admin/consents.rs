//! `/api/admin/users/{id}/consents`

use serde_json::{Value, json};
use symbolon_domain::audit::AuditKind;

use crate::client::Answer;
use crate::oauth::{Place, refused};
use crate::people::Device;

/// The consents of somebody, as `by` asks for them.
async fn list(place: &Place, by: &Device, user: &str, query: &str) -> Answer {
    let path = format!("/api/admin/users/{user}/consents{query}");
    place.app.get(&path).bearer(&by.access).send().await
}

async fn withdraw(place: &Place, by: &Device, user: &str, client: &str) -> Answer {
    let path = format!("/api/admin/users/{user}/consents/{client}");
    place.app.delete(&path).bearer(&by.access).send().await
}

#[tokio::test]
async fn r10_what_an_administrator_takes_back_is_dead_everywhere() {
    let place = Place::start().await;
    let tokens = place.tokens("openid offline_access").await;
    let (ada, admin) = (place.app.login("ada").await, &place.admin);
    let found = list(&place, admin, &ada.user, "").await.expect(200).json();
    let item = &found["items"][0];
    assert_eq!(
        (&item["clientId"], &item["name"], &item["scopes"]),
        (
            &json!("shop"),
            &json!("The Shop"),
            &json!(["offline_access", "openid"])
        )
    );
    withdraw(&place, admin, &ada.user, "shop").await.expect(204);
    let access = tokens["access_token"].as_str().unwrap();
    let userinfo = place.app.get("/oauth/userinfo").bearer(access).send().await;
    refused(&userinfo, 401, "invalid_token");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    refused(&place.refresh(refresh).await, 400, "invalid_grant");
    // The person stays signed in.
    place.app.profile(&ada.access).await.expect(200);
    let found = list(&place, admin, &ada.user, "").await.expect(200).json();
    assert_eq!(found, json!({"items": [], "nextCursor": null}));
    let again = withdraw(&place, admin, &ada.user, "shop").await;
    again.problem(404, "not_found");
    let lines = place.app.audit(AuditKind::ConsentWithdrawn).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].actor.unwrap().to_string(), admin.user);
    assert_eq!(lines[0].subject.unwrap().to_string(), ada.user);
    assert_eq!(lines[0].detail.as_deref(), Some("shop"));
}

#[tokio::test]
async fn m3_nobody_takes_back_what_somebody_above_agreed_to() {
    let place = Place::start().await;
    place.tokens("openid").await;
    let ada = place.app.login("ada").await;
    let all = "sessions:read sessions:write";
    let desk = place.app.delegate("desk", all).await;
    place.app.give(&ada, "admin").await;
    let answer = withdraw(&place, &desk, &ada.user, "shop").await;
    answer.problem(403, "forbidden");
    place.app.give(&ada, "user").await;
    withdraw(&place, &desk, &ada.user, "shop").await.expect(204);
}

#[tokio::test]
async fn consents_are_listed_in_pages() {
    let place = Place::start().await;
    for client in ["shop", "web"] {
        let mut browser = place.browser();
        browser.code(&[("client_id", client)]).await;
    }
    let ada = place.app.login("ada").await;
    let page = async |query: &str| {
        let answer = list(&place, &place.admin, &ada.user, query).await;
        let body = answer.expect(200).json();
        let ids = body["items"].as_array().unwrap().iter();
        let ids: Vec<Value> = ids.map(|item| item["clientId"].clone()).collect();
        (json!(ids), body["nextCursor"].as_str().map(str::to_owned))
    };
    let (first, cursor) = page("?limit=1").await;
    assert_eq!(first, json!(["shop"]));
    let rest = format!("?limit=1&cursor={}", cursor.unwrap());
    assert_eq!(page(&rest).await, (json!(["web"]), None));
    for user in ["nobody", "0192b3a1-7c1e-7d3a-8b2f-3c4d5e6f7a8b"] {
        let answer = list(&place, &place.admin, user, "").await;
        answer.problem(404, "not_found");
    }
    let odd = list(&place, &place.admin, &ada.user, "?client=shop").await;
    odd.problem(400, "malformed_request");
}
