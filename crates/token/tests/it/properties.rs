//! Properties of all tokens.

use proptest::prelude::*;
use symbolon_token::{
    AccessClaims, Actor, Algorithm, Audience, Confirmation, Jwk, Jwks, KeySet, PrivateJwk, Typ,
    encoding,
};

use crate::support::{AUDIENCE, ISSUER, NOW, claims, key, keys, verifier};

fn any_claims() -> impl Strategy<Value = AccessClaims> {
    let audience = prop_oneof![
        Just(Audience::from(AUDIENCE)),
        prop::collection::vec(any::<String>(), 0..4).prop_map(|mut many| {
            many.push(AUDIENCE.to_owned());
            Audience::Many(many)
        }),
    ];
    let texts = (any::<[String; 4]>(), any::<[Option<String>; 2]>());
    let times = (NOW + 1..NOW + 10_000, 0..=NOW, prop::option::of(0..=NOW));
    let rest = (
        any::<Option<i64>>(),
        any::<[String; 3]>(),
        any::<Option<[u8; 32]>>(),
        prop::collection::vec(any::<String>(), 0..=Actor::MOST),
    );
    (audience, texts, times, rest).prop_map(|(aud, (texts, optional), times, rest)| {
        let [sub, jti, client_id, scope] = texts;
        let [sid, email] = optional;
        AccessClaims {
            iss: ISSUER.to_owned(),
            sub,
            aud,
            exp: times.0,
            iat: times.1,
            jti,
            sid,
            ver: rest.0,
            client_id,
            scope,
            roles: rest.1.into(),
            nbf: times.2,
            email,
            cnf: rest.2.map(|bytes| Confirmation {
                jkt: encoding::encode(&bytes).parse().unwrap(),
            }),
            auth_time: times.2,
            acr: times.2.map(|time| format!("urn:{time}")),
            act: Actor::chain(rest.3.into_iter()),
        }
    })
}

fn any_algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(&Algorithm::ALL[..])
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn what_is_signed_verifies(claims in any_claims(), algorithm in any_algorithm()) {
        let token = key(algorithm).sign(Typ::AtJwt, &claims).unwrap();
        let verified = verifier().verify(&keys(&Algorithm::ALL), &token, NOW);
        prop_assert_eq!(verified, Ok(claims));
    }

    #[test]
    fn any_other_character_is_refused(algorithm in any_algorithm(), at: prop::sample::Index, to in 0x20..0x7f_u8) {
        let mut token = key(algorithm).sign(Typ::AtJwt, &claims()).unwrap().into_bytes();
        let at = at.index(token.len());
        prop_assume!(token[at] != to);
        token[at] = to;
        let token = String::from_utf8(token).unwrap();
        prop_assert!(verifier().verify(&keys(&Algorithm::ALL), &token, NOW).is_err());
    }

    #[test]
    fn any_character_more_or_less_is_refused(algorithm in any_algorithm(), at: prop::sample::Index, put in 0x20..0x7f_u8) {
        let token = key(algorithm).sign(Typ::AtJwt, &claims()).unwrap();
        let at = at.index(token.len());
        let mut less = token.clone();
        less.remove(at);
        prop_assert!(verifier().verify(&keys(&Algorithm::ALL), &less, NOW).is_err());
        let mut more = token;
        more.insert(at, char::from(put));
        prop_assert!(verifier().verify(&keys(&Algorithm::ALL), &more, NOW).is_err());
    }

    #[test]
    fn any_text_is_refused(text in ".{0,300}", parts in prop::array::uniform3(prop::collection::vec(any::<u8>(), 0..80))) {
        prop_assert!(verifier().verify(&keys(&Algorithm::ALL), &text, NOW).is_err());
        let [header, payload, signature] = parts.map(|part| encoding::encode(&part));
        let token = format!("{header}.{payload}.{signature}");
        prop_assert!(verifier().verify(&keys(&Algorithm::ALL), &token, NOW).is_err());
    }

    #[test]
    fn any_bytes_as_a_key_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Jwk::parse(&bytes).is_err());
        prop_assert!(Jwks::parse(&bytes).is_err());
        prop_assert!(PrivateJwk::parse(&bytes).is_err());
        prop_assert!(Jwk::from_spki_der(&bytes).is_err());
    }

    #[test]
    fn a_key_survives_being_written(kid in ".{1,60}", algorithm in any_algorithm()) {
        let bytes = key(algorithm).to_private_bytes().unwrap();
        let key = symbolon_token::SigningKey::from_private_bytes(algorithm, &kid, &bytes).unwrap();
        let token = key.sign(Typ::AtJwt, &claims()).unwrap();
        let keys = match key.public_jwk() {
            Some(jwk) => KeySet::from_jwks_json(&serde_json::to_vec(&Jwks { keys: vec![jwk] }).unwrap()),
            None => KeySet::new(vec![key.verifying_key()]),
        };
        prop_assert_eq!(verifier().verify(&keys.unwrap(), &token, NOW), Ok(claims()));
    }

    #[test]
    fn base64url_has_one_text_for_one_value(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[A-Za-z0-9_=+/. -]{0,100}") {
        let encoded = encoding::encode(&bytes);
        prop_assert_eq!(&encoded, &reference(&bytes));
        prop_assert_eq!(encoded.len(), encoding::encoded_length(bytes.len()));
        prop_assert_eq!(encoding::decoded_length(encoded.len()), bytes.len());
        prop_assert_eq!(encoding::decode(encoded.as_bytes()), Ok(bytes.clone()));
        let mut room = vec![0; bytes.len()];
        prop_assert_eq!(encoding::decode_into(encoded.as_bytes(), &mut room), Ok(&bytes[..]));
        if !bytes.is_empty() {
            let mut short = vec![0; bytes.len() - 1];
            prop_assert!(encoding::decode_into(encoded.as_bytes(), &mut short).is_err());
        }
        if let Ok(decoded) = encoding::decode(text.as_bytes()) {
            prop_assert_eq!(reference(&decoded), text);
        }
    }
}

/// Base64url as RFC 4648 section 5 tells it, one bit after the other.
fn reference(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    (0..bytes.len() * 8)
        .step_by(6)
        .map(|at| (at..at + 6).fold(0, |sum, at| sum << 1 | bit(at)))
        .map(|value| char::from(ALPHABET[usize::from(value)]))
        .collect()
}

#[test]
fn every_mutation_of_one_token_is_refused() {
    // Each bit of each character, for the algorithms that are quick.
    for algorithm in [Algorithm::Hs256, Algorithm::EdDsa] {
        let token = key(algorithm).sign(Typ::AtJwt, &claims()).unwrap();
        let keys = keys(&Algorithm::ALL);
        for at in 0..token.len() {
            for bit in 0..7 {
                let mut spoilt = token.clone().into_bytes();
                spoilt[at] ^= 1 << bit;
                let spoilt = String::from_utf8(spoilt).unwrap();
                assert!(verifier().verify(&keys, &spoilt, NOW).is_err(), "{spoilt}");
            }
            assert!(
                verifier().verify(&keys, &token[..at], NOW).is_err(),
                "cut at {at}"
            );
            assert!(
                verifier().verify(&keys, &token[at + 1..], NOW).is_err(),
                "cut at {at}"
            );
        }
    }
}
