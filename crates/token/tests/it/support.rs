//! Keys and claims for tests. Making an RSA key is slow, so each key is made once.

use std::sync::OnceLock;

use symbolon_token::{AccessClaims, Algorithm, Error, KeySet, SigningKey, Verifier, encoding};

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "https://api.example";
pub const NOW: i64 = 1_800_000_000;

/// The test key of an algorithm.
pub fn key(algorithm: Algorithm) -> &'static SigningKey {
    static KEYS: OnceLock<Vec<SigningKey>> = OnceLock::new();
    KEYS.get_or_init(|| {
        Algorithm::ALL
            .map(|algorithm| SigningKey::generate(algorithm).unwrap())
            .into()
    })
    .iter()
    .find(|key| key.algorithm() == algorithm)
    .unwrap()
}

/// A set of the test keys of some algorithms.
pub fn keys(algorithms: &[Algorithm]) -> KeySet {
    KeySet::new(
        algorithms
            .iter()
            .map(|&algorithm| key(algorithm).verifying_key())
            .collect(),
    )
    .unwrap()
}

pub fn verifier() -> Verifier {
    Verifier::access(ISSUER, AUDIENCE, &Algorithm::ALL).unwrap()
}

pub fn claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.to_owned(),
        sub: "01995d2e-7a3b-7c55-8a3f-2f6c1f0e9b11".to_owned(),
        aud: AUDIENCE.into(),
        exp: NOW + 900,
        iat: NOW,
        jti: "01995d2e-7a3b-7c55-8a3f-2f6c1f0e9b12".to_owned(),
        sid: Some("01995d2e-7a3b-7c55-8a3f-2f6c1f0e9b13".to_owned()),
        ver: Some(3),
        client_id: "symbolon".to_owned(),
        scope: String::new(),
        roles: vec!["user".to_owned(), "admin".to_owned()],
        nbf: None,
        email: None,
        cnf: None,
        auth_time: None,
        acr: None,
        act: None,
    }
}

/// The claims above as JSON, to be spoilt.
pub fn claims_json() -> serde_json::Value {
    serde_json::to_value(claims()).unwrap()
}

/// The claims above as JSON text with some text put in behind the first brace.
pub fn claims_with(members: &str) -> String {
    claims_json()
        .to_string()
        .replacen('{', &format!("{{{members},"), 1)
}

/// The claims above with one replaced by a JSON text, or left out.
pub fn claims_but(name: &str, value: Option<&str>) -> String {
    let mut claims = claims_json();
    claims.as_object_mut().unwrap().remove(name);
    match value {
        None => claims.to_string(),
        Some(value) => claims
            .to_string()
            .replacen('{', &format!("{{\"{name}\":{value},"), 1),
    }
}

/// The header that our signer writes, as JSON.
pub fn header(algorithm: Algorithm) -> String {
    let kid = key(algorithm).kid();
    format!(r#"{{"alg":"{algorithm}","typ":"at+jwt","kid":"{kid}"}}"#)
}

/// Signs any payload with the test key of an algorithm, under the usual header.
pub fn sign(algorithm: Algorithm, payload: &str) -> String {
    sign_under(algorithm, &header(algorithm), payload)
}

/// Signs any payload with the test key of an algorithm, under any header.
pub fn sign_under(algorithm: Algorithm, header: &str, payload: &str) -> String {
    key(algorithm)
        .sign_raw(header.as_bytes(), payload.as_bytes())
        .unwrap()
}

/// Verifies with all test keys.
pub fn verify(token: &str) -> Result<AccessClaims, Error> {
    verifier().verify(&keys(&Algorithm::ALL), token, NOW)
}

/// Verifies the ES256 signature of a payload that is otherwise sound.
pub fn verify_payload(payload: &str) -> Result<AccessClaims, Error> {
    verify(&sign(Algorithm::Es256, payload))
}

/// The sound claims under any header, with any bytes for a signature.
pub fn forged(header: &str, signature: &[u8]) -> String {
    let payload = claims_json().to_string();
    format!(
        "{}.{}.{}",
        encoding::encode(header.as_bytes()),
        encoding::encode(payload.as_bytes()),
        encoding::encode(signature)
    )
}
