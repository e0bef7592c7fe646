//! `POST /api/refresh`: the rules of the contract's section 5, end to end.

mod lives;
mod requests;

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;
use symbolon_domain::audit::AuditKind;

use crate::app::TestApp;
use crate::people::{Device, claims, cookie};

#[tokio::test]
async fn each_token_gives_the_next_one_and_a_fresh_access_token() {
    let app = TestApp::start().await;
    let first = app.user().await;
    app.wait(60);
    let answer = app.refresh(&first.refresh).await;
    let body = answer.expect(200).json();
    assert_eq!(
        (&body["tokenType"], &body["expiresIn"]),
        (&json!("Bearer"), &json!(900))
    );
    assert_eq!(
        body.as_object().unwrap().len(),
        3,
        "the refresh token is in the cookie only"
    );
    let next = cookie(&answer);
    let expected = format!(
        "refreshToken={next}; HttpOnly; Secure; SameSite=Strict; Path=/api/refresh; Max-Age=604800"
    );
    assert_eq!(answer.header("set-cookie"), Some(&*expected));
    let second = Device::of(&first.email, &answer);
    let (old, new) = (claims(&first.access), claims(&second.access));
    assert_eq!((&old["sid"], &old["sub"]), (&new["sid"], &new["sub"]));
    assert_ne!(old["jti"], new["jti"]);
    assert_eq!(new["iat"], app.now_seconds());
    app.profile(&first.access).await.expect(200);
    app.assert_signed_in(&second).await;
}

#[tokio::test]
async fn r2_sixty_four_at_once_get_the_same_successor() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let answers = join_all((0..64).map(|_| app.refresh(&device.refresh))).await;
    let cookies: HashSet<String> = answers
        .iter()
        .map(|answer| cookie(answer.expect(200)))
        .collect();
    assert_eq!(cookies.len(), 1);
    for answer in &answers[60..] {
        app.profile(&Device::of(&device.email, answer).access)
            .await
            .expect(200);
    }
    app.refresh(cookies.iter().next().unwrap())
        .await
        .expect(200);
    assert!(app.audit(AuditKind::RefreshReused).await.is_empty());
}

#[tokio::test]
async fn r14_ten_tabs_that_refresh_at_once_stay_signed_in() {
    let app = TestApp::start().await;
    let mut device = app.user().await;
    for _ in 0..5 {
        app.wait(840);
        let answers = join_all((0..10).map(|_| app.refresh(&device.refresh))).await;
        let devices: Vec<_> = answers
            .iter()
            .map(|answer| Device::of(&device.email, answer.expect(200)))
            .collect();
        assert!(
            devices
                .iter()
                .all(|tab| tab.refresh == devices[0].refresh && tab.sid == device.sid)
        );
        device = devices[9].clone();
    }
    app.assert_signed_in(&device).await;
}

#[tokio::test]
async fn r3_a_lost_answer_is_given_again_within_the_leeway() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let lost = app.refreshed(&device).await;
    for seconds in [0, 4, 5] {
        app.wait(seconds);
        let again = app.refreshed(&device).await;
        assert_eq!(again.refresh, lost.refresh);
        app.profile(&again.access).await.expect(200);
    }
    app.assert_signed_in(&lost).await;
}

#[tokio::test]
async fn r3_a_late_retry_gets_the_same_answer_while_it_is_unused() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let lost = app.refreshed(&device).await;
    app.wait(299);
    let late = app.refreshed(&device).await;
    assert_eq!(late.refresh, lost.refresh);
    assert_eq!(
        app.refreshed(&device).await.refresh,
        lost.refresh,
        "the retry may be repeated as well"
    );
    app.assert_signed_in(&late).await;
}

#[tokio::test]
async fn a_late_retry_is_not_given_for_two_generations_in_a_row() {
    let app = TestApp::start().await;
    let first = app.user().await;
    app.refreshed(&first).await;
    app.wait(60);
    let second = app.refreshed(&first).await;
    app.refreshed(&second).await;
    app.wait(60);
    app.refresh(&second.refresh)
        .await
        .problem(401, "refresh_token_reused");
    app.profile(&second.access)
        .await
        .problem(401, "token_revoked");
}

#[tokio::test]
async fn a_late_retry_is_given_again_after_a_generation_in_time() {
    let app = TestApp::start().await;
    let first = app.user().await;
    app.refreshed(&first).await;
    app.wait(60);
    let second = app.refreshed(&first).await;
    let third = app.refreshed(&second).await;
    let lost = app.refreshed(&third).await;
    app.wait(60);
    assert_eq!(app.refreshed(&third).await.refresh, lost.refresh);
}

#[tokio::test]
async fn r1_the_predecessor_past_the_windows_is_theft() {
    let app = TestApp::start().await;
    let stolen = app.user().await;
    let elsewhere = app.login("ada").await;
    let current = app.refreshed(&stolen).await;
    app.wait(301);
    let answer = app.refresh(&stolen.refresh).await;
    answer.problem(401, "refresh_token_reused");
    assert!(
        answer.header("set-cookie").unwrap().contains("Max-Age=0"),
        "the browser may forget it"
    );
    for access in [&stolen.access, &current.access] {
        app.profile(access).await.problem(401, "token_revoked");
    }
    app.refresh(&current.refresh)
        .await
        .problem(401, "session_revoked");
    app.refresh(&stolen.refresh)
        .await
        .problem(401, "refresh_token_reused");
    let audit = app.audit(AuditKind::RefreshReused).await;
    assert_eq!(audit.len(), 1);
    assert_eq!(
        audit[0].session.map(|id| id.to_string()),
        Some(stolen.sid.clone())
    );
    assert_eq!(
        audit[0].subject.map(|id| id.to_string()),
        Some(stolen.user.clone())
    );
    assert!(audit[0].request_id.is_some() && audit[0].address.is_some());
    app.assert_signed_in(&elsewhere).await;
}

#[tokio::test]
async fn an_older_one_within_the_leeway_is_a_late_duplicate() {
    let app = TestApp::start().await;
    let first = app.user().await;
    let second = app.refreshed(&first).await;
    let third = app.refreshed(&second).await;
    app.wait(9);
    let answer = app.refresh(&first.refresh).await;
    answer.problem(401, "invalid_refresh_token");
    assert_eq!(
        answer.header("set-cookie"),
        None,
        "the browser holds a newer cookie by now"
    );
    let fourth = app.assert_signed_in(&third).await;
    assert!(app.audit(AuditKind::RefreshReused).await.is_empty());
    app.wait(11);
    app.refresh(&first.refresh)
        .await
        .problem(401, "refresh_token_reused");
    app.refresh(&fourth.refresh)
        .await
        .problem(401, "session_revoked");
}

#[tokio::test]
async fn r4_s7_thief_and_owner_are_both_out() {
    let app = TestApp::start().await;
    let owner = app.user().await;
    let thief = app.refreshed(&owner).await;
    app.wait(60);
    let thief = app.refreshed(&thief).await;
    app.wait(60);
    app.refresh(&owner.refresh)
        .await
        .problem(401, "refresh_token_reused");
    app.refresh(&thief.refresh)
        .await
        .problem(401, "session_revoked");
    app.profile(&thief.access)
        .await
        .problem(401, "token_revoked");
}

#[tokio::test]
async fn the_windows_are_settings() {
    let app = TestApp::with(&[("refresh.leeway", "0s"), ("refresh.retry_window", "0s")]).await;
    let first = app.user().await;
    let second = app.refreshed(&first).await;
    app.wait(1);
    app.refresh(&first.refresh)
        .await
        .problem(401, "refresh_token_reused");
    app.refresh(&second.refresh)
        .await
        .problem(401, "session_revoked");
}

#[tokio::test]
async fn r5_a_refresh_that_crosses_a_logout_leaves_nothing_alive() {
    let app = TestApp::start().await;
    app.register("ada").await;
    for _ in 0..8 {
        let device = app.login("ada").await;
        let logout = app.post("/api/logout").bearer(&device.access).send();
        let (left, logout, right) = tokio::join!(
            app.refresh(&device.refresh),
            logout,
            app.refresh(&device.refresh)
        );
        logout.expect(204);
        for answer in [left, right] {
            if answer.status == 200 {
                app.assert_signed_out(&Device::of(&device.email, &answer))
                    .await;
            } else {
                answer.problem(401, "session_revoked");
            }
        }
        app.assert_signed_out(&device).await;
    }
}
