//! Keys that come and go.

use std::{sync::atomic::Ordering, time::Duration};

use futures_util::{FutureExt, future::join_all};
use symbolon_guard::{Denied, Event};
use symbolon_token::{Algorithm, SigningKey};

use crate::issuer::{Answer, Issuer, Watched, entry, jwks, revocation, sign, soon};

fn new_key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

#[tokio::test]
async fn a_stampede_for_an_unknown_key_is_one_fetch() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let next = new_key();
    watched.clock.advance(Duration::from_secs(10));
    *issuer.world.jwks.lock().unwrap() = jwks(&[&issuer.key, &next]);
    let token = sign(&next, &issuer.claims());
    let verdicts = soon(join_all((0..100).map(|_| watched.guard.verify(&token)))).await;
    assert!(verdicts.iter().all(Result::is_ok));
    assert_eq!(issuer.fetches(), 2);
    assert_eq!(watched.guard.metrics().key_fetches, 2);
}

#[tokio::test]
async fn unknown_keys_cause_no_more_than_one_fetch_in_ten_seconds() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let foreign = sign(&new_key(), &issuer.claims());
    for (advance, fetches) in [(0, 1), (9, 1), (1, 2), (0, 2), (9, 2), (1, 3)] {
        watched.clock.advance(Duration::from_secs(advance));
        for _ in 0..3 {
            let denied = soon(watched.guard.verify(&foreign)).await.unwrap_err();
            assert_eq!(denied, Denied::Invalid);
        }
        assert_eq!(issuer.fetches(), fetches);
    }
    assert_eq!(watched.guard.check(&foreign).unwrap_err(), Denied::Invalid);
    assert_eq!(issuer.fetches(), 3);
}

#[tokio::test]
async fn after_a_key_was_withdrawn_nobody_waits_for_the_next() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let (next, foreign) = (new_key(), sign(&new_key(), &issuer.claims()));
    assert!(soon(watched.guard.verify(&foreign)).await.is_err());
    *issuer.world.jwks.lock().unwrap() = jwks(&[&next]);
    let token = sign(&next, &issuer.claims());
    assert!(
        soon(watched.guard.verify(&token)).await.is_err(),
        "it was asked for just now"
    );
    let withdrawn = entry(2, "key", issuer.key.kid());
    issuer.say(revocation("e1", &withdrawn));
    soon(watched.guard.wait_for(2)).await;
    assert!(soon(watched.guard.verify(&token)).await.is_ok());
    assert!(soon(watched.guard.verify(&issuer.token())).await.is_err());
}

#[tokio::test]
async fn the_old_keys_stay_while_new_ones_cannot_be_had() {
    let issuer = Issuer::start().await;
    let mut watched =
        Watched::start(issuer.builder().staleness_bound(Duration::from_secs(99))).await;
    let (token, foreign) = (issuer.token(), sign(&new_key(), &issuer.claims()));
    for answer in [
        Answer::Status(500),
        Answer::Redirect,
        Answer::Body(b"{}".to_vec()),
        Answer::Body(vec![b' '; 2 << 20]),
    ] {
        *issuer.world.jwks.lock().unwrap() = answer;
        watched.clock.advance(Duration::from_secs(10));
        assert_eq!(
            soon(watched.guard.verify(&foreign)).await.unwrap_err(),
            Denied::Invalid
        );
        watched
            .until(|event| matches!(event, Event::KeysFailed { .. }))
            .await;
        assert!(soon(watched.guard.verify(&token)).await.is_ok());
    }
    assert_eq!(watched.guard.metrics().key_failures, 4);
}

#[tokio::test]
async fn a_fetch_that_failed_is_tried_again_soon() {
    let issuer = Issuer::start().await;
    let mut watched = issuer.guard().await;
    let good = std::mem::replace(&mut *issuer.world.jwks.lock().unwrap(), Answer::Status(500));
    watched.clock.advance(Duration::from_secs(300));
    let failed = |event: &Event| matches!(event, Event::KeysFailed { .. });
    watched.until(failed).await;
    *issuer.world.jwks.lock().unwrap() = good;
    watched.clock.advance(Duration::from_secs(30));
    let fetched = |event: &Event| matches!(event, Event::KeysFetched { .. });
    watched.until(fetched).await;
    assert_eq!(issuer.fetches(), 3);
}

#[tokio::test]
async fn a_key_that_leaves_takes_its_tokens_along() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let (next, token) = (new_key(), issuer.token());
    assert!(watched.guard.check(&token).is_ok());
    *issuer.world.jwks.lock().unwrap() = jwks(&[&next]);
    watched.clock.advance(Duration::from_secs(10));
    assert!(
        soon(watched.guard.verify(&sign(&next, &issuer.claims())))
            .await
            .is_ok()
    );
    assert_eq!(watched.guard.check(&token).unwrap_err(), Denied::Invalid);
}

#[tokio::test]
async fn a_fetch_goes_on_when_the_request_that_caused_it_is_given_up() {
    let issuer = Issuer::start().await;
    let mut watched = issuer.guard().await;
    let next = new_key();
    *issuer.world.jwks.lock().unwrap() = jwks(&[&issuer.key, &next]);
    watched.clock.advance(Duration::from_secs(10));
    let token = sign(&next, &issuer.claims());
    watched
        .until(|event| matches!(event, Event::Snapshot { .. }))
        .await;
    assert!(watched.guard.verify(&token).now_or_never().is_none());
    watched
        .until(|event| *event == Event::KeysFetched { keys: 2 })
        .await;
    assert!(watched.guard.check(&token).is_ok());
}

#[tokio::test]
async fn keys_are_fetched_again_every_five_minutes() {
    let issuer = Issuer::start().await;
    let mut watched = issuer.guard().await;
    watched
        .until(|event| matches!(event, Event::Snapshot { .. }))
        .await;
    watched.clock.advance(Duration::from_secs(299));
    assert_eq!(issuer.fetches(), 1);
    *issuer.world.jwks.lock().unwrap() = jwks(&[&issuer.key, &new_key()]);
    watched.clock.advance(Duration::from_secs(1));
    watched
        .until(|event| *event == Event::KeysFetched { keys: 2 })
        .await;
    assert_eq!(issuer.world.jwks_fetches.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn two_tokens_never_share_what_is_known_of_one() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    let names = ["one", "two"];
    let tokens = names.map(|jti| {
        let mut claims = issuer.claims();
        claims.jti = jti.to_owned();
        sign(&issuer.key, &claims)
    });
    for _ in 0..2 {
        for (token, jti) in tokens.iter().zip(names) {
            assert_eq!(watched.guard.check(token).unwrap().claims().jti, jti);
        }
    }
    // The head and claims of one with the signature of the other.
    let (head, _) = tokens[0].rsplit_once('.').unwrap();
    let (_, signature) = tokens[1].rsplit_once('.').unwrap();
    let mixed = format!("{head}.{signature}");
    assert_eq!(watched.guard.check(&mixed).unwrap_err(), Denied::Invalid);
}
