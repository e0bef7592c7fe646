//! `symbolon token decode|verify|sign`, with no server and no data (CONTRACT section 2).

use serde_json::{Value, json};
use symbolon_token::{Algorithm, SigningKey, encoding};

use super::place::{Outcome, Place};

const SECRET: &[u8] = b"a secret of more than thirty-two bytes, raw";

/// The contents of a DER element and what follows it (X.690 section 8.1).
fn der(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (length, start) = match bytes[1] {
        short @ 0..0x80 => (usize::from(short), 2),
        long => {
            let count = usize::from(long & 0x7f);
            let length = bytes[2..2 + count]
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, 2 + count)
        }
    };
    (&bytes[start..start + length], &bytes[start + length..])
}

/// The members of a private JWK beside the public ones, out of PKCS#8 (RFC 5958, RFC 8017 appendix A.1.2,
/// RFC 5915, RFC 8410).
fn private_jwk(key: &SigningKey) -> Value {
    let pkcs8 = key.to_private_bytes().unwrap();
    let (_version, rest) = der(der(&pkcs8).0);
    let (_algorithm, rest) = der(rest);
    let inner = der(rest).0;
    let mut jwk = serde_json::to_value(key.public_jwk().unwrap()).unwrap();
    match key.algorithm() {
        Algorithm::EdDsa => jwk["d"] = encoding::encode(der(inner).0).into(),
        Algorithm::Es256 => {
            let (_version, rest) = der(der(inner).0);
            jwk["d"] = encoding::encode(der(rest).0).into();
        }
        _ => {
            let mut rest = der(inner).0;
            for name in ["version", "n", "e", "d", "p", "q", "dp", "dq", "qi"] {
                let (number, after) = der(rest);
                let first = number.iter().position(|byte| *byte != 0).unwrap_or(0);
                if name != "version" {
                    jwk[name] = encoding::encode(&number[first..]).into();
                }
                rest = after;
            }
        }
    }
    jwk
}

/// Files of one key: private as a JWK, public as a JWK Set.
fn key_files(place: &Place, algorithm: Algorithm) -> SigningKey {
    let key = SigningKey::generate(algorithm).unwrap();
    place.write("key.jwk", private_jwk(&key).to_string());
    let set = json!({ "keys": [key.public_jwk().unwrap()] });
    place.write("keys.json", set.to_string());
    key
}

fn claims() -> Value {
    json!({ "iss": "https://login.example.com", "sub": "ada", "aud": ["orders", "mail"], "exp": 4_102_444_800_i64, "iat": 1 })
}

/// The reason of a refusal: exit 1, nothing on standard output, JSON on standard error with or without `--json`.
#[track_caller]
fn reason(ended: &Outcome) -> String {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.failure().0
}

#[test]
fn what_is_signed_verifies_with_each_algorithm() {
    for algorithm in [
        Algorithm::Es256,
        Algorithm::EdDsa,
        Algorithm::Rs256,
        Algorithm::Ps256,
    ] {
        let place = Place::new();
        let key = key_files(&place, algorithm);
        let payload = claims().to_string();
        let token = place
            .run_with(&["token", "sign", "--key", "key.jwk"], payload.as_bytes())
            .text();
        let token = token.strip_suffix('\n').unwrap();
        let header = crate::people::header(token);
        assert_eq!(
            header,
            json!({ "alg": algorithm.as_str(), "typ": "at+jwt", "kid": key.kid() })
        );
        let verify = ["token", "verify", "--jwks", "keys.json"];
        let by_argument = place.run(&[&verify[..], &[token]].concat()).succeeded();
        assert_eq!(by_argument.stdout, payload.as_bytes());
        let checked = [
            &verify[..],
            &[
                "--issuer",
                "https://login.example.com",
                "--audience",
                "mail",
                "--alg",
                algorithm.as_str(),
            ],
        ]
        .concat();
        let piped = place
            .run_with(&checked, format!("{token}\n").as_bytes())
            .succeeded();
        assert_eq!(piped.stdout, payload.as_bytes());
        // Another key, and a bit of the signature.
        key_files(&place, algorithm);
        assert_eq!(
            reason(&place.run_with(&verify, token.as_bytes())),
            "unknown_key"
        );
        assert!(!place.path("symbolon-data").exists());
    }
}

#[test]
fn a_secret_is_raw_bytes_less_one_newline_or_a_jwk() {
    let place = Place::new();
    place.write("raw", SECRET);
    place.write("raw-line", [SECRET, b"\n"].concat());
    place.write("raw-lines", [SECRET, b"\n\n"].concat());
    let jwk =
        json!({ "kty": "oct", "alg": "HS256", "kid": "shared", "k": encoding::encode(SECRET) });
    place.write("secret.jwk", jwk.to_string());
    let payload = claims().to_string();
    let sign = |file| {
        let token = place.run_with(
            &["token", "sign", "--secret-file", file, "--alg", "HS256"],
            payload.as_bytes(),
        );
        token.text().trim().to_owned()
    };
    let verify = |file, token: &str| place.run(&["token", "verify", "--secret-file", file, token]);
    for signer in ["raw", "raw-line"] {
        for verifier in ["raw", "raw-line"] {
            assert_eq!(
                verify(verifier, &sign(signer)).succeeded().stdout,
                payload.as_bytes()
            );
        }
        assert_eq!(reason(&verify("raw-lines", &sign(signer))), "bad_signature");
    }
    let token = sign("secret.jwk");
    assert_eq!(crate::people::header(&token)["kid"], "shared");
    verify("secret.jwk", &token).succeeded();
    verify("raw", &token).succeeded();
    place.write("short", "secret");
    assert_eq!(reason(&verify("short", &token)), "bad_key");
    assert_eq!(reason(&verify("missing", &token)), "bad_key");
}

fn sign(place: &Place, claims: &Value, more: &[&str]) -> String {
    let arguments = [&["token", "sign", "--key", "key.jwk"], more].concat();
    let token = place.run_with(&arguments, claims.to_string().as_bytes());
    token.text().trim().to_owned()
}

fn verify(place: &Place, token: &str, more: &[&str]) -> Outcome {
    let arguments = [&["token", "verify", "--jwks", "keys.json"], more].concat();
    place.run_with(&arguments, token.as_bytes())
}

#[test]
fn each_option_of_verify_can_refuse() {
    let place = Place::new();
    key_files(&place, Algorithm::Es256);
    let good = sign(&place, &claims(), &[]);
    for (more, code) in [
        (["--issuer", "https://evil.example.com"], "wrong_issuer"),
        (["--issuer", "https://login.example.com/"], "wrong_issuer"),
        (["--audience", "payments"], "wrong_audience"),
        (["--alg", "EdDSA"], "algorithm_not_allowed"),
        (["--alg", "none"], "bad_argument"),
        (["--typ", "JWT"], "wrong_type"),
        (["--leeway", "61s"], "bad_argument"),
    ] {
        assert_eq!(reason(&verify(&place, &good, &more)), code, "{more:?}");
    }
    let without_key = place.run(&["token", "verify", &good]);
    assert_eq!(without_key.code, Some(2));
    for more in [["--typ", "JWT"], ["--typ", "none"]] {
        let other = sign(&place, &claims(), &more);
        assert_eq!(reason(&verify(&place, &other, &[])), "wrong_type");
        verify(&place, &other, &["--typ", "any"]).succeeded();
    }
}

#[test]
fn each_fault_of_a_token_has_its_code() {
    let place = Place::new();
    key_files(&place, Algorithm::Es256);
    for (name, value, code) in [
        ("exp", json!(1), "token_expired"),
        ("nbf", json!(4_102_444_800_i64), "token_not_yet_valid"),
        ("exp", json!("soon"), "malformed_claim"),
    ] {
        let mut claims = claims();
        claims[name] = value;
        let token = sign(&place, &claims, &[]);
        assert_eq!(reason(&verify(&place, &token, &[])), code);
    }
    let empty = sign(&place, &json!({}), &[]);
    assert_eq!(reason(&verify(&place, &empty, &[])), "missing_claim");
    for bad in ["", "x", "a.b", "a.b.c", "....", &"a".repeat(100_000)] {
        let code = reason(&verify(&place, bad, &[]));
        let known = ["malformed_token", "token_too_long", "header_too_large"];
        assert!(known.contains(&code.as_str()), "{code}");
    }
    let good = sign(&place, &claims(), &[]);
    let (body, signature) = good.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{body}.{flipped}{}", &signature[1..]);
    assert_eq!(reason(&verify(&place, &forged, &[])), "bad_signature");
}

#[test]
fn the_signature_alone_covers_any_payload() {
    let place = Place::new();
    key_files(&place, Algorithm::EdDsa);
    let verify = ["token", "verify", "--jwks", "keys.json", "--signature-only"];
    for payload in [
        b"It\xe2\x80\x99s a \x00 dangerous\r\nbusiness".as_slice(),
        &[0xff, 0xfe, 0x00],
        b"{\"exp\":1}",
        b"",
    ] {
        let token = place
            .run_with(
                &["token", "sign", "--key", "key.jwk", "--typ", "none"],
                payload,
            )
            .text();
        let verified = place.run_with(&verify, token.as_bytes()).succeeded();
        assert_eq!(verified.stdout, payload);
    }
    let token = place
        .run_with(&["token", "sign", "--key", "key.jwk"], b"{\"exp\":1}")
        .text();
    assert_eq!(
        reason(&place.run_with(&verify[..4], token.as_bytes())),
        "token_expired"
    );
    place.run_with(&verify, token.as_bytes()).succeeded();
}

#[test]
fn decode_shows_what_is_there_and_says_that_it_proves_nothing() {
    let place = Place::new();
    key_files(&place, Algorithm::Es256);
    let token = place
        .run_with(
            &["token", "sign", "--key", "key.jwk"],
            claims().to_string().as_bytes(),
        )
        .text();
    for shown in [
        place.run(&["token", "decode", token.trim()]),
        place.run_with(&["token", "decode"], token.as_bytes()),
    ] {
        let shown = shown.json();
        assert_eq!(
            (&shown["verified"], &shown["payload"]),
            (&json!(false), &claims())
        );
        assert_eq!(shown["header"]["alg"], "ES256");
    }
    let bad = place.run(&["token", "decode", "nonsense", "--json"]);
    assert_eq!(reason(&bad), "malformed_token");
}

#[test]
fn the_keys_of_a_running_server_are_fetched() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    let issuer = format!("http://{}", server.address);
    let url = format!("{issuer}/.well-known/jwks.json");
    let verify = [
        "token",
        "verify",
        "--jwks",
        &url,
        "--issuer",
        &issuer,
        "--audience",
        &issuer,
    ];
    let verified = place
        .run_with(&verify, device.access.as_bytes())
        .succeeded();
    let payload: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(payload["sid"], device.sid.as_str());
    let elsewhere = format!("{issuer}/nowhere");
    let ended = place.run(&["token", "verify", "--jwks", &elsewhere, &device.access]);
    assert_eq!(reason(&ended), "cannot_fetch");
    server.stop();
    let ended = place.run_with(&verify, device.access.as_bytes());
    assert_eq!(reason(&ended), "cannot_fetch");
}
