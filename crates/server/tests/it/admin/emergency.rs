//! `/api/admin/keys`, `/api/admin/revocations`, `/api/admin/stats`

use serde_json::{Value, json};
use symbolon_domain::audit::AuditKind;

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::Device;

async fn post(app: &TestApp, by: &Device, path: &str, body: &Value) -> Answer {
    let request = app.post(&format!("/api/admin/{path}")).bearer(&by.access);
    request.json(body).send().await
}

async fn get(app: &TestApp, by: &Device, path: &str) -> Answer {
    app.get(&format!("/api/admin/{path}"))
        .bearer(&by.access)
        .send()
        .await
}

#[tokio::test]
async fn keys_are_rotated_and_withdrawn() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let before = get(&app, &admin, "keys").await.expect(200).json();
    let keys = before["items"].as_array().unwrap();
    let mut purposes: Vec<_> = keys
        .iter()
        .map(|key| key["purpose"].as_str().unwrap())
        .collect();
    // Both were made in the same millisecond, so that their names decide which comes first.
    purposes.sort_unstable();
    assert_eq!(purposes, ["refresh", "sign"]);

    let made = post(&app, &admin, "keys", &json!({})).await;
    let key = made.expect(201).json();
    assert_eq!(
        (&key["state"], &key["algorithm"]),
        (&json!("published"), &json!("ES256"))
    );
    let kid = key["kid"].as_str().unwrap();
    assert_eq!(
        made.header("location"),
        Some(format!("/api/admin/keys/{kid}").as_str())
    );
    assert_eq!(
        get(&app, &admin, &format!("keys/{kid}"))
            .await
            .expect(200)
            .json(),
        key
    );
    get(&app, &admin, "keys/none")
        .await
        .problem(404, "not_found");

    let withdraw = |kid: &str| {
        let path = format!("/api/admin/keys/{kid}");
        app.delete(&path).bearer(&admin.access).send()
    };
    withdraw(kid).await.expect(204);
    withdraw(kid).await.problem(404, "not_found");
    withdraw("refresh-1").await.problem(404, "not_found");
    let line = &app.audit(AuditKind::KeyWithdrawn).await[0];
    assert_eq!(line.actor.unwrap().to_string(), admin.user);
    assert_eq!(
        app.audit(AuditKind::KeyRotated).await[0].detail.as_deref(),
        Some(kid)
    );
    post(&app, &admin, "keys", &json!({"algorithm": "none"}))
        .await
        .field("/algorithm", "unknown_field");
}

#[tokio::test]
async fn a_withdrawn_key_kills_what_it_signed() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let kid = crate::people::header(&admin.access)["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/admin/keys/{kid}");
    app.delete(&path)
        .bearer(&admin.access)
        .send()
        .await
        .expect(204);
    let answer = app.profile(&admin.access).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn tokens_are_killed_and_renewed() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let device = app.user().await;
    let body = json!({"kind": "user", "id": device.user, "effect": "stale"});
    post(&app, &admin, "revocations", &body).await.expect(204);
    app.profile(&device.access)
        .await
        .problem(401, "token_stale");
    let device = app.refreshed(&device).await;
    let jti = crate::people::claims(&device.access)["jti"].clone();
    let body = json!({"kind": "token", "id": jti});
    post(&app, &admin, "revocations", &body).await.expect(204);
    app.profile(&device.access)
        .await
        .problem(401, "token_revoked");
    let device = app.refreshed(&device).await;
    let body = json!({"kind": "session", "id": device.sid});
    post(&app, &admin, "revocations", &body).await.expect(204);
    app.assert_signed_out(&device).await;
    post(&app, &admin, "revocations", &body)
        .await
        .problem(404, "not_found");
    let list = get(&app, &admin, "revocations").await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
    let lines = app.audit(AuditKind::TokensRevoked).await;
    assert!(
        lines
            .iter()
            .all(|line| line.actor.unwrap().to_string() == admin.user)
    );
    // The emergency brake hits whoever pulls it, too.
    post(&app, &admin, "revocations", &json!({"kind": "all"}))
        .await
        .expect(204);
    app.profile(&admin.access)
        .await
        .problem(401, "token_revoked");
}

#[tokio::test]
async fn n9_what_cannot_be_revoked_is_named() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let nul = "a\u{0}b";
    for (body, pointer, code) in [
        (json!({}), "/kind", "required"),
        (json!({"kind": "user"}), "/id", "required"),
        (json!({"kind": "all", "id": "x"}), "/id", "unexpected"),
        (json!({"kind": "key", "id": "x"}), "/kind", "kind_unknown"),
        (json!({"kind": "user", "id": "ada"}), "/id", "id_malformed"),
        (json!({"kind": "client", "id": nul}), "/id", "id_malformed"),
        (
            json!({"kind": "client", "id": "x".repeat(256)}),
            "/id",
            "id_malformed",
        ),
        (
            json!({"kind": "client", "id": "x", "effect": "dead"}),
            "/effect",
            "effect_unknown",
        ),
        (
            json!({"kind": "client", "id": "x", "until": 1}),
            "/until",
            "unknown_field",
        ),
    ] {
        post(&app, &admin, "revocations", &body)
            .await
            .field(pointer, code);
    }
    let nobody = json!({"kind": "user", "id": "01900000-0000-7000-8000-000000000000"});
    post(&app, &admin, "revocations", &nobody)
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn numbers_are_counted_and_kept_for_ten_seconds() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.register("ada").await;
    app.wait(3 * 24 * 3600);
    let admin = app.refreshed(&admin).await;
    let wrong = json!({"email": "ada@example.com", "password": "wrong and wrong"});
    app.post("/api/login").json(&wrong).send().await.expect(401);
    let exactly = |count: u32| json!({"count": count, "exact": true});
    let first = get(&app, &admin, "stats").await.expect(200).json();
    assert_eq!(
        first["users"],
        json!({"active": exactly(2), "disabled": exactly(0)})
    );
    assert_eq!(first["liveSessions"], exactly(1));
    let (day, week) = (&first["signIns"]["lastDay"], &first["signIns"]["lastWeek"]);
    assert_eq!(*day, json!({"succeeded": exactly(0), "failed": exactly(1)}));
    assert_eq!(
        *week,
        json!({"succeeded": exactly(1), "failed": exactly(1)})
    );
    assert_eq!(
        (&first["keys"], &first["uptimeSeconds"]),
        (&json!(2), &json!(259_200))
    );
    assert!(first["databaseBytes"].as_i64().unwrap() > 0);

    app.register("eve").await;
    assert_eq!(get(&app, &admin, "stats").await.json(), first);
    app.wait(10);
    let next = get(&app, &admin, "stats").await.json();
    assert_eq!(next["users"]["active"], exactly(3));
}
