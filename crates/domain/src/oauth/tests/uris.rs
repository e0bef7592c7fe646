use proptest::prelude::*;

use super::*;

fn uri(text: &str) -> RedirectUri {
    RedirectUri::parse(text).unwrap()
}

const SOME: [&str; 12] = [
    "https://good.example/cb",
    "https://good.example:8443/cb",
    "https://127.0.0.1/cb",
    "https://127.0.0.1:8443/cb",
    "http://127.0.0.1/cb",
    "http://127.0.0.1:1/cb",
    "http://127.0.0.1:49152/cb",
    "http://127.0.0.1?cb",
    "http://127.0.0.2:1/cb",
    "http://[::1]/cb",
    "http://[::1]:1/cb",
    "com.example.app:/cb",
];

#[test]
fn a2_a_uri_admits_itself_and_other_ports_of_loopback() {
    let alike = |one: &str, other: &str| {
        let groups = [&SOME[4..7], &SOME[9..11]];
        one == other
            || groups
                .iter()
                .any(|group| group.contains(&one) && group.contains(&other))
    };
    for one in SOME {
        for other in SOME {
            assert_eq!(
                uri(one).admits(&uri(other)),
                alike(one, other),
                "{one} {other}"
            );
        }
    }
}

#[test]
fn what_a_policy_names_a_uri_by() {
    for (text, source) in [
        ("https://good.example", "https://good.example"),
        ("https://good.example/cb?x=;", "https://good.example"),
        ("https://good.example:8443?x", "https://good.example:8443"),
        ("https://[2001:db8::1]:444/cb", "https://[2001:db8::1]:444"),
        ("http://127.0.0.1:3000/cb", "http://127.0.0.1:3000"),
        ("http://[::1]/", "http://[::1]"),
        ("com.example.app:/cb", "com.example.app:"),
        ("com.example.app://a;b/c", "com.example.app:"),
        ("com.example.app:///cb", "com.example.app:"),
    ] {
        assert_eq!(uri(text).source(), source, "{text}");
    }
    assert!(uri(CALLBACK).is_of_a_site() && uri("https://127.0.0.1/").is_of_a_site());
    assert!(
        !uri("http://127.0.0.1/").is_of_a_site() && !uri("com.example.https:/cb").is_of_a_site()
    );
    assert!(!uri("https.example:/cb").is_of_a_site());
}

#[test]
fn a19_apis_that_are_uris() {
    for (text, is_uri) in [
        ("https://api.example.com", true),
        ("https://api.example.com/v1?tenant=a", true),
        ("http://10.0.0.1:8080/", true),
        ("urn:example:api", true),
        ("api://orders", true),
        ("orders", false),
        ("/orders", false),
        ("//api.example.com/orders", false),
        ("./orders", false),
        ("?orders", false),
        ("HTTPS://api.example.com", false),
        ("1api:orders", false),
        (":orders", false),
        ("https://api.example.com/%", false),
        ("https://api.example.com/%zz", false),
    ] {
        assert_eq!(Resource::parse(text).unwrap().is_uri(), is_uri, "{text}");
    }
    for fragment in [
        "https://api.example.com/#",
        "https://api.example.com/#x",
        "#x",
    ] {
        assert!(Resource::parse(fragment).is_err(), "{fragment}");
    }
}

/// Scheme, host, port, and what stands behind.
type Loopback = (&'static str, &'static str, Option<u16>, &'static str);

fn loopback() -> impl Strategy<Value = Loopback> {
    let one_of = prop::sample::select::<&str>;
    (
        one_of(vec!["http", "http", "https"]),
        one_of(vec!["127.0.0.1", "127.0.0.2", "[::1]"]),
        prop::option::of(1_u16..=3),
        one_of(vec!["", "/", "/a", "?x", "/a?x"]),
    )
}

proptest! {
    /// Nothing of a redirect URI reaches beyond its place in a policy.
    #[test]
    fn a_source_is_one_word(text in "(https?://|[a-z]{1,3}[.][a-z]{1,3}:/{0,3})[a-z0-9.:;,'/?@\\[\\] *-]{0,16}") {
        if let Ok(uri) = RedirectUri::parse(&text) {
            let source = uri.source();
            prop_assert!(text.starts_with(&source));
            prop_assert!(!source.is_empty() && !source.contains([' ', ';', ',', '\'', '*', '@', '?']), "{}", source);
            prop_assert!(uri.admits(&uri));
        }
    }

    #[test]
    fn a2_to_admit_is_to_be_alike_but_for_the_port(one in loopback(), other in loopback()) {
        let of = |(scheme, host, port, rest): &Loopback| {
            let port = port.map_or(String::new(), |port| format!(":{port}"));
            uri(&format!("{scheme}://{host}{port}{rest}"))
        };
        let without_port = |it: &Loopback| (it.0, it.1, it.3);
        let is_http = one.0 == "http";
        let expected = one == other || (is_http && without_port(&one) == without_port(&other));
        prop_assert_eq!(of(&one).admits(&of(&other)), expected);
        prop_assert_eq!(of(&other).admits(&of(&one)), expected);
    }
}
