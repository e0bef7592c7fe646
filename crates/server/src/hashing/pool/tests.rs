//! The queue is bounded, what was given up makes room, idle threads hold nothing.

use std::sync::{Arc, Weak};
use std::time::Duration;

use symbolon_domain::Password;
use tokio::sync::oneshot;

use super::{Answer, IDLE, Pool, Shared, Work, micros};
use crate::hashing::scheme::Scheme;
use crate::hashing::{HashError, HashOptions};

type Waiting = oneshot::Receiver<Result<Answer, HashError>>;

fn scheme() -> Arc<Scheme> {
    let options = HashOptions {
        memory_kib: 64,
        ..HashOptions::default()
    };
    Arc::new(Scheme::new(&options).unwrap())
}

fn submit(pool: &Pool) -> Result<Waiting, HashError> {
    let (reply, answer) = oneshot::channel();
    let work = Work::Hash {
        password: Password::presented("correct horse").unwrap(),
        salt: [3; 16],
    };
    pool.submit(work, reply).map(|()| answer)
}

fn answered(waiting: Waiting) -> bool {
    matches!(waiting.blocking_recv(), Ok(Ok(Answer::Hash(_))))
}

/// Waits for what another thread is about to do.
fn until(happened: impl Fn() -> bool) {
    while !happened() {
        std::thread::yield_now();
    }
}

#[test]
fn l9_a_full_queue_refuses_at_once_and_says_when_to_come_back() {
    let pool = Pool::new(2, 100, IDLE);
    let waiting: Vec<_> = (0..100).map(|_| submit(&pool).unwrap()).collect();
    let Err(HashError::Overloaded { retry_after }) = submit(&pool) else {
        panic!("there is no room")
    };
    // 51 rounds of two at 50 ms each.
    assert_eq!(retry_after, Duration::from_secs(3));
    pool.spawn(&scheme()).unwrap();
    assert!(waiting.into_iter().all(answered));
    assert!(submit(&pool).is_ok());
}

#[test]
fn the_time_to_come_back_follows_what_hashes_cost() {
    let pool = Pool::new(1, 1_000, IDLE);
    assert_eq!(pool.shared.time_to_drain(0), Duration::from_secs(1));
    for _ in 0..100 {
        pool.shared.measured(Duration::from_millis(500));
    }
    assert_eq!(pool.shared.time_to_drain(9), Duration::from_secs(5));
    assert_eq!(pool.shared.time_to_drain(100_000), Duration::from_secs(60));
    assert!(pool.shared.cost.load(super::Ordering::Relaxed) <= micros(Duration::from_millis(500)));
}

#[test]
fn l8_once_a_foreign_hash_was_compared_every_no_comes_after_the_same_time() {
    let pool = Pool::new(1, 1, IDLE);
    let (ours, theirs) = (Duration::from_millis(40), Duration::from_millis(200));
    let rest = |foreign, took| pool.shared.rest(foreign, took);
    assert_eq!(
        rest(false, ours),
        Duration::ZERO,
        "there is nothing to hide"
    );
    assert_eq!(theirs + rest(true, theirs), Duration::from_millis(250));
    assert_eq!(ours + rest(false, ours), Duration::from_millis(250));
    for _ in 0..1_000 {
        rest(true, Duration::from_millis(1));
    }
    let both = [(true, Duration::from_millis(1)), (false, ours)];
    let both = both.map(|(foreign, took)| took + rest(foreign, took));
    assert_eq!(both[0], both[1]);
    assert!(
        both[0] > ours && both[0] < Duration::from_millis(70),
        "no floor for ever: {both:?}"
    );
}

#[test]
fn a_request_that_went_away_makes_room_and_is_not_hashed() {
    let pool = Pool::new(1, 2, IDLE);
    let (gone, kept) = (submit(&pool).unwrap(), submit(&pool).unwrap());
    assert!(submit(&pool).is_err());
    drop(gone);
    let new = submit(&pool).unwrap();
    assert_eq!(pool.waiting(), 2);
    drop(new);
    pool.spawn(&scheme()).unwrap();
    assert!(answered(kept));
    assert!(answered(submit(&pool).unwrap()));
    assert_eq!(pool.done(), 2, "two of four had somebody waiting");
}

#[test]
fn an_idle_thread_gives_its_memory_back_and_still_works() {
    let pool = Pool::new(1, 2, Duration::from_millis(1));
    pool.spawn(&scheme()).unwrap();
    for _ in 0..3 {
        assert!(answered(submit(&pool).unwrap()));
        until(|| pool.memory_held() == 0);
    }
}

#[test]
fn dropping_the_pool_ends_its_threads() {
    let pool = Pool::new(3, 2, IDLE);
    pool.spawn(&scheme()).unwrap();
    let waiting = submit(&pool).unwrap();
    let shared: Weak<Shared> = Arc::downgrade(&pool.shared);
    drop(pool);
    assert!(answered(waiting), "what was asked for is still answered");
    until(|| shared.strong_count() == 0);
}
