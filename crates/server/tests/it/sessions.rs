//! `GET /api/sessions`, `DELETE /api/sessions/{id}`

use serde_json::{Value, json};
use symbolon::flows::actor::Actor;
use symbolon::flows::sessions::WRITE;
use symbolon::flows::users;

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::{Device, PASSWORD};

async fn list(app: &TestApp, device: &Device) -> Vec<Value> {
    let answer = app.get("/api/sessions").bearer(&device.access).send().await;
    let body = answer.expect(200).json();
    assert_eq!(body.as_object().unwrap().len(), 1);
    body["items"].as_array().unwrap().clone()
}

async fn end(app: &TestApp, device: &Device, id: &str) -> Answer {
    app.delete(&format!("/api/sessions/{id}"))
        .bearer(&device.access)
        .send()
        .await
}

#[tokio::test]
async fn the_own_devices_newest_first() {
    let app = TestApp::start().await;
    let here = app.user().await;
    app.other_user().await;
    app.wait(10);
    let body =
        json!({"email": here.email, "password": PASSWORD, "device": " Phone ", "remember": false});
    let answer = app
        .post("/api/login")
        .header("user-agent", "Browser/1")
        .json(&body)
        .send()
        .await;
    let there = Device::of(&here.email, &answer);
    app.wait(10);
    let here = app.refreshed(&here).await;
    let items = list(&app, &here).await;
    let phone = json!({
        "id": there.sid, "device": "Phone", "userAgent": "Browser/1", "address": "127.0.0.1", "current": false,
        "createdAt": "2026-09-21T14:13:30.5Z", "lastUsedAt": "2026-09-21T14:13:30.5Z", "expiresAt": "2026-09-22T14:13:30.5Z",
    });
    let this = json!({
        "id": here.sid, "device": null, "userAgent": null, "address": "127.0.0.1", "current": true,
        "createdAt": "2026-09-21T14:13:20.5Z", "lastUsedAt": "2026-09-21T14:13:40.5Z", "expiresAt": "2026-09-28T14:13:40.5Z",
    });
    assert_eq!(items, [phone, this]);
}

#[tokio::test]
async fn one_of_them_can_be_ended() {
    let app = TestApp::start().await;
    let (here, there) = (app.user().await, app.login("ada").await);
    let answer = end(&app, &here, &there.sid).await;
    assert_eq!(answer.expect(204).body.len(), 0);
    app.assert_signed_out(&there).await;
    end(&app, &here, &there.sid).await.problem(404, "not_found");
    assert_eq!(list(&app, &here).await.len(), 1);
    end(&app, &here, &here.sid).await.expect(204);
    app.assert_signed_out(&here).await;
}

#[tokio::test]
async fn m1_those_of_others_are_not_there() {
    let app = TestApp::start().await;
    let (ada, eve, admin) = (app.user().await, app.other_user().await, app.admin().await);
    for stranger in [&eve, &admin] {
        end(&app, stranger, &ada.sid)
            .await
            .problem(404, "not_found");
    }
    for id in [
        "0199b0f0-0000-7000-8000-000000000000",
        "x",
        "%00",
        "..",
        &ada.user,
        "%F0%9F%92%A9",
    ] {
        end(&app, &ada, id).await.problem(404, "not_found");
    }
    app.assert_signed_in(&ada).await;
}

#[tokio::test]
async fn what_has_expired_is_gone() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let short = app.login_with("ada", &json!({"remember": false})).await;
    app.wait(24 * 3600);
    let here = app.login("ada").await;
    let items = list(&app, &here).await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["id"], here.sid);
    end(&app, &here, &short.sid).await.problem(404, "not_found");
}

#[tokio::test]
async fn r10_an_operator_ends_one_or_all() {
    let app = TestApp::start().await;
    let (first, second, third) = (
        app.user().await,
        app.login("ada").await,
        app.login("ada").await,
    );
    users::revoke_session(
        &app.app,
        (Actor::Operator, WRITE),
        first.sid.parse().unwrap(),
        &Default::default(),
    )
    .await
    .unwrap();
    app.assert_signed_out(&first).await;
    let second = app.assert_signed_in(&second).await;
    let user = app.stored(&second).await;
    users::revoke_sessions(
        &app.app,
        (Actor::Operator, WRITE),
        user,
        &Default::default(),
    )
    .await
    .unwrap();
    app.assert_signed_out(&second).await;
    app.assert_signed_out(&third).await;
    app.login("ada").await;
}
