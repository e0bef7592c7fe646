use proptest::prelude::*;

use super::*;
use crate::Permissions;

#[test]
fn a_set_in_one_order() {
    for (text, expected) in [
        ("", ""),
        (" ", ""),
        ("openid", "openid"),
        ("openid email", "email openid"),
        ("b a b a", "a b"),
        ("  b   a  ", "a b"),
        ("a A", "A a"),
        (
            "orders:read https://api.example.com/read",
            "https://api.example.com/read orders:read",
        ),
    ] {
        assert_eq!(scopes_from(text).to_string(), expected);
    }
    assert_eq!(scopes_from("a b"), scopes_from("b a"));
    for bad in [
        "a\tb", "a\nb", "a\u{a0}b", "a\"", "a\\b", "<b>", "*", "\u{e4}", "a\0",
    ] {
        assert_eq!(said(&Scopes::parse(bad)), "invalid_scope", "{bad:?}");
    }
    let longest = "s".repeat(64);
    assert_eq!(said(&Scopes::parse(&longest)), "good");
    assert_eq!(
        said(&Scopes::parse(&format!("{longest}s"))),
        "invalid_scope"
    );
}

#[test]
fn a26_no_more_than_a_client_can_have() {
    let numbered = |count: u32| {
        let words: Vec<_> = (0..count).map(|number| format!("s{number}")).collect();
        words.join(" ")
    };
    assert_eq!(said(&Scopes::parse(&numbered(100))), "good");
    assert_eq!(said(&Scopes::parse(&numbered(101))), "invalid_scope");
    assert_eq!(said(&Scopes::parse(&numbered(10_000))), "invalid_scope");
    assert_eq!(
        said(&Scopes::parse(&"a ".repeat(101))),
        "invalid_scope",
        "words count"
    );
    // What has grown by being agreed to is read again.
    let kept = Scopes::kept(&numbered(1_000)).unwrap();
    assert_eq!(kept.iter().count(), 1_000);
    assert_eq!(Scopes::kept("a \"").unwrap_err().code, "scope_malformed");
}

#[test]
fn what_is_among_them() {
    let some = scopes_from("openid email orders:read");
    assert!(some.contains("openid") && !some.contains("open") && !some.contains("OpenID"));
    assert!(!some.contains("") && !some.contains("openid email"));
    for (others, covered) in [
        ("", true),
        ("email", true),
        ("email openid orders:read", true),
        ("email phone", false),
        ("orders:write", false),
        ("orders", false),
        ("orders:read2", false),
    ] {
        assert_eq!(some.cover(&scopes_from(others)), covered, "{others}");
    }
    assert!(!Scopes::default().cover(&some) && Scopes::default().is_empty());
    let both = scopes_from("a b").with(&scopes_from("b c"));
    assert_eq!(both, scopes_from("a b c"));
    let rest = both.without(|one| one.as_str() == "b");
    assert_eq!(rest, scopes_from("a c"));
}

#[test]
fn a_client_gets_no_permission_that_its_person_lacks() {
    let asked = scopes_from("openid email orders:read orders:write https://api.example.com/read");
    for (held, expected) in [
        ("", "email https://api.example.com/read openid"),
        (
            "orders:read",
            "email https://api.example.com/read openid orders:read",
        ),
        (
            "orders:read2 orders:rea",
            "email https://api.example.com/read openid",
        ),
        (
            "orders:write:all",
            "email https://api.example.com/read openid",
        ),
        ("openid:x", "email https://api.example.com/read openid"),
    ] {
        let held = Permissions::parse(held).unwrap();
        assert_eq!(asked.held_by(&held).to_string(), expected);
    }
    assert_eq!(asked.held_by(&Permissions::Every), asked);
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(words in prop::collection::vec("[a-z]{1,3}(:[a-z]{1,2})?", 0..40)) {
        let read = scopes_from(&words.join(" "));
        prop_assert_eq!(Scopes::parse(&read.to_string()), Ok(read.clone()));
        prop_assert_eq!(Scopes::kept(&read.to_string()), Ok(read.clone()));
        let in_order: Vec<_> = read.iter().map(Scope::as_str).collect();
        prop_assert!(in_order.is_sorted_by(|one, next| one < next));
        prop_assert_eq!(words.iter().all(|word| read.contains(word)), true);
    }

    #[test]
    fn nothing_is_added_by_what_is_held(
        asked in prop::collection::vec("[ab]{1,2}(:[ab])?", 0..8), held in prop::collection::vec("[ab]{1,2}:[ab]", 0..4)
    ) {
        let asked = scopes_from(&asked.join(" "));
        let held = Permissions::parse(&held.join(" ")).unwrap();
        let granted = asked.held_by(&held);
        prop_assert!(asked.cover(&granted));
        for scope in asked.iter() {
            let is_permission = scope.as_str().contains(':');
            let expected = !is_permission || held.allow(scope.as_str());
            prop_assert_eq!(granted.contains(scope.as_str()), expected, "{}", scope);
        }
        prop_assert_eq!(granted.held_by(&held), granted.clone());
    }

    #[test]
    fn to_cover_is_to_have_nothing_to_add(one in "([a-d] ){0,4}", other in "([a-d] ){0,4}") {
        let (one, other) = (scopes_from(&one), scopes_from(&other));
        prop_assert_eq!(one.cover(&other), one.with(&other) == one);
        prop_assert!(one.with(&other).cover(&one) && one.with(&other).cover(&other));
    }
}
