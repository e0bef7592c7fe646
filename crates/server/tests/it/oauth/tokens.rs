//! `POST /oauth/introspect`, `/oauth/revoke`; `/oauth/userinfo`; discovery

use serde_json::json;

use super::{Place, refused};

#[tokio::test]
async fn a24_who_has_no_business_with_a_token_hears_nothing_of_it() {
    let place = Place::start().await;
    let tokens = place.tokens("openid").await;
    let access = tokens["access_token"].as_str().unwrap();
    refused(
        &place.post("/oauth/introspect", &[("token", access)]).await,
        401,
        "invalid_client",
    );
    let public = [("token", access), ("client_id", "shop")];
    refused(
        &place.post("/oauth/introspect", &public).await,
        401,
        "invalid_client",
    );
    let inactive = json!({"active": false});
    for token in [
        access,
        tokens["refresh_token"].as_str().unwrap(),
        tokens["id_token"].as_str().unwrap(),
        "x",
    ] {
        let answer = place
            .post_as_web("/oauth/introspect", &[("token", token)])
            .await;
        assert_eq!(answer.expect(200).json(), inactive);
    }
    // One that is for a resource of its own.
    let mut browser = place.browser();
    let code = browser
        .code(&[
            ("resource", "https://api.example.com/"),
            ("scope", "profile"),
        ])
        .await;
    let tokens = place.exchange(&code).await.expect(200).json();
    let access = tokens["access_token"].as_str().unwrap();
    let ask = async || {
        place
            .post_as_web("/oauth/introspect", &[("token", access)])
            .await
            .expect(200)
            .json()
    };
    let told = ask().await;
    assert_eq!(
        (&told["active"], &told["client_id"]),
        (&json!(true), &json!("shop"))
    );
    assert_eq!(
        (&told["aud"], &told["scope"]),
        (&json!("https://api.example.com/"), &json!("profile"))
    );
    let revoke = [("client_id", "shop"), ("token", access)];
    place.post("/oauth/revoke", &revoke).await.expect(200);
    assert_eq!(ask().await, inactive);
}

#[tokio::test]
async fn a_refresh_token_that_is_revoked_takes_its_access_tokens_along() {
    let place = Place::start().await;
    let tokens = place.tokens("openid").await;
    let (access, refresh) = (
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
    );
    // Another client cannot, and is told so; what is no token is no error.
    let foreign = place
        .post_as_web("/oauth/revoke", &[("token", refresh)])
        .await;
    refused(&foreign, 400, "invalid_grant");
    let foreign = place
        .post_as_web("/oauth/revoke", &[("token", access)])
        .await;
    refused(&foreign, 400, "invalid_grant");
    place
        .post("/oauth/revoke", &[("client_id", "shop"), ("token", "x")])
        .await
        .expect(200);
    let userinfo = async || place.app.get("/oauth/userinfo").bearer(access).send().await;
    userinfo().await.expect(200);
    place
        .post(
            "/oauth/revoke",
            &[("client_id", "shop"), ("token", refresh)],
        )
        .await
        .expect(200);
    refused(&userinfo().await, 401, "invalid_token");
    refused(&place.refresh(refresh).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a23_userinfo_takes_access_tokens_for_openid_alone() {
    let place = Place::start().await;
    let tokens = place.tokens("profile").await;
    let userinfo = async |token: &str| place.app.get("/oauth/userinfo").bearer(token).send().await;
    let without = userinfo(tokens["access_token"].as_str().unwrap()).await;
    refused(&without, 403, "insufficient_scope");
    let tokens = place.tokens("openid").await;
    refused(
        &userinfo(tokens["id_token"].as_str().unwrap()).await,
        401,
        "invalid_token",
    );
    let claims = userinfo(tokens["access_token"].as_str().unwrap())
        .await
        .expect(200)
        .json();
    assert_eq!(claims.as_object().unwrap().len(), 1, "{claims}");
}

#[tokio::test]
async fn every_endpoint_of_the_metadata_answers() {
    let place = Place::start().await;
    let app = &place.app;
    let oauth = app
        .get("/.well-known/oauth-authorization-server")
        .send()
        .await;
    let openid = app.get("/.well-known/openid-configuration").send().await;
    assert_eq!(oauth.expect(200).json(), openid.expect(200).json());
    let metadata = openid.json();
    let base = format!("http://{}", app.address);
    for (name, value) in metadata.as_object().unwrap() {
        let uri = value.as_str().unwrap_or_default();
        if !(name.ends_with("_endpoint") || name.ends_with("_uri"))
            || name.starts_with("revocation_stream")
        {
            continue;
        }
        let path = uri.strip_prefix(&base).unwrap();
        let by_get = app.get(path).send().await.status;
        let by_post = app.post(path).send().await.status;
        assert!(by_get != 404 && by_post != 404, "{name}");
    }
    let tag = openid.header("etag").unwrap();
    let again = app
        .get("/.well-known/openid-configuration")
        .header("if-none-match", tag);
    again.send().await.expect(304);
}
