//! `POST /api/register`

use serde_json::{Value, json};
use symbolon_domain::audit::AuditKind;

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::{OTHER_PASSWORD, PASSWORD};

async fn register(app: &TestApp, body: &Value) -> Answer {
    app.post("/api/register").json(body).send().await
}

#[tokio::test]
async fn a_person_makes_an_account() {
    let app = TestApp::start().await;
    let body = json!({"email": "Ada@Example.com", "password": PASSWORD, "username": "ada", "name": " Ada Lovelace "});
    let answer = register(&app, &body).await;
    answer.expect(201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.header("set-cookie"),
        None,
        "registering signs nobody in"
    );
    let mut answer = answer.json();
    assert!(answer["message"].is_string());
    let user = answer["user"].take();
    let id: uuid::Uuid = user["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
    let expected = json!({
        "id": id, "email": "Ada@Example.com", "username": "ada", "name": "Ada Lovelace", "roles": ["user"],
        "emailVerified": false, "createdAt": "2026-09-21T14:13:20.5Z", "updatedAt": "2026-09-21T14:13:20.5Z",
    });
    assert_eq!(user, expected);
    let audit = app.audit(AuditKind::UserRegistered).await;
    assert_eq!(audit.len(), 1);
    assert_eq!(
        audit[0].subject.map(|id| id.to_string()),
        Some(id.to_string())
    );
    assert_eq!(audit[0].address.as_deref(), Some("127.0.0.1"));
}

#[tokio::test]
async fn username_and_name_may_be_absent_or_null() {
    let app = TestApp::start().await;
    let user = app.register("ada").await;
    assert_eq!(
        (&user["username"], &user["name"]),
        (&Value::Null, &Value::Null)
    );
    let body =
        json!({"email": "eve@example.com", "password": PASSWORD, "username": null, "name": null});
    assert_eq!(
        register(&app, &body).await.expect(201).json()["user"]["username"],
        Value::Null
    );
}

#[tokio::test]
async fn an_address_is_taken_in_any_case() {
    let app = TestApp::start().await;
    app.register("ada").await;
    for email in ["ada@example.com", "ADA@example.COM"] {
        let problem = register(&app, &json!({"email": email, "password": PASSWORD}))
            .await
            .problem(409, "conflict");
        assert!(
            problem["detail"].as_str().unwrap().contains("email"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn a_username_is_taken_in_any_case() {
    let app = TestApp::start().await;
    let first = json!({"email": "a@example.com", "password": PASSWORD, "username": "Ada"});
    register(&app, &first).await.expect(201);
    let second = json!({"email": "b@example.com", "password": PASSWORD, "username": "aDA"});
    let problem = register(&app, &second).await.problem(409, "conflict");
    assert!(
        problem["detail"].as_str().unwrap().contains("username"),
        "{problem}"
    );
}

#[tokio::test]
async fn two_at_once_for_one_address_make_one_account() {
    let app = TestApp::start().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let answers = futures_util::future::join_all((0..4).map(|_| register(&app, &body))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}

#[tokio::test]
async fn every_field_at_fault_is_named_at_once() {
    let app = TestApp::start().await;
    let body = json!({"email": "ada", "password": "short", "username": "a b", "name": "a\u{7}b"});
    let expected = [
        ("/email", "email_malformed"),
        ("/username", "username_malformed"),
        ("/name", "name_malformed"),
        ("/password", "password_too_short"),
    ];
    let fields = register(&app, &body).await.fields();
    assert_eq!(
        fields,
        expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()))
    );
    let fields = register(&app, &json!({})).await.fields();
    assert_eq!(
        fields,
        ["/email", "/password"].map(|pointer| (pointer.to_owned(), "required".to_owned()))
    );
    register(&app, &json!({"email": null, "password": PASSWORD}))
        .await
        .field("/email", "required");
}

#[tokio::test]
async fn p2_long_passwords_are_accepted_and_endless_ones_refused_before_hashing() {
    let app = TestApp::start().await;
    let long = |length: usize| "ä1-Ω".chars().cycle().take(length).collect::<String>();
    for length in [64, 128, 256] {
        let email = format!("u{length}@example.com");
        register(&app, &json!({"email": email, "password": long(length)}))
            .await
            .expect(201);
        let login = json!({"email": email, "password": long(length)});
        app.post("/api/login").json(&login).send().await.expect(200);
        let cut = json!({"email": email, "password": long(length - 1)});
        app.post("/api/login")
            .json(&cut)
            .send()
            .await
            .problem(401, "invalid_credentials");
    }
    let body = json!({"email": "ada@example.com", "password": long(257)});
    register(&app, &body)
        .await
        .field("/password", "password_too_long");
    let body = json!({"email": "ada@example.com", "password": "x".repeat(1024 * 1024)});
    register(&app, &body)
        .await
        .problem(413, "payload_too_large");
}

#[tokio::test]
async fn p4_guessable_passwords_are_refused() {
    let app = TestApp::start().await;
    for password in [
        "password123",
        "lovelace1815",
        "countess42",
        "Symbolon",
        "12345678",
    ] {
        let body = json!({"email": "lovelace1815@example.com", "username": "countess42", "password": password});
        register(&app, &body)
            .await
            .field("/password", "password_blocklisted");
    }
}

#[tokio::test]
async fn the_least_length_is_a_setting() {
    let app = TestApp::with(&[("password.min_length", "15")]).await;
    let body = json!({"email": "ada@example.com", "password": "14-characters!"});
    register(&app, &body)
        .await
        .field("/password", "password_too_short");
}

#[tokio::test]
async fn p8_password_of_the_wrong_type() {
    let app = TestApp::start().await;
    for password in [
        json!(["violet"]),
        json!({"$ne": ""}),
        json!(12_345_678),
        json!(true),
    ] {
        let body = json!({"email": "ada@example.com", "password": password});
        register(&app, &body)
            .await
            .field("/password", "type_mismatch");
    }
    let body = json!({"email": "ada@example.com", "password": ""});
    register(&app, &body)
        .await
        .field("/password", "password_too_short");
}

#[tokio::test]
async fn m2_h5_mass_assignment_is_refused() {
    let app = TestApp::start().await;
    for (member, value) in [
        ("roles", json!(["admin"])),
        ("emailVerified", json!(true)),
        ("email_verified", json!(true)),
        ("id", json!("0199b0f0-0000-7000-8000-000000000000")),
        ("status", json!("active")),
        ("isAdmin", json!(true)),
        ("tokenVersion", json!(7)),
        ("__proto__", json!({"admin": true})),
    ] {
        let body = json!({"email": "ada@example.com", "password": PASSWORD, member: value});
        let fields = register(&app, &body).await.fields();
        assert_eq!(fields.len(), 1);
        assert_eq!(fields[0].1, "unknown_field", "{member}: {fields:?}");
    }
    assert!(app.audit(AuditKind::UserRegistered).await.is_empty());
}

#[tokio::test]
async fn n9_nul_and_broken_unicode_are_refused_and_reach_no_database() {
    let app = TestApp::start().await;
    for member in ["email", "username", "name", "password"] {
        for text in ["nul\0in the middle", "\0"] {
            let mut body = json!({"email": "ada@example.com", "password": PASSWORD});
            body[member] = json!(text);
            let fields = register(&app, &body).await.fields();
            assert_eq!(fields[0].0, format!("/{member}"));
        }
    }
    let surrogate =
        format!(r#"{{"email":"ada@example.com","password":"{PASSWORD}","name":"\ud800"}}"#);
    app.post("/api/register")
        .text_json(&surrogate)
        .send()
        .await
        .problem(400, "malformed_request");
    let mut bytes =
        format!(r#"{{"email":"ada@example.com","password":"{PASSWORD}","name":""#).into_bytes();
    bytes.extend(b"\xff\xfe\"}");
    let answer = app
        .post("/api/register")
        .header("content-type", "application/json")
        .body(bytes)
        .send()
        .await;
    answer.problem(400, "malformed_request");
}

#[tokio::test]
async fn a_closed_registration_is_forbidden() {
    let app = TestApp::with(&[("registration.mode", "closed")]).await;
    let body = json!({"email": "ada@example.com", "password": OTHER_PASSWORD});
    let refused = register(&app, &body).await;
    refused.problem(403, "forbidden");
    assert!(refused.text().contains("by invitation only"));
}

#[tokio::test]
async fn l3_one_network_cannot_make_accounts_without_end() {
    let app = TestApp::start().await;
    // What is refused for its fields counts too, and needs no hash.
    let body = json!({"email": "ada", "password": PASSWORD});
    for _ in 0..100 {
        register(&app, &body).await.expect(422);
    }
    register(&app, &body).await.problem(429, "rate_limited");
    app.wait(11);
    register(&app, &body).await.expect(422);
}
