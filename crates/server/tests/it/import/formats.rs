//! The files that other systems export, in the forms that they document.

use serde_json::json;
use symbolon::transfer::Format;
use symbolon_domain::{Timestamp, User, UserStatus};

use super::{PASSWORD, counts, file, options};
use crate::app::TestApp;

/// No limits on guessing: there is a wrong password for each right one.
async fn start() -> TestApp {
    TestApp::with(&[("throttle.enabled", "false")]).await
}

async fn user(app: &TestApp, email: &str) -> User {
    app.credentials(email).await.user
}

#[tokio::test]
async fn keycloak() {
    let app = start().await;
    let told = app
        .import(Format::Keycloak, file("keycloak-realm.json"))
        .await;
    assert_eq!(counts(&told.tally), [7, 5, 1, 1]);
    assert_eq!(
        told.skipped,
        [(6, "a service account of a client".to_owned())]
    );
    assert_eq!(told.failed, [(7, "/email required".to_owned())]);

    let ada = user(&app, "ada@example.com").await;
    assert_eq!(ada.id.to_string(), "b1d6d7a1-3a55-4b1f-8f0e-6a6d4a2d9c01");
    assert_eq!(ada.username.unwrap().as_str(), "ada");
    assert_eq!(ada.name.unwrap().as_str(), "Ada Lovelace");
    assert_eq!(ada.roles.to_string(), "user");
    assert!(ada.email_verified);
    assert_eq!(ada.created_at, Timestamp::from_millis(1_690_000_000_123));
    let bob = user(&app, "bob@example.com").await;
    assert_eq!(
        (bob.username, bob.name, bob.email_verified),
        (None, None, false)
    );
    let eve = app.credentials("eve@example.com").await;
    assert_eq!(eve.user.status, UserStatus::Disabled);
    assert_eq!(eve.password_hash, None);
    assert_eq!(
        app.try_login("eve@example.com", &json!(PASSWORD)).await,
        401
    );

    // PBKDF2 with SHA-256, with SHA-512, Argon2id, and the form of old versions with SHA-1.
    for name in ["ada", "bob", "carol", "dan"] {
        app.signs_in_and_is_renewed(&format!("{name}@example.com"), PASSWORD)
            .await;
    }
}

#[tokio::test]
async fn users_files_of_keycloak_are_lists_as_well() {
    let app = start().await;
    let text = r#"{"realm":"shop","users":[{"username":"ada","email":"ada@example.com"}]}"#;
    let told = app.import(Format::Keycloak, text).await;
    assert_eq!(counts(&told.tally), [1, 1, 0, 0]);
    let list = r#"[{"username":"bob","email":"bob@example.com","realmRoles":["boss"]}]"#;
    let told = app.import(Format::Keycloak, list).await;
    assert_eq!(told.failed, [(1, "/roles role_unknown".to_owned())]);
}

#[tokio::test]
async fn auth0() {
    let app = start().await;
    let told = app.import(Format::Auth0, file("auth0.ndjson")).await;
    assert_eq!(counts(&told.tally), [5, 4, 0, 1]);
    let weak = "/passwordHash password_hash_too_weak".to_owned();
    assert_eq!(told.failed, [(5, weak)]);

    let ada = app.credentials("ada@example.com").await;
    assert_eq!(ada.user.name.unwrap().as_str(), "Ada Lovelace");
    assert_eq!(ada.password_hash, None);
    assert_eq!(
        ada.user.created_at,
        Timestamp::from_millis(1_690_000_000_123)
    );
    // The id of another form is no id here; the order of the new ones is that of the accounts' making.
    assert_eq!(ada.user.id.uuid().get_version_num(), 7);
    assert_eq!(
        &ada.user.id.as_bytes()[..6],
        &1_690_000_000_123_u64.to_be_bytes()[2..]
    );
    let carol = user(&app, "carol@example.com").await;
    assert_eq!((carol.status, carol.name), (UserStatus::Disabled, None));

    for name in ["bob", "dan"] {
        app.signs_in_and_is_renewed(&format!("{name}@example.com"), PASSWORD)
            .await;
    }
    assert_eq!(
        app.try_login("carol@example.com", &json!(PASSWORD)).await,
        403
    );
}

#[tokio::test]
async fn a_weak_hash_is_left_behind_where_that_is_asked_for() {
    let app = start().await;
    let mut options = options();
    options.drop_hashes = true;
    let told = app
        .import_with(Format::Auth0, file("auth0.ndjson"), options)
        .await;
    assert_eq!(counts(&told.tally), [5, 5, 0, 0]);
    assert_eq!(app.credentials("eve@example.com").await.password_hash, None);
    assert!(
        app.credentials("bob@example.com")
            .await
            .password_hash
            .is_some()
    );
}

#[tokio::test]
async fn firebase() {
    for name in ["firebase.json", "firebase.csv"] {
        let app = start().await;
        let told = app.import(Format::Firebase, file(name)).await;
        let phone_only = u64::from(name == "firebase.json");
        assert_eq!(
            counts(&told.tally),
            [2 + phone_only, 2, 0, phone_only],
            "{name}"
        );
        let ada = user(&app, "ada@example.com").await;
        let shown = ada.name.unwrap();
        assert!(
            ["Ada Lovelace", "Lovelace, Ada"].contains(&shown.as_str()),
            "{shown}"
        );
        assert!(ada.email_verified);
        assert_eq!(ada.created_at, Timestamp::from_millis(1_690_000_000_123));
        let bob = app.credentials("bob@example.com").await;
        assert_eq!(bob.user.status, UserStatus::Disabled);
        assert_eq!(bob.password_hash, None);
        app.signs_in_and_is_renewed("ada@example.com", "user1password")
            .await;
    }
}

#[tokio::test]
async fn firebase_hashes_need_the_parameters_of_their_project() {
    let app = start().await;
    let read = Box::new(std::io::Cursor::new(file("firebase.json")));
    let mut asked = super::asked(Format::Firebase, read, options());
    asked.firebase = None;
    let told = super::run(&app.app, asked).await.unwrap();
    assert_eq!(counts(&told.tally), [3, 1, 0, 2]);
    assert_eq!(told.failed[0].1, "/passwordHash hash_config_missing");
}

#[tokio::test]
async fn supabase() {
    let app = start().await;
    let told = app.import(Format::Supabase, file("supabase.csv")).await;
    assert_eq!(counts(&told.tally), [4, 2, 1, 1]);
    assert_eq!(told.skipped, [(4, "a user who was deleted".to_owned())]);
    assert_eq!(told.failed, [(5, "/email required".to_owned())]);
    let ada = user(&app, "ada@example.com").await;
    assert_eq!(ada.id.to_string(), "5d0c0e0a-31f4-4f9f-8d3b-2c2b7a1e0c01");
    assert_eq!(ada.name.unwrap().as_str(), "Ada Lovelace");
    assert!(ada.email_verified);
    assert_eq!(ada.created_at, Timestamp::from_millis(1_690_000_000_123));
    let bob = app.credentials("bob@example.com").await;
    assert_eq!(
        bob.user.status,
        UserStatus::Disabled,
        "banned for a thousand years"
    );
    assert_eq!(bob.password_hash, None);
    app.signs_in_and_is_renewed("ada@example.com", PASSWORD)
        .await;

    let app = start().await;
    let told = app.import(Format::Supabase, file("supabase.jsonl")).await;
    assert_eq!(counts(&told.tally), [1, 1, 0, 0]);
    let ada = user(&app, "ada@example.com").await;
    assert_eq!(ada.name.unwrap().as_str(), "Ada Lovelace");
    app.signs_in_and_is_renewed("ada@example.com", PASSWORD)
        .await;
}

/// Made by Django 5.2, passlib 1.7 and Python's bcrypt; a line each of our own format.
const HASHES: [&str; 9] = [
    "pbkdf2_sha256$1000$seasalt2seasalt2$8MkvgctZalT3B1nT7NulxO1ihsB4FzTmepbHRG1ngO0=",
    "pbkdf2_sha1$1000$seasalt2seasalt2$dSo8DwDJrxiEoz8SyR5GZ4AKRSo=",
    "scrypt$1024$seasalt2seasalt2$8$5$5QY6/ftL0IQD6WqYBiHfcNbjWIRbPWaYp5HrkrNIc5oUX7oySyJhGiBnjex4DhkrxBv0J9JU5thdI431Pw6koA==",
    "argon2$argon2id$v=19$m=64,t=1,p=1$c2Vhc2FsdDJzZWFzYWx0Mg$4WTLsBGdBmOiBzG0xsbyc/lLvm2mQOjGkR3bteMu698",
    "bcrypt$$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    "$2a$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    "$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M",
    "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M",
    "$pbkdf2-sha512$i=1000,l=64$YXV0aDBzYWx0YXV0aDBzYQ$oul+S07wkcFQH7gth7lQdU8Ud7ETsnBuQUi+YM40nNmYwpXK7mGR0pcSewpONXc0LpOcx9OK4c/gyh8jXNZZuA",
];

#[tokio::test]
async fn every_hash_is_upgraded_at_the_first_sign_in() {
    let app = start().await;
    let lines = HASHES.iter().enumerate().map(|(number, hash)| {
        json!({"email": format!("user{number}@example.com"), "passwordHash": hash}).to_string()
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let told = app.import(Format::Jsonl, text).await;
    assert_eq!(told.failed, []);
    for number in 0..HASHES.len() {
        app.signs_in_and_is_renewed(&format!("user{number}@example.com"), PASSWORD)
            .await;
    }
}

#[tokio::test]
async fn p1_no_imported_bcrypt_hash_lets_a_longer_password_in() {
    let app = start().await;
    // Of 72 times `a`.
    let hash = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";
    let line = json!({"email": "ada@example.com", "passwordHash": hash});
    app.import(Format::Jsonl, line.to_string()).await;
    for longer in [
        "a".repeat(73),
        format!("{}\u{e9}", "a".repeat(71)),
        "a".repeat(71),
    ] {
        assert_eq!(app.try_login("ada@example.com", &json!(longer)).await, 401);
    }
    app.signs_in_and_is_renewed("ada@example.com", &"a".repeat(72))
        .await;
}
