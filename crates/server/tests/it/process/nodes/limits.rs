//! Limits on guessing that two nodes count together, by Redis.

use serde_json::json;
use symbolon_testkit::{Postgres, Redis};

use super::super::place::Place;
use super::super::running::Server;

/// Attempts that cost no wait.
const FREE: usize = 5;
/// More looks than it takes to listen.
const MOST_LOOKS: usize = 100_000;

/// Signs in with a wrong password: what is answered.
fn guess(server: &Server, email: &str) -> u16 {
    let wrong = json!({ "email": email, "password": "not the one at all" });
    server.connect().post("/api/login", &wrong).unwrap().status
}

/// How many guesses are looked at before one comes too soon.
fn guesses(server: &Server, email: &str) -> usize {
    (0..2 * FREE)
        .find(|_| match guess(server, email) {
            429 => true,
            status => {
                assert_eq!(status, 401);
                false
            }
        })
        .expect("nobody is held up")
}

#[test]
fn l1_what_is_guessed_at_one_node_counts_at_the_other_as_long_as_there_is_a_redis() {
    let (Some(postgres), Some(redis)) = (Postgres::shared(), Redis::start()) else {
        return;
    };
    let url = postgres.url();
    let node = || {
        let place = Place::node(&url)
            .with("cache.url", &redis.url())
            .with("throttle.enabled", "true");
        let server = place.serve();
        (place, server)
    };
    let ((_first, here), (_second, there)) = (node(), node());
    for name in ["ada", "bob"] {
        here.register(&format!("{name}@example.com"));
    }
    assert!(
        (0..MOST_LOOKS).any(|_| redis.listeners() == 2),
        "they do not listen"
    );
    assert!(guesses(&here, "ada@example.com") >= FREE);
    let looked_at = guesses(&there, "ada@example.com");
    assert!(looked_at < FREE - 1, "{looked_at} were free once more");
    // Nobody misses it but who counts.
    drop(redis);
    assert!(guesses(&here, "bob@example.com") >= FREE);
    assert!(guesses(&there, "bob@example.com") >= FREE);
    for server in [here, there] {
        server.register(&format!("{}@example.com", server.address.port()));
        let said = server.stop();
        assert!(said.contains("each node counts for itself"), "{said}");
    }
}
