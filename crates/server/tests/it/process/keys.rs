//! `symbolon key …` beside a running server (CONTRACT section 4; threat table X5).

use serde_json::Value;

use super::place::Place;
use super::running::Server;

const MOST_POLLS: usize = 20_000;

fn kid(token: &str) -> String {
    crate::people::header(token)["kid"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Asks until the published keys are as wanted.
#[track_caller]
fn until_published(server: &Server, wanted: impl Fn(&[String]) -> bool) {
    let published = (0..MOST_POLLS).any(|_| wanted(&server.kids()));
    assert!(published, "{:?}", server.kids());
}

fn part(place: &Place, kid: &str) -> String {
    let keys = place.run(&["key", "list", "--json"]).json();
    let key = keys
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == kid)
        .cloned();
    key.unwrap_or(Value::Null)["part"]
        .as_str()
        .unwrap_or("missing")
        .to_owned()
}

#[test]
fn a_new_key_is_published_before_it_signs() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    let old = kid(&device.access);
    assert_eq!(server.kids(), [old.as_str()]);
    let new = place.run(&["key", "rotate", "--json"]).json()["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    until_published(&server, |kids| kids.contains(&new) && kids.contains(&old));
    assert_eq!(
        (part(&place, &old).as_str(), part(&place, &new).as_str()),
        ("signing", "published")
    );
    assert_eq!(kid(&server.sign_in("ada@example.com").access), old);
    server
        .connect()
        .profile(&device.access)
        .unwrap()
        .expect(200);
    // A published key that leaks before it signs.
    place.run(&["key", "withdraw", &new]).text();
    until_published(&server, |kids| !kids.contains(&new));
    let device = server.sign_in("ada@example.com");
    server
        .connect()
        .profile(&device.access)
        .unwrap()
        .expect(200);
    assert!(server.kids().contains(&kid(&device.access)));
    server.stop();
}

#[test]
fn a_key_of_another_algorithm_is_published_before_it_signs() {
    let place = Place::new();
    let server = place.serve();
    let old = kid(&server.register("ada@example.com").access);
    server.stop();
    let place = place.with("tokens.algorithm", "EdDSA");
    for _ in 0..2 {
        let server = place.serve();
        assert_eq!(server.kids().len(), 2);
        assert_eq!(kid(&server.sign_in("ada@example.com").access), old);
        server.stop();
    }
}

#[test]
fn a_key_that_signs_now_takes_over_and_old_tokens_go_on() {
    let place = Place::new();
    let server = place.serve();
    let before = server.register("ada@example.com");
    let old = kid(&before.access);
    let new = place.run(&["key", "rotate", "--now", "--json"]).json()["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    until_published(&server, |kids| kids.contains(&new));
    let after = server.sign_in("ada@example.com");
    assert_eq!(kid(&after.access), new);
    let mut connection = server.connect();
    connection.profile(&before.access).unwrap().expect(200);
    connection.profile(&after.access).unwrap().expect(200);
    let refreshed = connection.refresh(&before.refresh).unwrap().expect(200);
    assert_eq!(kid(&refreshed.text("accessToken")), new);
    assert_eq!(
        (part(&place, &old).as_str(), part(&place, &new).as_str()),
        ("retired", "signing")
    );
    // All of it holds after a restart.
    server.stop();
    let server = place.serve();
    server
        .connect()
        .profile(&before.access)
        .unwrap()
        .expect(200);
    assert_eq!(kid(&server.sign_in("ada@example.com").access), new);
    server.stop();
}

#[test]
fn a_withdrawn_key_is_dead_at_once() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    let old = kid(&device.access);
    place.run(&["key", "withdraw", &old]).text();
    let (delay, code) = server.until_refused(&device.access);
    println!("from the end of `key withdraw` to the refusal: {delay:?}");
    assert!(
        ["invalid_token", "token_revoked"].contains(&code.as_str()),
        "{code}"
    );
    until_published(&server, |kids| kids.len() == 1 && kids[0] != old);
    // The session lives on with the new key.
    let refreshed = server
        .connect()
        .refresh(&device.refresh)
        .unwrap()
        .expect(200);
    let access = refreshed.text("accessToken");
    assert_ne!(kid(&access), old);
    server.connect().profile(&access).unwrap().expect(200);
    let again = place.run(&["key", "withdraw", &old, "--json"]);
    assert_eq!(again.failure().0, "not_found");
    server.stop();
    let server = place.serve();
    server
        .connect()
        .profile(&device.access)
        .unwrap()
        .expect(401);
    server.connect().profile(&access).unwrap().expect(200);
    server.stop();
}
