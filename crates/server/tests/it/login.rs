//! `POST /api/login`

use serde_json::{Value, json};
use symbolon_domain::UserStatus;
use symbolon_domain::audit::AuditKind;

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::{OTHER_PASSWORD, PASSWORD, claims, cookie, header};

async fn login(app: &TestApp, body: &Value) -> Answer {
    app.post("/api/login").json(body).send().await
}

fn wrong(email: &str) -> Value {
    json!({"email": email, "password": OTHER_PASSWORD})
}

#[tokio::test]
async fn signing_in_gives_an_access_token_and_the_cookie() {
    let app = TestApp::start().await;
    let user = app.register("ada").await;
    let answer = login(
        &app,
        &json!({"email": "ada@example.com", "password": PASSWORD, "device": "Laptop"}),
    )
    .await;
    let body = answer.expect(200).json();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
    let mut expected =
        ["message", "accessToken", "tokenType", "expiresIn", "user"].map(ToOwned::to_owned);
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(
        (&body["tokenType"], &body["expiresIn"], &body["user"]),
        (&json!("Bearer"), &json!(900), &user)
    );

    let token = body["accessToken"].as_str().unwrap();
    let head = header(token);
    assert_eq!(
        (&head["alg"], &head["typ"]),
        (&json!("ES256"), &json!("at+jwt"))
    );
    assert_eq!(head.as_object().unwrap().len(), 3, "{head}");
    let claims = claims(token);
    let now = app.now_seconds();
    let issuer = format!("http://{}", app.address);
    for (name, value) in [
        ("iss", json!(issuer)),
        ("aud", json!(issuer)),
        ("sub", user["id"].clone()),
        ("iat", json!(now)),
        ("exp", json!(now + 900)),
        ("ver", json!(1)),
        ("client_id", json!("symbolon")),
        ("roles", json!(["user"])),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert!(claims["jti"].as_str().is_some_and(|id| id.len() >= 16) && claims["scope"].is_string());
    assert_eq!(
        claims["sid"]
            .as_str()
            .unwrap()
            .parse::<uuid::Uuid>()
            .unwrap()
            .get_version_num(),
        7
    );
    assert_eq!(claims.as_object().unwrap().len(), 11, "{claims}");
    app.profile(token).await.expect(200);
}

#[tokio::test]
async fn the_address_is_in_the_token_where_the_setting_asks_for_it() {
    let app = TestApp::with(&[("tokens.email", "true")]).await;
    let device = app.user().await;
    assert_eq!(claims(&device.access)["email"], "ada@example.com");
    let next = app.assert_signed_in(&device).await;
    assert_eq!(claims(&next.access)["email"], "ada@example.com");
}

#[tokio::test]
async fn c7_the_cookie_is_as_the_contract_says() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let answer = login(
        &app,
        &json!({"email": "ada@example.com", "password": PASSWORD}),
    )
    .await;
    let value = cookie(&answer);
    let expected = format!(
        "refreshToken={value}; HttpOnly; Secure; SameSite=Strict; Path=/api/refresh; Max-Age=604800"
    );
    assert_eq!(answer.header("set-cookie"), Some(&*expected));
    assert!(
        value.starts_with("sbr_")
            && value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    );
    assert!(
        !answer.text().contains(&value),
        "it is not in the body as well"
    );
}

#[tokio::test]
async fn without_remember_the_cookie_goes_with_the_browser() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let answer = login(
        &app,
        &json!({"email": "ada@example.com", "password": PASSWORD, "remember": false}),
    )
    .await;
    let expected = format!(
        "refreshToken={}; HttpOnly; Secure; SameSite=Strict; Path=/api/refresh",
        cookie(&answer)
    );
    assert_eq!(answer.header("set-cookie"), Some(&*expected));
}

#[tokio::test]
async fn name_domain_and_same_site_of_the_cookie_are_settings() {
    let settings = [
        ("cookie.name", "rt"),
        ("cookie.domain", "example.com"),
        ("cookie.same_site", "lax"),
    ];
    let app = TestApp::with(&settings).await;
    app.register("ada").await;
    let answer = login(
        &app,
        &json!({"email": "ada@example.com", "password": PASSWORD}),
    )
    .await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("rt=sbr_"), "{cookie}");
    for attribute in [
        "; HttpOnly",
        "; Secure",
        "; SameSite=Lax",
        "; Path=/api/refresh",
        "; Domain=example.com",
        "; Max-Age=604800",
    ] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    let token = cookie.split(['=', ';']).nth(1).unwrap();
    app.post("/api/refresh")
        .header("cookie", &format!("rt={token}"))
        .send()
        .await
        .expect(200);
    app.post("/api/refresh")
        .cookie(token)
        .send()
        .await
        .problem(401, "no_refresh_token");
}

#[tokio::test]
async fn transport_body_gives_the_refresh_token_in_the_answer_and_no_cookie() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let answer = login(
        &app,
        &json!({"email": "ada@example.com", "password": PASSWORD, "transport": "body"}),
    )
    .await;
    assert_eq!(answer.header("set-cookie"), None);
    assert!(
        answer.json()["refreshToken"]
            .as_str()
            .unwrap()
            .starts_with("sbr_")
    );
    let unknown = json!({"email": "ada@example.com", "password": PASSWORD, "transport": "pigeon"});
    login(&app, &unknown)
        .await
        .field("/transport", "unknown_value");
}

#[tokio::test]
async fn address_username_and_identifier_all_do() {
    let app = TestApp::start().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "username": "ada"});
    app.post("/api/register")
        .json(&body)
        .send()
        .await
        .expect(201);
    for (member, value) in [
        ("email", "ada@example.com"),
        ("email", "ADA@EXAMPLE.COM"),
        ("username", "ada"),
        ("username", "Ada"),
        ("identifier", "ada@example.com"),
        ("identifier", "ada"),
    ] {
        login(&app, &json!({member: value, "password": PASSWORD}))
            .await
            .expect(200);
    }
    let both = json!({"email": "ada@example.com", "username": "ada", "password": PASSWORD});
    login(&app, &both).await.field("/username", "ambiguous");
    assert_eq!(login(&app, &json!({})).await.fields().len(), 2);
}

#[tokio::test]
async fn l7_unknown_and_wrong_password_answer_alike() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let ask = |email| {
        app.post("/api/login")
            .header("x-request-id", "same")
            .json(&wrong(email))
            .send()
    };
    let (mut wrong, mut unknown) = (ask("ada@example.com").await, ask("bob@example.com").await);
    wrong.problem(401, "invalid_credentials");
    for answer in [&mut wrong, &mut unknown] {
        answer.drop_header("date");
    }
    assert_eq!(wrong, unknown);
    assert_eq!(app.audit(AuditKind::LoginFailed).await.len(), 2);
}

#[tokio::test]
async fn l14_a_disabled_user_hears_so_only_with_the_right_password() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let user = app.stored(&device).await;
    symbolon::flows::users::set_status(
        &app.app,
        symbolon::flows::actor::Actor::Operator,
        user,
        UserStatus::Disabled,
        &Default::default(),
    )
    .await
    .unwrap();
    login(&app, &wrong("ada@example.com"))
        .await
        .problem(401, "invalid_credentials");
    let right = json!({"email": "ada@example.com", "password": PASSWORD});
    let answer = login(&app, &right).await;
    answer.problem(403, "account_disabled");
    assert_eq!(answer.header("set-cookie"), None);
    app.assert_signed_out(&device).await;
    assert_eq!(
        app.stored(&device).await.status,
        UserStatus::Disabled,
        "a sign-in enables nobody"
    );
    let user = app.stored(&device).await;
    symbolon::flows::users::set_status(
        &app.app,
        symbolon::flows::actor::Actor::Operator,
        user,
        UserStatus::Active,
        &Default::default(),
    )
    .await
    .unwrap();
    login(&app, &right).await.expect(200);
    app.assert_signed_out(&device).await;
}

#[tokio::test]
async fn s1_each_sign_in_is_a_new_session() {
    let app = TestApp::start().await;
    let first = app.user().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let answer = app
        .post("/api/login")
        .cookie(&first.refresh)
        .bearer(&first.access)
        .json(&body)
        .send()
        .await;
    let second = crate::people::Device::of("ada@example.com", &answer);
    assert_ne!(first.sid, second.sid);
    assert_ne!(first.refresh, second.refresh);
    app.assert_signed_in(&first).await;
    app.assert_signed_in(&second).await;
}

#[tokio::test]
async fn p8_password_of_the_wrong_type() {
    let app = TestApp::start().await;
    for password in [
        json!(["violet"]),
        json!({"$ne": ""}),
        json!(0),
        json!(false),
    ] {
        login(
            &app,
            &json!({"email": "ada@example.com", "password": password}),
        )
        .await
        .field("/password", "type_mismatch");
    }
    for password in [json!(""), json!(null)] {
        login(
            &app,
            &json!({"email": "ada@example.com", "password": password}),
        )
        .await
        .field("/password", "required");
    }
    let long = json!({"email": "ada@example.com", "password": "x".repeat(5000)});
    login(&app, &long)
        .await
        .field("/password", "password_too_long");
}

#[tokio::test]
async fn n9_nul_reaches_no_database() {
    let app = TestApp::start().await;
    app.register("ada").await;
    for (member, value) in [
        ("email", "a\0@example.com"),
        ("username", "ad\0a"),
        ("identifier", "\0"),
    ] {
        let fields = login(&app, &json!({member: value, "password": PASSWORD}))
            .await
            .fields();
        assert_eq!(fields[0].0, format!("/{member}"));
    }
    let device = json!({"email": "ada@example.com", "password": PASSWORD, "device": "a\0b"});
    login(&app, &device)
        .await
        .field("/device", "device_malformed");
    let long = json!({"email": "ada@example.com", "password": PASSWORD, "device": "é".repeat(101)});
    login(&app, &long)
        .await
        .field("/device", "device_malformed");
}

#[tokio::test]
async fn m2_members_that_nobody_may_set_are_refused() {
    let app = TestApp::start().await;
    app.register("ada").await;
    for member in ["roles", "scope", "clientId", "sid", "user"] {
        let body = json!({"email": "ada@example.com", "password": PASSWORD, member: "admin"});
        assert_eq!(
            login(&app, &body).await.fields()[0].1,
            "unknown_field",
            "{member}"
        );
    }
    let twice = format!(
        r#"{{"email":"ada@example.com","password":"{OTHER_PASSWORD}","password":"{PASSWORD}"}}"#
    );
    let answer = app.post("/api/login").text_json(&twice).send().await;
    assert_eq!(answer.fields()[0].1, "duplicate_field");
}

#[tokio::test]
async fn only_a_json_object_is_a_body() {
    let app = TestApp::start().await;
    app.register("ada").await;
    // In the order of the members: what a lenient parser takes for the object.
    let array = json!(["ada@example.com", null, null, PASSWORD, null, null, null]);
    for body in [array, json!([]), json!("x"), json!(7), json!(null)] {
        login(&app, &body).await.field("", "type_mismatch");
    }
    for text in ["", "{", "{} {}", "nonsense", r#"{"email":}"#] {
        app.post("/api/login")
            .text_json(text)
            .send()
            .await
            .problem(400, "malformed_request");
    }
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let answer = app
        .post("/api/login")
        .text_json(&format!(r#"{{"email":{deep}}}"#))
        .send()
        .await;
    assert!(matches!(answer.status, 400 | 422), "{}", answer.status);
}

#[tokio::test]
async fn the_oldest_of_a_hundred_sessions_gives_way() {
    let app = TestApp::start().await;
    let oldest = app.user().await;
    let mut second = None;
    for _ in 0..100 {
        app.wait(1);
        let device = app.login("ada").await;
        second.get_or_insert(device);
    }
    app.profile(&oldest.access)
        .await
        .problem(401, "token_revoked");
    app.refresh(&oldest.refresh)
        .await
        .problem(401, "session_revoked");
    app.assert_signed_in(&second.unwrap()).await;
}

#[tokio::test]
async fn every_algorithm_signs_what_its_own_routes_accept() {
    for algorithm in ["ES256", "EdDSA", "RS256", "PS256", "HS256"] {
        let app = TestApp::with(&[
            ("tokens.algorithm", algorithm),
            ("tokens.audience", "urn:api"),
        ])
        .await;
        let device = app.user().await;
        assert_eq!(header(&device.access)["alg"], algorithm);
        assert_eq!(claims(&device.access)["aud"], "urn:api");
        app.assert_signed_in(&device).await;
        let keys = app.get("/.well-known/jwks.json").send().await.json();
        assert_eq!(
            keys["keys"].as_array().unwrap().len(),
            usize::from(algorithm != "HS256"),
            "{keys}"
        );
    }
}

#[tokio::test]
async fn p1_bcrypt_refuses_what_it_would_cut_and_argon2_renews_it() {
    let app = TestApp::with(&[("password.hash", "bcrypt"), ("password.bcrypt_cost", "10")]).await;
    let password = |length: usize| "abcdefg-".chars().cycle().take(length).collect::<String>();
    let body =
        |length| json!({"email": format!("u{length}@example.com"), "password": password(length)});
    app.post("/api/register")
        .json(&body(73))
        .send()
        .await
        .field("/password", "password_too_long");
    app.post("/api/register")
        .json(&body(72))
        .send()
        .await
        .expect(201);
    login(&app, &body(72)).await.expect(200);
    login(
        &app,
        &json!({"email": "u72@example.com", "password": password(73)}),
    )
    .await
    .problem(401, "invalid_credentials");
}
