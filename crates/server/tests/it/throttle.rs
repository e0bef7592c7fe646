//! Limits on guessing passwords, by whatever door (SECURITY rows L1 to L6).

use serde_json::{Value, json};
use symbolon_domain::audit::AuditKind;

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::{OTHER_PASSWORD, PASSWORD};

async fn login(app: &TestApp, body: &Value) -> Answer {
    app.post("/api/login").json(body).send().await
}

fn wrong(email: &str) -> Value {
    json!({"email": email, "password": OTHER_PASSWORD})
}

#[tokio::test]
async fn l1_hundred_wrong_passwords() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let mut waits = Vec::new();
    for _ in 0..100 {
        let answer = login(&app, &wrong("ada@example.com")).await;
        match answer.status {
            401 => drop(answer.problem(401, "invalid_credentials")),
            _ => {
                answer.problem(429, "rate_limited");
                let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
                waits.push(wait);
                app.wait(wait);
            }
        }
    }
    let free = 100 - 2 * waits.len();
    assert!(waits.len() > 40 && free < 10, "{waits:?}");
    assert!(
        waits.windows(2).all(|pair| pair[0] <= pair[1]),
        "the delay grows: {waits:?}"
    );
    assert_eq!(waits.last(), Some(&900), "and has a bound");
    // Nothing is locked: after the wait the right password works, without one it is not even looked at.
    login(&app, &wrong("ada@example.com")).await;
    login(
        &app,
        &json!({"email": "ada@example.com", "password": PASSWORD}),
    )
    .await
    .problem(429, "rate_limited");
    app.wait(900);
    app.login("ada").await;
}

#[tokio::test]
async fn l5_all_names_of_an_account_and_the_password_form_share_one_counter() {
    let app = TestApp::start().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "username": "ada"});
    app.post("/api/register")
        .json(&body)
        .send()
        .await
        .expect(201);
    let device = app.login("ada").await;
    for name in ["ada@example.com", "ada", "ADA", "Ada@Example.com"] {
        login(
            &app,
            &json!({"identifier": name, "password": OTHER_PASSWORD}),
        )
        .await
        .problem(401, "invalid_credentials");
    }
    login(&app, &wrong("ada@example.com")).await.expect(401);
    login(&app, &wrong("ada@example.com"))
        .await
        .problem(429, "rate_limited");
    let change = json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD});
    let answer = app
        .post("/api/user/password")
        .bearer(&device.access)
        .json(&change)
        .send()
        .await;
    answer.problem(429, "rate_limited");
    let delete = app
        .delete("/api/user/profile")
        .bearer(&device.access)
        .json(&json!({"password": PASSWORD}));
    delete.send().await.problem(429, "rate_limited");
}

#[tokio::test]
async fn l3_one_network_on_many_accounts_is_limited() {
    let app = TestApp::start().await;
    let mut refused = 0;
    for number in 0..70 {
        let answer = login(&app, &wrong(&format!("user{number}@example.com"))).await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 10, "sixty failures are free");
}

/// Peers that are trusted to say whom they speak for.
const PROXY: (&str, &str) = ("server.trusted_proxies", "127.0.0.1");

#[tokio::test]
async fn l2_many_networks_on_one_account_do_not_lock_a_known_device_out() {
    let app = TestApp::with(&[PROXY]).await;
    app.register("ada").await;
    let from = |address: String, body: Value| {
        app.post("/api/login")
            .header("x-forwarded-for", &address)
            .json(&body)
            .send()
    };
    let right = || json!({"email": "ada@example.com", "password": PASSWORD});
    from("198.51.100.7".to_owned(), right()).await.expect(200);
    for number in 0..110 {
        from(format!("203.0.113.{number}"), wrong("ada@example.com")).await;
    }
    from("203.0.113.200".to_owned(), wrong("ada@example.com"))
        .await
        .problem(429, "rate_limited");
    from("198.51.100.7".to_owned(), right()).await.expect(200);
}

#[tokio::test]
async fn l6_forwarded_headers_of_strangers_are_ignored() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let mut last = None;
    for number in 0..8 {
        let address = format!("203.0.113.{number}");
        let request = app
            .post("/api/login")
            .header("x-forwarded-for", &address)
            .header("x-real-ip", &address);
        let forwarded = request
            .header("forwarded", &format!("for={address}"))
            .json(&wrong("ada@example.com"));
        last = Some(forwarded.send().await);
    }
    last.unwrap().problem(429, "rate_limited");
    let failures = app.audit(AuditKind::LoginFailed).await;
    assert!(
        failures
            .iter()
            .all(|event| event.address.as_deref() == Some("127.0.0.1"))
    );
}

#[tokio::test]
async fn l6_a_trusted_proxy_is_believed() {
    let app = TestApp::with(&[PROXY]).await;
    login(&app, &wrong("ada@example.com")).await.expect(401);
    let request = app
        .post("/api/login")
        .header("x-forwarded-for", "198.51.100.1, 203.0.113.9");
    request
        .json(&wrong("ada@example.com"))
        .send()
        .await
        .expect(401);
    let failures = app.audit(AuditKind::LoginFailed).await;
    let addresses: Vec<_> = failures
        .iter()
        .filter_map(|event| event.address.as_deref())
        .collect();
    assert!(
        addresses.contains(&"203.0.113.9") && addresses.contains(&"127.0.0.1"),
        "{addresses:?}"
    );
}
