//! Limits on guessing passwords, by whatever door (SECURITY rows L1 to L6).

use serde_json::{Value, json};
use symbolon::clock::Clock;
use symbolon_domain::audit::AuditKind;

use crate::app::{Folder, START, TestApp};
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
async fn l5_every_door_counts_on_the_same_counter() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let wrong_door = |door: usize| {
        let request = match door % 3 {
            0 => app
                .post("/api/login")
                .json(&json!({"email": "ADA@example.com", "password": OTHER_PASSWORD})),
            1 => app
                .post("/api/user/password")
                .bearer(&device.access)
                .json(&json!({"currentPassword": OTHER_PASSWORD, "newPassword": OTHER_PASSWORD})),
            _ => app
                .delete("/api/user/profile")
                .bearer(&device.access)
                .json(&json!({"password": OTHER_PASSWORD})),
        };
        request.send()
    };
    for door in 0..5 {
        let code = if door % 3 == 0 { 401 } else { 403 };
        wrong_door(door).await.expect(code);
    }
    for door in 0..3 {
        let answer = wrong_door(door).await;
        answer.problem(429, "rate_limited");
        assert!(
            answer
                .header("ratelimit")
                .unwrap()
                .contains("\"account\";r=0;t=1")
        );
    }
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
async fn l2_a_restart_forgets_no_known_device() {
    let folder = Folder::new();
    let clock = Clock::frozen(START);
    let settings = [PROXY];
    let app = TestApp::in_folder_with(&folder, clock.clone(), 1, &settings).await;
    app.register("ada").await;
    let login = |app: &TestApp, address: &str, password: &str| {
        app.post("/api/login")
            .header("x-forwarded-for", address)
            .json(&json!({"email": "ada@example.com", "password": password}))
            .send()
    };
    login(&app, "2001:db8:7::1", PASSWORD).await.expect(200);
    app.stop().await;
    let app = TestApp::in_folder_with(&folder, clock, 2, &settings).await;
    let mut refused = 0;
    for number in 0..1_000 {
        let address = format!("203.0.{}.{}", number / 250, number % 250);
        refused += usize::from(login(&app, &address, OTHER_PASSWORD).await.status == 429);
    }
    assert_eq!(refused, 900, "all together had the account's hundred");
    // Another device of the same /64; then a network from which nobody signed in.
    login(&app, "2001:db8:7::2", PASSWORD).await.expect(200);
    login(&app, "2001:db8:8::1", PASSWORD)
        .await
        .problem(429, "rate_limited");
    app.stop().await;
}

#[tokio::test]
async fn l9_one_address_that_floods_leaves_room_for_another() {
    let app = TestApp::with(&[PROXY]).await;
    app.register("ada").await;
    let flood = (0..500).map(|number| {
        app.post("/api/login")
            .header("x-forwarded-for", "203.0.113.1")
            .json(&wrong(&format!("user{number}@example.com")))
            .send()
    });
    let owner = app
        .post("/api/login")
        .header("x-forwarded-for", "198.51.100.7")
        .json(&json!({"email": "ada@example.com", "password": PASSWORD}));
    let (flood, owner) = tokio::join!(futures_util::future::join_all(flood), owner.send());
    owner.expect(200);
    let hashed = flood.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(hashed, 60, "one network has a share of the queue");
    assert!(
        flood
            .iter()
            .all(|answer| [401, 429].contains(&answer.status))
    );
}

/// What is told of the limits, and how.
fn told(answer: &Answer) -> (Option<&str>, Option<&str>) {
    (
        answer.header("ratelimit-policy"),
        answer.header("ratelimit"),
    )
}

#[tokio::test]
async fn limits_are_told_in_headers() {
    let app = TestApp::start().await;
    let answer = app
        .post("/api/register")
        .json(&json!({"email": "ada@example.com", "password": PASSWORD}))
        .send()
        .await;
    let registration = (
        "\"registration\";q=100;w=1000",
        "\"registration\";r=99;t=10",
    );
    assert_eq!(told(&answer), (Some(registration.0), Some(registration.1)));
    let policy = Some("\"account\";q=5, \"network\";q=60;w=60");
    for left in (0..5).rev() {
        let answer = login(&app, &wrong("ada@example.com")).await;
        let wait = if left == 0 { ";t=1" } else { "" };
        let expected = format!("\"account\";r={left}{wait}");
        assert_eq!(told(&answer), (policy, Some(&*expected)));
    }
    let refused = login(&app, &wrong("ada@example.com")).await;
    refused.problem(429, "rate_limited");
    assert_eq!(told(&refused), (policy, Some("\"account\";r=0;t=1")));
    for number in 0..53 {
        login(&app, &wrong(&format!("user{number}@example.com"))).await;
    }
    let answer = login(&app, &wrong("eve@example.com")).await;
    assert_eq!(told(&answer), (policy, Some("\"network\";r=1;t=59")));
    // Where nothing was tried, nothing is told.
    assert_eq!(told(&login(&app, &json!({})).await), (None, None));
    let off = TestApp::with(&[("throttle.enabled", "false")]).await;
    assert_eq!(
        told(&login(&off, &wrong("ada@example.com")).await),
        (None, None)
    );
}

#[tokio::test]
async fn l7_neither_counters_nor_headers_tell_whether_there_is_an_account() {
    // The name in front of the `@` is the username most people take.
    let bodies = |number: usize| {
        let name = ["ada@example.com", "ada", "ADA@example.com"][number % 3];
        json!({"identifier": name, "password": OTHER_PASSWORD})
    };
    let mut seen = Vec::new();
    for exists in [false, true] {
        let app = TestApp::start().await;
        if exists {
            let body = json!({"email": "ada@example.com", "password": PASSWORD, "username": "ada"});
            let registered = app.post("/api/register").json(&body).send().await;
            registered.expect(201);
        }
        let mut answers = Vec::new();
        for number in 0..14 {
            let answer = login(&app, &bodies(number)).await;
            let code = answer.json()["code"].as_str().unwrap().to_owned();
            let wait = answer.header("retry-after").map(ToOwned::to_owned);
            let limits = answer.header("ratelimit").unwrap().to_owned();
            answers.push((answer.status, code, wait, limits));
            app.wait(number as u64 / 2);
        }
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].iter().any(|(status, ..)| *status == 429));
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
