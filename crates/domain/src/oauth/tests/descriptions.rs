//! What errors say: it stands in headers, in URIs and on pages.

use proptest::prelude::*;

use super::*;

/// RFC 6749 section 5.2: printable ASCII without quotes and backslashes.
fn is_plain(text: &str) -> bool {
    let plain = |b: u8| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\';
    !text.is_empty() && text.bytes().all(plain)
}

#[test]
fn codes_are_words_of_the_registry() {
    let words: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), ErrorCode::ALL.len(), "each has its own");
    for word in words {
        assert!(
            word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{word}"
        );
        assert_eq!(word.parse::<ErrorCode>().unwrap().as_str(), word);
    }
}

#[test]
fn b1_a10_one_sentence_for_every_reason() {
    for (error, code) in [
        (OAuthError::invalid_grant(), "invalid_grant"),
        (OAuthError::invalid_client(), "invalid_client"),
        (OAuthError::invalid_request("x"), "invalid_request"),
    ] {
        assert_eq!(error.code.as_str(), code);
        assert!(is_plain(&error.description));
        assert_eq!(error.to_string(), format!("{code}: {}", error.description));
    }
}

fn names() -> impl Strategy<Value = String> {
    let known = [
        "request",
        "request_uri",
        "registration",
        "response_type",
        "response_mode",
        "code_challenge",
        "code_challenge_method",
        "scope",
        "resource",
        "state",
        "nonce",
        "prompt",
        "max_age",
        "login_hint",
        "dpop_jkt",
        "claims",
        "audience",
        "subject_token",
        "subject_token_type",
        "actor_token_type",
        "requested_token_type",
    ];
    prop_oneof![8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,50}"]
}

fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "SECRET\\PC{0,20}",
        2 => Just(CHALLENGE.to_owned()),
        2 => Just(ACCESS_TOKEN_TYPE.to_owned()),
        2 => prop::sample::select(&["code", "S256", "openid", "none", "query", "0"][..]).prop_map(str::to_owned),
        1 => Just("SECRET".repeat(1_000)),
        1 => Just("SECRET\0".to_owned()),
    ]
}

proptest! {
    /// Whatever is sent: it is told in plain words, and nothing of it is repeated.
    #[test]
    fn m10_what_was_sent_is_not_repeated(pairs in prop::collection::vec((names(), values()), 0..8)) {
        let client = client(ClientType::Public, &[CALLBACK]);
        let given = destination(Some(&client), &Parameters::default()).unwrap();
        let judged = Parameters::read(pairs).and_then(|read| judge(&client, given, &read));
        if let Err(error) = judged {
            prop_assert!(is_plain(&error.description), "{}", error);
            prop_assert!(!error.description.contains("SECRET"), "{}", error);
            prop_assert!(error.description.len() < 200);
        }
    }

    /// The same where tokens are exchanged.
    #[test]
    fn m10_what_an_exchange_sent_is_not_repeated(pairs in prop::collection::vec((names(), values()), 0..8)) {
        let client = client(ClientType::Confidential, &[CALLBACK]);
        let subject = Subject {
            issued_to: "shop",
            scope: "openid",
            audience: vec!["orders"],
            expires_at: at(1_000),
            actors: Vec::new(),
        };
        let judged = Parameters::read(pairs).and_then(|read| {
            ExchangeRequest::read(&read)?;
            exchange(&client, &read, &subject, ("web", at(1_000)))
        });
        if let Err(error) = judged {
            prop_assert!(is_plain(&error.description), "{}", error);
            prop_assert!(!error.description.contains("SECRET"), "{}", error);
            prop_assert!(error.description.len() < 200);
        }
    }
}
