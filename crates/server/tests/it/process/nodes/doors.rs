//! Limits on guessing that two nodes count together, whatever the door and wherever it is tried from.

use std::slice;

use serde_json::json;

use super::super::place::{PASSWORD, Place};
use super::super::running::Server;
use super::limits::{FREE, WRONG, guess, looked_at, two, until_listeners};
use super::pair::EMAIL;
use super::shop;

const USERNAME: &str = "lovelace";
/// Where she signed in before.
const HOME: &str = "198.51.100.7";
/// Failures on one account, from networks that never signed in to it, that are let in.
const ACCOUNT: usize = 100;
/// Twice so many are more than that, and so many are not.
const AT_EACH: usize = 65;

/// What it is called, the node that has it, and a wrong password there: what is answered.
type Door<'a> = (&'a str, &'a Server, &'a dyn Fn(&Server) -> u16);

#[test]
fn l5_the_doors_of_all_nodes_share_one_counter() {
    let Some((redis, places, [here, there])) = two(|place| place) else {
        return;
    };
    let ada = json!({ "email": EMAIL, "username": USERNAME, "password": PASSWORD });
    let made = here.connect().post("/api/register", &ada);
    made.unwrap().expect(201);
    let access = here.sign_in(EMAIL).access;
    shop::open(&places[0]);
    until_listeners(&redis, 2);
    let by_username = |node: &Server| {
        let body = json!({ "identifier": USERNAME, "password": WRONG });
        let answer = node.connect().post("/api/login", &body);
        answer.unwrap().status
    };
    let signed_in = |node: &Server, method: &str, path: &str, body| {
        let answer = node
            .connect()
            .call(method, path, Some(&access), Some(&body));
        answer.unwrap().status
    };
    let by_change = |node: &Server| {
        let body = json!({ "currentPassword": WRONG, "newPassword": "granite meadow lantern 3" });
        signed_in(node, "POST", "/api/user/password", body)
    };
    let by_deletion = |node: &Server| {
        let body = json!({ "password": WRONG });
        signed_in(node, "DELETE", "/api/user/profile", body)
    };
    let by_page = |node: &Server| shop::guess(slice::from_ref(node), USERNAME, WRONG);
    assert!(looked_at(|| guess(&here, EMAIL)) >= FREE);
    let others: [Door; 4] = [
        ("username", &there, &by_username),
        ("page", &here, &by_page),
        ("change", &there, &by_change),
        ("deletion", &here, &by_deletion),
    ];
    for (door, node, attempt) in others {
        let looked_at = looked_at(|| attempt(node));
        assert!(looked_at < FREE - 1, "{door}: {looked_at} were free");
    }
    for server in [here, there] {
        assert_eq!(server.stop(), "");
    }
}

/// Signs in from a network, as a balancer tells of it: what is answered.
fn sign_in_from(node: &Server, network: &str, password: &str) -> u16 {
    let body = json!({ "email": EMAIL, "password": password }).to_string();
    let head = format!(
        "POST /api/login HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {network}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut connection = node.connect();
    connection.send((head + &body).as_bytes()).unwrap();
    connection.reply().unwrap().status
}

#[test]
fn l2_strangers_at_all_nodes_have_the_accounts_hundred_and_lock_no_owner_out() {
    let behind_a_balancer = |place: Place| place.with("server.trusted_proxies", "127.0.0.1");
    let Some((redis, _places, nodes)) = two(behind_a_balancer) else {
        return;
    };
    let [here, there] = &nodes;
    here.register(EMAIL);
    assert_eq!(sign_in_from(here, HOME, PASSWORD), 200);
    until_listeners(&redis, 2);
    let mut let_in = 0;
    for number in 0..2 * AT_EACH {
        let network = format!("203.0.113.{number}");
        let_in += usize::from(sign_in_from(&nodes[number % 2], &network, WRONG) == 401);
    }
    // One more is let in every 36 s.
    assert!((ACCOUNT..ACCOUNT + 20).contains(&let_in), "{let_in}");
    for (node, other) in [(here, 200), (there, 220)] {
        let mut networks = (other..).map(|number| format!("203.0.113.{number}"));
        let stranger = || sign_in_from(node, &networks.next().unwrap(), WRONG);
        let looked_at = looked_at(stranger);
        assert!(looked_at < FREE - 1, "{looked_at} strangers were let in");
    }
    for node in [there, here] {
        assert_eq!(sign_in_from(node, HOME, PASSWORD), 200);
    }
    for server in nodes {
        assert_eq!(server.stop(), "");
    }
}
