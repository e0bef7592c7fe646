use proptest::prelude::*;

use super::*;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

#[test]
fn a5_a_challenge_is_a_digest() {
    assert_eq!(Challenge::parse(CHALLENGE).unwrap().as_str(), CHALLENGE);
    for bad in [
        "",
        &CHALLENGE[1..],
        &format!("{CHALLENGE}A"),
        &format!("{CHALLENGE}="),
        &"A".repeat(64),
        &"A".repeat(128),
        // Base64, and what a verifier may have.
        &format!("{}+", &CHALLENGE[1..]),
        &format!("{}/", &CHALLENGE[1..]),
        &format!("{}~", &CHALLENGE[1..]),
        &format!("{}.", &CHALLENGE[1..]),
        &format!("{} ", &CHALLENGE[1..]),
        &format!("{}\u{e4}", &CHALLENGE[2..]),
    ] {
        assert_eq!(said(&Challenge::parse(bad)), "invalid_request", "{bad:?}");
    }
}

#[test]
fn a5_a_verifier_has_43_to_128_characters() {
    for (length, expected) in [
        (0, "invalid_request"),
        (1, "invalid_request"),
        (42, "invalid_request"),
        (43, "good"),
        (128, "good"),
        (129, "invalid_request"),
        (8_192, "invalid_request"),
    ] {
        let text = "a".repeat(length);
        assert_eq!(said(&Verifier::parse(&text)), expected, "{length}");
    }
    let every = "ABCXYZabcxyz0123456789-._~-._~-._~-._~-._~-._~";
    for good in [VERIFIER, every] {
        assert_eq!(Verifier::parse(good).unwrap().as_str(), good);
    }
    for bad in [
        '+', '/', '=', ' ', '!', '%', '\0', '\n', '\u{e4}', '\u{fffd}',
    ] {
        let text = format!("{}{bad}", "a".repeat(50));
        assert_eq!(said(&Verifier::parse(&text)), "invalid_request", "{bad:?}");
    }
}

proptest! {
    #[test]
    fn a5_nothing_else_is_taken(text in "[A-Za-z0-9._~+/= -]{40,46}|\\PC{0,130}") {
        let is_base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let is_unreserved = |b: u8| is_base64url(b) || b == b'.' || b == b'~';
        let is_challenge = text.len() == 43 && text.bytes().all(is_base64url);
        prop_assert_eq!(Challenge::parse(&text).is_ok(), is_challenge);
        let is_verifier = (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved);
        prop_assert_eq!(Verifier::parse(&text).is_ok(), is_verifier);
    }
}
