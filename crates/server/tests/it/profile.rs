//! `GET`, `PATCH`, `DELETE /api/user/profile`

use serde_json::{Value, json};
use symbolon_domain::audit::AuditKind;

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::{Device, OTHER_PASSWORD, PASSWORD};

async fn change(app: &TestApp, device: &Device, body: &Value) -> Answer {
    app.patch("/api/user/profile")
        .bearer(&device.access)
        .json(body)
        .send()
        .await
}

async fn delete(app: &TestApp, device: &Device, password: &str) -> Answer {
    app.delete("/api/user/profile")
        .bearer(&device.access)
        .json(&json!({"password": password}))
        .send()
        .await
}

#[tokio::test]
async fn the_profile_is_the_user_bare() {
    let app = TestApp::start().await;
    let user = app.register("ada").await;
    let device = app.login("ada").await;
    assert_eq!(app.profile(&device.access).await.expect(200).json(), user);
    let mut names: Vec<_> = user
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    let expected = [
        "createdAt",
        "email",
        "emailVerified",
        "id",
        "name",
        "roles",
        "updatedAt",
        "username",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn name_and_username_can_be_set_and_cleared() {
    let app = TestApp::start().await;
    let device = app.user().await;
    app.wait(5);
    let answer = change(&app, &device, &json!({"name": "Ada L.", "username": "ada"}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&answer["name"], &answer["username"]),
        (&json!("Ada L."), &json!("ada"))
    );
    assert_eq!(
        (&answer["createdAt"], &answer["updatedAt"]),
        (
            &json!("2026-09-21T14:13:20.5Z"),
            &json!("2026-09-21T14:13:25.5Z")
        )
    );
    let answer = change(&app, &device, &json!({"name": null}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&answer["name"], &answer["username"]),
        (&Value::Null, &json!("ada"))
    );
    let same = change(&app, &device, &json!({})).await.expect(200).json();
    assert_eq!(same["username"], "ada");
    assert_eq!(app.profile(&device.access).await.json()["username"], "ada");
    assert_eq!(app.audit(AuditKind::ProfileChanged).await.len(), 2);
    let login = json!({"username": "ada", "password": PASSWORD});
    app.post("/api/login").json(&login).send().await.expect(200);
}

#[tokio::test]
async fn a_taken_username_is_a_conflict() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user().await, app.other_user().await);
    change(&app, &ada, &json!({"username": "ada"}))
        .await
        .expect(200);
    change(&app, &eve, &json!({"username": "ADA"}))
        .await
        .problem(409, "conflict");
    change(&app, &ada, &json!({"username": "Ada"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn m2_h5_nobody_changes_what_is_not_theirs_to_change() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let before = app.profile(&device.access).await.json();
    for (member, value) in [
        ("roles", json!(["admin"])),
        ("email", json!("other@example.com")),
        ("emailVerified", json!(true)),
        ("email_verified", json!(true)),
        ("id", json!("0199b0f0-0000-7000-8000-000000000000")),
        ("isAdmin", json!(true)),
        ("is_admin", json!(true)),
        ("status", json!("active")),
        ("tenant_id", json!(1)),
        ("password", json!(OTHER_PASSWORD)),
        ("createdAt", json!("2020-01-01T00:00:00Z")),
    ] {
        let fields = change(&app, &device, &json!({"name": "Eve", member: value}))
            .await
            .fields();
        assert_eq!(fields[0].1, "unknown_field", "{member}: {fields:?}");
    }
    assert_eq!(app.profile(&device.access).await.json(), before);
}

#[tokio::test]
async fn wrong_values_are_named() {
    let app = TestApp::start().await;
    let device = app.user().await;
    change(&app, &device, &json!({"name": "a\0b"}))
        .await
        .field("/name", "name_malformed");
    change(&app, &device, &json!({"username": "a@b"}))
        .await
        .field("/username", "username_malformed");
    change(&app, &device, &json!({"username": "ab"}))
        .await
        .field("/username", "username_too_short");
    change(&app, &device, &json!({"username": 7}))
        .await
        .field("/username", "type_mismatch");
    let both = change(
        &app,
        &device,
        &json!({"name": " ", "username": "x".repeat(65)}),
    )
    .await
    .fields();
    assert_eq!(both.len(), 2);
}

#[tokio::test]
async fn deleting_asks_for_the_password_and_ends_everything() {
    let app = TestApp::start().await;
    let (here, there, other) = (
        app.user().await,
        app.login("ada").await,
        app.other_user().await,
    );
    delete(&app, &here, OTHER_PASSWORD)
        .await
        .problem(403, "wrong_password");
    let missing = app
        .delete("/api/user/profile")
        .bearer(&here.access)
        .json(&json!({}));
    missing.send().await.field("/password", "required");
    app.delete("/api/user/profile")
        .bearer(&here.access)
        .send()
        .await
        .problem(415, "unsupported_media_type");
    app.profile(&here.access).await.expect(200);

    let answer = delete(&app, &here, PASSWORD).await;
    assert!(
        answer
            .expect(204)
            .header("set-cookie")
            .unwrap()
            .contains("Max-Age=0")
    );
    app.assert_signed_out(&here).await;
    app.assert_signed_out(&there).await;
    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    app.post("/api/login")
        .json(&login)
        .send()
        .await
        .problem(401, "invalid_credentials");
    assert_eq!(app.audit(AuditKind::UserDeleted).await.len(), 1);
    app.assert_signed_in(&other).await;

    // The address is free, and whoever takes it gets nothing of what was.
    let again = app.user().await;
    assert_ne!(again.user, here.user);
    app.assert_signed_out(&here).await;
    app.assert_signed_in(&again).await;
}

#[tokio::test]
async fn m4_the_last_administrator_stays() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    delete(&app, &admin, PASSWORD)
        .await
        .problem(409, "conflict");
    app.assert_signed_in(&admin).await;
}

/// Each change makes an administrator who is about to disable the account decide again.
#[tokio::test]
async fn m4_nobody_fends_off_an_administrator_by_changing_the_own_profile() {
    let app = TestApp::start().await;
    let ada = app.user().await;
    let change = |name: String| {
        let request = app.patch("/api/user/profile").bearer(&ada.access);
        request.json(&json!({ "name": name })).send()
    };
    for number in 0..60 {
        change(format!("Ada {number}")).await.expect(200);
    }
    let limited = change("Ada".to_owned()).await;
    limited.problem(429, "rate_limited");
    assert_eq!(limited.header("retry-after"), Some("2"));
    app.wait(2);
    // What changes nothing writes nothing.
    let version = app.stored(&ada).await.version;
    change("Ada 59".to_owned()).await.expect(200);
    assert_eq!(app.stored(&ada).await.version, version);
    assert_eq!(app.audit(AuditKind::ProfileChanged).await.len(), 60);
}
