//! What must not be readable where it is kept or told (SECURITY rows M7, P9, R15).

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use symbolon::clock::Clock;

use crate::app::{Folder, START, TestApp};
use crate::people::{Device, OTHER_PASSWORD, PASSWORD};

/// A life in which every secret is used, and the secrets.
async fn life(app: &TestApp) -> Vec<String> {
    let first = app.user().await;
    let second = app.refreshed(&first).await;
    let by_body = app
        .login_with("ada", &json!({"transport": "body", "device": "Phone"}))
        .await;
    let body = json!({"refreshToken": by_body.refresh});
    let next = Device::of(
        &first.email,
        &app.post("/api/refresh").json(&body).send().await,
    );
    let change = json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD});
    app.post("/api/user/password")
        .bearer(&second.access)
        .json(&change)
        .send()
        .await
        .expect(204);
    let wrong = json!({"email": first.email, "password": "hunter2-hunter2"});
    app.post("/api/login").json(&wrong).send().await.expect(401);
    let malformed = r#"{"email":"ada@example.com","password":"hunter2-hunter2"#;
    app.post("/api/login")
        .text_json(malformed)
        .send()
        .await
        .expect(400);
    app.profile("forged-token-in-the-header").await.expect(401);
    app.wait(400);
    app.refresh(&first.refresh)
        .await
        .problem(401, "refresh_token_reused");
    app.post("/api/refresh?refreshToken=in-the-query")
        .send()
        .await
        .expect(401);
    let mut secrets = [
        PASSWORD,
        OTHER_PASSWORD,
        "hunter2",
        "forged-token-in-the-header",
        "in-the-query",
    ]
    .map(str::to_owned)
    .to_vec();
    for device in [&first, &second, &by_body, &next] {
        secrets.extend(parts(device));
    }
    secrets
}

/// The tokens of a device, and the parts of them that are secret alone.
fn parts(device: &Device) -> Vec<String> {
    let signature = device.access.rsplit('.').next().unwrap();
    vec![
        device.refresh.clone(),
        device.refresh[40..].to_owned(),
        device.access.clone(),
        signature.to_owned(),
    ]
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[tokio::test]
async fn r15_a_dump_of_the_store_has_no_usable_value() {
    let folder = Folder::new();
    let app = TestApp::in_folder(&folder, Clock::frozen(START), 1).await;
    let mut secrets: Vec<Vec<u8>> = life(&app)
        .await
        .into_iter()
        .map(String::into_bytes)
        .collect();
    // The secret of a refresh token as bytes too.
    let device = app.login_new_password().await;
    let bytes = symbolon_token::encoding::decode(&device.refresh.as_bytes()[4..]).unwrap();
    secrets.extend([bytes[26..58].to_vec(), device.refresh.into_bytes()]);
    app.stop().await;
    let mut dumped = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        dumped += bytes.len();
        for secret in &secrets {
            assert!(
                !contains(&bytes, secret),
                "{}: {}",
                path.display(),
                String::from_utf8_lossy(secret)
            );
        }
        if path.extension().is_some_and(|extension| extension == "db") {
            assert!(
                contains(&bytes, b"$argon2id$v=19$m=7168,t=5,p=1$"),
                "hashes are there, so that something was looked at"
            );
            assert!(!contains(&bytes, b"PRIVATE KEY") && !contains(&bytes, b"\"d\":"));
        }
    }
    assert!(dumped > 10_000);
}

/// What every thread logs, while somebody listens. A subscriber for one thread alone would not do: what another test
/// does on another thread decides whether a line is of interest to anybody.
struct Lines;

static LISTENING: AtomicBool = AtomicBool::new(false);
static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if LISTENING.load(Ordering::SeqCst) {
            LINES.lock().unwrap().extend(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn p9_logs_metrics_and_the_audit_log_hold_no_secret() {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(|| Lines)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    LISTENING.store(true, Ordering::SeqCst);
    let app = TestApp::start().await;
    let secrets = life(&app).await;
    let metrics = app.get("/metrics").send().await.text().to_owned();
    let audit = format!("{:?}", app.app.store.list_audit(1000, None).await.unwrap());
    LISTENING.store(false, Ordering::SeqCst);
    let logged = String::from_utf8(LINES.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("refresh token reused") && logged.contains("/api/login"),
        "{logged}"
    );
    assert!(!audit.is_empty());
    for secret in secrets {
        for (place, text) in [("log", &logged), ("metrics", &metrics), ("audit", &audit)] {
            assert!(!text.contains(&secret), "the {place} shows {secret}");
        }
    }
}

#[tokio::test]
async fn m7_n17_answers_show_nothing_of_the_inside() {
    // The client of these tests looks for hashes, passwords and the words of the database in each answer.
    let app = TestApp::start().await;
    let device = app.user().await;
    let profile = app.profile(&device.access).await.text().to_owned();
    let sessions = app
        .get("/api/sessions")
        .bearer(&device.access)
        .send()
        .await
        .text()
        .to_owned();
    for word in [
        "token_version",
        "tokenVersion",
        "hash",
        "digest",
        "secret",
        "generation",
        &device.refresh,
    ] {
        assert!(
            !profile.contains(word) && !sessions.contains(word),
            "{word}"
        );
    }
    app.app.store.close().await;
    let answer = app.profile(&device.access).await;
    let problem = answer.problem(503, "overloaded");
    for word in ["store", "closed", "thread", "database", "/"] {
        assert!(
            !problem["detail"].as_str().unwrap().contains(word),
            "{problem}"
        );
    }
}
