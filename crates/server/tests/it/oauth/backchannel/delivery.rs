//! Clients that do not answer, say no, or are where nobody is called

use std::time::Duration;

use symbolon::flows::oauth::backchannel::Lanes;
use tokio::time::timeout;

use super::super::Place;
use super::receiver::{Manner, Receiver};
use super::{Told, session, sid, sign_out};
use crate::people::claims;

/// So many sessions of Ada with `shop`, all of them ended.
async fn ended(told: &Told, sessions: usize) {
    let mut browser = told.place.browser();
    let mut tokens = told.tokens(&mut browser, "openid").await;
    for _ in 1..sessions {
        tokens = told.tokens(&mut browser, "openid").await;
    }
    sign_out(&mut browser, &tokens).await;
}

#[tokio::test]
async fn f6_a_client_that_hangs_holds_up_neither_the_sign_out_nor_another_client() {
    let told = Told::start().await;
    let web = Receiver::start(Manner::Answer(204)).await;
    told.listens("web", &web.url()).await;
    told.shop.behaves(Manner::Hang);
    let mut lanes = Lanes::default();
    for round in 0..3 {
        let mut browser = told.place.browser();
        let shop = told.tokens(&mut browser, "openid").await;
        let tokens = told.tokens_of_web(&mut browser).await;
        // While a call hangs since the round before.
        sign_out(&mut browser, &shop).await;
        let heard = loop {
            lanes.begin(&told.app().app).await.unwrap();
            // The lane of the round before may just be closing.
            if timeout(Duration::from_millis(100), web.came())
                .await
                .is_ok()
            {
                break sid(&claims(&web.tokens()[0]));
            }
        };
        assert_eq!(heard, session(&tokens));
        if round == 0 {
            told.shop.came().await;
            lanes.begin(&told.app().app).await.unwrap();
            assert_eq!(told.shop.requests().len(), 1, "one lane for each");
        }
    }
    assert_eq!(told.waiting("shop").await.len(), 3);
    assert_eq!(told.metric("symbolon_logouts_told_total").await, 3);
}

#[tokio::test]
async fn a_client_in_trouble_is_told_again_after_growing_pauses() {
    let told = Told::start().await;
    ended(&told, 1).await;
    let mut ids = Vec::new();
    for (status, pause) in [(500, 10), (503, 60), (404, 300), (302, 1_800), (429, 7_200)] {
        told.shop.behaves(Manner::Answer(status));
        told.deliver().await;
        let [token] = &*told.shop.tokens() else {
            panic!("{status}");
        };
        let found = claims(token);
        assert_eq!(found["iat"], told.app().now_seconds());
        ids.push(found["jti"].clone());
        told.app().wait(pause - 1);
        assert_eq!(told.heard().await, [""; 0], "not before its time");
        told.app().wait(1);
    }
    told.shop.behaves(Manner::Answer(200));
    assert_eq!(told.heard().await.len(), 1);
    assert_eq!(told.waiting("shop").await, []);
    ids.sort_by_key(ToString::to_string);
    ids.dedup();
    assert_eq!(ids.len(), 5, "each is a token of its own");
    assert_eq!(told.metric("symbolon_logout_failures_total").await, 5);
    assert_eq!(told.metric("symbolon_logouts_dropped_total").await, 0);
}

#[tokio::test]
async fn a_client_that_says_no_is_believed() {
    for status in [400, 501] {
        let told = Told::start().await;
        told.shop.behaves(Manner::Answer(status));
        ended(&told, 1).await;
        assert_eq!(told.heard().await.len(), 1);
        assert_eq!(told.waiting("shop").await, []);
        assert_eq!(told.metric("symbolon_logouts_dropped_total").await, 1);
        assert_eq!(told.metric("symbolon_logouts_told_total").await, 0);
    }
}

#[tokio::test]
async fn one_session_that_fails_holds_up_no_other() {
    let told = Told::start().await;
    ended(&told, 5).await;
    told.shop.behaves(Manner::Answer(500));
    assert_eq!(told.heard().await.len(), 5);
    told.app().wait(10);
    told.shop.behaves(Manner::Answer(200));
    assert_eq!(told.heard().await.len(), 5);
}

#[tokio::test]
async fn f6_a_client_that_does_not_answer_is_left_alone() {
    let told = Told::start().await;
    told.shop.behaves(Manner::HangUp);
    ended(&told, 5).await;
    // Two calls at once, and no further.
    assert_eq!(told.heard().await.len(), 2);
    let now = told.app().clock.now();
    let mut rows = told.waiting("shop").await;
    rows.sort_by_key(|row| row.due_at);
    let waits: Vec<_> = rows
        .iter()
        .map(|row| (row.attempts, row.due_at.since(now).as_secs()))
        .collect();
    assert_eq!(waits, [(1, 10), (1, 10), (0, 60), (0, 60), (0, 60)]);
    told.shop.behaves(Manner::Answer(200));
    told.app().wait(10);
    assert_eq!(told.heard().await.len(), 2);
    told.app().wait(50);
    assert_eq!(told.heard().await.len(), 3);
}

#[tokio::test]
async fn f6_what_ends_while_a_client_is_left_alone_calls_it_no_sooner() {
    let told = Told::start().await;
    told.shop.behaves(Manner::HangUp);
    let mut lanes = Lanes::default();
    for (seconds, calls) in [(1, 1), (8, 0), (51, 0), (1, 2)] {
        ended(&told, 1).await;
        for _ in 0..2 {
            lanes.begin(&told.app().app).await.unwrap();
            lanes.finish().await;
        }
        assert_eq!(told.shop.tokens().len(), calls);
        told.app().wait(seconds);
    }
    assert_eq!(told.waiting("shop").await.len(), 4);
    told.shop.behaves(Manner::Answer(200));
    told.app().wait(60);
    assert_eq!(told.heard().await.len(), 4);
}

#[tokio::test]
async fn after_a_day_it_is_given_up() {
    for (manner, sessions) in [(Manner::Answer(500), 1), (Manner::HangUp, 40)] {
        let told = Told::start().await;
        told.shop.behaves(manner);
        ended(&told, sessions).await;
        for _ in 0..20 * 6 {
            told.deliver().await;
            told.app().wait(600);
        }
        assert!(!told.waiting("shop").await.is_empty());
        for _ in 0..3 {
            told.app().wait(2 * 3600);
            told.deliver().await;
        }
        assert_eq!(told.waiting("shop").await, []);
        let dropped = told.metric("symbolon_logouts_dropped_total").await;
        assert_eq!(dropped, sessions as u64);
    }
}

#[tokio::test]
async fn a_worker_that_dies_leaves_it_to_the_next() {
    let told = Told::start().await;
    ended(&told, 1).await;
    let row = told.waiting("shop").await.remove(0);
    let store = &told.app().app.store;
    let mut batch = store.batch();
    // What a worker commits before it calls.
    let lease = told.app().clock.now().plus(Duration::from_secs(60));
    batch.claim_logout(&row, lease);
    batch.commit().await.unwrap();
    assert_eq!(told.heard().await, [""; 0], "it is in hand");
    told.app().wait(60);
    assert_eq!(told.heard().await.len(), 1);
}

#[tokio::test]
async fn workers_at_once_tell_each_once() {
    let told = Told::start().await;
    ended(&told, 12).await;
    let workers = (0..4).map(|_| told.deliver());
    futures_util::future::join_all(workers).await;
    let mut heard = told.heard().await;
    assert_eq!(heard.len(), 12);
    heard.dedup();
    assert_eq!(heard.len(), 12);
}

#[tokio::test]
async fn f1_who_is_not_on_the_internet_is_not_called() {
    let place = Place::start().await;
    let shop = Receiver::start(Manner::Answer(200)).await;
    let told = Told { place, shop };
    let loopback = told.shop.url();
    for url in [
        &*loopback,
        "https://127.0.0.1/out",
        "https://10.0.0.1/out",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/out",
        "https://[fd00::1]/out",
        "https://0.0.0.0/out",
    ] {
        told.listens("shop", url).await;
        ended(&told, 1).await;
        assert_eq!(told.waiting("shop").await.len(), 1, "{url}");
        assert_eq!(told.heard().await, [""; 0], "{url}");
        assert_eq!(told.waiting("shop").await, [], "{url}");
    }
    assert_eq!(told.metric("symbolon_logouts_dropped_total").await, 7);
}

#[tokio::test]
async fn f2_no_redirect_is_followed() {
    let told = Told::start().await;
    told.shop.behaves(Manner::Answer(307));
    ended(&told, 1).await;
    told.deliver().await;
    let requests = told.shop.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("POST /out "));
}
