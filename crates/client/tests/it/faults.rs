//! What the network and a busy server do, which signs nobody out.

use std::time::Duration;

use symbolon_client::{Clock, Error, NetworkError, Presence};

use crate::fake::{Fake, Fault, LIFE, soon};

#[tokio::test]
async fn what_gets_lost_is_asked_for_again_with_the_same_token() {
    for fault in [
        Fault::RequestLost,
        Fault::AnswerLost,
        Fault::AnswerCut,
        Fault::Page,
        Fault::Status(500, None),
        Fault::Status(502, None),
        Fault::Status(503, None),
        Fault::Status(429, None),
        Fault::Status(408, None),
        Fault::Problem(503, "session_revoked"),
    ] {
        let fake = Fake::start().await;
        let clock = Clock::frozen();
        let client = fake.signed_in(&clock).await;
        clock.advance(LIFE);
        fake.meets([fault.clone(), fault.clone(), fault.clone()]);
        let token = client.access_token().await.unwrap();
        assert_eq!(token.reveal(), "at_0_1", "{fault:?}");
        assert_eq!(fake.refreshes(), 4, "{fault:?}");
        let waited = clock.passed() - LIFE;
        let bounds = Duration::from_millis(350)..=Duration::from_millis(700);
        assert!(bounds.contains(&waited), "{waited:?}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_asked_for_again() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let prompt = fake.builder(&clock).timeout(Duration::from_secs(2));
    let client = prompt.build().unwrap();
    let ada = symbolon_client::Login::new("ada", "secret");
    client.login(&ada).await.unwrap();
    clock.advance(LIFE);
    fake.meets([Fault::Hang]);
    let token = soon(client.access_token()).await.unwrap();
    assert_eq!(token.reveal(), "at_0_1");
    assert_eq!(fake.world().repeats, 1);
}

#[tokio::test]
async fn it_is_given_up_after_so_many_attempts_and_goes_on_later() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    clock.advance(LIFE);
    fake.meets(vec![Fault::AnswerLost; 6]);
    let error = client.access_token().await.unwrap_err();
    assert!(matches!(
        error,
        Error::Network(NetworkError::Unreachable(_))
    ));
    assert!(error.is_transient());
    assert_eq!(fake.refreshes(), 6);
    assert!(matches!(*client.presence().borrow(), Presence::SignedIn(_)));
    // Who asks gets an attempt, also at once.
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_1");
}

#[tokio::test]
async fn it_waits_as_long_as_it_is_asked_to() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    clock.advance(LIFE);
    fake.meets([Fault::Status(503, Some(5)), Fault::Status(429, Some(7))]);
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_1");
    let waited = clock.passed() - LIFE;
    let bounds = Duration::from_millis(12_150)..=Duration::from_millis(12_300);
    assert!(bounds.contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn it_does_not_wait_for_longer_than_its_owner_has_patience() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    clock.advance(LIFE);
    fake.meets([Fault::Status(503, Some(31))]);
    let error = client.access_token().await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(31)));
    assert_eq!(clock.passed(), LIFE, "no time was lost");
    // Nor does anybody come before.
    clock.advance(Duration::from_secs(30));
    client.access_token().await.unwrap_err();
    assert_eq!(fake.refreshes(), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_1");
}

#[tokio::test]
async fn a_refusal_that_says_nothing_of_the_session_leaves_it() {
    for fault in [
        Fault::Problem(403, "csrf_rejected"),
        Fault::Problem(400, "malformed_request"),
        Fault::Problem(401, "invalid_token"),
        Fault::Status(401, None),
        Fault::Status(403, None),
        Fault::Status(404, None),
        Fault::Status(302, None),
    ] {
        let fake = Fake::start().await;
        let clock = Clock::frozen();
        let client = fake.signed_in(&clock).await;
        clock.advance(LIFE);
        fake.meets([fault.clone()]);
        let error = client.access_token().await.unwrap_err();
        assert!(!error.is_transient(), "{fault:?}");
        assert_eq!(fake.refreshes(), 1, "{fault:?} is not asked again");
        assert!(matches!(*client.presence().borrow(), Presence::SignedIn(_)));
        assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_1");
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_matter_of_the_network() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    drop(fake);
    clock.advance(LIFE);
    let error = soon(client.access_token()).await.unwrap_err();
    assert!(matches!(error, Error::Network(_)), "{error:?}");
    let error = soon(client.logout()).await.unwrap_err();
    assert!(matches!(error, Error::Network(_)), "{error:?}");
    assert!(matches!(*client.presence().borrow(), Presence::SignedIn(_)));
}
