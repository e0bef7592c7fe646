//! Who may come in: the rules of registration hold for files as well.

use serde_json::json;
use symbolon::transfer::Format;
use symbolon_domain::audit::AuditKind;
use symbolon_domain::{RoleName, Roles};

use super::{PASSWORD, asked, counts, options, run};
use crate::app::TestApp;

const HASH: &str = "$2a$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";

#[tokio::test]
async fn n9_a_broken_line_is_told_with_its_number_and_the_rest_goes_on() {
    let app = TestApp::start().await;
    let lines = [
        json!({"email": "ada@example.com"}).to_string(),
        "{".to_owned(),
        json!({"email": "no address", "username": "x", "name": "\u{0}", "roles": ["No Role"]}).to_string(),
        json!({"email": "a\u{0}b@example.com"}).to_string(),
        json!({"email": "bob@example.com", "passwordHash": "$6$salt$hash"}).to_string(),
        json!({"email": "bob@example.com", "passwordHash": "$2b$31$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"}).to_string(),
        json!({"email": "bob@example.com", "passwordHash": "a\u{0}b"}).to_string(),
        json!({"email": "bob@example.com", "id": "00000000-0000-0000-0000-000000000000"}).to_string(),
        json!({"name": "Bob"}).to_string(),
        json!({"email": "bob@example.com", "createdAt": "2999-01-01T00:00:00Z"}).to_string(),
    ];
    let told = app.import(Format::Jsonl, lines.join("\n")).await;
    assert_eq!(counts(&told.tally), [10, 2, 0, 8]);
    let failed: Vec<_> = told
        .failed
        .iter()
        .map(|(n, what)| (*n, what.as_str()))
        .collect();
    let expected = [
        (2, " malformed_json"),
        (
            3,
            "/email email_malformed, /username username_too_short, /name name_malformed, /roles role_malformed",
        ),
        (4, "/email email_malformed"),
        (5, "/passwordHash password_hash_unknown"),
        (6, "/passwordHash password_hash_too_costly"),
        (7, "/passwordHash password_hash_unknown"),
        (8, "/id malformed_id"),
        (9, "/email required"),
    ];
    assert_eq!(failed, expected);
    let bob = app.credentials("bob@example.com").await.user;
    assert_eq!(
        bob.created_at,
        app.clock.now(),
        "nothing was made in the future"
    );
}

#[tokio::test]
async fn who_is_there_is_skipped_and_the_others_of_the_chunk_are_not() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let lines = [
        json!({"email": "new@example.com", "username": "newcomer"}),
        json!({"email": "ADA@example.com"}),
        json!({"email": "second@example.com", "username": "NewComer"}),
        json!({"email": "New@Example.com"}),
        json!({"email": "third@example.com"}),
    ];
    let text = lines.map(|line| line.to_string()).join("\n");
    let told = app.import(Format::Jsonl, &text).await;
    assert_eq!(counts(&told.tally), [5, 2, 3, 0]);
    let why: Vec<_> = told
        .skipped
        .iter()
        .map(|(n, why)| (*n, why.as_str()))
        .collect();
    let expected = [
        (2, "the email is taken"),
        (3, "the username is taken"),
        (4, "the email is taken"),
    ];
    assert_eq!(why, expected);
    // Once more, told as failures: nobody is doubled.
    let mut strict = options();
    strict.conflict_fails = true;
    let told = app.import_with(Format::Jsonl, &text, strict).await;
    assert_eq!(counts(&told.tally), [5, 0, 0, 5]);
    assert_eq!(told.failed[0], (1, "/email conflict".to_owned()));
}

#[tokio::test]
async fn an_id_that_is_taken_is_no_second_user() {
    let app = TestApp::start().await;
    let id = "5d0c0e0a-31f4-4f9f-8d3b-2c2b7a1e0c01";
    let one = json!({"id": id, "email": "ada@example.com"}).to_string();
    let two = json!({"id": id, "email": "eve@example.com"}).to_string();
    let told = app.import(Format::Jsonl, format!("{one}\n{two}")).await;
    assert_eq!(told.skipped, [(2, "the id is taken".to_owned())]);
}

#[tokio::test]
async fn nobody_becomes_an_administrator_by_a_file() {
    let app = TestApp::start().await;
    let line = |email: &str, role: &str| json!({"email": email, "roles": [role]}).to_string();
    let text = format!(
        "{}\n{}",
        line("ada@example.com", "admin"),
        line("bob@example.com", "user")
    );
    let told = app.import(Format::Jsonl, &text).await;
    assert_eq!(told.failed, [(1, "/roles role_admin".to_owned())]);
    let mut passed_over = options();
    passed_over.ignore_roles = true;
    let told = app
        .import_with(Format::Jsonl, line("eve@example.com", "admin"), passed_over)
        .await;
    assert_eq!(told.failed, []);
    let eve = app.credentials("eve@example.com").await.user;
    assert_eq!(eve.roles.to_string(), "user");
    let mut allowed = options();
    allowed.allow_admin = true;
    let told = app.import_with(Format::Jsonl, &text, allowed).await;
    assert_eq!(counts(&told.tally), [2, 1, 1, 0]);
    assert!(
        app.credentials("ada@example.com")
            .await
            .user
            .roles
            .is_admin()
    );

    // What everybody is to have is judged before anything is read.
    for roles in [
        vec![RoleName::ADMIN],
        vec![RoleName::parse("ghost").unwrap()],
    ] {
        let mut wrong = options();
        wrong.roles = Roles::new(roles);
        let read = Box::new(std::io::empty());
        assert!(
            run(&app.app, asked(Format::Jsonl, read, wrong))
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn passwords_in_clear_are_taken_when_asked_for_and_by_the_rules() {
    let app = TestApp::with(&[("throttle.enabled", "false")]).await;
    let text = [
        json!({"email": "ada@example.com", "password": PASSWORD}).to_string(),
        json!({"email": "bob@example.com", "password": "password1"}).to_string(),
        json!({"email": "eve@example.com", "password": "short"}).to_string(),
        json!({"email": "dan@example.com", "password": 12345678}).to_string(),
    ]
    .join("\n");
    let told = app.import(Format::Jsonl, &text).await;
    assert_eq!(told.tally.imported, 0);
    assert_eq!(told.failed[0], (1, "/password plain_password".to_owned()));
    let mut plain = options();
    plain.plain_passwords = true;
    let told = app.import_with(Format::Jsonl, &text, plain).await;
    assert_eq!(told.tally.imported, 1);
    let codes: Vec<_> = told.failed.iter().map(|(_, what)| what.as_str()).collect();
    let expected = [
        "/password password_blocklisted",
        "/password password_too_short",
        "/password type_mismatch",
    ];
    assert_eq!(codes, expected);
    assert_eq!(
        app.try_login("ada@example.com", &json!(PASSWORD)).await,
        200
    );
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_writes_nothing() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let lines = (0..1500).map(|number| {
        let email = format!("user{}@example.com", number % 1200);
        json!({"email": email, "passwordHash": HASH}).to_string()
    });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    text.push_str("\n{\"email\":\"ada@example.com\"}\nbroken\n");
    let mut dry = options();
    dry.dry_run = true;
    let told = app.import_with(Format::Jsonl, &text, dry).await;
    assert_eq!(counts(&told.tally), [1502, 1200, 301, 1]);
    assert_eq!(app.app.store.list_users(10, None).await.unwrap().len(), 1);
    assert!(app.audit(AuditKind::UsersImported).await.is_empty());
    let real = app.import(Format::Jsonl, &text).await;
    assert_eq!(real.tally, told.tally);
    assert_eq!(real.failed, told.failed);
}

#[tokio::test]
async fn an_import_leaves_two_rows_in_the_audit_log() {
    let app = TestApp::start().await;
    let text = "{\"email\":\"ada@example.com\"}\n{\"email\":\"ada@example.com\"}\nbroken\n";
    app.import(Format::Jsonl, text).await;
    let details: Vec<_> = app
        .audit(AuditKind::UsersImported)
        .await
        .into_iter()
        .map(|event| event.detail.unwrap())
        .collect();
    let expected = [
        "ended: users, 3 read, 1 imported, 1 skipped, 1 failed",
        "begun: users, 0 read, 0 imported, 0 skipped, 0 failed",
    ];
    assert_eq!(details, expected);
}
