//! `GET /healthz`, `/readyz`, `/metrics`

use serde_json::json;

use crate::app::TestApp;
use crate::people::{OTHER_PASSWORD, PASSWORD};

#[tokio::test]
async fn alive_and_ready() {
    let app = TestApp::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            app.get(path).send().await.expect(200).json(),
            json!({"status": "ok"})
        );
    }
}

#[tokio::test]
async fn x1_without_its_store_it_is_alive_and_not_ready() {
    let app = TestApp::start().await;
    let device = app.user().await;
    app.app.store.close().await;
    app.get("/healthz").send().await.expect(200);
    app.get("/readyz").send().await.problem(503, "overloaded");
    // What needs no store goes on; what does issues nothing and says nothing of the reason.
    app.get("/.well-known/jwks.json").send().await.expect(200);
    for answer in [
        app.refresh(&device.refresh).await,
        app.profile(&device.access).await,
        app.post("/api/logout").bearer(&device.access).send().await,
        app.post("/api/login")
            .json(&json!({"email": device.email, "password": PASSWORD}))
            .send()
            .await,
    ] {
        answer.problem(503, "overloaded");
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert!(
        app.get("/metrics")
            .send()
            .await
            .text()
            .contains("symbolon_faults_total 4")
    );
}

#[tokio::test]
async fn the_counters_count() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let next = app.refreshed(&device).await;
    app.profile("nonsense").await.expect(401);
    app.wait(301);
    app.refresh(&device.refresh)
        .await
        .problem(401, "refresh_token_reused");
    app.refresh(&next.refresh).await.expect(401);
    let answer = app.get("/metrics").send().await;
    assert_eq!(
        answer.expect(200).header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    for line in [
        "symbolon_refreshes_total 1",
        "symbolon_sign_ins_total 1",
        "symbolon_refresh_reuses_total 1",
        "symbolon_rejected_tokens_total 1",
        "symbolon_faults_total 0",
        r#"symbolon_http_responses_total{class="4xx"} 3"#,
    ] {
        assert!(
            answer.text().lines().any(|found| found == line),
            "{line} is not in\n{}",
            answer.text()
        );
    }
    for line in answer.text().lines() {
        assert!(
            line.starts_with("# ")
                || line
                    .rsplit_once(' ')
                    .is_some_and(|(_, value)| value.parse::<f64>().is_ok()),
            "{line}"
        );
    }
}

#[tokio::test]
async fn metrics_with_a_listener_of_their_own_are_not_on_this_one() {
    let app = TestApp::with(&[("metrics.listen", "127.0.0.1:0")]).await;
    app.get("/metrics").send().await.problem(404, "not_found");
    let login = json!({"email": "ada@example.com", "password": OTHER_PASSWORD});
    app.post("/api/login")
        .json(&login)
        .send()
        .await
        .problem(401, "invalid_credentials");
}
