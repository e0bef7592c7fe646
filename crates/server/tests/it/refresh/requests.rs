//! How the refresh token is sent, and what is none.

use serde_json::json;

use crate::app::TestApp;
use crate::people::Device;

#[tokio::test]
async fn a_token_in_the_body_is_answered_in_the_body() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let mut device = app.login_with("ada", &json!({"transport": "body"})).await;
    for _ in 0..3 {
        let answer = app
            .post("/api/refresh")
            .json(&json!({"refreshToken": device.refresh}))
            .send()
            .await;
        assert_eq!(answer.expect(200).header("set-cookie"), None);
        let next = Device::of(&device.email, &answer);
        assert_ne!(next.refresh, device.refresh);
        device = next;
    }
    let bad = app
        .post("/api/refresh")
        .json(&json!({"refreshToken": "sbr_x"}))
        .send()
        .await;
    bad.problem(401, "invalid_refresh_token");
    assert_eq!(bad.header("set-cookie"), None);
}

#[tokio::test]
async fn no_token_and_bad_bodies() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let post = || app.post("/api/refresh");
    post().send().await.problem(401, "no_refresh_token");
    post()
        .header("cookie", "refreshToken=")
        .send()
        .await
        .problem(401, "no_refresh_token");
    post()
        .header("cookie", "other=1; refreshTokenX=2")
        .send()
        .await
        .problem(401, "no_refresh_token");
    post()
        .json(&json!({}))
        .send()
        .await
        .problem(401, "no_refresh_token");
    post()
        .bearer(&device.access)
        .send()
        .await
        .problem(401, "no_refresh_token");
    post()
        .json(&json!({"refreshToken": 7}))
        .send()
        .await
        .field("/refreshToken", "type_mismatch");
    assert_eq!(
        post().json(&json!({"token": "x"})).send().await.fields()[0].1,
        "unknown_field"
    );
    let form = post()
        .header("content-type", "application/x-www-form-urlencoded")
        .body("refreshToken=x");
    form.send().await.problem(415, "unsupported_media_type");
    // In the query it is not looked for.
    app.post(&format!("/api/refresh?refreshToken={}", device.refresh))
        .send()
        .await
        .problem(401, "no_refresh_token");
}

#[tokio::test]
async fn two_cookies_of_the_name_are_refused() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let planted = format!("refreshToken=planted; refreshToken={}", device.refresh);
    let twice = format!("refreshToken={0}; refreshToken={0}", device.refresh);
    for method in ["POST", "DELETE"] {
        for value in [&planted, &twice] {
            app.request(method, "/api/refresh")
                .header("cookie", value)
                .send()
                .await
                .problem(400, "malformed_request");
        }
        let lines = app
            .request(method, "/api/refresh")
            .cookie(&device.refresh)
            .cookie("planted");
        lines.send().await.problem(400, "malformed_request");
    }
    let among = format!("a=1; refreshToken={}; b=2", device.refresh);
    app.post("/api/refresh")
        .header("cookie", &among)
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn a_cookie_of_the_site_beyond_ascii_does_not_hide_the_token() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let among = format!("city=Zürich; refreshToken={}", device.refresh);
    app.post("/api/refresh")
        .header("cookie", &among)
        .send()
        .await
        .expect(200);
    let planted = format!("refreshToken=ü; refreshToken={}", device.refresh);
    app.post("/api/refresh")
        .header("cookie", &planted)
        .send()
        .await
        .problem(400, "malformed_request");
}

#[tokio::test]
async fn j9_only_a_refresh_token_refreshes() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let token = device.refresh.as_str();
    let flipped = |at: usize| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let end = token.len() - 1;
    let mut bad = vec![
        device.access.clone(),
        "x".to_owned(),
        token[..end].to_owned(),
        format!("{token}A"),
    ];
    bad.extend([
        token.replace("sbr_", "sbx_"),
        token[4..].to_owned(),
        format!("{token}="),
        token.to_uppercase(),
    ]);
    bad.extend((4..token.len()).step_by(7).map(flipped));
    for text in bad {
        app.refresh(&text)
            .await
            .problem(401, "invalid_refresh_token");
    }
    let other = TestApp::of_seed(99).await;
    let foreign = other.user().await;
    app.refresh(&foreign.refresh)
        .await
        .problem(401, "invalid_refresh_token");
    app.assert_signed_in(&device).await;
}

#[tokio::test]
async fn n9_nul_in_a_token_is_a_bad_token() {
    let app = TestApp::start().await;
    let answer = app
        .post("/api/refresh")
        .json(&json!({"refreshToken": "sbr_\0"}))
        .send()
        .await;
    answer.problem(401, "invalid_refresh_token");
}
