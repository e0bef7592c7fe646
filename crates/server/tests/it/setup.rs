//! The first administrator (SECURITY row P10).

use serde_json::{Value, json};
use symbolon::flows::{setup, users};
use symbolon_domain::UserStatus;
use symbolon_domain::audit::AuditKind;
use symbolon_testkit::Postgres;

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::PASSWORD;

/// What the server would print.
pub async fn printed(app: &TestApp) -> String {
    let token = setup::prepare(&app.app).await.unwrap();
    token.expect("no administrator yet").to_string()
}

fn body(token: &str, name: &str) -> Value {
    json!({"token": token, "email": format!("{name}@example.com"), "password": PASSWORD})
}

async fn set_up(app: &TestApp, body: &Value) -> Answer {
    app.post("/api/setup").json(body).send().await
}

#[tokio::test]
async fn the_printed_token_makes_the_first_administrator() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let token = printed(&app).await;
    assert!(token.starts_with("sbs_") && token.len() == 47, "{token}");
    let mut wanted = body(&token, "root");
    wanted["username"] = json!("root");
    wanted["name"] = json!("The Root");
    let answer = set_up(&app, &wanted).await;
    let user = answer.expect(201).json()["user"].clone();
    assert_eq!(user["roles"], json!(["admin", "user"]));
    assert_eq!(user["emailVerified"], true);
    assert_eq!(user["username"], "root");
    app.login("root").await;
    let done = app.audit(AuditKind::SetupCompleted).await;
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].subject.unwrap().to_string(), user["id"]);

    // From now on there is nothing to set up, whatever the token.
    for token in [&*token, "sbs_", ""] {
        set_up(&app, &body(token, "eve"))
            .await
            .problem(404, "not_found");
    }
    assert!(setup::prepare(&app.app).await.unwrap().is_none());
}

#[tokio::test]
async fn every_bad_token_gets_the_same_answer() {
    let app = TestApp::with(&[("throttle.enabled", "false")]).await;
    let replaced = printed(&app).await;
    let token = printed(&app).await;
    let mut answers = Vec::new();
    let shorter = &token[..token.len() - 1];
    for bad in ["", "sbs_", shorter, "\0", &replaced, &token.to_uppercase()] {
        answers.push(set_up(&app, &body(bad, "eve")).await);
    }
    app.wait(3600);
    answers.push(set_up(&app, &body(&token, "eve")).await);
    // The token is judged before the rest, so that nobody learns anything of it.
    answers.push(set_up(&app, &json!({"token": "x", "email": "", "password": ""})).await);
    let shown = |answer: &Answer| {
        let mut problem = answer.problem(403, "forbidden");
        problem.as_object_mut().unwrap().remove("requestId");
        problem
    };
    let first = shown(&answers[0]);
    assert!(answers.iter().all(|answer| shown(answer) == first));
    assert_eq!(
        app.audit(AuditKind::SetupRefused).await.len(),
        answers.len()
    );
    let token = printed(&app).await;
    app.wait(3599);
    set_up(&app, &body(&token, "root")).await.expect(201);
}

#[tokio::test]
async fn a_token_is_good_once_even_when_there_is_no_administrator_again() {
    let app = TestApp::start().await;
    let token = printed(&app).await;
    set_up(&app, &body(&token, "root")).await.expect(201);
    let root = users::find(&app.app, "root@example.com").await.unwrap();
    // As nothing but a hand in the database can do it.
    let mut batch = app.app.store.batch();
    batch.update_status(root.id, root.version, UserStatus::Disabled, app.clock.now());
    batch.commit().await.unwrap();
    set_up(&app, &body(&token, "eve"))
        .await
        .problem(403, "forbidden");
    let token = printed(&app).await;
    set_up(&app, &body(&token, "eve")).await.expect(201);
}

#[tokio::test]
async fn what_is_refused_for_another_reason_leaves_the_token() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let token = printed(&app).await;
    for (field, value) in [
        ("password", json!("password")),
        ("email", json!("nobody")),
        ("username", json!("a b")),
        ("roles", json!(["admin"])),
        ("token", json!(null)),
    ] {
        let mut wrong = body(&token, "root");
        wrong[field] = value;
        let problem = set_up(&app, &wrong).await.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"));
    }
    set_up(&app, &json!({}))
        .await
        .problem(422, "validation_failed");
    set_up(&app, &body(&token, "ADA"))
        .await
        .problem(409, "conflict");
    set_up(&app, &body(&token, "root")).await.expect(201);
}

#[tokio::test]
async fn tries_are_limited_by_network() {
    let app = TestApp::start().await;
    let token = printed(&app).await;
    for left in (0..10).rev() {
        let answer = set_up(&app, &body("sbs_", "eve")).await;
        answer.problem(403, "forbidden");
        let limit = answer.header("ratelimit").unwrap();
        assert!(
            limit.starts_with(&format!("\"setup\";r={left};t=")),
            "{limit}"
        );
    }
    set_up(&app, &body(&token, "root"))
        .await
        .problem(429, "rate_limited");
    app.wait(60);
    set_up(&app, &body(&token, "root")).await.expect(201);
}

#[tokio::test]
async fn p10_twenty_at_once_make_one_administrator() {
    let shared = Postgres::shared();
    let urls = ["sqlite::memory:".to_owned()]
        .into_iter()
        .chain(shared.map(|shared| shared.url()));
    for url in urls {
        let app = TestApp::on(&url, &[("throttle.enabled", "false")]).await;
        let token = printed(&app).await;
        let racing = (0..20).map(|number| {
            let body = body(&token, &format!("root{number}"));
            app.post("/api/setup").json(&body).send()
        });
        let answers = futures_util::future::join_all(racing).await;
        let made = answers.iter().filter(|answer| answer.status == 201);
        assert_eq!(made.count(), 1, "{url}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.problem(404, "not_found");
        }
        let users = app.app.store.list_users(100, None).await.unwrap();
        assert_eq!(users.len(), 1, "{url}");
        assert!(users[0].roles.is_admin());
    }
}
