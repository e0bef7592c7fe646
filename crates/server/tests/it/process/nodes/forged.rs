//! Who may write to the Redis of two nodes, and has no master key.

use symbolon_testkit::Listener;

use super::limits::{FREE, are_held_up, count_together, guess, guesses, two, until_listeners};

const PEOPLE: [&str; 5] = ["ada", "bob", "carol", "dan", "eve"];
/// What stands in a message before what it tells (name, number and time) and behind it (the tag); and the length of what it tells.
const HEAD: usize = 32;
const TAG: usize = 32;
const FACT: usize = 17;
/// The last byte but one of the number.
const NUMBER: usize = 22;
/// So often is each sent again.
const AGAIN: usize = 3;
const LONG: usize = 100_000;

/// Whether it tells of a revocation, which is nothing but zeros.
fn tells_of_a_revocation(message: &[u8]) -> bool {
    let facts = &message[HEAD..message.len() - TAG];
    facts.chunks(FACT).any(|fact| fact == [0; FACT])
}

/// All messages up to one that tells of a revocation.
fn until_a_revocation(listener: &mut Listener) -> Vec<Vec<u8>> {
    let mut heard = Vec::new();
    while !heard
        .last()
        .is_some_and(|last: &Vec<u8>| tells_of_a_revocation(last))
    {
        heard.push(listener.message());
    }
    heard
}

/// What somebody makes of a message that was heard.
fn altered(message: &[u8]) -> Vec<Vec<u8>> {
    let with = |at: usize, byte: u8| {
        let mut message = message.to_vec();
        message[at] ^= byte;
        message
    };
    let mut renumbered = with(NUMBER, 0xff);
    let mut all = vec![
        // Another node, a later number, another time, other facts, another tag.
        with(0, 1),
        renumbered.clone(),
        with(HEAD - 1, 1),
        with(HEAD, 1),
        with(message.len() - 1, 1),
        message[..message.len() - 1].to_vec(),
        message[1..].to_vec(),
        [message, &[4; FACT]].concat(),
        [message, &[0; LONG]].concat(),
    ];
    let tag = renumbered.len() - TAG;
    renumbered[tag..].fill(0);
    all.push(renumbered);
    all
}

/// Bytes that mean nothing: none, and more and more.
fn noise() -> Vec<Vec<u8>> {
    let mut state = 7_u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    [0, 1, TAG, HEAD + TAG, HEAD + TAG + FACT, 8_800, LONG]
        .map(|length| (0..length).map(|_| byte()).collect())
        .into()
}

#[test]
fn l1_who_may_write_to_that_redis_lifts_no_limit_and_holds_nobody_up() {
    let Some((redis, _places, [here, there])) = two(|place| place) else {
        return;
    };
    until_listeners(&redis, 2);
    let mut listener = redis.listen();
    let people = PEOPLE.map(|name| format!("{name}@example.com"));
    let devices = people.each_ref().map(|email| here.register(email));
    let [ada, bob, carol, dan, eve] = &people;
    assert!(guesses(&here, ada) >= FREE);
    // One of each, which is told before a session ends.
    let mut heard = Vec::new();
    for (node, email, device) in [(&here, bob, &devices[0]), (&there, dan, &devices[1])] {
        assert_eq!(guess(node, email), 401);
        node.sign_out(device);
        heard.extend(until_a_revocation(&mut listener));
    }
    let again = (0..AGAIN).flat_map(|_| heard.iter().cloned());
    let altered = heard.iter().flat_map(|message| altered(message));
    for message in again.chain(altered).chain(noise()) {
        redis.publish(&message);
    }
    // What is told afterwards is heard afterwards, and at both.
    count_together(&here, &there, carol);
    count_together(&there, &here, eve);
    for (node, email) in [(&there, bob), (&here, dan)] {
        assert_eq!(guesses(node, email), FREE - 1, "{email}");
    }
    for node in [&here, &there] {
        are_held_up(node, ada);
    }
    for server in [here, there] {
        assert_eq!(server.stop(), "");
    }
}
