use proptest::prelude::*;

use super::*;

/// What a request of a client says with nothing wrong.
const GOOD: [(&str, &str); 4] = [
    ("response_type", "code"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
    ("scope", "openid"),
];

fn destined(client: &Client) -> Destination {
    destination(Some(client), &Parameters::default()).unwrap()
}

/// What is made of the good request with these parameters in the place of its own.
fn with(changes: &[(&str, &str)]) -> Result<AuthorizationRequest, OAuthError> {
    let client = client(ClientType::Public, &[CALLBACK]);
    let is_kept = |pair: &&(&str, &str)| changes.iter().all(|change| change.0 != pair.0);
    let pairs = GOOD.iter().filter(is_kept).chain(changes);
    let pairs: Vec<_> = pairs.copied().collect();
    judge(&client, destined(&client), &read(&pairs)?)
}

fn is_refused(changes: &[(&str, &str)], code: &str) {
    assert_eq!(said(&with(changes)), code, "{changes:?}");
}

#[test]
fn what_a_request_asks_for() {
    let bare = with(&[]).unwrap();
    let client = client(ClientType::Public, &[CALLBACK]);
    let expected = AuthorizationRequest {
        destination: destined(&client),
        response_mode: ResponseMode::Query,
        state: None,
        scopes: scopes_from("openid"),
        resources: Vec::new(),
        challenge: Challenge::parse(CHALLENGE).unwrap(),
        nonce: None,
        asked: Asked::default(),
        login_hint: None,
        id_token_hint: None,
        dpop_jkt: None,
        claims: None,
    };
    assert_eq!(bare, expected);
    let full = with(&[
        ("response_mode", "form_post"),
        ("state", "a b&\u{fc}"),
        ("scope", "orders:read openid"),
        ("resource", "https://api.example.com/"),
        ("nonce", "n-0S6_WzA2Mj"),
        ("prompt", "consent login"),
        ("max_age", "3600"),
        ("login_hint", "ada@example.com"),
        ("id_token_hint", "a.b.c"),
        ("dpop_jkt", CHALLENGE),
        ("claims", "{}"),
        ("display", "popup"),
        ("unknown", "x"),
    ]);
    let text = |text: &str| Some(text.to_owned());
    let asked = Prompt {
        login: true,
        consent: true,
        ..Prompt::default()
    };
    let expected = AuthorizationRequest {
        response_mode: ResponseMode::FormPost,
        state: text("a b&\u{fc}"),
        scopes: scopes_from("openid orders:read"),
        resources: vec![Resource::parse("https://api.example.com/").unwrap()],
        nonce: text("n-0S6_WzA2Mj"),
        asked: Asked {
            prompt: asked,
            max_age_s: Some(3_600),
        },
        login_hint: text("ada@example.com"),
        id_token_hint: text("a.b.c"),
        dpop_jkt: text(CHALLENGE),
        claims: text("{}"),
        ..expected
    };
    assert_eq!(full, Ok(expected));
}

#[test]
fn a4_a_code_is_all_there_is() {
    for bad in [
        "token",
        "id_token",
        "id_token token",
        "code token",
        "code id_token",
        "code id_token token",
        "none",
        "Code",
        "CODE",
        "code ",
        " code",
        "code code",
        "x",
    ] {
        is_refused(&[("response_type", bad)], "unsupported_response_type");
    }
    is_refused(&[("response_type", "")], "invalid_request");
    for mode in ["query", "form_post"] {
        is_refused(&[("response_mode", mode)], "good");
    }
    for mode in ["fragment", "jwt", "query.jwt", "web_message", "Query", "x"] {
        is_refused(&[("response_mode", mode)], "invalid_request");
    }
}

#[test]
fn a5_every_client_shows_a_challenge() {
    let short = &CHALLENGE[1..];
    let long = "a".repeat(129);
    for changes in [
        &[("code_challenge", ""), ("code_challenge_method", "")][..],
        &[("code_challenge", "")],
        &[("code_challenge_method", "")],
        &[("code_challenge_method", "plain")],
        &[("code_challenge_method", "s256")],
        &[("code_challenge_method", "S512")],
        &[("code_challenge_method", "S256 plain")],
        &[("code_challenge", short)],
        &[("code_challenge", &long)],
    ] {
        is_refused(changes, "invalid_request");
    }
    let confidential = client(ClientType::Confidential, &[CALLBACK]);
    let without = read(&[("response_type", "code"), ("scope", "openid")]).unwrap();
    let refused = judge(&confidential, destined(&confidential), &without);
    assert_eq!(said(&refused), "invalid_request", "also one with a secret");
}

#[test]
fn a12_words_of_prompt() {
    let prompt = |words: &str| with(&[("prompt", words)]).map(|request| request.asked.prompt);
    let none = Prompt::default();
    for (words, expected) in [
        ("", none),
        ("none", Prompt { none: true, ..none }),
        (
            "login",
            Prompt {
                login: true,
                ..none
            },
        ),
        (
            "consent",
            Prompt {
                consent: true,
                ..none
            },
        ),
        (
            "select_account",
            Prompt {
                select_account: true,
                ..none
            },
        ),
        (
            "login login",
            Prompt {
                login: true,
                ..none
            },
        ),
        (
            "consent login",
            Prompt {
                login: true,
                consent: true,
                ..none
            },
        ),
    ] {
        assert_eq!(prompt(words), Ok(expected), "{words}");
    }
    for bad in [
        "none login",
        "login none",
        "none consent",
        "none select_account",
        "login consent none",
        "None",
        "LOGIN",
        "create",
        "login,consent",
        "login\tconsent",
        "none\0",
    ] {
        is_refused(&[("prompt", bad)], "invalid_request");
    }
}

#[test]
fn a12_max_age_is_a_number_of_seconds() {
    let max_age = |text: &str| with(&[("max_age", text)]).map(|request| request.asked.max_age_s);
    for (text, expected) in [
        ("", None),
        ("0", Some(0)),
        ("1", Some(1)),
        ("007", Some(7)),
        ("4294967295", Some(u32::MAX)),
    ] {
        assert_eq!(max_age(text), Ok(expected), "{text}");
    }
    for bad in [
        "-1",
        "+1",
        "-0",
        "NaN",
        "Infinity",
        "null",
        "1.0",
        "1.5",
        "1e3",
        "0x10",
        " 1",
        "1 ",
        "1s",
        "4294967296",
        "99999999999999999999999999",
        "\u{663}",
        "\u{ff11}",
    ] {
        is_refused(&[("max_age", bad)], "invalid_request");
    }
}

#[test]
fn a14_objects_are_not_taken_and_not_fetched() {
    for (name, code) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        for value in ["x", "https://evil.example/request", "e30.e30."] {
            is_refused(&[(name, value)], code);
            // Whatever else is wrong.
            is_refused(
                &[(name, value), ("response_type", "token"), ("scope", "\"")],
                code,
            );
        }
        is_refused(&[(name, "")], "good");
    }
}

#[test]
fn a15_scopes_that_the_client_has() {
    let scopes = |text: &str| with(&[("scope", text)]).map(|request| request.scopes.to_string());
    for (text, expected) in [
        ("openid", "openid"),
        ("offline_access openid", "offline_access openid"),
        ("email openid email", "email openid"),
        // All that there is, but none that outlives the sign-in.
        ("", "email openid orders:read"),
    ] {
        assert_eq!(scopes(text).as_deref(), Ok(expected), "{text:?}");
    }
    for bad in [
        "phone",
        "openid phone",
        "orders:write",
        "orders",
        "OpenID",
        "*",
        "openid,email",
        "openid\temail",
    ] {
        is_refused(&[("scope", bad)], "invalid_scope");
    }
    let many: Vec<_> = (0..2_000).map(|number| number.to_string()).collect();
    is_refused(&[("scope", &many[..1_000].join(" "))], "invalid_scope");
    is_refused(&[("scope", &many.join(" "))], "invalid_request");
}

/// What is granted is kept as text, and read again.
#[test]
fn a_client_with_all_the_scopes_that_it_can_have() {
    let mut full = client(ClientType::Public, &[CALLBACK]);
    let scopes = (0..100).map(|number| Scope::parse(&format!("orders:{number}")).unwrap());
    full.definition.scopes = scopes.collect();
    assert_eq!(full.definition.faults(full.kind), []);
    let all = scopes_of(&full, &Parameters::default()).unwrap();
    assert_eq!(all.iter().count(), 100);
    assert_eq!(Scopes::parse(&all.to_string()), Ok(all.clone()));
    let named = read(&[("scope", &all.to_string())]).unwrap();
    assert_eq!(scopes_of(&full, &named), Ok(all));
}

#[test]
fn a19_apis_that_the_client_has() {
    let (api, urn) = ("https://api.example.com/", "urn:example:api");
    for (resources, expected) in [
        (&[][..], &[][..]),
        (&[api], &[api]),
        (&[urn, api], &[urn, api]),
        (&[api, urn, api], &[api, urn]),
        (&["", api], &[api]),
    ] {
        let pairs: Vec<_> = resources.iter().map(|&uri| ("resource", uri)).collect();
        let found = with(&pairs).unwrap().resources;
        let found: Vec<_> = found.iter().map(Resource::as_str).collect();
        assert_eq!(found, expected);
    }
    for bad in [
        // Relative, also where the client has one of that name.
        "orders",
        "/v1",
        "//api.example.com/",
        "https://api.example.com/#",
        "https://api.example.com/#x",
        // Not its own.
        "https://api.example.com",
        "https://api.example.com/v1",
        "https://api.example.com//",
        "https://API.example.com/",
        "HTTPS://api.example.com/",
        "http://api.example.com/",
        "https://api.example.com:443/",
        "https://api.example.com/?",
        "https://api.example.com/ urn:example:api",
        "https://evil.example/",
        "urn:example:api2",
        "\u{e4}",
        "*",
    ] {
        is_refused(&[("resource", bad)], "invalid_target");
        is_refused(&[("resource", api), ("resource", bad)], "invalid_target");
    }
}

#[test]
fn values_that_are_handed_on_are_bounded() {
    for (name, most) in [
        ("state", 4_096),
        ("nonce", 512),
        ("login_hint", 320),
        ("id_token_hint", 4_096),
        ("dpop_jkt", 43),
        ("claims", 4_096),
    ] {
        is_refused(&[(name, &"x".repeat(most))], "good");
        is_refused(&[(name, &"x".repeat(most + 1))], "invalid_request");
    }
}

#[test]
fn a_refresh_token_comes_with_the_grant() {
    let request = with(&[]).unwrap();
    let mut web = client(ClientType::Public, &[CALLBACK]);
    assert!(!request.goes_on(&web));
    web.definition.grants.insert(Grant::RefreshToken);
    assert!(request.goes_on(&web));
}

proptest! {
    /// Whatever is asked for, no more is given than the client may have.
    #[test]
    fn no_request_reaches_beyond_its_client(
        scope in "((openid|email|phone|orders:read|orders:write|offline_access) ?){0,5}",
        resources in prop::collection::vec("https://api[.]example[.]com/[a#]?|urn:example:api|orders", 0..3)
    ) {
        let client = client(ClientType::Public, &[CALLBACK]);
        let mut pairs = vec![("scope", scope.as_str())];
        pairs.extend(resources.iter().map(|uri| ("resource", uri.as_str())));
        if let Ok(request) = with(&pairs) {
            prop_assert!(Scopes::from(client.definition.scopes.clone()).cover(&request.scopes));
            prop_assert!(request.resources.iter().all(|one| client.definition.resources.contains(one) && one.is_uri()));
            prop_assert!(!request.scopes.contains(OFFLINE_ACCESS) || scope.contains(OFFLINE_ACCESS));
        }
    }
}
