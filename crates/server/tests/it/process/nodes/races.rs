//! What only one can win, asked of two nodes at the same moment (SECURITY rows R2, R5 and A8).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;

use super::super::http::Connection;
use super::super::running::{Device, Server};
use super::pair::{EMAIL, Pair};
use super::shop;

const CALLERS: usize = 50;
/// Sessions that end while they are refreshed.
const ROUNDS: usize = 36;
const CODES: usize = 5;

#[test]
fn r2_one_token_fifty_times_at_two_nodes() {
    let Some((pair, _)) = Pair::shared() else {
        return;
    };
    let mut device = pair.device.clone();
    for _ in 0..3 {
        let replies = pair.at_once(CALLERS, |_, connection| {
            connection.refresh(&device.refresh).unwrap()
        });
        let next: Vec<_> = replies
            .into_iter()
            .map(|reply| Device::given(&reply.expect(200)))
            .collect();
        let successors: BTreeSet<_> = next.iter().map(|next| &next.refresh).collect();
        assert_eq!(successors.len(), 1, "one token, several successors");
        assert!(!successors.contains(&device.refresh));
        for next in &next {
            assert_eq!(next.sid, device.sid);
            pair.assert_alive(&next.access);
        }
        device = next[0].clone();
    }
    for node in &pair.nodes {
        let path = "/api/sessions";
        let reply = node.connect().call("GET", path, Some(&device.access), None);
        let sessions = reply.unwrap().expect(200).json();
        let items = sessions["items"].as_array().unwrap();
        let ids: Vec<_> = items.iter().map(|item| &item["id"]).collect();
        assert_eq!(ids, [&device.sid]);
    }
    let last = pair.nodes.each_ref().map(|node| {
        let reply = node.connect().refresh(&device.refresh).unwrap();
        reply.expect(200).text("refreshToken")
    });
    assert_eq!(last[0], last[1]);
    pair.stop();
}

#[test]
fn r5_a_session_that_ends_at_one_node_while_the_other_refreshes_it() {
    let Some((pair, _)) = Pair::shared() else {
        return;
    };
    let [here, there] = &pair.nodes;
    let mut given = 0;
    for round in 0..ROUNDS {
        let device = here.sign_in(EMAIL);
        let way = round % 3;
        // A refresh token that was replaced twice ends nothing.
        let most = if way == 2 { 1 } else { usize::MAX };
        let answered = AtomicUsize::new(0);
        let connection = there.connect();
        let tokens = thread::scope(|scope| {
            let refreshing = scope.spawn(|| go_on(connection, &device, most, &answered));
            let before = (round / 3 % 4).min(most);
            while answered.load(Ordering::SeqCst) < before && !refreshing.is_finished() {
                thread::yield_now();
            }
            end(here, &device, way);
            refreshing.join().unwrap()
        });
        given += tokens.len();
        for next in [device].iter().chain(&tokens) {
            pair.assert_ended(next);
        }
    }
    assert!(
        given > ROUNDS / 2,
        "they were ended before anything crossed"
    );
    pair.stop();
}

/// Ends the session in one of the ways in which people do.
fn end(node: &Server, device: &Device, way: usize) {
    let mut connection = node.connect();
    let reply = match way {
        0 => connection.sign_out(&device.access),
        1 => connection.call("POST", "/api/logout/all", Some(&device.access), None),
        _ => {
            let body = json!({ "refreshToken": device.refresh });
            connection.call("DELETE", "/api/refresh", None, Some(&body))
        }
    };
    reply.unwrap().expect(204);
}

/// Refreshes again and again, until the session is over: what was given.
fn go_on(
    mut connection: Connection,
    device: &Device,
    most: usize,
    answered: &AtomicUsize,
) -> Vec<Device> {
    let mut given: Vec<Device> = Vec::new();
    while given.len() < most {
        let newest = given.last().unwrap_or(device);
        let reply = connection.refresh(&newest.refresh).unwrap();
        if reply.status != 200 {
            reply.refused(401, "session_revoked");
            break;
        }
        given.push(Device::given(&reply));
        answered.fetch_add(1, Ordering::SeqCst);
    }
    given
}

#[test]
fn a8_one_code_twenty_times_at_two_nodes() {
    let Some((pair, _)) = Pair::shared() else {
        return;
    };
    shop::open(&pair.places[0]);
    for _ in 0..CODES {
        let code = shop::code(&pair.nodes);
        let replies = pair.at_once(20, |_, connection| shop::redeem(connection, &code));
        let (good, bad): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|reply| reply.status == 200);
        assert_eq!(good.len(), 1, "{good:?}");
        for reply in bad {
            assert_eq!(reply.expect(400).text("error"), "invalid_grant");
        }
        // The others could have been a thief's, or the one was: what it gave is dead (A6).
        let (access, refresh) = (good[0].text("access_token"), good[0].text("refresh_token"));
        for node in &pair.nodes {
            let mut connection = node.connect();
            let refused = shop::refresh(&mut connection, &refresh).expect(400);
            assert_eq!(refused.text("error"), "invalid_grant");
            shop::until_dead(&mut connection, &access);
        }
    }
    pair.stop();
}
