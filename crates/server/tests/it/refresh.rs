//! `POST /api/refresh`: the rules of the contract's section 5, end to end.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;
use symbolon::clock::Clock;
use symbolon_domain::audit::AuditKind;

use crate::app::{Folder, START, TestApp};
use crate::people::{Device, claims, cookie};

const DAY: u64 = 24 * 3600;

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
async fn s3_idle_life_ends_a_session() {
    let app = TestApp::start().await;
    let device = app.user().await;
    app.wait(7 * DAY - 1);
    let device = app.refreshed(&device).await;
    app.wait(7 * DAY);
    let answer = app.refresh(&device.refresh).await;
    answer.problem(401, "refresh_token_expired");
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn r11_s3_absolute_life_is_never_extended() {
    let app = TestApp::start().await;
    let mut device = app.user().await;
    for _ in 0..4 {
        app.wait(6 * DAY);
        device = app.refreshed(&device).await;
    }
    app.wait(6 * DAY - 1);
    let answer = app.refresh(&device.refresh).await;
    assert_eq!(
        answer.expect(200).json()["expiresIn"],
        1,
        "no access token outlives its session"
    );
    assert!(
        answer
            .header("set-cookie")
            .unwrap()
            .ends_with("; Max-Age=1"),
        "nor does the cookie"
    );
    device = Device::of(&device.email, &answer);
    let end = START.seconds() + 30 * DAY as i64;
    assert_eq!(claims(&device.access)["exp"], end);
    app.wait(1);
    app.profile(&device.access)
        .await
        .problem(401, "token_expired");
    app.refresh(&device.refresh)
        .await
        .problem(401, "refresh_token_expired");
}

#[tokio::test]
async fn no_access_token_outlives_the_idle_life_of_its_session() {
    let settings = [
        ("refresh.idle_ttl", "1m"),
        ("refresh.retry_window", "1m"),
        ("tokens.access_ttl", "15m"),
    ];
    let app = TestApp::with(&settings).await;
    let first = app.user().await;
    let dies_at = |device: &Device| claims(&device.access)["exp"].as_i64().unwrap();
    assert_eq!(dies_at(&first), app.now_seconds() + 60);
    app.wait(30);
    let second = app.refreshed(&first).await;
    let end = app.now_seconds() + 60;
    assert_eq!(dies_at(&second), end);
    app.wait(9);
    assert_eq!(
        dies_at(&app.refreshed(&first).await),
        end,
        "a repeat is no use"
    );
    app.wait(11);
    let late = dies_at(&app.refreshed(&first).await);
    app.wait(59);
    app.refresh(&second.refresh).await.expect(200);
    assert_eq!(late, app.now_seconds() + 1);
}

#[tokio::test]
async fn without_remember_a_session_lives_a_day_and_its_cookie_as_long_as_the_browser() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let device = app.login_with("ada", &json!({"remember": false})).await;
    app.wait(DAY - 60);
    let answer = app.refresh(&device.refresh).await;
    assert_eq!(answer.expect(200).json()["expiresIn"], 60);
    let expected = format!(
        "refreshToken={}; HttpOnly; Secure; SameSite=Strict; Path=/api/refresh",
        cookie(&answer)
    );
    assert_eq!(answer.header("set-cookie"), Some(&*expected));
    app.wait(60);
    app.refresh(&cookie(&answer))
        .await
        .problem(401, "refresh_token_expired");
}

#[tokio::test]
async fn a_token_in_the_body_is_answered_in_the_body() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let mut device = app.login_with("ada", &json!({"transport": "body"})).await;
    for _ in 0..3 {
        let answer = app
            .post("/api/refresh")
            .json(&json!({"refreshToken": device.refresh}))
            .send()
            .await;
        assert_eq!(answer.expect(200).header("set-cookie"), None);
        let next = Device::of(&device.email, &answer);
        assert_ne!(next.refresh, device.refresh);
        device = next;
    }
    let bad = app
        .post("/api/refresh")
        .json(&json!({"refreshToken": "sbr_x"}))
        .send()
        .await;
    bad.problem(401, "invalid_refresh_token");
    assert_eq!(bad.header("set-cookie"), None);
}

#[tokio::test]
async fn no_token_and_bad_bodies() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let post = || app.post("/api/refresh");
    post().send().await.problem(401, "no_refresh_token");
    post()
        .header("cookie", "refreshToken=")
        .send()
        .await
        .problem(401, "no_refresh_token");
    post()
        .header("cookie", "other=1; refreshTokenX=2")
        .send()
        .await
        .problem(401, "no_refresh_token");
    post()
        .json(&json!({}))
        .send()
        .await
        .problem(401, "no_refresh_token");
    post()
        .bearer(&device.access)
        .send()
        .await
        .problem(401, "no_refresh_token");
    post()
        .json(&json!({"refreshToken": 7}))
        .send()
        .await
        .field("/refreshToken", "type_mismatch");
    assert_eq!(
        post().json(&json!({"token": "x"})).send().await.fields()[0].1,
        "unknown_field"
    );
    let form = post()
        .header("content-type", "application/x-www-form-urlencoded")
        .body("refreshToken=x");
    form.send().await.problem(415, "unsupported_media_type");
    // In the query it is not looked for.
    app.post(&format!("/api/refresh?refreshToken={}", device.refresh))
        .send()
        .await
        .problem(401, "no_refresh_token");
}

#[tokio::test]
async fn two_cookies_of_the_name_are_refused() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let planted = format!("refreshToken=planted; refreshToken={}", device.refresh);
    let twice = format!("refreshToken={0}; refreshToken={0}", device.refresh);
    for method in ["POST", "DELETE"] {
        for value in [&planted, &twice] {
            app.request(method, "/api/refresh")
                .header("cookie", value)
                .send()
                .await
                .problem(400, "malformed_request");
        }
        let lines = app
            .request(method, "/api/refresh")
            .cookie(&device.refresh)
            .cookie("planted");
        lines.send().await.problem(400, "malformed_request");
    }
    let among = format!("a=1; refreshToken={}; b=2", device.refresh);
    app.post("/api/refresh")
        .header("cookie", &among)
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn j9_only_a_refresh_token_refreshes() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let token = device.refresh.as_str();
    let flipped = |at: usize| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let end = token.len() - 1;
    let mut bad = vec![
        device.access.clone(),
        "x".to_owned(),
        token[..end].to_owned(),
        format!("{token}A"),
    ];
    bad.extend([
        token.replace("sbr_", "sbx_"),
        token[4..].to_owned(),
        format!("{token}="),
        token.to_uppercase(),
    ]);
    bad.extend((4..token.len()).step_by(7).map(flipped));
    for text in bad {
        app.refresh(&text)
            .await
            .problem(401, "invalid_refresh_token");
    }
    let other = TestApp::of_seed(99).await;
    let foreign = other.user().await;
    app.refresh(&foreign.refresh)
        .await
        .problem(401, "invalid_refresh_token");
    app.assert_signed_in(&device).await;
}

#[tokio::test]
async fn r6_a_restart_forgets_nothing() {
    let folder = Folder::new();
    let clock = Clock::frozen(START);
    let app = TestApp::in_folder(&folder, clock.clone(), 1).await;
    let stolen = app.user().await;
    let kept = app.login("ada").await;
    let ended = app.login("ada").await;
    app.post("/api/logout")
        .bearer(&ended.access)
        .send()
        .await
        .expect(204);
    let current = app.refreshed(&stolen).await;
    app.stop().await;

    let app = TestApp::in_folder(&folder, clock, 2).await;
    assert_eq!(
        app.refreshed(&stolen).await.refresh,
        current.refresh,
        "the same answer within the leeway"
    );
    app.wait(301);
    app.profile(&kept.access).await.expect(200);
    app.profile(&ended.access)
        .await
        .problem(401, "token_revoked");
    app.refresh(&ended.refresh)
        .await
        .problem(401, "session_revoked");
    app.refresh(&stolen.refresh)
        .await
        .problem(401, "refresh_token_reused");
    app.refresh(&current.refresh)
        .await
        .problem(401, "session_revoked");
    app.assert_signed_in(&kept).await;
    app.stop().await;
}

#[tokio::test]
async fn a_clock_that_goes_back_signs_nobody_out() {
    let app = TestApp::start().await;
    let first = app.user().await;
    app.wait(60);
    let second = app.refreshed(&first).await;
    app.clock.set(START);
    assert_eq!(app.refreshed(&first).await.refresh, second.refresh);
    let third = app.refresh(&second.refresh).await;
    app.refresh(&cookie(third.expect(200))).await.expect(200);
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

#[tokio::test]
async fn n9_nul_in_a_token_is_a_bad_token() {
    let app = TestApp::start().await;
    let answer = app
        .post("/api/refresh")
        .json(&json!({"refreshToken": "sbr_\0"}))
        .send()
        .await;
    answer.problem(401, "invalid_refresh_token");
}
