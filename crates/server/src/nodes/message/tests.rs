//! Who is heard, and who is not (rows L1, L3, X8).

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn key(byte: u8) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32])
}

/// What a node that hears says, and one that listens to it.
fn two() -> (Writer, Reader) {
    (
        Writer::new(key(7), [1; NAME]),
        Reader::new(key(7), [2; NAME]),
    )
}

fn facts() -> Vec<Fact> {
    // An attempt of the kind 1 (an account) was charged.
    let counted = Counted::from_bytes(&[[1; 16].as_slice(), &[0x11]].concat()).unwrap();
    vec![Fact::Revoked, Fact::Counted(counted)]
}

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

#[test]
fn a_message_is_heard_once_and_in_order() {
    let (mut writer, mut reader) = two();
    let [first, second] = [0; 2].map(|_| writer.write(&facts(), NOW));
    assert_eq!(reader.read(&first, NOW), facts());
    assert_eq!(reader.read(&first, NOW), []);
    assert_eq!(reader.read(&second, NOW), facts());
    assert_eq!(reader.read(&first, later(1)), []);
    // A node whose clock was put back is heard on.
    let third = writer.write(&facts(), later(0).minus(Duration::from_secs(20)));
    assert_eq!(reader.read(&third, NOW), facts());
    let nothing = writer.write(&[], NOW);
    assert_eq!(reader.read(&nothing, NOW), []);
}

#[test]
fn what_was_said_by_a_clock_that_was_ahead_cannot_be_told_again() {
    let (mut writer, mut reader) = two();
    let ahead = writer.write(&facts(), later(25));
    let put_right = writer.write(&facts(), NOW);
    for message in [&ahead, &put_right] {
        assert_eq!(reader.read(message, NOW), facts());
    }
    // Who has been silent for long is forgotten when somebody else is heard.
    let other = Writer::new(key(7), [9; NAME]).write(&facts(), later(31));
    assert_eq!(reader.read(&other, later(31)), facts());
    assert_eq!(reader.read(&ahead, later(31)), []);
}

#[test]
fn l1_whoever_may_write_to_redis_lifts_no_limit_and_holds_nobody_up() {
    let (mut writer, mut reader) = two();
    let good = writer.write(&facts(), NOW);
    for place in 0..good.len() {
        let mut forged = good.clone();
        forged[place] ^= 1;
        assert_eq!(reader.read(&forged, NOW), [], "byte {place}");
    }
    for length in 0..good.len() {
        assert_eq!(reader.read(&good[..length], NOW), [], "length {length}");
    }
    let stranger = Writer::new(key(8), [1; NAME]).write(&facts(), NOW);
    assert_eq!(reader.read(&stranger, NOW), []);
    assert_eq!(reader.read(&good, NOW), facts());
}

#[test]
fn l3_what_is_old_or_too_long_is_not_heard() {
    let (mut writer, mut reader) = two();
    let old = writer.write(&facts(), NOW);
    assert_eq!(reader.read(&old, later(31)), []);
    let ahead = writer.write(&facts(), later(31));
    assert_eq!(reader.read(&ahead, NOW), []);
    let most = writer.write(&facts().repeat(MOST), NOW);
    assert_eq!(reader.read(&most, NOW).len(), MOST);
    let mut long = Writer::new(key(7), [3; NAME]).write(&facts(), NOW);
    long.resize(most.len() + 1, 0);
    assert_eq!(reader.read(&long, NOW), []);
    // Its own.
    let mut own = Reader::new(key(7), [1; NAME]);
    assert_eq!(own.read(&most, NOW), []);
}

#[test]
fn the_memory_of_senders_is_bounded_and_those_that_fell_silent_leave_it() {
    let mut reader = Reader::new(key(7), [0; NAME]);
    let say = |reader: &mut Reader, name: usize, now| {
        let mut bytes = [1; NAME];
        bytes[..8].copy_from_slice(&name.to_be_bytes());
        let message = Writer::new(key(7), bytes).write(&facts(), now);
        !reader.read(&message, now).is_empty()
    };
    assert!((0..SENDERS).all(|name| say(&mut reader, name, NOW)));
    assert!(!say(&mut reader, SENDERS, NOW));
    assert!(say(&mut reader, SENDERS, later(31)));
    assert_eq!(reader.heard.len(), 1);
}

#[test]
fn x8_what_a_newer_node_says_is_passed_over() {
    let (mut writer, mut reader) = two();
    let mut message = writer.write(&facts(), NOW);
    message.truncate(message.len() - TAG);
    // A change of a kind, and a counter of a kind, that are not known here.
    message.extend([[9; 16].as_slice(), &[0x11]].concat());
    message.extend([[1; 16].as_slice(), &[0x1f]].concat());
    let tag = hmac::sign(&key(7), &message);
    message.extend(tag.as_ref());
    assert_eq!(reader.read(&message, NOW), facts());
}
