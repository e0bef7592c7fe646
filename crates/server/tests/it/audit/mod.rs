//! The audit log: what it says, and that it cannot be changed unseen.

mod place;
mod retention;
mod tamper;
mod watch;

use serde_json::json;
use symbolon::flows::users;
use symbolon_domain::audit::{AuditEvent, AuditKind, LoginFailure, Outcome};
use symbolon_domain::{EndReason, UserStatus};

use crate::app::TestApp;
use crate::people::{OTHER_PASSWORD, PASSWORD};

async fn login(app: &TestApp, email: &str, password: &str) {
    let body = json!({"email": email, "password": password});
    let request = app.post("/api/login").header("x-request-id", "asked");
    request
        .header("user-agent", "Browser/1")
        .json(&body)
        .send()
        .await;
}

/// Everything that a line must say of a request by `device`'s user.
fn assert_whole(event: &AuditEvent) {
    assert_eq!(event.address.as_deref(), Some("127.0.0.1"), "{event:?}");
    assert_eq!(event.user_agent.as_deref(), Some("Browser/1"), "{event:?}");
    assert_eq!(event.request_id.as_deref(), Some("asked"), "{event:?}");
}

#[tokio::test]
async fn a_failed_sign_in_says_why_to_operators() {
    let app = TestApp::start().await;
    let device = app.user().await;
    login(&app, &device.email, OTHER_PASSWORD).await;
    // Lines of one millisecond have no order.
    app.wait(1);
    login(&app, "nobody@example.com", OTHER_PASSWORD).await;
    app.wait(1);
    let user = app.stored(&device).await;
    let id = user.id;
    users::set_status(
        &app.app,
        symbolon::flows::actor::Actor::Operator,
        user,
        UserStatus::Disabled,
        &Default::default(),
    )
    .await
    .unwrap();
    login(&app, &device.email, PASSWORD).await;
    let mut failures = app.audit(AuditKind::LoginFailed).await;
    failures.reverse();
    let told: Vec<_> = failures
        .iter()
        .map(|event| (event.detail.as_deref(), event.subject))
        .collect();
    assert_eq!(
        told,
        [
            (Some(LoginFailure::WrongPassword.as_str()), Some(id)),
            (Some(LoginFailure::UnknownUser.as_str()), None),
            (Some(LoginFailure::AccountDisabled.as_str()), Some(id)),
        ]
    );
    for event in &failures {
        assert_whole(event);
        assert_eq!((event.actor, event.session), (None, None));
        assert_eq!(event.kind.outcome(), Outcome::Failure);
    }
}

#[tokio::test]
async fn l1_attempts_that_are_not_let_in_write_nothing() {
    let app = TestApp::start().await;
    for _ in 0..60 {
        login(&app, "nobody@example.com", OTHER_PASSWORD).await;
    }
    let written = app.audit(AuditKind::LoginFailed).await.len();
    assert!((1..30).contains(&written), "{written}");
}

#[tokio::test]
async fn a_password_refused_at_the_own_account_is_written_down() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let change = json!({"currentPassword": OTHER_PASSWORD, "newPassword": OTHER_PASSWORD});
    let delete = json!({"password": OTHER_PASSWORD});
    for request in [
        app.post("/api/user/password").json(&change),
        app.delete("/api/user/profile").json(&delete),
    ] {
        let request = request
            .bearer(&device.access)
            .header("x-request-id", "asked");
        let answer = request.header("user-agent", "Browser/1").send().await;
        answer.problem(403, "wrong_password");
    }
    let refused = app.audit(AuditKind::PasswordRefused).await;
    assert_eq!(refused.len(), 2);
    for event in &refused {
        assert_whole(event);
        assert_eq!(
            event.actor.map(|id| id.to_string()),
            Some(device.user.clone())
        );
        assert_eq!(event.subject, event.actor);
        assert_eq!(
            event.session.map(|id| id.to_string()),
            Some(device.sid.clone())
        );
        assert_eq!(event.kind.outcome(), Outcome::Failure);
    }
}

#[tokio::test]
async fn s4_the_end_of_a_session_says_how_it_came() {
    let app = TestApp::start().await;
    let (here, there) = (app.user().await, app.login("ada").await);
    app.delete(&format!("/api/sessions/{}", there.sid))
        .bearer(&here.access)
        .send()
        .await
        .expect(204);
    app.post("/api/logout")
        .bearer(&here.access)
        .send()
        .await
        .expect(204);
    for (device, reason) in [(&there, EndReason::Revoked), (&here, EndReason::Logout)] {
        let id = device.sid.parse().unwrap();
        let session = app.app.store.find_session(id).await.unwrap().unwrap();
        assert_eq!(session.ended.unwrap().reason, reason);
        let ended = app.audit(AuditKind::SessionEnded).await;
        let line = ended
            .iter()
            .find(|event| event.session == Some(id))
            .unwrap();
        assert_eq!(line.detail.as_deref(), Some(reason.as_str()));
    }
}

#[tokio::test]
async fn the_first_keys_are_written_down() {
    let app = TestApp::start().await;
    let mut made: Vec<_> = app
        .audit(AuditKind::KeyCreated)
        .await
        .into_iter()
        .filter_map(|event| event.detail)
        .collect();
    let keys = app.app.store.list_keys().await.unwrap();
    let mut kids: Vec<_> = keys.into_iter().map(|key| key.kid).collect();
    made.sort_unstable();
    kids.sort_unstable();
    assert_eq!(made, kids);
    assert!(!made.is_empty());
}
