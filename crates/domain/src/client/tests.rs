use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::Problem;

mod described;
mod metadata;

fn code<T>(parsed: Result<T, Problem>) -> &'static str {
    parsed.err().map_or("good", |problem| problem.code)
}

#[test]
fn ids() {
    let longest = "a".repeat(64);
    for good in [
        "web",
        "0",
        "A.b_c-D",
        "123e4567-e89b-12d3-a456-426614174000",
        &longest,
    ] {
        assert_eq!(ClientId::parse(good).unwrap().as_str(), good);
    }
    let longer = "a".repeat(65);
    for bad in [
        "", ".", "..", "-a", "_a", "a/b", "a b", "a:b", "ä", "a\0", "a%20", &longer,
    ] {
        assert_eq!(code(ClientId::parse(bad)), "client_id_malformed", "{bad:?}");
    }
    for ours in ["symbolon", "Symbolon", "SYMBOLON"] {
        assert_eq!(code(ClientId::parse(ours)), "client_id_reserved", "{ours}");
    }
}

#[test]
fn a1_redirect_uris_that_are_exact() {
    let longest = format!("https://a.example/{}", "x".repeat(2_000 - 18));
    for good in [
        "https://app.example.com/callback",
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com:8443/cb?tenant=a&x=%20y",
        "https://xn--bcher-kva.example/cb",
        "https://203.0.113.7/cb",
        "https://[2001:db8::1]:444/cb",
        "https://localhost/cb",
        "https://app.example.com//cb",
        "https://app.example.com/a..b/...",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:49152/cb",
        "http://127.1.2.3:1/",
        "http://[::1]:3000/cb",
        "http://localhost/cb",
        "http://localhost:8090/oauth/callback",
        "com.example.app:/callback",
        "com.example.app:/callback?x=y",
        "com.example.app://callback",
        "com.example.app:///callback",
        &longest,
    ] {
        assert_eq!(RedirectUri::parse(good).unwrap().as_str(), good);
    }
    assert_eq!(
        code(RedirectUri::parse(&format!("{longest}x"))),
        "redirect_uri_malformed"
    );
}

#[test]
fn a1_redirect_uris_that_could_be_read_in_two_ways() {
    for bad in [
        "",
        "callback",
        "/callback",
        "//app.example.com/cb",
        "https:app.example.com",
        "https:/app.example.com",
        "https://",
        "https:///cb",
        "HTTPS://app.example.com/cb",
        "https://App.example.com/cb",
        "https://app.example.com/cb#",
        "https://app.example.com/cb#x",
        "https://good.example@evil.example/cb",
        "https://user:password@app.example.com/cb",
        "https://app.example.com\\@evil.example/cb",
        "https://app.example.com\\cb",
        "https://*.example.com/cb",
        "https://app.example.com/a/../b",
        "https://app.example.com/a/%2e%2E/b",
        "https://app.example.com/a/..;/b",
        "https://app.example.com/a/./b",
        "https://app.example.com/a%2f..%2fb",
        "https://app.example.com/a%5cb",
        "https://app.example.com:0/cb",
        "https://app.example.com:/cb",
        "https://app.example.com:65536/cb",
        "https://app.example.com:8443x/cb",
        "https://app..example.com/cb",
        "https://app.example.com./cb",
        "https://-app.example.com/cb",
        "https://app_1.example.com/cb",
        "https://b\u{fc}cher.example/cb",
        "https://1.2.3/cb",
        "https://0x7f.1/cb",
        "https://2130706433/cb",
        "https://[::1/cb",
        "https://[::1]x/cb",
        "https://[fe80::1%25eth0]/cb",
        "https://app.example.com/ cb",
        "https://app.example.com/cb\n",
        "https://app.example.com/\u{0}",
        "https://app.example.com/<script>",
        "https://app.example.com/\"x",
        "https://app.example.com/%",
        "https://app.example.com/%2",
        "https://app.example.com/%zz",
        "com.example.app:",
        "com.example.app:callback",
        "com.example.app://a@b/c",
    ] {
        assert_eq!(
            code(RedirectUri::parse(bad)),
            "redirect_uri_malformed",
            "{bad:?}"
        );
    }
}

#[test]
fn a1_redirect_uris_that_others_could_take() {
    for bad in [
        "http://app.example.com/cb",
        "http://localhost.example.com/cb",
        "http://app.localhost/cb",
        "http://xn--localhost/cb",
        "http://127.0.0.1.example.com/cb",
        "http://10.0.0.1/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example.com/x",
        "urn:ietf:wg:oauth:2.0:oob",
        "myapp://callback",
        "ftp://app.example.com/cb",
    ] {
        assert_eq!(
            code(RedirectUri::parse(bad)),
            "redirect_uri_insecure",
            "{bad:?}"
        );
    }
}

#[test]
fn origins() {
    for good in [
        "https://app.example.com",
        "https://app.example.com:8443",
        "https://[2001:db8::1]",
        "http://localhost:5173",
        "http://127.0.0.1:3000",
        "http://[::1]",
    ] {
        assert_eq!(ClientOrigin::parse(good).unwrap().as_str(), good);
    }
    for bad in [
        "",
        "*",
        "null",
        "https://app.example.com/",
        "https://app.example.com:443",
        "http://localhost:80",
        "https://App.example.com",
        "http://app.example.com",
        "https://*.example.com",
        "app.example.com",
        "https://a@app.example.com",
        "https://app.example.com?x",
        "https://app.example.com#x",
        "com.example.app:/",
    ] {
        assert_eq!(
            code(ClientOrigin::parse(bad)),
            "origin_malformed",
            "{bad:?}"
        );
    }
}

#[test]
fn scopes_and_resources() {
    for good in ["openid", "orders:read", "https://api.example.com/read", "a"] {
        assert_eq!(Scope::parse(good).unwrap().as_str(), good);
    }
    let long = "s".repeat(65);
    for bad in ["", "a b", "*", "<b>", "a\"", "a\\b", "ä", "\0", &long] {
        assert_eq!(code(Scope::parse(bad)), "scope_malformed", "{bad:?}");
    }
    for good in ["orders", "https://api.example.com/v1", "urn:example:api"] {
        assert_eq!(Resource::parse(good).unwrap().as_str(), good);
    }
    for bad in [
        "",
        "a b",
        "https://api.example.com/#x",
        "\u{7f}",
        "<",
        &"r".repeat(257),
    ] {
        assert_eq!(code(Resource::parse(bad)), "resource_malformed", "{bad:?}");
    }
}

#[test]
fn secrets_are_long_and_recognised_by_their_end() {
    let secret = SecretText::parse("0123456789abcdef0123456789abWXYZ").unwrap();
    assert_eq!(secret.hint(), "WXYZ");
    assert_eq!(format!("{secret:?}"), "SecretText");
    for bad in [
        "",
        "short",
        &"a".repeat(31),
        &"a".repeat(513),
        &" ".repeat(40),
        &"é".repeat(40),
    ] {
        assert_eq!(code(SecretText::parse(bad)), "secret_malformed", "{bad:?}");
    }
}

fn definition() -> ClientDefinition {
    ClientDefinition::new(DisplayName::parse("Shop").unwrap(), ClientType::Public)
}

fn confidential(definition: ClientDefinition) -> ClientDefinition {
    ClientDefinition {
        auth_method: AuthMethod::ClientSecretBasic,
        ..definition
    }
}

fn faults(definition: &ClientDefinition, kind: ClientType) -> Vec<(String, &'static str)> {
    let faults = definition.faults(kind).into_iter();
    faults.map(|fault| (fault.pointer, fault.code)).collect()
}

#[test]
fn what_a_client_cannot_do() {
    assert_eq!(faults(&definition(), ClientType::Public), []);
    let robot = ClientDefinition {
        grants: BTreeSet::from([Grant::ClientCredentials]),
        roles: Roles::parse("clerk").unwrap(),
        ..definition()
    };
    let proved = confidential(robot.clone());
    assert_eq!(faults(&proved, ClientType::Confidential), []);
    assert_eq!(
        faults(&robot, ClientType::Public),
        [
            ("/grants".to_owned(), "grant_needs_secret"),
            ("/roles".to_owned(), "roles_need_secret")
        ]
    );
    let mut web = ClientDefinition {
        grants: BTreeSet::from([Grant::AuthorizationCode]),
        ..definition()
    };
    let missing = ("/redirectUris".to_owned(), "redirect_uri_required");
    assert_eq!(faults(&web, ClientType::Public), [missing]);
    let uri = |number| RedirectUri::parse(&format!("https://app.example.com/{number}")).unwrap();
    web.redirect_uris = (0..20).map(uri).collect();
    assert_eq!(faults(&web, ClientType::Public), []);
    web.redirect_uris.insert(uri(20));
    web.origins = (0..21)
        .map(|number| ClientOrigin::parse(&format!("https://a{number}.example.com")).unwrap())
        .collect();
    assert_eq!(
        faults(&web, ClientType::Public),
        [
            ("/redirectUris".to_owned(), "too_many"),
            ("/origins".to_owned(), "too_many")
        ]
    );
}

proptest! {
    /// Whatever is taken is a line of printable ASCII without spaces: lists of them are kept separated by spaces.
    #[test]
    fn what_is_taken_holds_no_space_and_no_fragment(text in "(https?://|[a-z.]{1,8}:/?/?)?\\PC{0,30}") {
        for taken in [
            RedirectUri::parse(&text).ok().map(|one| one.to_string()),
            ClientOrigin::parse(&text).ok().map(|one| one.to_string()),
            Scope::parse(&text).ok().map(|one| one.to_string()),
            Resource::parse(&text).ok().map(|one| one.to_string()),
        ].into_iter().flatten() {
            prop_assert_eq!(&taken, &text);
            prop_assert!(taken.bytes().all(|b| b.is_ascii_graphic()));
        }
    }
}
