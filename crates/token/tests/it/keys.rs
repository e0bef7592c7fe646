//! Reading and naming keys.

use symbolon_token::{Algorithm, Jwk, KeyError, PrivateJwk, SigningKey, Typ, VerifyingKey};

use crate::support::{claims, key};

#[test]
fn names_of_algorithms() {
    for algorithm in Algorithm::ALL {
        assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
        assert_eq!(algorithm.to_string(), algorithm.as_str());
    }
    assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDsa));
    for name in ["none", "es256", "ES256 ", "", "HS512", "ED25519"] {
        name.parse::<Algorithm>().unwrap_err();
    }
}

#[test]
fn a_new_key_is_named_by_its_thumbprint() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let key = key(algorithm);
        assert_eq!(key.kid(), key.public_jwk().unwrap().thumbprint());
        assert_eq!(key.public_jwk().unwrap().algorithm(), Some(algorithm));
    }
    let first = SigningKey::generate(Algorithm::Hs256).unwrap();
    let second = SigningKey::generate(Algorithm::Hs256).unwrap();
    assert_ne!(first.kid(), second.kid());
    assert!(first.public_jwk().is_none());
}

#[test]
fn the_header_is_the_one_agreed() {
    for algorithm in Algorithm::ALL {
        let token = key(algorithm).sign(Typ::AtJwt, &claims()).unwrap();
        let parts = symbolon_token::inspect::danger::decode_unverified(&token).unwrap();
        let kid = key(algorithm).kid();
        let expected = format!(r#"{{"alg":"{algorithm}","typ":"at+jwt","kid":"{kid}"}}"#);
        assert_eq!(String::from_utf8(parts.header).unwrap(), expected);
    }
}

#[test]
fn wrong_private_bytes() {
    let es = key(Algorithm::Es256).to_private_bytes().unwrap();
    for algorithm in [Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256] {
        let read = SigningKey::from_private_bytes(algorithm, "kid", &es);
        assert_eq!(read.err(), Some(KeyError::Malformed), "{algorithm}");
    }
    for bytes in [&es[..es.len() - 1], &es[1..], &[]] {
        let read = SigningKey::from_private_bytes(Algorithm::Es256, "kid", bytes);
        assert_eq!(read.err(), Some(KeyError::Malformed));
    }
    for kid in ["", &"k".repeat(257)] {
        let read = SigningKey::from_private_bytes(Algorithm::Es256, kid, &es);
        assert_eq!(read.err(), Some(KeyError::BadKid));
    }
}

#[test]
fn pkcs8_is_named_by_its_thumbprint() {
    let bytes = key(Algorithm::EdDsa).to_private_bytes().unwrap();
    let read = SigningKey::from_pkcs8(Algorithm::EdDsa, &bytes).unwrap();
    assert_eq!(read.kid(), key(Algorithm::EdDsa).kid());
}

#[test]
fn spki_der_is_read() {
    // RFC 8410 section 10.1, and the key of RFC 7515 appendix A.3.
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    };
    let ed = hex(
        "302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1",
    );
    let jwk = Jwk::from_spki_der(&ed).unwrap();
    assert_eq!(jwk.algorithm_or_default(), Algorithm::EdDsa);
    VerifyingKey::from_jwk(&jwk).unwrap();
    assert_eq!(Jwk::from_spki_der(&ed[..43]), Err(KeyError::Malformed));
    let ec = hex(
        "3059301306072a8648ce3d020106082a8648ce3d030107034200047fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad",
    );
    let jwk = Jwk::from_spki_der(&ec).unwrap();
    let json = serde_json::to_value(&jwk).unwrap();
    assert_eq!(json["x"], "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    VerifyingKey::from_jwk(&jwk).unwrap();
}

#[test]
fn symmetric_jwk() {
    let read = |members: &str| {
        let json = format!(r#"{{"kty":"oct"{members}}}"#);
        PrivateJwk::parse(json.as_bytes()).and_then(|jwk| SigningKey::from_jwk(&jwk))
    };
    let k = r#","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T""#;
    assert_eq!(read(k).unwrap().algorithm(), Algorithm::Hs256);
    assert_eq!(read(&format!(r#"{k},"kid":"a""#)).unwrap().kid(), "a");
    assert_eq!(read("").err(), Some(KeyError::MissingMember("k")));
    assert_eq!(
        read(r#","k":"c2hvcnQ""#).err(),
        Some(KeyError::SecretTooShort)
    );
    assert_eq!(
        read(r#","k":"a=""#).err(),
        Some(KeyError::MalformedMember("k"))
    );
    assert_eq!(
        read(&format!(r#"{k},"alg":"ES256""#)).err(),
        Some(KeyError::AlgorithmMismatch)
    );
    assert_eq!(
        read(&format!(r#"{k},"alg":"HS512""#)).err(),
        Some(KeyError::Unsupported)
    );
    assert_eq!(
        read(&format!(r#"{k},"use":"enc""#)).err(),
        Some(KeyError::WrongUse)
    );
    assert_eq!(
        read(&format!(r#"{k},"key_ops":["verify"]"#)).err(),
        Some(KeyError::WrongUse)
    );
}
