//! What an answer costs does not depend on whether there is an account (SECURITY row L8). Times are measured by the
//! section `timing` of the benchmarks; here it is the work that they are made of.

use serde_json::{Value, json};
use symbolon::flows::users;
use symbolon_domain::audit::AuditKind;
use symbolon_domain::{Email, UserId, UserStatus};

use crate::app::TestApp;
use crate::people::{OTHER_PASSWORD, PASSWORD};

/// Hashes that were computed and lines of the audit log that were written for a request.
async fn work(app: &TestApp, path: &str, body: &Value, status: u16) -> (u64, usize) {
    let lines = async || app.app.store.list_audit(10_000, None).await.unwrap().len();
    let (hashes, before) = (app.app.hasher.done(), lines().await);
    app.post(path).json(body).send().await.expect(status);
    (app.app.hasher.done() - hashes, lines().await - before)
}

#[tokio::test]
async fn l8_every_failed_sign_in_is_the_same_work() {
    let app = TestApp::start().await;
    for name in ["ada", "gone"] {
        app.register(name).await;
    }
    let gone = users::find(&app.app, "gone@example.com").await.unwrap();
    let mut without = gone.clone();
    without.id = UserId::from_bytes([7; 16]);
    without.email = Email::parse("without@example.com").unwrap();
    let mut batch = app.app.store.batch();
    batch.insert_user(&without, None);
    batch.update_status(gone.id, gone.version, UserStatus::Disabled, app.clock.now());
    batch.commit().await.unwrap();
    for name in ["ada", "nobody", "gone", "without"] {
        let body = json!({"email": format!("{name}@example.com"), "password": OTHER_PASSWORD});
        assert_eq!(work(&app, "/api/login", &body, 401).await, (1, 1), "{name}");
    }
    let failures = app.audit(AuditKind::LoginFailed).await;
    assert_eq!(failures.len(), 4);
}

#[tokio::test]
async fn l8_a_taken_address_is_the_same_hashing_where_it_is_not_told() {
    let app = TestApp::with(&[("registration.verification", "required")]).await;
    for status in ["new", "taken"] {
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let (hashes, _) = work(&app, "/api/register", &body, 201).await;
        assert_eq!(hashes, 1, "{status}");
    }
}

#[tokio::test]
async fn l8_refusals_for_what_strangers_did_wait_for_the_same_time() {
    let app = TestApp::with(&[("server.trusted_proxies", "127.0.0.1")]).await;
    app.register("ada").await;
    for name in ["ada", "nobody"] {
        let from = |network: String| {
            let body = json!({"email": format!("{name}@example.com"), "password": OTHER_PASSWORD});
            let request = app.post("/api/login").header("x-forwarded-for", &network);
            request.json(&body).send()
        };
        for network in 0..100 {
            from(format!("198.51.100.{network}")).await.expect(401);
        }
        let (hashes, watch) = (app.app.hasher.done(), symbolon::clock::Stopwatch::start());
        from("203.0.113.1".to_owned())
            .await
            .problem(429, "rate_limited");
        assert_eq!(app.app.hasher.done(), hashes);
        assert!(watch.elapsed().as_millis() >= 10, "{name}");
    }
}
