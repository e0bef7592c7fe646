//! Opaque refresh tokens.

use proptest::prelude::*;
use symbolon_token::encoding;
use symbolon_token::refresh::{ChainKey, LENGTH, PREFIX, RefreshToken};

fn chain(number: u8) -> ChainKey {
    ChainKey::from_bytes(number, &[7; 32])
}

fn token() -> RefreshToken {
    RefreshToken::first(&chain(1), [1; 16], [2; 32])
}

#[test]
fn the_text_is_as_agreed() {
    let text = token().encode();
    assert!(text.starts_with(PREFIX));
    assert_eq!((text.len(), LENGTH), (92, 92));
    let bytes = encoding::decode(&text.as_bytes()[4..]).unwrap();
    assert_eq!(bytes.len(), 66);
    assert_eq!(bytes[..2], [1, 1], "version and key number");
    assert_eq!(bytes[2..18], [1; 16], "session");
    assert_eq!(bytes[18..26], [0; 8], "generation");
}

#[test]
fn it_does_not_change_between_versions() {
    // A stored digest and an issued token must outlive an upgrade.
    let next = token().successor(&chain(1));
    assert_eq!(
        encoding::encode(&token().digest()),
        "MOgLdslXW0ZBWN0xTi2Z5o4eoMwlUImenEnr4vr88FM"
    );
    assert_eq!(
        *next.encode(),
        "sbr_AQEBAQEBAQEBAQEBAQEBAQEBAAAAAAAAAAFoTJg-wsHiewaOXfxor8ugIvNhVvkRzz7b8AsajOAOTUJmLzIGIgxX"
    );
}

#[test]
fn session_generation_and_key_are_told() {
    let third = token().successor(&chain(1)).successor(&chain(1));
    let read = RefreshToken::parse(&chain(1), &third.encode()).unwrap();
    assert_eq!(
        (read.session(), read.generation(), read.key()),
        ([1; 16], 2, 1)
    );
    assert_eq!(RefreshToken::key_number(&third.encode()), Some(1));
}

#[test]
fn other_keys_refuse_it() {
    let text = token().encode();
    assert!(RefreshToken::parse(&chain(1), &text).is_some());
    assert!(RefreshToken::parse(&chain(2), &text).is_none());
    let other = ChainKey::from_bytes(1, &[8; 32]);
    assert!(RefreshToken::parse(&other, &text).is_none());
    assert_ne!(
        token().digest(),
        RefreshToken::first(&other, [1; 16], [2; 32]).digest()
    );
    assert_ne!(
        token().successor(&chain(1)).digest(),
        token().successor(&other).digest()
    );
}

#[test]
fn no_secret_is_printed() {
    let token = token();
    let secret = encoding::decode(&token.encode().as_bytes()[4..]).unwrap()[26..58].to_vec();
    let printed = format!("{token:?} {:?}", chain(1));
    assert!(!printed.contains(&format!("{:?}", &secret[..4]).replace(['[', ']'], "")));
    assert!(printed.len() < 120, "{printed}");
}

#[test]
fn garbage_is_refused() {
    let text = token().encode();
    for garbage in [
        "",
        "sbr_",
        "sbr",
        &text[1..],
        &text[..91],
        &format!("{}A", *text),
        &format!(" {}", *text),
        &format!("{}=", &text[..91]),
        &text.replace("sbr_", "SBR_"),
        &format!("sbr_{}", "A".repeat(88)),
        &format!("sbr_{}", "é".repeat(44)),
    ] {
        assert!(
            RefreshToken::parse(&chain(1), garbage).is_none(),
            "{garbage}"
        );
    }
    assert_eq!(RefreshToken::key_number("sbr_AAAA"), None);
    assert_eq!(
        RefreshToken::key_number(&format!("sbr_{}", "A".repeat(88))),
        None
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn what_is_written_is_read(session: [u8; 16], seed: [u8; 32], master: [u8; 32], number: u8, steps in 0..20_u64) {
        let key = ChainKey::from_bytes(number, &master);
        let mut token = RefreshToken::first(&key, session, seed);
        for _ in 0..steps {
            token = token.successor(&key);
        }
        let read = RefreshToken::parse(&key, &token.encode()).unwrap();
        prop_assert_eq!(read.digest(), token.digest());
        prop_assert_eq!((read.session(), read.generation(), read.key()), (session, steps, number));
        // The same token gives the same successor to whoever asks.
        prop_assert_eq!(&*read.successor(&key).encode(), &*token.successor(&key).encode());
        prop_assert_ne!(read.successor(&key).digest(), token.digest());
    }

    #[test]
    fn any_other_character_is_refused(at in 0..92_usize, to in 0x20..0x7f_u8) {
        let mut text = token().encode().as_bytes().to_vec();
        prop_assume!(text[at] != to);
        text[at] = to;
        let text = String::from_utf8(text).unwrap();
        prop_assert!(RefreshToken::parse(&chain(1), &text).is_none());
    }

    #[test]
    fn any_text_is_refused(text in ".{0,200}") {
        prop_assert!(RefreshToken::parse(&chain(1), &text).is_none());
        let prefixed = format!("sbr_{text}");
        prop_assert!(RefreshToken::parse(&chain(1), &prefixed).is_none());
    }

    #[test]
    fn any_part_that_differs_gives_another_digest(a: ([u8; 16], [u8; 32]), b: ([u8; 16], [u8; 32])) {
        prop_assume!(a != b);
        let first = RefreshToken::first(&chain(1), a.0, a.1);
        let second = RefreshToken::first(&chain(1), b.0, b.1);
        prop_assert_ne!(first.digest(), second.digest());
    }
}
