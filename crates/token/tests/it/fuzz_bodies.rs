//! The bodies of the fuzz targets, run on inputs that are nearly right.

#[path = "../../../../fuzz/src/lib.rs"]
mod bodies;

use proptest::prelude::*;
use symbolon_token::refresh::{ChainKey, RefreshToken};
use symbolon_token::{Algorithm, Typ};

use crate::support::{claims, claims_json, key};

/// A byte replaced, put in or taken out, some times over.
fn spoil(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    for (at, how, byte) in changes {
        if bytes.is_empty() {
            break;
        }
        let at = at.index(bytes.len());
        match how % 4 {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    let interesting = prop_oneof![
        any::<u8>(),
        prop::sample::select(&b"{}[]\",:.\\u0-_=eE"[..])
    ];
    prop::collection::vec(
        (any::<prop::sample::Index>(), any::<u8>(), interesting),
        0..4,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn verify(changes in changes(), signed: bool) {
        let input = match signed {
            true => key(Algorithm::Es256).sign(Typ::AtJwt, &claims()).unwrap(),
            false => claims_json().to_string().replace("https://issuer.example", "iss").replace("https://api.example", "aud"),
        };
        bodies::verify(&spoil(input.into_bytes(), &changes));
    }

    #[test]
    fn jwk(changes in changes(), algorithm in prop::sample::select(&Algorithm::ALL[..])) {
        let input = match key(algorithm).public_jwk() {
            Some(jwk) => serde_json::to_vec(&jwk).unwrap(),
            None => br#"{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T","kid":"a"}]}"#.to_vec(),
        };
        bodies::jwk(&spoil(input, &changes));
    }

    #[test]
    fn dpop(changes in changes(), whole: bool) {
        let claims = br#"{"jti":"1","htm":"GET","htu":"https://api.example/orders","iat":1800000000}"#;
        let input = match whole {
            true => [&br#"{"typ":"dpop+jwt","alg":"EdDSA","jwk":{"kty":"OKP"}}"#[..], &[0], &claims[..]].concat(),
            false => claims.to_vec(),
        };
        bodies::dpop(&spoil(input, &changes));
    }

    #[test]
    fn refresh_parse(changes in changes()) {
        // Made with another key than the body has.
        let chain = ChainKey::from_bytes(1, &[8; 32]);
        let input = RefreshToken::first(&chain, [1; 16], [2; 32]).encode().as_bytes().to_vec();
        bodies::refresh_parse(&spoil(input, &changes));
    }
}
