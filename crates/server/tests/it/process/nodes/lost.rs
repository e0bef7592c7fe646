//! Revocations that the database has lost, and a database that is not there (SECURITY row X7).

use serde_json::Value;
use symbolon_testkit::Postgres;

use super::super::place::Place;
use super::pair::{EMAIL, Pair};

/// What a standby that took over has not heard of: everything from this number on.
fn lose(postgres: &Postgres, url: &str, from: i64) {
    let last = from - 1;
    let sql = format!(
        "BEGIN; DELETE FROM revocations WHERE seq >= {from}; UPDATE feed SET seq = {last}; \
         UPDATE sessions SET ended_at = NULL, end_reason = NULL; COMMIT"
    );
    postgres.run(url, &sql);
}

/// A list without the second in which it was made.
fn held(mut list: Value) -> Value {
    list.as_object_mut().unwrap().remove("now").unwrap();
    list
}

#[test]
fn x7_revocations_that_the_database_lost_are_kept_by_the_nodes_and_begin_an_epoch() {
    let Some((pair, postgres)) = Pair::shared() else {
        return;
    };
    let [here, there] = &pair.nodes;
    let devices = pair.one_left();
    let before = held(there.until_listed(3));
    assert_eq!(held(here.until_listed(3)), before);
    let guards = pair.guards(3);
    lose(postgres, &pair.url, 2);
    Pair::are_cut_off(guards);
    let after = here.revocations();
    assert_ne!(after["epoch"], before["epoch"]);
    assert_eq!(after["entries"].as_array().unwrap().len(), 1);
    for node in &pair.nodes {
        Pair::assert_one_left(node, &devices);
    }
    // A number that was given before is given again, and heard of at both.
    there.sign_out(&devices[3]);
    pair.assert_ended(&devices[3]);
    assert_eq!(held(here.until_listed(2)), held(there.until_listed(2)));
    let said = pair.stop();
    assert!(said.contains("lost revocations"), "{said}");
}

#[test]
fn x7_a_node_begins_with_what_is_revoked_and_not_without_its_database() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.url();
    let [here, away] = [(); 2].map(|()| Place::node(&url));
    let node = here.serve();
    let ended = node.register(EMAIL);
    let alive = node.sign_in(EMAIL);
    node.sign_out(&ended);
    // Nothing of it is in the folder of a node that was never there.
    let other = away.serve();
    let mut connection = other.connect();
    let dead = connection.profile(&ended.access).unwrap();
    dead.refused(401, "token_revoked");
    connection.profile(&alive.access).unwrap().expect(200);
    for node in [node, other] {
        node.stop();
    }
    postgres.crash();
    for place in [&here, &away] {
        let refused = place.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert!(refused.sentence().contains("database"), "{refused:?}");
    }
    postgres.restart();
    let node = away.serve();
    let mut connection = node.connect();
    let dead = connection.profile(&ended.access).unwrap();
    dead.refused(401, "token_revoked");
    connection.profile(&alive.access).unwrap().expect(200);
    connection.refresh(&alive.refresh).unwrap().expect(200);
    node.stop();
}
