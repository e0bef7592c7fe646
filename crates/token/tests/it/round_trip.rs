//! What is signed verifies, and keys survive being stored.

use symbolon_token::{Algorithm, Error, Jwk, KeySet, SigningKey, Typ, VerifyingKey};

use crate::support::{NOW, claims, key, keys, verifier};

#[test]
fn every_algorithm_signs_and_verifies() {
    for algorithm in Algorithm::ALL {
        let token = key(algorithm).sign(Typ::AtJwt, &claims()).unwrap();
        let verified = verifier().verify(&keys(&Algorithm::ALL), &token, NOW);
        assert_eq!(verified, Ok(claims()), "{algorithm}");
    }
}

#[test]
fn a_stored_key_is_the_same_key() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let bytes = key.to_private_bytes().unwrap();
        let read = SigningKey::from_private_bytes(algorithm, key.kid(), &bytes).unwrap();
        let token = read.sign(Typ::AtJwt, &claims()).unwrap();
        assert_eq!(read.public_jwk(), key.public_jwk());
        verifier().verify(&keys(&[algorithm]), &token, NOW).unwrap();
    }
}

#[test]
fn a_published_key_verifies() {
    for algorithm in Algorithm::ALL {
        let Some(jwk) = key(algorithm).public_jwk() else {
            assert_eq!(algorithm, Algorithm::Hs256);
            continue;
        };
        let json = serde_json::to_vec(&jwk).unwrap();
        let read = Jwk::parse(&json).unwrap();
        assert_eq!(read, jwk);
        assert_eq!(read.kid(), Some(read.thumbprint().as_str()));
        let keys = KeySet::new(vec![VerifyingKey::from_jwk(&read).unwrap()]).unwrap();
        let token = key(algorithm).sign(Typ::AtJwt, &claims()).unwrap();
        verifier().verify(&keys, &token, NOW).unwrap();
    }
}

#[test]
fn a_token_of_another_kind_is_refused() {
    let token = key(Algorithm::Es256).sign(Typ::Jwt, &claims()).unwrap();
    let verified = verifier().verify(&keys(&[Algorithm::Es256]), &token, NOW);
    assert_eq!(verified, Err(Error::WrongType));
}
