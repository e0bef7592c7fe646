//! `grant_type=client_credentials`, and how clients show who they are

use serde_json::json;

use super::{Place, refused};
use crate::people::claims;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test]
async fn a18_a_client_acts_for_itself_as_far_as_its_roles_go() {
    let place = Place::start().await;
    let none = place
        .post_as_web("/oauth/token", &[GRANT])
        .await
        .expect(200)
        .json();
    assert_eq!(none["scope"], "email profile roles");
    assert!(none.get("refresh_token").is_none() && none.get("id_token").is_none());
    let access = claims(none["access_token"].as_str().unwrap());
    assert_eq!((&access["sub"], access.get("sid")), (&json!("web"), None));
    for scope in [
        "openid",
        "offline_access",
        "orders:read",
        "orders:write",
        "<script>",
    ] {
        let answer = place
            .post_as_web("/oauth/token", &[GRANT, ("scope", scope)])
            .await;
        refused(&answer, 400, "invalid_scope");
    }
    let public = place
        .post("/oauth/token", &[GRANT, ("client_id", "shop")])
        .await;
    refused(&public, 400, "unauthorized_client");
    // It is nobody's account.
    let answer = place
        .app
        .profile(none["access_token"].as_str().unwrap())
        .await;
    assert!(matches!(answer.status, 401 | 403), "{answer:?}");
}

#[tokio::test]
async fn a18_a_client_has_what_its_own_roles_allow() {
    let place = Place::start().await;
    place
        .app
        .role(
            &place.admin,
            &json!({"name": "clerk", "permissions": ["orders:read"]}),
        )
        .await;
    let change = place
        .app
        .patch("/api/admin/clients/web")
        .bearer(&place.admin.access);
    change
        .json(&json!({"roles": ["clerk"]}))
        .send()
        .await
        .expect(200);
    let pairs = [
        GRANT,
        ("scope", "orders:read"),
        ("resource", "https://api.example.com/"),
    ];
    let tokens = place
        .post_as_web("/oauth/token", &pairs)
        .await
        .expect(200)
        .json();
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(access["aud"], "https://api.example.com/");
    assert_eq!(
        (&access["scope"], &access["roles"]),
        (&json!("orders:read"), &json!(["clerk"]))
    );
}

#[tokio::test]
async fn b1_b4_a_client_shows_who_it_is_in_the_way_that_it_registered() {
    let place = Place::start().await;
    let basic = |id: &str, secret: &str| {
        let text = base64_simd::STANDARD.encode_to_string(format!("{id}:{secret}"));
        let request = super::posted(&place.app, "/oauth/token", &[GRANT]);
        request
            .header("authorization", &format!("Basic {text}"))
            .send()
    };
    for (id, secret) in [
        ("web", "wrong"),
        ("nobody", "wrong"),
        ("shop", "x"),
        ("web", ""),
    ] {
        let answer = basic(id, secret).await;
        refused(&answer, 401, "invalid_client");
        assert!(
            answer
                .header("www-authenticate")
                .unwrap()
                .starts_with("Basic ")
        );
    }
    basic("web", &place.secret).await.expect(200);
    let in_body = [
        GRANT,
        ("client_id", "web"),
        ("client_secret", place.secret.as_str()),
    ];
    refused(
        &place.post("/oauth/token", &in_body).await,
        401,
        "invalid_client",
    );
    refused(
        &place.post("/oauth/token", &in_body[..2]).await,
        401,
        "invalid_client",
    );
    let both = place.post_as_web("/oauth/token", &in_body).await;
    refused(&both, 400, "invalid_request");
    let other = [GRANT, ("client_id", "shop")];
    refused(
        &place.post_as_web("/oauth/token", &other).await,
        400,
        "invalid_request",
    );
}

#[tokio::test]
async fn n6_the_body_is_a_form_and_nothing_else() {
    let place = Place::start().await;
    let json = place
        .app
        .post("/oauth/token")
        .json(&json!({"grant_type": "client_credentials"}));
    refused(&json.send().await, 400, "invalid_request");
    let none = place.app.post("/oauth/token").send().await;
    refused(&none, 400, "invalid_request");
    let twice = place.post_as_web("/oauth/token", &[GRANT, GRANT]).await;
    refused(&twice, 400, "invalid_request");
    let many: Vec<_> = (0..1_000)
        .map(|_| ("resource", "https://api.example.com/"))
        .collect();
    refused(
        &place.post_as_web("/oauth/token", &many).await,
        400,
        "invalid_request",
    );
    place
        .app
        .get("/oauth/token")
        .send()
        .await
        .problem(405, "method_not_allowed");
}
