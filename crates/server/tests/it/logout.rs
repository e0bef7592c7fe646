//! `POST /api/logout`, `POST /api/logout/all`, `DELETE /api/refresh`

use serde_json::json;
use symbolon_domain::audit::AuditKind;

use crate::app::TestApp;
use crate::client::Answer;

const CLEARED: &str =
    "refreshToken=; HttpOnly; Secure; SameSite=Strict; Path=/api/refresh; Max-Age=0";

#[track_caller]
fn assert_cleared(answer: &Answer) {
    answer.expect(204);
    assert_eq!(
        (answer.header("set-cookie"), answer.body.len()),
        (Some(CLEARED), 0)
    );
}

#[tokio::test]
async fn s4_signing_out_ends_this_session_and_no_other() {
    let app = TestApp::start().await;
    let (here, there) = (app.user().await, app.login("ada").await);
    assert_cleared(&app.post("/api/logout").bearer(&here.access).send().await);
    app.assert_signed_out(&here).await;
    app.post("/api/logout")
        .bearer(&here.access)
        .send()
        .await
        .problem(401, "token_revoked");
    app.assert_signed_in(&there).await;
    let audit = app.audit(AuditKind::SessionEnded).await;
    assert_eq!(audit.len(), 1);
    assert_eq!(audit[0].session.map(|id| id.to_string()), Some(here.sid));
    assert_eq!(audit[0].actor, audit[0].subject);
}

#[tokio::test]
async fn every_access_token_of_the_session_dies() {
    let app = TestApp::start().await;
    let first = app.user().await;
    let second = app.refreshed(&first).await;
    let third = app.refreshed(&second).await;
    app.post("/api/logout")
        .bearer(&second.access)
        .send()
        .await
        .expect(204);
    for access in [&first.access, &second.access, &third.access] {
        app.profile(access).await.problem(401, "token_revoked");
    }
    for token in [&first.refresh, &second.refresh, &third.refresh] {
        app.refresh(token).await.problem(401, "session_revoked");
    }
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_the_user() {
    let app = TestApp::start().await;
    let (here, there, other) = (
        app.user().await,
        app.login("ada").await,
        app.other_user().await,
    );
    assert_cleared(
        &app.post("/api/logout/all")
            .bearer(&here.access)
            .send()
            .await,
    );
    app.assert_signed_out(&here).await;
    app.assert_signed_out(&there).await;
    app.assert_signed_in(&other).await;
    assert_eq!(app.audit(AuditKind::LogoutAll).await.len(), 1);
}

#[tokio::test]
async fn signing_out_everywhere_and_in_again_within_the_same_second_works() {
    let app = TestApp::start().await;
    let mut device = app.user().await;
    for _ in 0..3 {
        app.post("/api/logout/all")
            .bearer(&device.access)
            .send()
            .await
            .expect(204);
        let next = app.login("ada").await;
        app.assert_signed_out(&device).await;
        device = app.assert_signed_in(&next).await;
    }
}

#[tokio::test]
async fn signing_out_by_refresh_token_needs_no_access_token() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let (by_cookie, by_body) = (
        app.login("ada").await,
        app.login_with("ada", &json!({"transport": "body"})).await,
    );
    app.wait(1000);
    app.profile(&by_cookie.access)
        .await
        .problem(401, "token_expired");
    assert_cleared(
        &app.delete("/api/refresh")
            .cookie(&by_cookie.refresh)
            .send()
            .await,
    );
    app.refresh(&by_cookie.refresh)
        .await
        .problem(401, "session_revoked");
    let body = json!({"refreshToken": by_body.refresh});
    assert_cleared(&app.delete("/api/refresh").json(&body).send().await);
    app.refresh(&by_body.refresh)
        .await
        .problem(401, "session_revoked");
}

#[tokio::test]
async fn the_token_just_replaced_signs_out_too() {
    let app = TestApp::start().await;
    let first = app.user().await;
    let second = app.refreshed(&first).await;
    app.wait(60);
    assert_cleared(
        &app.delete("/api/refresh")
            .cookie(&first.refresh)
            .send()
            .await,
    );
    app.assert_signed_out(&second).await;
}

#[tokio::test]
async fn whatever_it_gets_the_answer_is_the_same_and_nobody_else_is_signed_out() {
    let app = TestApp::start().await;
    let first = app.user().await;
    let second = app.refreshed(&first).await;
    let third = app.refreshed(&second).await;
    assert_cleared(&app.delete("/api/refresh").send().await);
    for token in [
        "nonsense",
        &third.access,
        &third.refresh.to_lowercase(),
        &first.refresh,
    ] {
        assert_cleared(&app.delete("/api/refresh").cookie(token).send().await);
    }
    let fourth = app.assert_signed_in(&third).await;
    assert_cleared(
        &app.delete("/api/refresh")
            .cookie(&fourth.refresh)
            .send()
            .await,
    );
    assert_cleared(
        &app.delete("/api/refresh")
            .cookie(&fourth.refresh)
            .send()
            .await,
    );
    app.assert_signed_out(&fourth).await;
    assert_eq!(app.audit(AuditKind::SessionEnded).await.len(), 1);
}

#[tokio::test]
async fn an_old_stolen_token_that_signs_out_is_seen_as_theft() {
    let app = TestApp::start().await;
    let first = app.user().await;
    let second = app.refreshed(&first).await;
    app.wait(301);
    assert_cleared(
        &app.delete("/api/refresh")
            .cookie(&first.refresh)
            .send()
            .await,
    );
    app.assert_signed_out(&second).await;
    assert_eq!(app.audit(AuditKind::RefreshReused).await.len(), 1);
}
