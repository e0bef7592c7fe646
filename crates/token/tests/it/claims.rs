//! What claims are read and written.

use symbolon_token::{AccessClaims, Actor, Audience, Confirmation, Error, Typ, feed_key};

use crate::support::{claims, claims_but, claims_json, claims_with, key, verify_payload};

#[test]
fn claims_are_written_as_agreed() {
    let written = serde_json::to_string(&claims()).unwrap();
    assert!(written.starts_with(r#"{"iss":"https://issuer.example","sub":""#));
    let members: Vec<String> = claims_json().as_object().unwrap().keys().cloned().collect();
    for name in [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "jti",
        "sid",
        "ver",
        "client_id",
        "scope",
        "roles",
    ] {
        assert!(members.iter().any(|member| member == name), "{name}");
    }
    assert_eq!(
        members.len(),
        11,
        "nbf, email, cnf, auth_time, acr and act are left out when there is none"
    );
}

#[test]
fn claims_survive_serde() {
    let all = AccessClaims {
        aud: Audience::Many(vec!["a".to_owned(), "b".to_owned()]),
        nbf: Some(5),
        email: Some("ada@example.com".to_owned()),
        cnf: Some(Confirmation {
            jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
                .parse()
                .unwrap(),
        }),
        auth_time: Some(7),
        acr: Some("1".to_owned()),
        act: Actor::chain(["b", "a"].map(str::to_owned).into_iter()),
        ..claims()
    };
    let json = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<AccessClaims>(&json).unwrap(), all);
}

#[test]
fn required_claims() {
    for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        let verified = verify_payload(&claims_but(name, None));
        assert_eq!(verified, Err(Error::MissingClaim(name)));
        let verified = verify_payload(&claims_but(name, Some("null")));
        assert_eq!(
            verified,
            Err(Error::MalformedClaim(name)),
            "null is not absent"
        );
    }
    for name in ["sid", "ver", "scope", "roles"] {
        verify_payload(&claims_but(name, None)).unwrap();
        let verified = verify_payload(&claims_but(name, Some("null")));
        assert_eq!(
            verified,
            Err(Error::MalformedClaim(name)),
            "null is not absent"
        );
    }
}

#[test]
fn claims_of_the_wrong_type() {
    for (name, value) in [
        ("sub", "1"),
        ("jti", "[]"),
        ("sid", "1"),
        ("ver", r#""1""#),
        ("ver", "1.5"),
        ("ver", "9223372036854775808"),
        ("client_id", "{}"),
        ("scope", r#"["a"]"#),
        ("roles", r#""admin""#),
        ("roles", r#"["admin",1]"#),
        ("email", "true"),
    ] {
        let verified = verify_payload(&claims_but(name, Some(value)));
        assert_eq!(verified, Err(Error::MalformedClaim(name)), "{name} {value}");
    }
}

/// RFC 9470 section 3: what a challenge could not name is no `acr`, and no absent one either.
#[test]
fn an_acr_is_one_word_that_a_challenge_can_name() {
    let longest = "x".repeat(256);
    for good in ["1", "urn:mace:incommon:iap:silver", "!~", &longest] {
        let claims = verify_payload(&claims_but("acr", Some(&format!("\"{good}\""))));
        assert_eq!(claims.unwrap().acr.as_deref(), Some(good));
    }
    assert_eq!(verify_payload(&claims_but("acr", None)).unwrap().acr, None);
    let long = format!("\"{longest}x\"");
    for bad in [
        "null",
        "1",
        "true",
        r#"["1"]"#,
        r#"{"value":"1"}"#,
        r#""""#,
        r#""1 2""#,
        r#""1\"""#,
        r#""1\\""#,
        r#""\u00e9""#,
        r#""1\n""#,
        &long,
    ] {
        let verified = verify_payload(&claims_but("acr", Some(bad)));
        assert_eq!(verified, Err(Error::MalformedClaim("acr")), "{bad}");
    }
}

#[test]
fn unknown_claims_are_ignored() {
    let payload = claims_with(r#""amr":["pwd"],"may_act":{"jkt":"x"},"n":1.5,"b":true,"z":null"#);
    assert_eq!(verify_payload(&payload), Ok(claims()));
    let many: Vec<String> = (0..200).map(|n| format!(r#""claim-{n}":{n}"#)).collect();
    assert_eq!(verify_payload(&claims_with(&many.join(","))), Ok(claims()));
}

#[test]
fn escaped_text_is_read() {
    let payload = claims_but("sub", Some(r#""\u00e9\"\\\ud83d\ude00""#));
    assert_eq!(verify_payload(&payload).unwrap().sub, "é\"\\😀");
    let lone = claims_but("sub", Some(r#""\ud83d""#));
    assert_eq!(verify_payload(&lone), Err(Error::Malformed));
}

#[test]
fn only_objects_are_signed() {
    for claims in [
        serde_json::json!([]),
        serde_json::json!("x"),
        serde_json::json!(null),
    ] {
        let signed = key(symbolon_token::Algorithm::Hs256).sign(Typ::AtJwt, &claims);
        assert_eq!(signed, Err(Error::Unsignable));
    }
}

#[test]
fn names_in_the_feed() {
    // The first half of SHA-256 over `session:abc`.
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"session:abc");
    assert_eq!(feed_key("session", "abc"), hash.as_ref()[..16]);
    assert_ne!(feed_key("user", "abc"), feed_key("session", "abc"));
    assert_eq!(feed_key("all", "").len(), 16);
}

/// RFC 9449 section 6.1. What a token is bound to is never overlooked: it would be good in a thief's hands.
#[test]
fn d3_a_binding_that_cannot_be_read_is_no_absent_one() {
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let good = claims_but("cnf", Some(&format!(r#"{{"jkt":"{jkt}"}}"#)));
    let bound = verify_payload(&good).unwrap().cnf.unwrap();
    assert_eq!(bound.jkt.to_string(), jkt);
    for value in [
        "null",
        "{}",
        "[]",
        "true",
        "1",
        "-1",
        "1.5",
        r#""0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I""#,
        r#"["jkt"]"#,
        r#"{"jkt":null}"#,
        r#"{"jkt":7}"#,
        r#"{"jkt":""}"#,
        r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4"}"#,
        r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J"}"#,
        r#"{"x5t#S256":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
    ] {
        let verified = verify_payload(&claims_but("cnf", Some(value)));
        assert_eq!(verified, Err(Error::MalformedClaim("cnf")), "{value}");
    }
    let twice = claims_but("cnf", Some(&format!(r#"{{"jkt":"{jkt}","jkt":"{jkt}"}}"#)));
    assert_eq!(verify_payload(&twice), Err(Error::DuplicateMember));
}

/// RFC 8693 section 4.1: who acts now stands outside, who acted before within.
#[test]
fn who_acts_is_read_from_the_outside() {
    let act = r#"{"sub":"c","client_id":"x","act":{"sub":"b","act":{"sub":"a"}}}"#;
    let claims = verify_payload(&claims_but("act", Some(act))).unwrap();
    let act = claims.act.unwrap();
    assert_eq!(act.iter().collect::<Vec<_>>(), ["c", "b", "a"]);
    let chain = Actor::chain(["c", "b", "a"].map(str::to_owned).into_iter());
    assert_eq!(chain, Some(act));
    assert_eq!(Actor::chain(std::iter::empty()), None);
}

/// Whoever acts is never overlooked: the token would look like one of the person's own.
#[test]
fn a21_an_actor_that_cannot_be_read_is_no_absent_one() {
    for value in [
        "null",
        "{}",
        "[]",
        "true",
        "1",
        "1.5",
        r#""web""#,
        r#"["sub"]"#,
        r#"{"sub":null}"#,
        r#"{"sub":7}"#,
        r#"{"act":{"sub":"a"}}"#,
        r#"{"sub":"a","act":null}"#,
        r#"{"sub":"a","act":"b"}"#,
        r#"{"sub":"a","act":{}}"#,
    ] {
        let verified = verify_payload(&claims_but("act", Some(value)));
        assert_eq!(verified, Err(Error::MalformedClaim("act")), "{value}");
    }
    let chain = |length: usize| {
        let chain = (1..length).fold(r#"{"sub":"a"}"#.to_owned(), |act, _| {
            format!(r#"{{"sub":"a","act":{act}}}"#)
        });
        verify_payload(&claims_but("act", Some(&chain)))
    };
    assert_eq!(chain(Actor::MOST).unwrap().act.unwrap().iter().count(), 8);
    for length in [Actor::MOST + 1, 100] {
        assert_eq!(chain(length), Err(Error::MalformedClaim("act")));
    }
    let twice = claims_but("act", Some(r#"{"sub":"a","act":{"sub":"a","sub":"b"}}"#));
    assert_eq!(verify_payload(&twice), Err(Error::DuplicateMember));
}
