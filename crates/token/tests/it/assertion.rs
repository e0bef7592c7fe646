//! Client assertions (RFC 7523, rfc7523bis; SECURITY B5).

use serde_json::{Value, json};
use symbolon_token::assertion::{ClientAssertion, Expected};
use symbolon_token::{Algorithm, Error, Jwk, Jwks, SigningKey, Typ};

use crate::support::{ISSUER, NOW, key};

const CLIENT: &str = "reports";

fn jwks(algorithms: &[Algorithm]) -> Jwks {
    let keys = algorithms.iter().map(|&one| key(one).public_jwk().unwrap());
    Jwks {
        keys: keys.collect(),
    }
}

fn expected() -> Expected<'static> {
    Expected {
        client_id: CLIENT,
        issuer: ISSUER,
        algorithms: &Algorithm::ALL,
        now_seconds: NOW,
    }
}

fn claims() -> Value {
    json!({"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "one"})
}

fn signed(algorithm: Algorithm, claims: &Value) -> String {
    key(algorithm).sign(Typ::Jwt, claims).unwrap()
}

fn verify(claims: &Value) -> Result<ClientAssertion, Error> {
    let text = signed(Algorithm::Es256, claims);
    ClientAssertion::verify(&text, &jwks(&[Algorithm::Es256]), &expected())
}

fn but(name: &str, value: Value) -> Result<ClientAssertion, Error> {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    verify(&claims)
}

#[test]
fn every_asymmetric_algorithm_will_do() {
    for algorithm in symbolon_token::assertion::ALGORITHMS {
        let text = signed(algorithm, &claims());
        let verified = ClientAssertion::verify(&text, &jwks(&[algorithm]), &expected());
        let good = ClientAssertion {
            jti: "one".to_owned(),
            exp: NOW + 60,
        };
        assert_eq!(verified, Ok(good), "{algorithm}");
        assert_eq!(
            ClientAssertion::claimed_client_id(&text).as_deref(),
            Ok(CLIENT)
        );
        let narrow = Expected {
            algorithms: &[],
            ..expected()
        };
        let refused = ClientAssertion::verify(&text, &jwks(&[algorithm]), &narrow);
        assert_eq!(refused, Err(Error::AlgorithmNotAllowed));
    }
}

#[test]
fn b5_the_audience_is_the_issuer_as_one_text() {
    for aud in [
        json!([ISSUER]),
        json!([ISSUER, "https://other.example"]),
        json!(7),
    ] {
        let refused = but("aud", aud.clone());
        assert_eq!(refused, Err(Error::MalformedClaim("aud")), "{aud}");
    }
    for aud in [
        format!("{ISSUER}/oauth/token"),
        format!("{ISSUER}/"),
        String::new(),
        "https://other.example".to_owned(),
    ] {
        let refused = but("aud", json!(aud));
        assert_eq!(refused, Err(Error::WrongAudience), "{aud}");
    }
    assert_eq!(but("aud", Value::Null), Err(Error::MissingClaim("aud")));
}

#[test]
fn b5_issuer_and_subject_are_the_client() {
    assert_eq!(but("iss", json!("other")), Err(Error::WrongIssuer));
    assert_eq!(
        but("sub", json!("other")),
        Err(Error::MalformedClaim("sub"))
    );
    for name in ["iss", "sub"] {
        assert_eq!(but(name, Value::Null), Err(Error::MissingClaim(name)));
    }
}

#[test]
fn b5_times() {
    for (exp, verdict) in [
        (NOW - 10, Err(Error::Expired)),
        (NOW - 9, Ok(())),
        (NOW + 310, Ok(())),
        (NOW + 311, Err(Error::MalformedClaim("exp"))),
        (NOW + 31_536_000, Err(Error::MalformedClaim("exp"))),
    ] {
        assert_eq!(but("exp", json!(exp)).map(drop), verdict, "{exp}");
    }
    assert_eq!(but("exp", Value::Null), Err(Error::MissingClaim("exp")));
    for name in ["nbf", "iat"] {
        but(name, json!(NOW + 10)).unwrap();
        assert_eq!(but(name, json!(NOW + 11)), Err(Error::NotYetValid));
        let text = but(name, json!(NOW.to_string()));
        assert_eq!(text, Err(Error::MalformedClaim(name)));
    }
    but("iat", Value::Null).unwrap();
}

#[test]
fn b5_the_identifier_is_there() {
    assert_eq!(but("jti", Value::Null), Err(Error::MissingClaim("jti")));
    for jti in [json!(""), json!("x".repeat(257)), json!(7)] {
        assert_eq!(but("jti", jti), Err(Error::MalformedClaim("jti")));
    }
}

#[test]
fn b5_hs256_with_the_public_key_as_secret() {
    let jwks = jwks(&[Algorithm::Rs256]);
    let text = signed(Algorithm::Hs256, &claims());
    assert_eq!(
        ClientAssertion::verify(&text, &jwks, &expected()),
        Err(Error::AlgorithmNotAllowed)
    );
    let header = br#"{"alg":"none"}"#;
    let unsigned = key(Algorithm::Es256)
        .sign_raw(header, claims().to_string().as_bytes())
        .unwrap();
    assert_eq!(
        ClientAssertion::verify(&unsigned, &jwks, &expected()),
        Err(Error::AlgorithmNotAllowed)
    );
}

#[test]
fn b5_a_key_of_somebody_else() {
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let text = stranger.sign(Typ::Jwt, &claims()).unwrap();
    let verified = ClientAssertion::verify(&text, &jwks(&[Algorithm::Es256]), &expected());
    assert_eq!(verified, Err(Error::UnknownKey));
    let nameless = serde_json::to_value(key(Algorithm::Es256).public_jwk().unwrap());
    let mut nameless = nameless.unwrap();
    nameless.as_object_mut().unwrap().remove("kid");
    let nameless = Jwk::parse(nameless.to_string().as_bytes()).unwrap();
    let jwks = Jwks {
        keys: vec![nameless],
    };
    let verified = ClientAssertion::verify(&text, &jwks, &expected());
    assert_eq!(verified, Err(Error::BadSignature));
}

#[test]
fn j9_other_tokens_are_no_assertions() {
    let jwks = jwks(&[Algorithm::Es256]);
    for typ in ["at+jwt", "dpop+jwt", "logout+jwt"] {
        let text = key(Algorithm::Es256).sign(typ.into(), &claims()).unwrap();
        let verified = ClientAssertion::verify(&text, &jwks, &expected());
        assert_eq!(verified, Err(Error::WrongType), "{typ}");
    }
    for typ in ["client-authentication+jwt", "jwt", "application/jwt"] {
        let text = key(Algorithm::Es256).sign(typ.into(), &claims()).unwrap();
        ClientAssertion::verify(&text, &jwks, &expected()).unwrap();
    }
    let bare = key(Algorithm::Es256)
        .sign_raw(br#"{"alg":"ES256"}"#, claims().to_string().as_bytes())
        .unwrap();
    ClientAssertion::verify(&bare, &jwks, &expected()).unwrap();
}
