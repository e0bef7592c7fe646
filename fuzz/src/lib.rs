//! The bodies of the fuzz targets: each takes any bytes and panics only if a
//! promise of `symbolon-token` is broken.

use std::sync::OnceLock;

use symbolon_token::assertion::ClientAssertion;
use symbolon_token::dpop::{Expected, Proof, is_same_target};
use symbolon_token::inspect::{Checks, danger, keys_from_jwks_file, keys_from_secret_file};
use symbolon_token::refresh::{ChainKey, RefreshToken};
use symbolon_token::{Algorithm, Jwk, Jwks, KeySet, SigningKey, Verifier, VerifyingKey, encoding};

const NOW: i64 = 1_800_000_000;

/// A token, or a header and a payload to be signed with a known secret: no text
/// that we did not sign is accepted, and what is accepted reads the same again.
pub fn verify(data: &[u8]) {
    static SETUP: OnceLock<(SigningKey, KeySet, Verifier)> = OnceLock::new();
    let (signer, keys, verifier) = SETUP.get_or_init(|| {
        let signer = SigningKey::hmac("kid", &[7; 32]).unwrap();
        let mut keys = vec![signer.verifying_key()];
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            keys.push(SigningKey::generate(algorithm).unwrap().verifying_key());
        }
        let keys = KeySet::new(keys).unwrap();
        let verifier = Verifier::access("iss", "aud", &Algorithm::ALL).unwrap();
        (signer, keys, verifier)
    });
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = danger::decode_unverified(text);
        assert!(verifier.verify(keys, text, NOW).is_err());
        assert!(Checks::default().verify(keys, text, NOW).is_err());
    }
    // Past the signature: hostile JSON in the header and the payload.
    let (header, payload) = match data.iter().position(|&byte| byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (&br#"{"alg":"HS256","typ":"at+jwt","kid":"kid"}"#[..], data),
    };
    if let Ok(token) = signer.sign_raw(header, payload)
        && let Ok(claims) = verifier.verify(keys, &token, NOW)
    {
        let again = signer
            .sign(symbolon_token::Typ::AtJwt, &claims)
            .ok()
            .map(|token| verifier.verify(keys, &token, NOW));
        assert!(again.is_none_or(|again| again == Ok(claims)));
    }
}

/// A key or key set: what is read is written without private members and read again.
pub fn jwk(data: &[u8]) {
    let _ = keys_from_jwks_file(data, None);
    let _ = keys_from_secret_file(data);
    let _ = Jwk::from_spki_der(data);
    if let Ok(jwk) = Jwk::parse(data) {
        let _ = VerifyingKey::from_jwk(&jwk);
        let jwks = Jwks { keys: vec![jwk] };
        let json = serde_json::to_vec(&jwks).unwrap();
        let again = Jwks::parse(&json).unwrap();
        assert_eq!(
            again.keys[0].thumbprint_bytes(),
            jwks.keys[0].thumbprint_bytes()
        );
    }
}

/// A refresh token: none that was not made with the key is read, and base64url
/// has one text for one value.
pub fn refresh_parse(data: &[u8]) {
    let key = ChainKey::from_bytes(1, &[7; 32]);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = RefreshToken::key_number(text);
        assert!(RefreshToken::parse(&key, text).is_none());
    }
    if let Ok(bytes) = encoding::decode(data) {
        assert_eq!(encoding::encode(&bytes).as_bytes(), data);
    }
}

/// A proof of possession, or a header and claims to be signed with a known key: what is accepted is signed by that key,
/// for that request, now.
pub fn dpop(data: &[u8]) {
    static KEY: OnceLock<(SigningKey, String)> = OnceLock::new();
    let (signer, good) = KEY.get_or_init(|| {
        let signer = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let jwk = serde_json::to_string(&signer.public_jwk().unwrap()).unwrap();
        let header = format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","jwk":{jwk}}}"#);
        (signer, header)
    });
    let expected = Expected {
        method: "GET",
        uri: "https://api.example/orders",
        access_token: None,
        now_seconds: NOW,
        max_age_seconds: 60,
    };
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(Proof::read(text, &expected).is_err());
        let _ = ClientAssertion::claimed_client_id(text);
        assert_eq!(
            is_same_target(text, expected.uri),
            is_same_target(expected.uri, text)
        );
    }
    let (header, claims) = match data.iter().position(|&byte| byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (good.as_bytes(), data),
    };
    if let Ok(token) = signer.sign_raw(header, claims)
        && let Ok(proof) = Proof::read(&token, &expected)
    {
        assert_eq!(proof.jkt, signer.public_jwk().unwrap().jkt());
        assert!((1..=256).contains(&proof.jti.len()));
        assert!((NOW - 60..=NOW + 5).contains(&proof.iat));
    }
}
