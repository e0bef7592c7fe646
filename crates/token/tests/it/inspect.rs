//! Tools for command lines.

use symbolon_token::inspect::{Checks, danger, verify_signature_only};
use symbolon_token::{Algorithm, Error, Typ};

use crate::support::{
    AUDIENCE, ISSUER, NOW, claims, claims_but, claims_json, header, key, keys, sign, sign_under,
};

fn check(checks: &Checks, payload: &str) -> Result<(), Error> {
    let token = sign(Algorithm::Es256, payload);
    let verified = checks.verify(&keys(&Algorithm::ALL), &token, NOW)?;
    assert_eq!(verified, payload.as_bytes());
    Ok(())
}

#[test]
fn a_minimal_token_passes_where_nothing_is_asked() {
    let checks = Checks::default();
    assert_eq!(check(&checks, r#"{"exp":1800000001}"#), Ok(()));
    assert_eq!(check(&checks, r#"{"exp":1800000000}"#), Err(Error::Expired));
    assert_eq!(check(&checks, "{}"), Err(Error::MissingClaim("exp")));
    assert_eq!(check(&checks, "[]"), Err(Error::Malformed));
    let nbf = r#"{"exp":1800000009,"nbf":1800000001}"#;
    assert_eq!(check(&checks, nbf), Err(Error::NotYetValid));
    let later = Checks {
        leeway: 1,
        ..Checks::default()
    };
    assert_eq!(check(&later, nbf), Ok(()));
    assert_eq!(check(&later, r#"{"exp":1800000000}"#), Ok(()));
}

#[test]
fn what_is_asked_is_checked() {
    let checks = Checks {
        issuer: Some(ISSUER.to_owned()),
        audience: Some(AUDIENCE.to_owned()),
        ..Checks::default()
    };
    let of = |name: &str, value: Option<&str>| check(&checks, &claims_but(name, value));
    assert_eq!(check(&checks, &claims_json().to_string()), Ok(()));
    assert_eq!(of("iss", None), Err(Error::MissingClaim("iss")));
    assert_eq!(of("iss", Some(r#""x""#)), Err(Error::WrongIssuer));
    assert_eq!(of("aud", None), Err(Error::MissingClaim("aud")));
    assert_eq!(of("aud", Some(r#"["x"]"#)), Err(Error::WrongAudience));
    for name in ["iss", "aud", "sub", "jti", "exp", "nbf", "iat"] {
        assert_eq!(of(name, Some("{}")), Err(Error::MalformedClaim(name)));
    }
    let only = Checks {
        algorithms: vec![Algorithm::EdDsa],
        ..checks
    };
    let refused = check(&only, &claims_json().to_string());
    assert_eq!(refused, Err(Error::AlgorithmNotAllowed));
}

#[test]
fn any_type_is_let_through_when_told_so() {
    let token = key(Algorithm::Es256).sign(Typ::Jwt, &claims()).unwrap();
    let keys = keys(&Algorithm::ALL);
    let default = Checks::default().verify(&keys, &token, NOW);
    assert_eq!(default, Err(Error::WrongType));
    for typ in [None, Some(Typ::Jwt), Some(Typ::from("jwt"))] {
        let checks = Checks {
            typ,
            ..Checks::default()
        };
        checks.verify(&keys, &token, NOW).unwrap();
    }
}

#[test]
fn signature_only_looks_at_no_claim() {
    let keys = keys(&Algorithm::ALL);
    for payload in ["", "not JSON", r#"{"exp":1}"#] {
        let token = sign_under(Algorithm::EdDsa, &header(Algorithm::EdDsa), payload);
        let verified = verify_signature_only(&keys, &token, &Algorithm::ALL);
        assert_eq!(verified.as_deref(), Ok(payload.as_bytes()));
        let refused = verify_signature_only(&keys, &token, &[Algorithm::Es256]);
        assert_eq!(refused, Err(Error::AlgorithmNotAllowed));
    }
    let other = sign(Algorithm::Es256, "x");
    let (input, _) = other.rsplit_once('.').unwrap();
    let (_, signature) = sign(Algorithm::Es256, "y")
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let forged = format!("{input}.{signature}");
    assert_eq!(
        verify_signature_only(&keys, &forged, &Algorithm::ALL),
        Err(Error::BadSignature)
    );
}

#[test]
fn decoding_proves_nothing() {
    let token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.";
    let parts = danger::decode_unverified(token).unwrap();
    assert_eq!(parts.header, br#"{"alg":"none"}"#);
    assert_eq!(parts.payload, br#"{"a":1}"#);
    assert!(parts.signature.is_empty());
    assert_eq!(danger::decode_unverified("a.b"), Err(Error::Malformed));
    assert_eq!(danger::decode_unverified("a.b.c.d"), Err(Error::Malformed));
}

#[test]
fn every_refusal_has_its_own_code() {
    let errors = [
        Error::Malformed,
        Error::TooLong,
        Error::HeaderTooLarge,
        Error::DuplicateMember,
        Error::CriticalHeader,
        Error::AlgorithmNotAllowed,
        Error::UnknownKey,
        Error::AlgorithmMismatch,
        Error::BadSignature,
        Error::WrongType,
        Error::WrongIssuer,
        Error::WrongAudience,
        Error::Expired,
        Error::NotYetValid,
        Error::MissingClaim("exp"),
        Error::MalformedClaim("exp"),
        Error::Unsignable,
        Error::SigningFailed,
    ];
    let mut codes: Vec<&str> = errors.iter().map(Error::code).collect();
    assert!(codes.iter().all(|code| {
        code.bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
    }));
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), errors.len());
}
