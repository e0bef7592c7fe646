//! `POST /api/user/password`

use serde_json::{Value, json};
use symbolon::flows::actor::Actor;
use symbolon::flows::users;
use symbolon_domain::audit::AuditKind;
use symbolon_domain::{Session, SessionId};

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::{Device, OTHER_PASSWORD, PASSWORD};

async fn change(app: &TestApp, device: &Device, body: &Value) -> Answer {
    app.post("/api/user/password")
        .bearer(&device.access)
        .json(body)
        .send()
        .await
}

fn good() -> Value {
    json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD})
}

#[tokio::test]
async fn p6_a_change_keeps_this_session_and_ends_the_others() {
    let app = TestApp::start().await;
    let (here, there, elsewhere) = (
        app.user().await,
        app.login("ada").await,
        app.login("ada").await,
    );
    let refreshed = app.refreshed(&there).await;
    let other = app.other_user().await;
    let answer = change(&app, &here, &good()).await;
    assert_eq!(
        (answer.expect(204).body.len(), answer.header("set-cookie")),
        (0, None)
    );
    for dead in [&there, &refreshed, &elsewhere] {
        app.assert_signed_out(dead).await;
    }
    app.assert_signed_in(&here).await;
    app.assert_signed_in(&other).await;
    let login = |password: &str| {
        app.post("/api/login")
            .json(&json!({"email": here.email, "password": password}))
            .send()
    };
    login(PASSWORD).await.problem(401, "invalid_credentials");
    login(OTHER_PASSWORD).await.expect(200);
    assert_eq!(app.audit(AuditKind::PasswordChanged).await.len(), 1);
}

#[tokio::test]
async fn p6_more_sessions_than_the_limit_do_not_keep_the_password() {
    let app = TestApp::start().await;
    let (here, there) = (app.user().await, app.login("ada").await);
    let store = &app.app.store;
    let like = store.find_session(there.sid.parse().unwrap()).await;
    let like = like.unwrap().unwrap();
    // As sign-ins at once can leave them behind: each counted before the others were stored.
    let mut batch = store.batch();
    for _ in 0..150 {
        let id = app.app.rng.uuid_v7(app.clock.now()).unwrap();
        let session = Session {
            id: SessionId::new(id),
            ..like.clone()
        };
        batch.insert_session(&session);
    }
    batch.commit().await.unwrap();
    change(&app, &here, &good()).await.expect(204);
    app.assert_signed_out(&there).await;
    app.assert_signed_in(&here).await;
    assert_eq!(
        store
            .count_live_sessions(like.user, app.clock.now())
            .await
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn p5_the_current_password_is_asked_for() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let wrong = json!({"currentPassword": OTHER_PASSWORD, "newPassword": OTHER_PASSWORD});
    change(&app, &device, &wrong)
        .await
        .problem(403, "wrong_password");
    change(&app, &device, &json!({"newPassword": OTHER_PASSWORD}))
        .await
        .field("/currentPassword", "required");
    change(&app, &device, &json!({"currentPassword": PASSWORD}))
        .await
        .field("/newPassword", "required");
    let empty = json!({"currentPassword": "", "newPassword": OTHER_PASSWORD});
    change(&app, &device, &empty)
        .await
        .field("/currentPassword", "required");
    let login = json!({"email": device.email, "password": PASSWORD});
    app.post("/api/login").json(&login).send().await.expect(200);
}

#[tokio::test]
async fn the_new_one_is_judged_like_any_other() {
    let app = TestApp::start().await;
    let device = app.user().await;
    for (new, code) in [
        ("short", "password_too_short"),
        ("password123", "password_blocklisted"),
        ("a\0bcdefgh", "password_malformed"),
    ] {
        let body = json!({"currentPassword": PASSWORD, "newPassword": new});
        change(&app, &device, &body)
            .await
            .field("/newPassword", code);
    }
    let types = json!({"currentPassword": PASSWORD, "newPassword": ["x"]});
    change(&app, &device, &types)
        .await
        .field("/newPassword", "type_mismatch");
    let unknown =
        json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD, "userId": "x"});
    assert_eq!(
        change(&app, &device, &unknown).await.fields()[0].1,
        "unknown_field"
    );
    app.assert_signed_in(&device).await;
}

#[tokio::test]
async fn guessing_the_current_password_is_limited() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let wrong = json!({"currentPassword": OTHER_PASSWORD, "newPassword": OTHER_PASSWORD});
    for _ in 0..5 {
        change(&app, &device, &wrong)
            .await
            .problem(403, "wrong_password");
    }
    change(&app, &device, &good())
        .await
        .problem(429, "rate_limited");
    app.wait(1);
    change(&app, &device, &good()).await.expect(204);
}

#[tokio::test]
async fn two_changes_at_once_do_not_both_happen() {
    let app = TestApp::start().await;
    let (here, there) = (app.user().await, app.login("ada").await);
    let other = json!({"currentPassword": PASSWORD, "newPassword": "harbour quartz violin 9"});
    let body = good();
    let (first, second) = tokio::join!(change(&app, &here, &body), change(&app, &there, &other));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    // The loser finds its session ended or its password no longer right.
    assert_eq!(statuses[0], 204, "{statuses:?}");
    assert!(matches!(statuses[1], 401 | 403), "{statuses:?}");
}

#[tokio::test]
async fn r10_a_password_set_by_an_operator_ends_every_session() {
    let app = TestApp::start().await;
    let (here, there) = (app.user().await, app.login("ada").await);
    let user = app.stored(&here).await;
    users::set_password(
        &app.app,
        Actor::Operator,
        user,
        OTHER_PASSWORD,
        &Default::default(),
    )
    .await
    .unwrap();
    app.assert_signed_out(&here).await;
    app.assert_signed_out(&there).await;
    assert_eq!(app.audit(AuditKind::PasswordSet).await.len(), 1);
}
