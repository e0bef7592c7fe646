//! Signing in and out, and who hears of it.

use std::time::Duration;

use serde_json::{Value, json};
use symbolon_client::{Client, Clock, Error, Login, Presence, Registration, SignedOutReason};

use crate::{
    fake::{Fake, Fault, LIFE},
    over::Kept,
};

#[tokio::test]
async fn a_life_from_registration_to_sign_out() {
    let fake = Fake::start().await;
    let client = fake.builder(&Clock::frozen()).build().unwrap();
    assert_eq!(*client.presence().borrow(), Presence::Unknown);
    assert_eq!(client.restore().await.unwrap(), None);
    let nobody = Presence::SignedOut(SignedOutReason::NoRefreshToken);
    assert_eq!(*client.presence().borrow(), nobody);
    let registration = Registration::new("ada@example.com", "secret").username("ada");
    let made = client.register(&registration.name("Ada")).await.unwrap();
    let sent: Value = serde_json::from_str(&fake.calls("/api/register")[0]).unwrap();
    let whole =
        json!({"email": "ada@example.com", "password": "secret", "username": "ada", "name": "Ada"});
    assert_eq!(sent, whole);
    assert_eq!(*client.presence().borrow(), nobody, "that signs nobody in");

    let login = Login::new("ada", "secret").device("laptop").remember(false);
    let user = client.login(&login).await.unwrap();
    let sent: Value = serde_json::from_str(&fake.calls("/api/login")[0]).unwrap();
    let whole = json!({"identifier": "ada", "password": "secret", "device": "laptop", "remember": false, "transport": "body"});
    assert_eq!(sent, whole);
    assert_eq!((user.email.as_str(), &user), ("ada@example.com", &made));
    assert_eq!(*client.presence().borrow(), Presence::SignedIn(user));
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_0");

    client.logout().await.unwrap();
    assert_eq!(fake.calls("/api/refresh"), ["sbr_0_0"]);
    let out = Presence::SignedOut(SignedOutReason::LoggedOut);
    assert_eq!(*client.presence().borrow(), out);
    assert!(client.access_token().await.is_err());
    assert_eq!(client.restore().await.unwrap(), None);
    assert_eq!(*client.presence().borrow(), out, "for the same reason");
    client.logout().await.unwrap();
    assert_eq!(
        fake.calls("/api/refresh").len(),
        1,
        "there is nothing to end"
    );
}

#[tokio::test]
async fn a_refused_sign_in_says_what_is_wrong_and_changes_nothing() {
    let fake = Fake::start().await;
    let client = fake.signed_in(&Clock::frozen()).await;
    let error = client.login(&Login::new("ada", "wrong")).await.unwrap_err();
    assert_eq!(error.code(), Some("invalid_credentials"));
    fake.meets([Fault::Problem(403, "account_disabled")]);
    let error = client
        .login(&Login::new("ada", "secret"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Refused(_)));
    fake.meets([Fault::Problem(422, "validation_failed")]);
    let registration = Registration::new("ada", "secret");
    let error = client.register(&registration).await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(
        (refusal.status, refusal.request_id.as_deref()),
        (422, Some("r1"))
    );
    let field = &refusal.fields[0];
    assert_eq!(
        (field.pointer.as_str(), field.code.as_str()),
        ("/email", "email_malformed")
    );
    fake.meets([Fault::AnswerLost]);
    let error = client
        .login(&Login::new("ada", "secret"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Network(_)));
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_0");
    assert!(matches!(*client.presence().borrow(), Presence::SignedIn(_)));
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() {
    let fake = Fake::start().await;
    let client = fake.signed_in(&Clock::frozen()).await;
    client.login(&Login::new("ada", "secret")).await.unwrap();
    assert_eq!(fake.calls("/api/refresh"), ["sbr_0_0"]);
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_1_0");
}

#[tokio::test]
async fn a_kept_session_is_taken_up() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let kept = Kept::default();
    let client = || fake.builder(&clock).store(kept.clone()).build().unwrap();
    client().login(&Login::new("ada", "secret")).await.unwrap();
    let later = client();
    let user = later.restore().await.unwrap().unwrap();
    assert_eq!(*later.presence().borrow(), Presence::SignedIn(user.clone()));
    assert_eq!(later.restore().await.unwrap(), Some(user.clone()));
    assert_eq!(later.user().await.unwrap(), user);
    assert_eq!(
        (fake.refreshes(), kept.token().as_deref()),
        (1, Some("sbr_0_1"))
    );
    // An outage is no sign-out.
    let offline = client();
    fake.meets([Fault::Status(503, Some(60))]);
    assert!(offline.restore().await.unwrap_err().is_transient());
    assert_eq!(*offline.presence().borrow(), Presence::Unknown);
    clock.advance(Duration::from_secs(60));
    assert_eq!(offline.restore().await.unwrap(), Some(user));
    // A sign-out elsewhere is one.
    fake.world().families[0] = None;
    let over = client().restore().await.unwrap_err();
    assert_eq!(over.code(), Some("session_revoked"));
    assert_eq!(kept.token(), None);
}

#[tokio::test]
async fn a_process_that_was_signed_out_takes_up_what_another_has_kept_since() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let kept = Kept::default();
    let client = || fake.builder(&clock).store(kept.clone()).build().unwrap();
    let first = client();
    first.login(&Login::new("ada", "secret")).await.unwrap();
    first.logout().await.unwrap();
    client().login(&Login::new("ada", "secret")).await.unwrap();
    assert!(first.access_token().await.is_err(), "not by itself");
    assert!(first.restore().await.unwrap().is_some());
    assert_eq!(first.access_token().await.unwrap().reveal(), "at_1_1");
}

#[tokio::test]
async fn signing_out_everywhere_needs_the_server_and_a_token_that_it_takes() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    fake.meets([Fault::Status(503, Some(60))]);
    let error = client.logout_everywhere().await.unwrap_err();
    assert!(error.is_transient());
    assert!(matches!(*client.presence().borrow(), Presence::SignedIn(_)));
    fake.refuse_access();
    fake.meets([Fault::RequestLost]);
    client.logout_everywhere().await.unwrap();
    assert_eq!(fake.calls("/api/logout/all"), ["at_0_0", "at_0_1"]);
    let out = Presence::SignedOut(SignedOutReason::LoggedOutEverywhere);
    assert_eq!(*client.presence().borrow(), out);
    clock.advance(LIFE);
    assert!(client.access_token().await.is_err());
    assert_eq!(fake.refreshes(), 1, "the refresh token is forgotten");
}

#[tokio::test]
async fn a_sign_out_everywhere_whose_answer_was_lost_is_one() {
    let fake = Fake::start().await;
    let client = fake.signed_in(&Clock::frozen()).await;
    fake.meets([Fault::AnswerLost]);
    // The next attempt is refused, for every session has ended.
    client.logout_everywhere().await.unwrap();
    let out = Presence::SignedOut(SignedOutReason::LoggedOutEverywhere);
    assert_eq!(*client.presence().borrow(), out);
    // But whose session was ended otherwise has not signed out elsewhere.
    let other = fake.signed_in(&Clock::frozen()).await;
    fake.refuse_access();
    fake.world().families.fill(None);
    let error = other.logout_everywhere().await.unwrap_err();
    assert_eq!(error.code(), Some("session_revoked"));
}

#[tokio::test]
async fn a_sign_out_is_told_again_until_the_server_hears_it() {
    let fake = Fake::start().await;
    let kept = Kept::default();
    let client = fake.builder(&Clock::frozen()).store(kept.clone());
    let client = client.build().unwrap();
    client.login(&Login::new("ada", "secret")).await.unwrap();
    fake.meets([Fault::Status(503, Some(60))]);
    assert!(client.logout().await.unwrap_err().is_transient());
    assert!(matches!(*client.presence().borrow(), Presence::SignedIn(_)));
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_0");
    fake.meets([Fault::Status(503, Some(5)), Fault::RequestLost]);
    client.logout().await.unwrap();
    assert_eq!(
        (fake.world().families.as_slice(), kept.token()),
        (&[None][..], None)
    );
    assert!(client.access_token().await.is_err());
}

#[test]
fn addresses_that_are_not_safe_build_no_client() {
    assert!(Client::builder("http://auth.example").build().is_err());
    let client = Client::builder("https://auth.example");
    assert!(client.resource("http://api.example").build().is_err());
}

#[test]
fn nothing_prints_a_secret() {
    let login = Login::new("ada", "hunter2");
    let registration = Registration::new("a@example.com", "hunter2").invitation("sbl_hunter2");
    let client = Client::builder("https://auth.example").build().unwrap();
    let printed = format!("{login:?} {registration:?} {client:?}");
    assert!(!printed.contains("hunter2"), "{printed}");
}
