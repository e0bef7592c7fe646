//! Prints what verifying costs beside the least that it could cost: the bare
//! signature check, base64url and one typed JSON parse.
//!
//! `cargo run --release -p symbolon-token --example speed`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a command-line program for people, which measures time"
)]

use std::hint::black_box;
use std::time::Instant;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{self, ParsedPublicKey};
use serde::Deserialize;
use symbolon_token::{
    AccessClaims, Algorithm, KeySet, SigningKey, Typ, Verifier, encoding, refresh,
};

const NOW: i64 = 1_800_000_000;

/// The claims as a careless reader would take them: no check of any kind.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only the parse is measured")]
struct BareClaims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    jti: String,
    sid: Option<String>,
    ver: Option<i64>,
    client_id: String,
    scope: String,
    roles: Vec<String>,
    nbf: Option<i64>,
    email: Option<String>,
}

fn main() {
    let claims = AccessClaims {
        iss: "https://issuer.example".to_owned(),
        sub: "01995d2e-7a3b-7c55-8a3f-2f6c1f0e9b11".to_owned(),
        aud: "https://api.example".into(),
        exp: NOW + 900,
        iat: NOW,
        jti: "01995d2e-7a3b-7c55-8a3f-2f6c1f0e9b12".to_owned(),
        sid: Some("01995d2e-7a3b-7c55-8a3f-2f6c1f0e9b13".to_owned()),
        ver: Some(3),
        client_id: "symbolon".to_owned(),
        scope: "orders:read orders:write".to_owned(),
        roles: vec!["user".to_owned(), "admin".to_owned()],
        nbf: None,
        email: None,
        cnf: None,
        auth_time: None,
        acr: None,
        act: None,
    };
    println!(
        "payload of {} bytes",
        serde_json::to_vec(&claims).unwrap().len()
    );
    for algorithm in Algorithm::ALL {
        // Many short rounds, of which the best counts: the others were disturbed.
        let calls = match algorithm {
            Algorithm::Hs256 => 500,
            _ => 50,
        };
        let key = SigningKey::generate(algorithm).unwrap();
        let keys = KeySet::new(vec![key.verifying_key()]).unwrap();
        let token = key.sign(Typ::AtJwt, &claims).unwrap();
        let verifier = Verifier::access(
            "https://issuer.example",
            "https://api.example",
            &[algorithm],
        )
        .unwrap();
        let bare = Bare::new(&key);
        let (mut ours_best, mut bare_best, mut sign_best) = (f64::MAX, f64::MAX, f64::MAX);
        for _ in 0..200 {
            ours_best = ours_best.min(micros(calls, || {
                black_box(verifier.verify(&keys, black_box(&token), NOW).unwrap());
            }));
            bare_best = bare_best.min(micros(calls, || {
                black_box(bare.verify(black_box(&token)));
            }));
            sign_best = sign_best.min(micros(5, || {
                black_box(key.sign(Typ::AtJwt, black_box(&claims)).unwrap());
            }));
        }
        println!(
            "{algorithm:6} verify {ours_best:7.2} us, bare {bare_best:7.2} us, ratio {:.2}; sign {sign_best:7.2} us",
            ours_best / bare_best
        );
    }
    refresh_tokens();
}

fn refresh_tokens() {
    let key = refresh::ChainKey::from_bytes(1, &[7; 32]);
    let token = refresh::RefreshToken::first(&key, [1; 16], [2; 32]);
    let text = token.encode();
    let mut garbage = text.to_string();
    garbage.replace_range(
        50..51,
        if garbage.as_bytes()[50] == b'A' {
            "B"
        } else {
            "A"
        },
    );
    let parse = |text: &str| {
        micros(100_000, || {
            black_box(refresh::RefreshToken::parse(&key, black_box(text)));
        })
    };
    println!("refresh token: parse {:.2} us", parse(&text));
    println!("refresh token: garbage refused {:.2} us", parse(&garbage));
    println!(
        "refresh token: successor {:.2} us",
        micros(100_000, || {
            black_box(token.successor(&key));
        })
    );
}

enum Bare {
    Hmac(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl Bare {
    fn new(key: &SigningKey) -> Self {
        let Some(jwk) = key.public_jwk() else {
            let secret = key.to_private_bytes().unwrap();
            return Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &secret)));
        };
        let json: serde_json::Value = serde_json::to_value(&jwk).unwrap();
        let member =
            |name: &str| encoding::decode(json[name].as_str().unwrap().as_bytes()).unwrap();
        let parsed = match key.algorithm() {
            Algorithm::Es256 => {
                let point = [vec![4], member("x"), member("y")].concat();
                ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
            }
            Algorithm::EdDsa => ParsedPublicKey::new(&signature::ED25519, member("x")),
            algorithm => signature::RsaPublicKeyComponents {
                n: member("n"),
                e: member("e"),
            }
            .to_parsed_public_key(match algorithm {
                Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                _ => &signature::RSA_PKCS1_2048_8192_SHA256,
            }),
        };
        Self::Public(parsed.unwrap())
    }

    fn verify(&self, token: &str) -> BareClaims {
        let (input, signature) = token.rsplit_once('.').unwrap();
        let (_, payload) = input.split_once('.').unwrap();
        let signature = encoding::decode(signature.as_bytes()).unwrap();
        match self {
            Self::Hmac(key) => hmac::verify(key, input.as_bytes(), &signature).unwrap(),
            Self::Public(key) => key.verify_sig(input.as_bytes(), &signature).unwrap(),
        }
        let payload = encoding::decode(payload.as_bytes()).unwrap();
        serde_json::from_slice(&payload).unwrap()
    }
}

/// Mean time of one call in microseconds.
fn micros(rounds: u32, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        call();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
}
