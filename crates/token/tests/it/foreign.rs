//! ID tokens of other providers (OpenID Connect Core 1.0 section 3.1.3.7).

use serde_json::{Value, json};
use symbolon_token::foreign::{Expected, ForeignIdToken};
use symbolon_token::{Algorithm, Error, SigningKey, Typ};

use crate::support::{ISSUER, NOW, key, keys};

const TAKEN: [Algorithm; 4] = [
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
];

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "alice", "aud": "us", "iat": NOW, "exp": NOW + 600, "nonce": "n",
        "email": "alice@example.com", "email_verified": true, "name": "Alice", "auth_time": NOW - 5})
}

fn verify(text: &str) -> Result<ForeignIdToken, Error> {
    let expected = Expected {
        issuer: ISSUER,
        client_id: "us",
        nonce: "n",
        algorithms: &TAKEN,
        now: NOW,
    };
    ForeignIdToken::verify(text, &keys(&Algorithm::ALL), &expected)
}

fn signed(claims: &Value) -> String {
    key(Algorithm::Rs256).sign(Typ::Jwt, claims).unwrap()
}

fn but(name: &str, value: Value) -> Result<ForeignIdToken, Error> {
    let mut claims = claims();
    claims[name] = value;
    verify(&signed(&claims))
}

#[test]
fn a_person_who_signed_in_there() {
    let token = verify(&signed(&claims())).unwrap();
    assert_eq!(token.sub, "alice");
    assert_eq!(token.email.as_deref(), Some("alice@example.com"));
    assert_eq!(token.name.as_deref(), Some("Alice"));
    assert!(token.email_verified);
    assert_eq!(token.auth_time, Some(NOW - 5));
}

#[test]
fn h2_an_address_is_verified_by_true_alone() {
    for value in [
        json!(false),
        json!("false"),
        json!("true"),
        json!(1),
        Value::Null,
    ] {
        let token = but("email_verified", value.clone()).unwrap();
        assert!(!token.email_verified, "{value}");
    }
    assert_eq!(but("email", json!(["a@b.c"])).unwrap().email, None);
}

#[test]
fn what_was_made_for_others_is_not_taken() {
    for (aud, azp, taken) in [
        (json!("us"), None, true),
        (json!(["us"]), None, true),
        (json!("us"), Some("us"), true),
        (json!(["us", "them"]), Some("us"), true),
        (json!(["us", "them"]), None, false),
        (json!(["us", "them"]), Some("them"), false),
        (json!("us"), Some("them"), false),
        (json!("them"), Some("us"), false),
        (json!([]), None, false),
    ] {
        let mut claims = claims();
        claims["aud"] = aud.clone();
        if let Some(azp) = azp {
            claims["azp"] = json!(azp);
        }
        let verified = verify(&signed(&claims)).map(|_| ());
        let expected = if taken {
            Ok(())
        } else {
            Err(Error::WrongAudience)
        };
        assert_eq!(verified, expected, "{aud} {azp:?}");
    }
}

#[test]
fn every_claim_counts() {
    for (name, value, error) in [
        ("iss", json!("https://issuer.example/"), Error::WrongIssuer),
        ("nonce", json!("m"), Error::MalformedClaim("nonce")),
        ("nonce", Value::Null, Error::MalformedClaim("nonce")),
        ("exp", json!(NOW - 60), Error::Expired),
        ("exp", json!("x"), Error::MalformedClaim("exp")),
        ("iat", json!(NOW + 61), Error::NotYetValid),
        ("nbf", json!(NOW + 61), Error::NotYetValid),
        ("sub", json!(""), Error::MalformedClaim("sub")),
        ("sub", json!("s".repeat(256)), Error::MalformedClaim("sub")),
        ("sub", json!(7), Error::MalformedClaim("sub")),
    ] {
        assert_eq!(but(name, value), Err(error), "{name}");
    }
    for name in ["iss", "sub", "aud", "iat", "exp", "nonce"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        let verified = verify(&signed(&claims));
        assert_eq!(verified, Err(Error::MissingClaim(name)));
    }
}

#[test]
fn j9_other_tokens_and_other_keys() {
    for typ in [Typ::AtJwt, "dpop+jwt".into(), "logout+jwt".into()] {
        let text = key(Algorithm::Es256).sign(typ.clone(), &claims()).unwrap();
        assert_eq!(verify(&text), Err(Error::WrongType), "{typ:?}");
    }
    let shared = key(Algorithm::Hs256).sign(Typ::Jwt, &claims()).unwrap();
    assert_eq!(verify(&shared), Err(Error::AlgorithmNotAllowed));
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let forged = stranger.sign(Typ::Jwt, &claims()).unwrap();
    assert_eq!(verify(&forged), Err(Error::UnknownKey));
}
