//! Keys and claims for tests. Making an RSA key is slow, so each key is made once.

use std::sync::OnceLock;

use symbolon_token::{AccessClaims, Algorithm, KeySet, SigningKey, Verifier};

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
    }
}
