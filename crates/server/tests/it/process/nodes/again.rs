//! A number that the database lost and gave again before any node looked (SECURITY row X7).

use rustix::process::Signal;
use symbolon_testkit::Postgres;

use super::pair::{EMAIL, Pair};

#[test]
fn x7_a_number_that_was_lost_and_given_again_before_anybody_looked_is_heard_of() {
    let Some((pair, postgres)) = Pair::shared() else {
        return;
    };
    let devices = pair.one_left();
    // A standby takes over that has not heard of the third, and another node ends a session.
    let guards = pair.guards(3);
    give_again(&pair, postgres, 3, &["session", "revoke", &devices[3].sid]);
    pair.assert_ended(&devices[3]);
    for mut guard in guards {
        guard.rest().unwrap();
    }
    pair.stop();
}

#[test]
fn x7_so_is_one_that_was_given_to_another_revocation_of_the_same() {
    let Some((pair, postgres)) = Pair::shared() else {
        return;
    };
    pair.one_left();
    let add = ["revocations", "add", "--user", EMAIL, "--stale"];
    pair.places[0].run(&add).text();
    let guards = pair.guards(4);
    give_again(&pair, postgres, 4, &add[..4]);
    for mut guard in guards {
        guard.rest().unwrap();
    }
    pair.stop();
}

/// While the nodes are slow for a moment, the last revocation is lost, and its number given to what a command does.
fn give_again(pair: &Pair, postgres: &Postgres, seq: u32, command: &[&str]) {
    for node in &pair.nodes {
        node.signal(Signal::STOP);
    }
    let lose = format!(
        "BEGIN; DELETE FROM revocations WHERE seq >= {seq}; UPDATE feed SET seq = {}; COMMIT",
        seq - 1
    );
    postgres.run(&pair.url, &lose);
    pair.places[0].run(command).text();
    for node in &pair.nodes {
        node.signal(Signal::CONT);
    }
}
