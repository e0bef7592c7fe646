//! How long sessions live, over restarts and whatever the clock does.

use serde_json::json;
use symbolon::clock::Clock;

use crate::app::{Folder, START, TestApp};
use crate::people::{Device, claims, cookie};

const DAY: u64 = 24 * 3600;

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
