//! Keys that two nodes rotate at the same moment (SECURITY row X5).

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::place::Place;
use super::super::running::Server;
use super::pair::{EMAIL, Pair, both};
use super::shop;

const ROTATIONS: usize = 4;
/// More looks than fit into any bound on the delay of a key.
const MOST_LOOKS: usize = 10_000;

#[test]
fn x5_keys_that_two_nodes_rotate_at_once_leave_one_that_signs_and_no_token_behind() {
    let Some((pair, _)) = Pair::shared() else {
        return;
    };
    let mut own = vec![pair.device.access.clone()];
    let mut others = Vec::new();
    shop::open(&pair.places[0]);
    for round in 0..ROTATIONS {
        // In flight while the keys change.
        let code = shop::code(&pair.nodes);
        both(&pair.places, &["key", "rotate", "--now"]);
        let mut connection = pair.nodes[round % 2].connect();
        let tokens = shop::redeem(&mut connection, &code).expect(200);
        others.push(tokens.text("access_token"));
        let signed_in = pair.nodes.each_ref().map(|node| node.sign_in(EMAIL).access);
        own.extend(signed_in);
    }
    let signing = signing(&pair.places[0]);
    assert_eq!(signing.len(), 1, "{signing:?}");
    assert_eq!(signing, self::signing(&pair.places[1]));
    for node in &pair.nodes {
        until_it_signs_with(node, &signing[0]);
    }
    let used: BTreeSet<_> = own.iter().chain(&others).map(|token| kid(token)).collect();
    assert!(used.len() > ROTATIONS, "{used:?}");
    for node in &pair.nodes {
        let published = published(node);
        assert!(used.is_subset(&published), "{used:?} {published:?}");
        let mut connection = node.connect();
        for access in &own {
            connection.profile(access).unwrap().expect(200);
        }
        for access in &others {
            shop::userinfo(&mut connection, access).expect(200);
        }
    }
    assert_eq!(published(&pair.nodes[0]), published(&pair.nodes[1]));
    pair.stop();
}

fn published(node: &Server) -> BTreeSet<String> {
    node.kids().into_iter().collect()
}

fn kid(token: &str) -> String {
    let header = crate::people::header(token);
    header["kid"].as_str().unwrap().to_owned()
}

/// The keys that sign, as the database says.
fn signing(place: &Place) -> Vec<String> {
    let keys = place.run(&["key", "list", "--json"]).json();
    let keys = keys.as_array().unwrap().iter();
    let keys = keys.filter(|key| key["part"] == "signing");
    let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
    keys.map(kid).collect()
}

/// The node hears of a key a moment later.
fn until_it_signs_with(node: &Server, wanted: &str) {
    let mut newest = node.sign_in(EMAIL);
    let mut connection = node.connect();
    for _ in 0..MOST_LOOKS {
        if kid(&newest.access) == wanted {
            return;
        }
        let reply = connection.refresh(&newest.refresh).unwrap().expect(200);
        newest.access = reply.text("accessToken");
        newest.refresh = reply.text("refreshToken");
    }
    panic!("it signs with {}, not with {wanted}", kid(&newest.access));
}
