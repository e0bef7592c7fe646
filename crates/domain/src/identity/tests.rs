//! Named after the rows of the security catalogue where there is one.

use super::{DisplayName, Email, Identifier, Username};

fn email_code(text: &str) -> &'static str {
    Email::parse(text).map_or_else(|problem| problem.code, |_| "accepted")
}

fn username_code(text: &str) -> &'static str {
    Username::parse(text).map_or_else(|problem| problem.code, |_| "accepted")
}

fn name_code(text: &str) -> &'static str {
    DisplayName::parse(text).map_or_else(|problem| problem.code, |_| "accepted")
}

#[test]
fn addresses_that_are_good() {
    for text in [
        "a@b",
        "alice@localhost",
        "alice@example.com",
        "Alice.Liddell+tag@Example.COM",
        "o'brien@example.ie",
        "user_1@sub.sub.example.museum",
        "!#$%&'*+-/=?^_`{|}~@example.com",
        "用户@例子.广告",
        "अजय@डाटा.भारत",
        "josé@exämple.de",
        "a@1.2",
        "x@xn--exmple-cua.de",
    ] {
        assert_eq!(email_code(text), "accepted", "{text}");
        assert_eq!(Email::parse(text).unwrap().as_str(), text);
    }
}

#[test]
fn addresses_that_are_not() {
    for text in [
        "",
        "@",
        "alice",
        "alice@",
        "@example.com",
        "a@b@c",
        "a b@example.com",
        "a@exa mple.com",
        " a@b.c",
        "a@b.c ",
        "a@b.c\n",
        "a\t@b.c",
        ".a@b.c",
        "a.@b.c",
        "a..b@c.d",
        "a@.b",
        "a@b.",
        "a@b..c",
        "a@-b.c",
        "a@b-.c",
        "a@b_c.d",
        "\"a b\"@c.d",
        "a@[127.0.0.1]",
        "a(x)@b.c",
        "<a@b.c>",
        "a,b@c.d",
        "a;b@c.d",
        "a\\b@c.d",
        "a:b@c.d",
        "a@b.c,d@e.f",
        "a@b\u{a0}c.d",
        "a\u{202e}b@c.d",
        "a\u{200b}b@c.d",
        "a@b\u{3002}c",
        "a\u{ff20}b@c.d",
        "a\r\nBcc: x@y.z",
    ] {
        assert_eq!(email_code(text), "email_malformed", "{text:?}");
    }
}

#[test]
fn addresses_have_bounds() {
    let local = |n: usize| "l".repeat(n) + "@example.com";
    assert_eq!(email_code(&local(64)), "accepted");
    assert_eq!(email_code(&local(65)), "email_too_long");
    let label = |n: usize| format!("a@{}.com", "d".repeat(n));
    assert_eq!(email_code(&label(63)), "accepted");
    assert_eq!(email_code(&label(64)), "email_malformed");
    let total = |n: usize| {
        let mut text = "a@".to_owned();
        while text.len() < n {
            let missing = n - text.len();
            text.push_str(&if missing > 32 {
                "d".repeat(31) + "."
            } else {
                "d".repeat(missing)
            });
        }
        text
    };
    assert_eq!(
        (total(254).len(), email_code(&total(254))),
        (254, "accepted")
    );
    assert_eq!(email_code(&total(255)), "email_too_long");
    assert_eq!(email_code(&"a@".repeat(1 << 20)), "email_too_long");
}

#[test]
fn n9_nul_and_controls_are_refused_everywhere() {
    for c in ['\0', '\u{1}', '\u{1b}', '\u{7f}', '\u{85}', '\n', '\r'] {
        assert_eq!(
            email_code(&format!("a{c}b@example.com")),
            "email_malformed",
            "{c:?}"
        );
        assert_eq!(
            email_code(&format!("a@exa{c}mple.com")),
            "email_malformed",
            "{c:?}"
        );
        assert_eq!(
            username_code(&format!("al{c}ice")),
            "username_malformed",
            "{c:?}"
        );
        assert_eq!(name_code(&format!("Al{c}ice")), "name_malformed", "{c:?}");
    }
}

#[test]
fn one_key_for_every_spelling_of_an_address() {
    let key = |text: &str| Email::parse(text).unwrap().key();
    assert_eq!(key("Alice@Example.COM"), "alice@example.com");
    assert_eq!(key("JOSE\u{301}@example.com"), key("jos\u{e9}@EXAMPLE.com"));
    assert_eq!(key("ÅSA@example.com"), key("A\u{30a}sa@example.com"));
    assert_eq!(key("\u{212b}sa@example.com"), key("åsa@example.com"));
    // The key of a key is itself, so that a key can be looked up by whoever holds only it.
    for text in [
        "\u{130}stanbul@example.com",
        "ΣΑΣ@example.com",
        "ẞ@example.com",
    ] {
        assert_eq!(key(&key(text)), key(text), "{text}");
    }
    // Tags and dots name other mailboxes: which of them are one is known to their server alone.
    assert_ne!(key("a.b@example.com"), key("ab@example.com"));
    assert_ne!(key("a+b@example.com"), key("a@example.com"));
}

#[test]
fn an_address_is_kept_as_given() {
    let email = Email::parse("Alice@Example.COM").unwrap();
    assert_eq!(email.as_str(), "Alice@Example.COM");
    assert_eq!(email.to_string(), "Alice@Example.COM");
    assert_eq!(email.local_part(), "Alice");
}

#[test]
fn user_names() {
    for text in [
        "bob",
        "alice",
        "Alice",
        "a.b_c-d",
        "007",
        "x1z",
        &"n".repeat(64),
    ] {
        assert_eq!(username_code(text), "accepted", "{text}");
    }
    for text in [
        "a@b", "al ice", ".bob", "bob.", "-bob", "bob_", "böb", "а1ice", "al/ice", "al%69ce",
    ] {
        assert_eq!(username_code(text), "username_malformed", "{text}");
    }
    assert_eq!(username_code(""), "username_too_short");
    assert_eq!(username_code("ab"), "username_too_short");
    assert_eq!(username_code(&"n".repeat(65)), "username_too_long");
    assert_eq!(Username::parse("Alice.B").unwrap().key(), "alice.b");
    assert_eq!(Username::parse("Alice.B").unwrap().as_str(), "Alice.B");
}

#[test]
fn display_names() {
    for text in [
        "Alice",
        "Alice Liddell",
        "O’Brien",
        "李小龍",
        "می\u{200c}خواهم",
        "👩\u{200d}🚀",
        "<b>Alice</b>",
        "X Æ A-12",
    ] {
        assert_eq!(name_code(text), "accepted", "{text}");
    }
    assert_eq!(DisplayName::parse("  Alice \t").unwrap().as_str(), "Alice");
    assert_eq!(DisplayName::parse("Jose\u{301}").unwrap().as_str(), "José");
    for text in ["", "   ", "\u{200d}", "\u{3164}", "\u{2800}\u{2800}"] {
        assert_eq!(name_code(text), "name_too_short", "{text:?}");
    }
    for text in [
        "Alice\u{202e}nimda",
        "\u{2066}x\u{2069}",
        "a\u{200b}b",
        "a\u{2028}b",
        "\u{feff}a",
    ] {
        assert_eq!(name_code(text), "name_malformed", "{text:?}");
    }
}

#[test]
fn display_names_have_bounds_in_code_points() {
    assert_eq!(name_code(&"李".repeat(200)), "accepted");
    assert_eq!(name_code(&"李".repeat(201)), "name_too_long");
    assert_eq!(name_code(&"e\u{301}".repeat(200)), "accepted");
    assert_eq!(name_code(&"x".repeat(1 << 20)), "name_too_long");
}

#[test]
fn an_identifier_is_an_address_if_it_holds_an_at() {
    assert!(matches!(
        Identifier::parse("a@b").unwrap(),
        Identifier::Email(_)
    ));
    assert!(matches!(
        Identifier::parse("alice").unwrap(),
        Identifier::Username(_)
    ));
    assert_eq!(Identifier::parse("a@").unwrap_err().code, "email_malformed");
    assert_eq!(
        Identifier::parse("a b").unwrap_err().code,
        "username_malformed"
    );
}

#[test]
fn p9_a_problem_never_repeats_the_value() {
    for text in ["zzqq zzqq@b", "zzqq@", "zzqq@zzqq@zzqq"] {
        assert!(
            !format!("{:?}", Email::parse(text)).contains("zzqq"),
            "{text}"
        );
    }
    assert!(!format!("{:?}", Username::parse("zz qq")).contains("qq"));
}
