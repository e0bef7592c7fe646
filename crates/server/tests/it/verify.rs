//! `GET /api/verify`

use serde_json::json;

use crate::app::TestApp;

const HEADERS: [&str; 4] = [
    "remote-user",
    "remote-email",
    "remote-name",
    "remote-groups",
];

#[tokio::test]
async fn who_may_pass_is_named() {
    let app = TestApp::start().await;
    let ada = app.user().await;
    let named = json!({"name": "Ada Löve"});
    app.patch("/api/user/profile")
        .bearer(&ada.access)
        .json(&named)
        .send()
        .await
        .expect(200);
    let passed = app.get("/api/verify").bearer(&ada.access).send().await;
    let id = app.stored(&ada).await.id.to_string();
    let found = HEADERS.map(|name| passed.expect(200).header(name).map(str::to_owned));
    let expected = [id.as_str(), ada.email.as_str(), "Ada Löve", "user"];
    assert_eq!(found, expected.map(|text| Some(text.to_owned())));
}

#[tokio::test]
async fn n11_every_header_is_there_so_that_none_of_the_callers_gets_through() {
    let app = TestApp::start().await;
    let ada = app.user().await;
    let request = app.get("/api/verify").bearer(&ada.access);
    let forged = [
        ("remote-user", "root"),
        ("x-forwarded-user", "root"),
        ("x_forwarded_user", "root"),
        ("x-original-url", "/public"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-uri", "/public"),
    ];
    let request = forged.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    let passed = request.send().await;
    assert_eq!(passed.expect(200).header("remote-name"), Some(""));
    assert_ne!(passed.header("remote-user"), Some("root"));
    // The same without a token.
    let refused = app
        .get("/api/verify")
        .header("remote-user", "root")
        .header("x-forwarded-user", "root");
    let refused = refused.send().await;
    refused.problem(401, "no_token");
    assert_eq!(HEADERS.map(|name| refused.header(name)), [None; 4]);
}

#[tokio::test]
async fn the_proxy_says_what_it_demands() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.user().await, app.admin().await);
    let rows = [
        ("role=user", 200, ""),
        ("role=admin", 403, "forbidden"),
        ("role=admin,user", 200, ""),
        ("permission=orders:read", 403, "forbidden"),
        ("scope=openid", 200, ""),
        ("scope=orders:read", 403, "insufficient_scope"),
        ("scope=*", 403, "insufficient_scope"),
        ("role=user&role=admin", 400, "malformed_request"),
        // What is not understood must not be taken for no demand.
        ("roles=admin", 400, "malformed_request"),
        ("role=", 400, "malformed_request"),
        ("permission", 400, "malformed_request"),
        ("role=user&scope=", 400, "malformed_request"),
    ];
    for (query, status, code) in rows {
        let answer = app
            .get(&format!("/api/verify?{query}"))
            .bearer(&ada.access)
            .send()
            .await;
        assert_eq!(answer.status, status, "{query}");
        if status != 200 {
            assert_eq!(answer.json()["code"], code, "{query}");
        }
    }
    let all = "/api/verify?role=admin&permission=orders:read&scope=openid";
    app.get(all).bearer(&admin.access).send().await.expect(200);
}

#[tokio::test]
async fn s4_a_revoked_token_does_not_pass() {
    let app = TestApp::start().await;
    let ada = app.user().await;
    app.post("/api/logout")
        .bearer(&ada.access)
        .send()
        .await
        .expect(204);
    app.get("/api/verify")
        .bearer(&ada.access)
        .send()
        .await
        .problem(401, "token_revoked");
}
