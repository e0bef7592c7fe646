//! `/api/admin/sessions`

use serde_json::{Value, json};
use symbolon_domain::audit::AuditKind;

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::Device;

const SESSIONS: &str = "/api/admin/sessions";

async fn get(app: &TestApp, by: &Device, path: &str) -> Answer {
    app.get(&format!("{SESSIONS}{path}"))
        .bearer(&by.access)
        .send()
        .await
}

async fn ids(app: &TestApp, by: &Device, query: &str) -> Vec<String> {
    let body = get(app, by, query).await.expect(200).json();
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    body["items"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn sessions_are_listed_shown_and_ended() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.register("ada").await;
    app.wait(1);
    let first = app.login_with("ada", &json!({"device": "Laptop"})).await;
    app.wait(1);
    let second = app.login("ada").await;
    let all = [&second.sid, &first.sid, &admin.sid].map(Clone::clone);
    assert_eq!(ids(&app, &admin, "").await, all);
    let of_ada = format!("?user={}", first.user);
    assert_eq!(ids(&app, &admin, &of_ada).await, all[..2]);
    assert_eq!(
        ids(&app, &admin, &format!("{of_ada}&limit=1")).await,
        all[..1]
    );

    let path = format!("/{}", first.sid);
    let shown = get(&app, &admin, &path).await.expect(200).json();
    assert_eq!(
        (&shown["device"], &shown["state"]),
        (&json!("Laptop"), &json!("live"))
    );
    assert_eq!(
        (&shown["user"], &shown["endedAt"]),
        (&json!(first.user), &json!(null))
    );

    let end = || {
        app.delete(&format!("{SESSIONS}{path}"))
            .bearer(&admin.access)
            .send()
    };
    end().await.expect(204);
    app.assert_signed_out(&first).await;
    app.assert_signed_in(&second).await;
    end().await.problem(404, "not_found");
    assert_eq!(ids(&app, &admin, &of_ada).await, all[..1]);
    assert_eq!(
        ids(&app, &admin, &format!("{of_ada}&state=all")).await,
        all[..2]
    );
    let shown = get(&app, &admin, &path).await.json();
    assert_eq!(
        (&shown["state"], &shown["endReason"]),
        (&json!("ended"), &json!("revoked"))
    );
    let line = &app.audit(AuditKind::SessionEnded).await[0];
    assert_eq!(line.actor.unwrap().to_string(), admin.user);
    assert_eq!(line.subject.unwrap().to_string(), first.user);
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (query, named) in [
        ("?user=ada", "user"),
        ("?state=dead", "state"),
        ("?client=x", "client"),
    ] {
        let problem = get(&app, &admin, query)
            .await
            .problem(400, "malformed_request");
        assert!(
            problem["detail"].as_str().unwrap().contains(named),
            "{problem}"
        );
    }
    get(&app, &admin, "/nobody").await.problem(404, "not_found");
}
