use std::time::Duration;

use uuid::Uuid;

use super::{Effect, Kind, Revocation, Subject};
use crate::{SessionId, Timestamp, UserId};

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn subjects() -> [(Subject, &'static str, &'static str); 6] {
    let uuid = Uuid::try_parse(ID).unwrap();
    [
        (Subject::Session(SessionId::new(uuid)), "session", ID),
        (
            Subject::User {
                id: UserId::new(uuid),
                below: 4,
            },
            "user",
            ID,
        ),
        (Subject::Token("jti-1".to_owned()), "token", "jti-1"),
        (
            Subject::Client {
                id: "app".to_owned(),
                before_s: 17,
            },
            "client",
            "app",
        ),
        (Subject::Key("kid-1".to_owned()), "key", "kid-1"),
        (Subject::All { before_s: 18 }, "all", ""),
    ]
}

fn revoked(subject: Subject) -> Revocation {
    let until = Timestamp::from_seconds(1_700_000_000).plus(Duration::from_millis(1));
    Revocation {
        subject,
        effect: Effect::Revoked,
        until,
    }
}

#[test]
fn the_key_is_that_of_the_kind_and_of_the_id_as_tokens_spell_it() {
    for (subject, kind, id) in subjects() {
        let revocation = revoked(subject);
        assert_eq!(revocation.kind(), kind);
        assert_eq!(
            revocation.key(),
            symbolon_token::feed_key(kind, id),
            "{kind}"
        );
    }
}

#[test]
fn a_session_and_a_user_of_one_id_have_different_keys() {
    let mut keys: Vec<_> = subjects().map(|(subject, ..)| subject.key()).into();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 6);
}

#[test]
fn versions_decide_for_users_and_time_for_clients_and_all() {
    for (subject, ..) in subjects() {
        let entry = revoked(subject).entry(9);
        let expected = match entry.kind {
            Kind::User => (Some(4), None),
            Kind::Client => (None, Some(17)),
            Kind::All => (None, Some(18)),
            Kind::Session | Kind::Token | Kind::Key => (None, None),
        };
        assert_eq!((entry.below, entry.before), expected);
        assert_eq!(entry.seq, 9);
    }
}

#[test]
fn an_entry_is_not_dropped_a_part_of_a_second_early() {
    let (subject, ..) = subjects()[0].clone();
    assert_eq!(revoked(subject).entry(1).until_s, 1_700_000_001);
}

#[test]
fn kinds_and_effects_are_those_of_the_feed() {
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(kinds, ["session", "user", "token", "client", "key", "all"]);
    let effects: Vec<_> = Effect::ALL.iter().map(|effect| effect.as_str()).collect();
    assert_eq!(effects, ["revoked", "stale"]);
}
