//! An application has what the person was shown, where they were shown it, and nothing besides

use serde_json::{Value, json};

use super::{CALLBACK, Place, REQUEST, changed, code_form, hidden, refused, told};
use crate::people::{PASSWORD, claims};

const FILES: &str = "https://files.example.com/";
const API: &str = "https://api.example.com/";

impl Place {
    /// The public client with more to ask for, and Ada with these roles.
    async fn extended(scopes: &[&str], roles: &str) -> Self {
        let place = Self::start().await;
        let change = json!({"scopes": scopes, "resources": [API, FILES]});
        place.change(&change).await;
        let ada = place.app.login("ada").await;
        place.app.give(&ada, roles).await;
        place
    }

    async fn role(&self, definition: &Value) {
        self.app.role(&self.admin, definition).await;
    }
}

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

#[tokio::test]
async fn m3_an_application_has_one_permission_and_not_its_persons_roles() {
    let scopes = ["openid", "users:read", "users:write", "clients:write"];
    let place = Place::extended(&scopes, "user admin").await;
    let tokens = place.tokens(&scopes[1..].join(" ")).await;
    let post = async |path: &str, body: Value| {
        let request = place.app.post(path).bearer(access(&tokens));
        request.json(&body).send().await
    };
    let mut eve = json!({"email": "eve@example.com", "password": PASSWORD, "roles": ["user"]});
    post("/api/admin/users", eve.clone()).await.expect(201);
    eve["email"] = json!("mallory@example.com");
    eve["roles"] = json!(["admin"]);
    post("/api/admin/users", eve)
        .await
        .problem(403, "forbidden");
    let admin = format!("/api/admin/users/{}", place.admin.user);
    let request = place.app.delete(&admin).bearer(access(&tokens));
    request.send().await.problem(403, "forbidden");
    let client = json!({"id": "robot", "type": "confidential", "name": "Robot",
        "grants": ["client_credentials"], "roles": ["admin"]});
    post("/api/admin/clients", client)
        .await
        .problem(403, "forbidden");
    let client = json!({"id": "page", "type": "public", "name": "Page", "redirectUris": [CALLBACK],
        "grants": ["authorization_code"], "scopes": ["users:write"], "consent": "trusted"});
    post("/api/admin/clients", client)
        .await
        .problem(403, "forbidden");
}

#[tokio::test]
async fn m3_who_writes_clients_gives_none_more_than_they_have() {
    let place = Place::start().await;
    let keeper = place
        .app
        .delegate("keeper", "clients:write orders:read")
        .await;
    for (scopes, status) in [
        (json!(["openid", "orders:read"]), 201),
        (json!(["openid", "users:write"]), 403),
    ] {
        let client = json!({"type": "public", "name": "Page", "redirectUris": [CALLBACK],
            "grants": ["authorization_code"], "scopes": scopes});
        let request = place.app.post("/api/admin/clients").bearer(&keeper.access);
        request.json(&client).send().await.expect(status);
    }
}

#[tokio::test]
async fn a19_a_token_for_another_api_is_none_for_administration() {
    let place = Place::extended(&["openid", "users:read"], "user admin").await;
    let mut browser = place.browser();
    let wish = [("scope", "openid users:read"), ("resource", FILES)];
    let code = browser.code(&wish).await;
    let tokens = place.exchange(&code).await.expect(200).json();
    let list = |token: &str| place.app.get("/api/admin/users").bearer(token).send();
    list(access(&tokens)).await.problem(401, "invalid_token");
    let code = browser.code(&wish[..1]).await;
    let tokens = place.exchange(&code).await.expect(200).json();
    list(access(&tokens)).await.expect(200);
}

#[tokio::test]
async fn a20_a_device_never_gets_what_was_not_shown() {
    let place = Place::start().await;
    place
        .role(&json!({"name": "clerk", "permissions": ["orders:read"]}))
        .await;
    let mut browser = place.browser();
    browser.code(&[]).await;
    let wish = [
        ("client_id", "shop"),
        ("scope", "openid orders:read offline_access"),
    ];
    let begun = place.post("/oauth/device", &wish).await.expect(200).json();
    let typed = begun["user_code"].as_str().unwrap();
    let page = browser.post("/device", &[("user_code", typed)]).await;
    assert!(!page.expect(200).text().contains("orders:read"));
    let decision = [("interaction", typed), ("decision", "allow")];
    browser.post("/device/confirm", &decision).await.expect(200);
    let ada = place.app.login("ada").await;
    place.app.give(&ada, "user clerk").await;
    let poll = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "shop"),
        ("device_code", begun["device_code"].as_str().unwrap()),
    ];
    let tokens = place.post("/oauth/token", &poll).await.expect(200).json();
    assert_eq!(tokens["scope"], "offline_access openid");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let tokens = place.refresh(refresh).await.expect(200).json();
    assert_eq!(tokens["scope"], "offline_access openid");
}

#[tokio::test]
async fn a_consent_is_for_what_was_shown_together() {
    let place = Place::extended(&["openid", "email", "profile"], "user").await;
    let mut browser = place.browser();
    browser
        .code(&[("scope", "openid email"), ("resource", API)])
        .await;
    browser
        .code(&[("scope", "openid profile"), ("resource", FILES)])
        .await;
    for (scope, resource, settled) in [
        ("openid email", API, true),
        ("openid", FILES, true),
        ("openid profile", FILES, true),
        ("openid email", FILES, false),
        ("openid profile", API, false),
        // Our own.
        ("openid", "-", false),
    ] {
        let wish = [("scope", scope), ("resource", resource), ("prompt", "none")];
        let answer = browser.authorize(&wish).await;
        match settled {
            true => drop(told(&answer, "code")),
            false => assert_eq!(
                told(&answer, "error"),
                "consent_required",
                "{scope} {resource}"
            ),
        }
    }
}

#[tokio::test]
async fn what_is_allowed_is_what_was_shown() {
    let place = Place::start().await;
    place.change(&json!({"scopes": ["openid"]})).await;
    let mut browser = place.browser();
    let page = browser.authorize(&[("scope", "-")]).await;
    let page = browser.sign_in(&page).await;
    // The client may ask for more by now, and so it does.
    place.change(&json!({"scopes": ["openid", "email"]})).await;
    let again = browser.decide(&page, "allow").await;
    assert_ne!(hidden(&again), hidden(&page));
    let answer = browser.decide(&again, "allow").await;
    let tokens = place.exchange(&told(&answer, "code")).await;
    assert_eq!(tokens.expect(200).json()["scope"], "email openid");
}

#[tokio::test]
async fn a19_a_token_is_for_the_apis_that_the_exchange_names() {
    let place = Place::extended(&["profile"], "user").await;
    let mut browser = place.browser();
    let both = [("scope", "profile"), ("resource", API), ("resource", FILES)];
    let code = browser.code(&both).await;
    let exchange = async |resource: &str| {
        let other = [("redirect_uri", "-"), ("resource", resource)];
        let pairs = changed(&code_form(&code), &other);
        place.post("/oauth/token", &pairs).await
    };
    refused(
        &exchange("https://other.example.com/").await,
        400,
        "invalid_target",
    );
    // It is not used up.
    let tokens = exchange(FILES).await.expect(200).json();
    assert_eq!(claims(access(&tokens))["aud"], FILES);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let tokens = place.refresh(refresh).await.expect(200).json();
    assert_eq!(claims(access(&tokens))["aud"], json!([API, FILES]));
}

#[tokio::test]
async fn a17_a_pushed_request_is_answered_once() {
    let place = Place::start().await;
    let request = changed(&REQUEST, &[("scope", "-")]);
    let pushed = place.post("/oauth/par", &request).await.expect(201).json();
    let uri = pushed["request_uri"].as_str().unwrap();
    let query = super::form(&[("request_uri", uri), ("client_id", "shop")]);
    let path = format!("/oauth/authorize?{query}");
    // Looking at it uses nothing up.
    let looked = place.app.request("HEAD", &path).send().await;
    assert_eq!(
        (looked.status, looked.header("allow")),
        (405, Some("GET, POST"))
    );
    let mut browser = place.browser();
    let page = browser.get(&path).await;
    let page = browser.sign_in(&page).await;
    told(&browser.decide(&page, "allow").await, "code");
    let again = browser.decide(&page, "allow").await;
    assert_eq!(told(&again, "error"), "invalid_request");
}

#[tokio::test]
async fn clients_that_prove_nothing_keep_few_requests_here() {
    let place = Place::start().await;
    let mut last = 0;
    for _ in 0..80 {
        let wish = [("client_id", "shop"), ("scope", "openid")];
        last = place.post("/oauth/device", &wish).await.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn sign_ins_that_give_way_take_along_what_hangs_on_them() {
    let place = Place::start().await;
    let tokens = place.tokens("openid").await;
    let offline = place.tokens("openid offline_access").await;
    for _ in 0..100 {
        place.app.wait(1);
        place.app.login("ada").await;
    }
    let refresh = |tokens: &Value| tokens["refresh_token"].as_str().unwrap().to_owned();
    refused(
        &place.refresh(&refresh(&tokens)).await,
        400,
        "invalid_grant",
    );
    place.refresh(&refresh(&offline)).await.expect(200);
}

#[tokio::test]
async fn userinfo_is_for_administrators_too() {
    let place = Place::start().await;
    let request = place.app.get("/oauth/userinfo").bearer(&place.admin.access);
    let told = request.send().await.expect(200).json();
    assert_eq!(told["sub"], place.admin.user.as_str());
}
