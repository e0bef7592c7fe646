//! Limits on guessing that two nodes count together, by Redis.

use std::collections::BTreeSet;

use serde_json::json;
use symbolon_testkit::{Postgres, Redis};

use super::super::place::Place;
use super::super::running::Server;

/// Attempts that cost no wait.
pub const FREE: usize = 5;
/// What is nobody's password.
pub const WRONG: &str = "not the one at all";
const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const CAROL: &str = "carol@example.com";
/// More looks than it takes to listen.
const MOST_LOOKS: usize = 100_000;
/// More messages than one node sends while the other is silent.
const MOST_MESSAGES: usize = 20;
/// The length of a node's name, with which each of its messages begins.
const NAME: usize = 16;
/// What a node says when it begins to count for itself, and when it no longer does.
const APART: &str = "each node counts for itself";
const TOGETHER: &str = "cache.url answers again";

/// A node that is yet to start, and counts with others by this Redis.
fn counting(url: &str, redis: &Redis) -> Place {
    Place::node(url)
        .with("cache.url", &redis.url())
        .with("throttle.enabled", "true")
}

/// Two nodes that run and count together by a Redis of their own, as `with` makes them.
pub fn two(with: impl Fn(Place) -> Place) -> Option<(Redis, [Place; 2], [Server; 2])> {
    let (postgres, redis) = (Postgres::shared(), Redis::start());
    let (url, redis) = (postgres?.url(), redis?);
    let places = [(); 2].map(|()| with(counting(&url, &redis)));
    let nodes = places.each_ref().map(Place::serve);
    Some((redis, places, nodes))
}

/// Waits until so many listen.
#[track_caller]
pub fn until_listeners(redis: &Redis, number: usize) {
    assert!(
        (0..MOST_LOOKS).any(|_| redis.listeners() == number),
        "they do not listen"
    );
}

/// Signs in with a wrong password: what is answered.
pub fn guess(server: &Server, email: &str) -> u16 {
    let wrong = json!({ "email": email, "password": WRONG });
    server.connect().post("/api/login", &wrong).unwrap().status
}

/// How many attempts are looked at before one comes too soon.
#[track_caller]
pub fn looked_at(mut attempt: impl FnMut() -> u16) -> usize {
    (0..2 * FREE)
        .find(|_| match attempt() {
            429 => true,
            status => {
                assert!([401, 403].contains(&status), "{status}");
                false
            }
        })
        .expect("nobody is held up")
}

/// The same of sign-ins.
#[track_caller]
pub fn guesses(server: &Server, email: &str) -> usize {
    looked_at(|| guess(server, email))
}

/// What is guessed at one counts at the other.
#[track_caller]
pub fn count_together(here: &Server, there: &Server, email: &str) {
    assert!(guesses(here, email) >= FREE);
    are_held_up(there, email);
}

/// Whoever guesses has used up what is free.
#[track_caller]
pub fn are_held_up(server: &Server, email: &str) {
    let looked_at = guesses(server, email);
    assert!(looked_at < FREE - 1, "{looked_at} were free once more");
}

/// What is guessed at one does not count at the other.
#[track_caller]
fn count_apart(here: &Server, there: &Server, email: &str) {
    for node in [here, there] {
        assert!(guesses(node, email) >= FREE);
    }
}

#[test]
fn l1_what_is_guessed_at_one_node_counts_at_the_other_as_long_as_there_is_a_redis() {
    let Some((redis, _places, [here, there])) = two(|place| place) else {
        return;
    };
    for email in [ADA, BOB] {
        here.register(email);
    }
    until_listeners(&redis, 2);
    count_together(&here, &there, ADA);
    // Nobody misses it but who counts.
    drop(redis);
    count_apart(&here, &there, BOB);
    for server in [here, there] {
        server.register(&format!("{}@example.com", server.address.port()));
        let said = server.stop();
        assert!(said.contains(APART), "{said}");
    }
}

#[test]
fn l1_nodes_count_together_again_once_their_redis_is_back() {
    let Some((redis, _places, [here, there])) = two(|place| place.with("log.level", "info")) else {
        return;
    };
    for email in [ADA, BOB, CAROL] {
        here.register(email);
    }
    until_listeners(&redis, 2);
    count_together(&here, &there, ADA);
    redis.crash();
    count_apart(&here, &there, BOB);
    redis.restart();
    until_listeners(&redis, 2);
    let mut listener = redis.listen();
    let mut names = BTreeSet::new();
    let tell = (0..MOST_MESSAGES).any(|_| {
        names.insert(listener.message()[..NAME].to_vec());
        names.len() == 2
    });
    assert!(tell, "one is silent");
    count_together(&here, &there, CAROL);
    for server in [here, there] {
        let said = server.stop();
        for words in [APART, TOGETHER] {
            assert_eq!(said.matches(words).count(), 1, "{words}: {said}");
        }
    }
}

#[test]
fn l1_nodes_count_together_over_tls_and_not_with_a_redis_that_they_do_not_trust() {
    let (Some(postgres), Some(redis)) = (Postgres::shared(), Redis::secure()) else {
        return;
    };
    let url = postgres.url();
    let places = [(); 3].map(|()| counting(&url, &redis));
    let [first, second, third] = &places;
    let [here, there] = [first, second].map(|place| {
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("SSL_CERT_FILE", redis.authority());
        Server::start(command)
    });
    // It knows the authorities of the machine.
    let stranger = third.serve();
    here.register(ADA);
    until_listeners(&redis, 2);
    count_together(&here, &there, ADA);
    assert!(guesses(&stranger, ADA) >= FREE);
    let said = stranger.stop();
    assert!(said.contains(APART), "{said}");
    assert!(said.contains("certificate"), "{said}");
    for server in [here, there] {
        assert_eq!(server.stop(), "");
    }
}
