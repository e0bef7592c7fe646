//! What the owner of an account is told.

use serde_json::json;
use symbolon::flows::actor::Actor;
use symbolon::flows::users;

use super::Posted;
use crate::people::{OTHER_PASSWORD, PASSWORD};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1";

async fn start() -> Posted {
    let settings = [
        ("registration.verification", "off"),
        ("server.trusted_proxies", "127.0.0.1"),
    ];
    Posted::with(&settings).await
}

async fn login(posted: &Posted, agent: &str, address: &str) -> crate::people::Device {
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let login = posted.app.post("/api/login").json(&body);
    let answer = login
        .header("user-agent", agent)
        .header("x-forwarded-for", address)
        .send()
        .await;
    answer.expect(200);
    crate::people::Device::of("ada@example.com", &answer)
}

#[tokio::test]
async fn a_sign_in_from_a_new_device_is_told() {
    let posted = start().await;
    posted.app.register("ada").await;
    login(&posted, FIREFOX, "203.0.113.7").await;
    assert!(
        posted.arrives().await.is_empty(),
        "the first of all is not new"
    );
    login(&posted, FIREFOX, "203.0.113.99").await;
    assert!(
        posted.arrives().await.is_empty(),
        "the same program in the same network"
    );
    login(&posted, SAFARI, "203.0.113.7").await;
    let mail = posted.one().await;
    assert_eq!(mail.subject, "New sign-in to your account");
    for line in [
        "Device: Safari, iPhone",
        "Network address: 203.0.113.7",
        "Time: 2026-09-21 14:13 UTC",
    ] {
        assert!(mail.text.contains(line), "{line}: {}", mail.text);
    }
    login(&posted, FIREFOX, "198.51.100.1").await;
    posted.one().await;
}

#[tokio::test]
async fn e6_what_people_chose_to_be_called_is_not_in_mails() {
    let posted = start().await;
    let name = "<b>http://evil.example/ Ada</b>";
    let body = json!({"email": "o'neil&co@example.com", "password": PASSWORD, "name": name});
    posted.post("/api/register", &body).await.expect(201);
    let login = json!({"email": "o'neil&co@example.com", "password": PASSWORD, "device": "http://evil.example"});
    for agent in [
        "curl/8",
        "Mozilla http://evil.example/ <script>alert(1)</script>",
    ] {
        let request = posted
            .app
            .post("/api/login")
            .header("user-agent", agent)
            .json(&login);
        request.send().await.expect(200);
    }
    posted.forgot("o'neil&co@example.com").await.expect(202);
    let mails = posted.arrives().await;
    assert_eq!(mails.len(), 2);
    for mail in mails {
        assert!(
            !format!("{mail:?}").contains("evil") && !mail.html.contains("<script"),
            "{mail:?}"
        );
        assert_eq!(mail.to, "o'neil&co@example.com");
    }
}

#[tokio::test]
async fn p6_another_password_and_a_stolen_session_are_told() {
    let posted = start().await;
    let device = posted.app.user().await;
    let change = json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD});
    let changing = posted
        .app
        .post("/api/user/password")
        .bearer(&device.access)
        .json(&change);
    changing.send().await.expect(204);
    assert_eq!(posted.one().await.subject, "Your password was changed");
    posted.app.refreshed(&device).await;
    posted.app.wait(301);
    posted
        .app
        .refresh(&device.refresh)
        .await
        .problem(401, "refresh_token_reused");
    let mail = posted.one().await;
    assert_eq!(mail.subject, "A session of your account was ended");
    posted
        .app
        .refresh(&device.refresh)
        .await
        .problem(401, "refresh_token_reused");
    assert!(posted.arrives().await.is_empty(), "once");
    let user = posted.app.stored(&device).await;
    users::set_password(
        &posted.app.app,
        Actor::Operator,
        user,
        PASSWORD,
        &Default::default(),
    )
    .await
    .unwrap();
    assert_eq!(posted.one().await.subject, "Your password was reset");
}
