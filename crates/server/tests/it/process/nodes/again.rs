//! A number that the database lost and gave again before any node looked (SECURITY row X7).

use rustix::process::Signal;

use super::pair::Pair;

#[test]
fn x7_a_number_that_was_lost_and_given_again_before_anybody_looked_is_heard_of() {
    let Some((pair, postgres)) = Pair::shared() else {
        return;
    };
    let devices = pair.one_left();
    let guards = pair.guards(3);
    // Slow for a moment, in which a standby takes over that has not heard of the third, and another node ends a session.
    for node in &pair.nodes {
        node.signal(Signal::STOP);
    }
    let lose = "BEGIN; DELETE FROM revocations WHERE seq >= 3; UPDATE feed SET seq = 2; COMMIT";
    postgres.run(&pair.url, lose);
    let sid = &devices[3].sid;
    pair.places[0].run(&["session", "revoke", sid]).text();
    for node in &pair.nodes {
        node.signal(Signal::CONT);
    }
    pair.assert_ended(&devices[3]);
    for mut guard in guards {
        guard.rest().unwrap();
    }
    pair.stop();
}
