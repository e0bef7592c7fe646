use uuid::Uuid;

use super::{Device, Link, SmtpUrl, digest};
use crate::sealing::MasterKey;
use crate::secret::Secret;

fn master(byte: u8) -> MasterKey {
    let text = format!("{byte:02x}{}", "01".repeat(31));
    MasterKey::from_config(&Secret::new(text)).unwrap()
}

#[test]
fn a_link_is_the_same_for_the_same_proof_and_key_only() {
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let link = Link::of(&master(2), one).unwrap();
    assert_eq!(link.expose(), Link::of(&master(2), one).unwrap().expose());
    assert_ne!(link.expose(), Link::of(&master(2), other).unwrap().expose());
    assert_ne!(link.expose(), Link::of(&master(3), one).unwrap().expose());
    assert_eq!(digest(link.expose()), Some(link.digest()));
    assert_eq!(link.expose().len(), 47);
}

#[test]
fn what_cannot_be_a_token_is_not_looked_up() {
    let good = format!("sbl_{}", "a".repeat(43));
    assert!(digest(&good).is_some());
    for bad in [
        String::new(),
        "a".repeat(47),
        format!("sbr_{}", "a".repeat(43)),
        format!("sbl_{}", "a".repeat(42)),
        format!("sbl_{}", "a".repeat(44)),
        format!("sbl_{}+", "a".repeat(42)),
        format!("sbl_{}\0", "a".repeat(42)),
        format!("sbl_{}é", "a".repeat(41)),
    ] {
        assert_eq!(digest(&bad), None, "{bad}");
    }
}

#[test]
fn a_url_says_how_it_is_spoken() {
    for (text, place) in [
        (
            "smtps://u:p@mail.example.com",
            "mail.example.com port 465 (TLS)",
        ),
        (
            "smtps://u:p@mail.example.com:4650/",
            "mail.example.com port 4650 (TLS)",
        ),
        (
            "smtp://mail.example.com",
            "mail.example.com port 587 (STARTTLS)",
        ),
        (
            "smtp://u:p%40ss@mail.example.com",
            "mail.example.com port 587 (STARTTLS)",
        ),
        (
            "smtp://mail.example.com?tls=none",
            "mail.example.com port 25 (no TLS)",
        ),
        ("smtp://localhost", "localhost port 25 (no TLS)"),
        ("smtp://127.0.0.1:2525", "127.0.0.1 port 2525 (no TLS)"),
        ("smtp://[::1]:2525", "::1 port 2525 (no TLS)"),
        ("smtp://u:p@localhost", "localhost port 25 (no TLS)"),
        (
            "smtp://localhost?tls=starttls",
            "localhost port 587 (STARTTLS)",
        ),
    ] {
        let url = SmtpUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(url.place(), place, "{text}");
    }
}

#[test]
fn a_bad_url_is_refused_without_repeating_it() {
    for text in [
        "",
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtps://mail.example.com?tls=none",
        "smtp://mail.example.com?tls=maybe",
        "smtp://mail.example.com/path",
        "smtp://mail.example.com#x",
        "smtp://hunter2@mail.example.com",
        "smtp://:hunter2@mail.example.com",
        "smtp://u:hunter2@mail.example.com?tls=none",
        "smtp://u:hunter2%4@mail.example.com",
        "smtp://u:hunter2%ff@mail.example.com",
    ] {
        let error = SmtpUrl::parse(text)
            .err()
            .unwrap_or_else(|| panic!("{text}"));
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_device_is_told_in_words_of_ours() {
    for (agent, words) in [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
            "Chrome, Android",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_1) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15",
            "Safari, macOS",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Linux",
        ),
        ("curl/8.5.0", "curl"),
        ("http://evil.example <b>", "–"),
        ("", "–"),
    ] {
        assert_eq!(Device::of(Some(agent), None).to_string(), words, "{agent}");
    }
    let at = |address| Device::of(Some("curl/8"), Some(address));
    assert_eq!(at("192.0.2.1"), at("192.0.2.200"));
    assert_eq!(at("192.0.2.1"), at("::ffff:192.0.2.9"));
    assert_ne!(at("192.0.2.1"), at("192.0.3.1"));
    assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:ffff::9"));
    assert_ne!(at("2001:db8:1::1"), at("2001:db8:2::1"));
}
