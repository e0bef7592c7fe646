//! `POST /api/password/forgot`, `POST /api/password/reset`

use serde_json::json;
use symbolon::flows::actor::Actor;
use symbolon::flows::users;
use symbolon_domain::UserStatus;
use symbolon_domain::audit::AuditKind;

use super::{Posted, invalid_link};
use crate::people::{OTHER_PASSWORD, PASSWORD};

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_the_link_in_a_mail() {
    let posted = Posted::with(&[("registration.verification", "off")]).await;
    let here = posted.app.user().await;
    let there = posted.app.login("ada").await;
    let asked = posted.forgot("ADA@example.com").await;
    asked.expect(202);
    assert_eq!(asked.body, b"");
    let mail = posted.one().await;
    assert_eq!(mail.to, "ada@example.com");
    assert_eq!(mail.subject, "Choose a new password");
    let base = format!("http://{}/reset-password?token=sbl_", posted.app.address);
    assert!(mail.link().starts_with(&base), "{}", mail.link());

    let body = json!({"token": mail.token(), "newPassword": OTHER_PASSWORD});
    let answer = posted.post("/api/password/reset", &body).await;
    answer.expect(204);
    assert_eq!(
        answer.header("set-cookie"),
        None,
        "nobody is signed in by it"
    );
    // P6
    posted.app.assert_signed_out(&here).await;
    posted.app.assert_signed_out(&there).await;
    let old = json!({"email": here.email, "password": PASSWORD});
    posted
        .post("/api/login", &old)
        .await
        .problem(401, "invalid_credentials");
    let device = posted.app.login_new_password().await;
    assert!(
        posted.app.stored(&device).await.email_verified,
        "who gets the mail owns the address"
    );
    let notice = posted.one().await;
    assert_eq!(
        (notice.subject.as_str(), notice.to.as_str()),
        ("Your password was reset", "ada@example.com")
    );
    assert!(!notice.text.contains("token="));
    let asked = posted.app.audit(AuditKind::PasswordResetAsked).await;
    assert_eq!(
        asked[0].subject.map(|id| id.to_string()),
        Some(device.user.clone())
    );
    assert_eq!(asked[0].address.as_deref(), Some("127.0.0.1"));
    assert_eq!(posted.app.audit(AuditKind::PasswordReset).await.len(), 1);
}

#[tokio::test]
async fn l7_nothing_tells_whether_there_is_an_account() {
    let posted = Posted::start().await;
    posted.app.register("ada").await;
    posted.arrives().await;
    let mut answers = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let mut answer = posted.forgot(email).await;
        answer.expect(202);
        answer.drop_header("x-request-id");
        answer.drop_header("date");
        // It counts down.
        answer.drop_header("ratelimit");
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
    let waiting = posted.app.app.store.count_waiting_mail(10).await.unwrap();
    assert_eq!(waiting, 2, "the same is written for both");
    let mails = posted.arrives().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(posted.sink.recipients().last().unwrap(), "ada@example.com");
    assert_eq!(
        posted.app.app.store.count_waiting_mail(10).await.unwrap(),
        0
    );
}

#[tokio::test]
async fn e2_a_link_works_once() {
    let posted = Posted::start().await;
    posted.app.register("ada").await;
    posted.arrives().await;
    posted.forgot("ada@example.com").await.expect(202);
    let token = posted.one().await.token();
    let body = json!({"token": token, "newPassword": OTHER_PASSWORD});
    let tries = (0..5).map(|_| posted.post("/api/password/reset", &body));
    let answers = futures_util::future::join_all(tries).await;
    let good = answers.iter().filter(|answer| answer.status == 204).count();
    assert_eq!(good, 1, "of those at once");
    for answer in answers.iter().filter(|answer| answer.status != 204) {
        invalid_link(answer);
    }
    invalid_link(&posted.post("/api/password/reset", &body).await);
}

#[tokio::test]
async fn e2_a_link_is_void_after_a_newer_one_half_an_hour_or_another_password() {
    let posted = Posted::start().await;
    posted.app.register("ada").await;
    posted.arrives().await;
    let reset = async |token: &str| {
        let body = json!({"token": token, "newPassword": OTHER_PASSWORD});
        posted.post("/api/password/reset", &body).await
    };
    posted.forgot("ada@example.com").await.expect(202);
    let first = posted.one().await.token();
    posted.forgot("ada@example.com").await.expect(202);
    let second = posted.one().await.token();
    assert_ne!(first, second);
    invalid_link(&reset(&first).await);
    posted.app.wait(30 * 60);
    invalid_link(&reset(&second).await);

    posted.forgot("ada@example.com").await.expect(202);
    let third = posted.one().await.token();
    // One that has not gone out yet is void as well.
    posted.forgot("ada@example.com").await.expect(202);
    let device = posted.app.login("ada").await;
    let change = json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD});
    let changing = posted
        .app
        .post("/api/user/password")
        .bearer(&device.access)
        .json(&change);
    changing.send().await.expect(204);
    invalid_link(&reset(&third).await);
    let subjects: Vec<_> = posted
        .arrives()
        .await
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    assert_eq!(subjects, ["Your password was changed"]);
    for garbage in [
        "",
        "sbl_",
        "x",
        &format!("sbl_{}", "A".repeat(43)),
        &first[..40],
        "sbl_\u{0}",
    ] {
        invalid_link(&reset(garbage).await);
    }
}

#[tokio::test]
async fn a_bad_password_does_not_use_the_link_up() {
    let posted = Posted::start().await;
    posted.app.register("ada").await;
    posted.arrives().await;
    posted.forgot("ada@example.com").await.expect(202);
    let token = posted.one().await.token();
    for (new, code) in [
        ("short", "password_too_short"),
        ("password123", "password_blocklisted"),
    ] {
        let body = json!({"token": token, "newPassword": new});
        posted
            .post("/api/password/reset", &body)
            .await
            .field("/newPassword", code);
    }
    let empty = posted
        .post("/api/password/reset", &json!({}))
        .await
        .fields();
    assert_eq!(empty.len(), 2, "{empty:?}");
    let more = json!({"token": token, "newPassword": OTHER_PASSWORD, "userId": "x"});
    assert_eq!(
        posted.post("/api/password/reset", &more).await.fields()[0].1,
        "unknown_field"
    );
    let body = json!({"token": token, "newPassword": OTHER_PASSWORD});
    posted.post("/api/password/reset", &body).await.expect(204);
}

#[tokio::test]
async fn h1_who_made_an_account_with_another_ones_address_loses_it_to_the_owner() {
    let posted = Posted::start().await;
    // Not Ada: somebody who used her address.
    let thief = posted.app.user().await;
    posted.arrives().await;
    posted.forgot("ada@example.com").await.expect(202);
    let body = json!({"token": posted.one().await.token(), "newPassword": OTHER_PASSWORD});
    posted.post("/api/password/reset", &body).await.expect(204);
    posted.app.assert_signed_out(&thief).await;
    let theirs = json!({"email": "ada@example.com", "password": PASSWORD});
    posted
        .post("/api/login", &theirs)
        .await
        .problem(401, "invalid_credentials");
}

#[tokio::test]
async fn a_disabled_account_stays_disabled() {
    let posted = Posted::start().await;
    let device = posted.app.user().await;
    posted.arrives().await;
    let user = posted.app.stored(&device).await;
    users::set_status(
        &posted.app.app,
        Actor::Operator,
        user,
        UserStatus::Disabled,
        &Default::default(),
    )
    .await
    .unwrap();
    posted.forgot("ada@example.com").await.expect(202);
    let body = json!({"token": posted.one().await.token(), "newPassword": OTHER_PASSWORD});
    posted.post("/api/password/reset", &body).await.expect(204);
    let login = json!({"email": "ada@example.com", "password": OTHER_PASSWORD});
    posted
        .post("/api/login", &login)
        .await
        .problem(403, "account_disabled");
}

#[tokio::test]
async fn e1_no_header_of_the_request_makes_a_link() {
    let posted = Posted::with(&[("server.issuer", "https://login.example.com")]).await;
    posted.app.register("ada").await;
    posted.arrives().await;
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.example;proto=http"),
        ("origin", "https://login.example.com"),
    ] {
        let asking = posted.app.post("/api/password/forgot").header(name, value);
        asking
            .json(&json!({"email": "ada@example.com"}))
            .send()
            .await
            .expect(202);
        let mail = posted.one().await;
        assert!(
            mail.link()
                .starts_with("https://login.example.com/reset-password?token="),
            "{name}"
        );
        assert!(!format!("{mail:?}").contains("evil"), "{name}");
        posted.app.wait(3600);
    }
}

#[tokio::test]
async fn e7_an_address_gets_five_mails_an_hour_however_often_it_is_named() {
    let posted = Posted::with(&[("throttle.enabled", "false")]).await;
    posted.app.register("ada").await;
    posted.arrives().await;
    posted.app.wait(3600);
    for _ in 0..1_000 {
        posted.forgot("ada@example.com").await.expect(202);
    }
    let mails = posted.arrives().await;
    assert_eq!(mails.len(), 5);
    let mut good = 0;
    for mail in &mails {
        let body = json!({"token": mail.token(), "newPassword": "short"});
        good += usize::from(posted.post("/api/password/reset", &body).await.status == 422);
    }
    assert_eq!(good, 1, "one live token");
    posted.app.wait(3600);
    posted.forgot("ada@example.com").await.expect(202);
    posted.one().await;
}

#[tokio::test]
async fn one_network_asks_for_so_many() {
    let posted = Posted::start().await;
    for number in 0..60 {
        posted
            .forgot(&format!("user{number}@example.com"))
            .await
            .expect(202);
    }
    let refused = posted.forgot("another@example.com").await;
    refused.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("20"));
    posted.app.wait(20);
    posted.forgot("another@example.com").await.expect(202);
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let posted = Posted::start().await;
    for (body, code) in [
        (json!({}), "required"),
        (json!({"email": "ada"}), "email_malformed"),
        (json!({"email": "a\u{0}@example.com"}), "email_malformed"),
        (json!({"email": "a@b.c\r\nBcc: x@y.z"}), "email_malformed"),
        (json!({"email": 1}), "type_mismatch"),
    ] {
        posted
            .post("/api/password/forgot", &body)
            .await
            .field("/email", code);
    }
    assert!(posted.arrives().await.is_empty());
}
