//! When a refresh happens, and who waits for it.

use std::time::Duration;

use symbolon_client::{Clock, Error, Login, Presence};

use crate::{
    fake::{Fake, Fault, LIFE, soon},
    over::Kept,
};

#[tokio::test]
async fn a_token_is_replaced_in_its_last_minute_and_nobody_waits() {
    let mut fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    clock.advance(LIFE - Duration::from_secs(61));
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_0");
    assert_eq!(fake.refreshes(), 0);
    fake.meets([Fault::Held]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_0");
    fake.arrival().await;
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_0");
    fake.let_go();
    // In the last seconds, one waits.
    clock.advance(Duration::from_secs(50));
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_1");
    assert_eq!(fake.refreshes(), 1);
}

#[tokio::test]
async fn a_token_that_lasts_is_used_while_the_server_is_not_there() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    clock.advance(LIFE - Duration::from_secs(9));
    // Waits move the clock: nothing is tried again here, so that it stands.
    fake.meets([Fault::Status(503, Some(3_600))]);
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_0");
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_0");
    clock.advance(Duration::from_secs(9));
    let error = client.access_token().await.unwrap_err();
    assert!(matches!(&error, Error::Refused(refusal) if refusal.status == 503));
    assert_eq!(fake.refreshes(), 1, "it was asked to stay away");
    clock.advance(Duration::from_secs(3_591));
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_1");
}

#[tokio::test]
async fn whoever_is_dropped_in_the_middle_of_a_refresh_loses_nothing() {
    let mut fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    for generation in 1..=3 {
        clock.advance(LIFE);
        fake.meets([Fault::Held]);
        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.access_token().await.map(drop) }
        });
        fake.arrival().await;
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        fake.let_go();
        let token = soon(client.access_token()).await.unwrap();
        assert_eq!(token.reveal(), format!("at_0_{generation}"));
    }
    assert_eq!((fake.refreshes(), fake.world().repeats), (3, 0));
}

#[tokio::test]
async fn whoever_ends_can_wait_until_the_next_token_is_kept() {
    let mut fake = Fake::start().await;
    let (clock, kept) = (Clock::frozen(), Kept::default());
    let client = fake.builder(&clock).store(kept.clone()).build().unwrap();
    client.login(&Login::new("ada", "secret")).await.unwrap();
    soon(client.settle()).await;
    clock.advance(LIFE - Duration::from_secs(30));
    fake.meets([Fault::Held]);
    client.access_token().await.unwrap();
    fake.arrival().await;
    let ends = tokio::spawn(async move { client.settle().await });
    tokio::task::yield_now().await;
    assert!(!ends.is_finished());
    fake.let_go();
    soon(ends).await.unwrap();
    assert_eq!(kept.token().as_deref(), Some("sbr_0_1"));
}

#[tokio::test]
async fn a_refresh_that_fails_beside_the_requests_is_not_tried_at_each_of_them() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    clock.advance(LIFE - Duration::from_secs(30));
    fake.meets([Fault::Problem(403, "csrf_rejected")]);
    for _ in 0..5 {
        assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_0");
        soon(client.settle()).await;
    }
    assert_eq!(fake.refreshes(), 1);
    clock.advance(Duration::from_secs(5));
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_0");
    soon(client.settle()).await;
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_1");
}

#[tokio::test]
async fn a_runtime_that_ends_in_the_middle_of_a_refresh_does_not_end_the_session() {
    let mut fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    clock.advance(LIFE);
    fake.meets([Fault::Held]);
    let short = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let elsewhere = client.clone();
    drop(short.spawn(async move { elsewhere.access_token().await.map(drop) }));
    fake.arrival().await;
    short.shutdown_background();
    fake.let_go();
    let token = soon(client.access_token()).await.unwrap();
    assert_eq!(token.reveal(), "at_0_1");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_for_all_who_were_refused() {
    let fake = Fake::start().await;
    let client = fake.signed_in(&Clock::frozen()).await;
    let old = client.access_token().await.unwrap();
    let first = client.instead_of(&old).await.unwrap();
    let second = client.instead_of(&old).await.unwrap();
    assert_eq!((first.reveal(), second.reveal()), ("at_0_1", "at_0_1"));
    assert_eq!(client.instead_of(&first).await.unwrap().reveal(), "at_0_2");
    assert_eq!(fake.refreshes(), 2);
}

#[tokio::test]
async fn a_sign_out_does_not_wait_for_a_refresh() {
    let mut fake = Fake::start().await;
    let clock = Clock::frozen();
    let client = fake.signed_in(&clock).await;
    clock.advance(LIFE);
    fake.meets([Fault::Held]);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.access_token().await }
    });
    fake.arrival().await;
    soon(client.logout()).await.unwrap();
    let refused = soon(waiting).await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::SignedOut { .. }));
    assert_eq!(fake.calls("/api/refresh"), ["sbr_0_0"]);
    fake.let_go();
    assert!(matches!(
        *client.presence().borrow(),
        Presence::SignedOut(_)
    ));
}
