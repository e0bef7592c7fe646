//! Confirming addresses: `POST /api/user/email/verification`, `POST /api/email/verify`, and what depends on it.

use serde_json::json;
use symbolon::flows::users;
use symbolon_domain::audit::AuditKind;

use super::{Posted, invalid_link};
use crate::people::{OTHER_PASSWORD, PASSWORD};

#[tokio::test]
async fn an_address_is_confirmed_by_the_link_in_a_mail() {
    let posted = Posted::start().await;
    let device = posted.app.user().await;
    let mail = posted.one().await;
    assert_eq!(
        (mail.subject.as_str(), mail.to.as_str()),
        ("Confirm your e-mail address", "ada@example.com")
    );
    assert_eq!(
        posted.app.profile(&device.access).await.json()["emailVerified"],
        false
    );
    let body = json!({"token": mail.token()});
    posted.post("/api/email/verify", &body).await.expect(204);
    assert_eq!(
        posted.app.profile(&device.access).await.json()["emailVerified"],
        true
    );
    posted.app.assert_signed_in(&device).await;
    invalid_link(&posted.post("/api/email/verify", &body).await);
    assert_eq!(posted.app.audit(AuditKind::EmailVerified).await.len(), 1);
    // Nothing more is sent, and the answer is the same.
    ask(&posted, &device.access).await;
    assert!(posted.arrives().await.is_empty());
}

async fn ask(posted: &Posted, access: &str) {
    let asking = posted
        .app
        .post("/api/user/email/verification")
        .bearer(access);
    assert_eq!(asking.send().await.expect(202).body, b"");
}

#[tokio::test]
async fn the_mail_is_sent_again_and_the_newest_counts() {
    let posted = Posted::start().await;
    let device = posted.app.user().await;
    let first = posted.one().await.token();
    ask(&posted, &device.access).await;
    let second = posted.one().await.token();
    invalid_link(
        &posted
            .post("/api/email/verify", &json!({"token": first}))
            .await,
    );
    // A link is good for what it was made for only.
    let reset = json!({"token": second, "newPassword": OTHER_PASSWORD});
    invalid_link(&posted.post("/api/password/reset", &reset).await);
    posted
        .post("/api/email/verify", &json!({"token": second}))
        .await
        .expect(204);
}

#[tokio::test]
async fn without_a_mail_server_nobody_is_asked() {
    let posted = Posted::with(&[("registration.verification", "off")]).await;
    posted.app.user().await;
    assert!(posted.arrives().await.is_empty());
}

#[tokio::test]
async fn where_it_is_required_nobody_signs_in_before() {
    let posted = Posted::with(&[("registration.verification", "required")]).await;
    posted.app.register("ada").await;
    posted.one().await;
    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    let wrong = json!({"email": "ada@example.com", "password": OTHER_PASSWORD});
    posted
        .post("/api/login", &wrong)
        .await
        .problem(401, "invalid_credentials");
    posted
        .post("/api/login", &login)
        .await
        .problem(403, "email_not_verified");
    let token = posted.one().await.token();
    posted
        .post("/api/email/verify", &json!({"token": token}))
        .await
        .expect(204);
    posted.app.login("ada").await;
    let failed = posted.app.audit(AuditKind::LoginFailed).await;
    let reasons = failed.iter().filter_map(|event| event.detail.as_deref());
    assert!(
        reasons
            .into_iter()
            .any(|reason| reason == "email_not_verified")
    );
}

#[tokio::test]
async fn l7_where_it_is_required_registering_does_not_tell_whose_address_is_taken() {
    let posted = Posted::with(&[("registration.verification", "required")]).await;
    let body = |email: &str, username: &str| json!({"email": email, "password": PASSWORD, "username": username, "name": "A"});
    let mut answers = Vec::new();
    for (email, username) in [("ada@example.com", "ada"), ("ADA@example.com", "eve")] {
        let answer = posted.post("/api/register", &body(email, username)).await;
        answer.expect(201);
        let mut user = answer.json()["user"].clone();
        let id: uuid::Uuid = user["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(id.get_version_num(), 7);
        user["id"] = json!("");
        user["email"] = json!("");
        user["username"] = json!("");
        answers.push((answer.json()["message"].clone(), user, answer.body.len()));
    }
    assert_eq!(answers[0], answers[1]);
    let mails = posted.arrives().await;
    let mut subjects: Vec<_> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(
        subjects,
        ["Confirm your e-mail address", "You already have an account"]
    );
    for mail in &mails {
        assert_eq!(
            mail.to, "ada@example.com",
            "the address that the account has"
        );
    }
    let told = mails
        .iter()
        .find(|mail| mail.subject.starts_with("You already"))
        .unwrap();
    assert!(
        !told.text.contains("token="),
        "nothing to take an account over with"
    );
}

#[tokio::test]
async fn l7_where_it_is_required_a_username_that_is_taken_tells_nothing_of_an_address() {
    let posted = Posted::with(&[("registration.verification", "required")]).await;
    for email in ["ada@example.com", "ada@example.com", "new@example.com"] {
        let body = json!({"email": email, "password": PASSWORD, "username": "ada"});
        let answer = posted.post("/api/register", &body).await;
        answer.expect(201);
        assert_eq!(answer.json()["user"]["username"], "ada", "{email}");
    }
    let username = async |email| {
        let found = users::find(&posted.app.app, email).await.unwrap();
        found.username.map(|name| name.to_string())
    };
    assert_eq!(username("ada@example.com").await.as_deref(), Some("ada"));
    assert_eq!(username("new@example.com").await, None);
}

#[tokio::test]
async fn addresses_of_some_domains_only() {
    let posted = Posted::with(&[("registration.domains", "Example.org,example.com")]).await;
    for (email, good) in [
        ("a@example.com", true),
        ("b@EXAMPLE.ORG", true),
        ("c@sub.example.com", false),
        ("d@example.com.evil.example", false),
        ("e@xample.com", false),
    ] {
        let answer = posted
            .post(
                "/api/register",
                &json!({"email": email, "password": PASSWORD}),
            )
            .await;
        match good {
            true => drop(answer.expect(201)),
            false => answer.field("/email", "email_domain"),
        }
    }
}

#[tokio::test]
async fn h5_nobody_says_of_themselves_that_the_address_is_confirmed() {
    let posted = Posted::start().await;
    let device = posted.app.user().await;
    let patch = json!({"emailVerified": true});
    let changing = posted
        .app
        .patch("/api/user/profile")
        .bearer(&device.access)
        .json(&patch);
    assert_eq!(changing.send().await.fields()[0].1, "unknown_field");
    let register = json!({"email": "b@example.com", "password": PASSWORD, "emailVerified": true});
    assert_eq!(
        posted.post("/api/register", &register).await.fields()[0].1,
        "unknown_field"
    );
    assert!(!posted.app.stored(&device).await.email_verified);
}

#[tokio::test]
async fn mail_is_in_the_language_of_its_reader() {
    let posted = Posted::start().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let registering = posted.app.post("/api/register").json(&body);
    registering
        .header("accept-language", "pl-PL,de;q=0.5")
        .send()
        .await
        .expect(201);
    let mail = posted.one().await;
    assert_eq!(mail.subject, "Potwierdź swój adres e-mail");
    assert_eq!(mail.header("content-language"), "pl");
    assert!(mail.html.contains("<html lang=\"pl\">"));
    // Somebody else's browser does not change it.
    let asking = posted
        .app
        .post("/api/password/forgot")
        .header("accept-language", "fr");
    asking
        .json(&json!({"email": "ada@example.com"}))
        .send()
        .await
        .expect(202);
    assert_eq!(posted.one().await.subject, "Wybierz nowe hasło");
}
