//! Proofs of possession (RFC 9449; SECURITY D1, D3, K6).

use proptest::prelude::*;
use serde_json::{Value, json};
use symbolon_token::dpop::{DpopError, Draft, Expected, Nonces, Proof};
use symbolon_token::{Algorithm, Error, KeyError, encoding};

use crate::support::{NOW, key};

const TOKEN_PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
const RESOURCE_PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const RFC_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const RFC_JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

const URI: &str = "https://api.example/orders";
const TOKEN: &str = "access.token.text";

fn expected() -> Expected<'static> {
    Expected {
        method: "GET",
        uri: URI,
        access_token: Some(TOKEN),
        now_seconds: NOW,
        max_age_seconds: 60,
    }
}

fn draft() -> Draft<'static> {
    Draft {
        jti: "one",
        method: "GET",
        uri: URI,
        iat_seconds: NOW,
        access_token: Some(TOKEN),
        nonce: None,
    }
}

/// The header and the claims of the draft above as JSON, to be spoilt.
fn parts(algorithm: Algorithm) -> (Value, Value) {
    let proof = draft().sign(key(algorithm)).unwrap();
    let part = |segment: &str| {
        serde_json::from_slice(&encoding::decode(segment.as_bytes()).unwrap()).unwrap()
    };
    let mut segments = proof.split('.');
    (
        part(segments.next().unwrap()),
        part(segments.next().unwrap()),
    )
}

fn read(header: &Value, claims: &Value) -> Result<Proof, DpopError> {
    let (header, claims) = (header.to_string(), claims.to_string());
    let proof = key(Algorithm::Es256).sign_raw(header.as_bytes(), claims.as_bytes());
    Proof::read(&proof.unwrap(), &expected())
}

/// The draft with one claim replaced, or left out.
fn with_claim(name: &str, value: Value) -> Result<Proof, DpopError> {
    let (header, mut claims) = parts(Algorithm::Es256);
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    read(&header, &claims)
}

fn with_header(name: &str, value: Value) -> Result<Proof, DpopError> {
    let (mut header, claims) = parts(Algorithm::Es256);
    match value {
        Value::Null => drop(header.as_object_mut().unwrap().remove(name)),
        value => header[name] = value,
    }
    read(&header, &claims)
}

#[test]
fn rfc_9449_examples() {
    let at_token = Expected {
        method: "POST",
        uri: "https://server.example.com/token",
        access_token: None,
        now_seconds: 1_562_262_616,
        max_age_seconds: 60,
    };
    let proof = Proof::read(TOKEN_PROOF, &at_token).unwrap();
    assert_eq!(proof.jkt.to_string(), RFC_JKT);
    assert_eq!(
        (proof.jti.as_str(), proof.iat, proof.nonce),
        ("-BwC3ESc6acc2lTc", 1_562_262_616, None)
    );
    let at_resource = Expected {
        method: "GET",
        uri: "https://resource.example.org/protectedresource",
        access_token: Some(RFC_TOKEN),
        now_seconds: 1_562_262_618,
        max_age_seconds: 60,
    };
    let proof = Proof::read(RESOURCE_PROOF, &at_resource).unwrap();
    assert_eq!(proof.jkt.to_string(), RFC_JKT);
    assert_eq!(
        Proof::read(RESOURCE_PROOF, &at_token),
        Err(DpopError::WrongMethod)
    );
}

#[test]
fn what_a_client_signs_is_read_with_every_algorithm() {
    for algorithm in symbolon_token::dpop::ALGORITHMS {
        let signer = key(algorithm);
        let proof = Draft {
            nonce: Some("n-1"),
            uri: "https://api.example/orders?limit=3#top",
            ..draft()
        };
        let text = proof.sign(signer).unwrap();
        let read = Proof::read(&text, &expected()).unwrap();
        assert_eq!(read.jkt, signer.public_jwk().unwrap().jkt());
        assert_eq!((read.jti.as_str(), read.iat), ("one", NOW));
        assert_eq!(read.nonce.as_deref(), Some("n-1"));
    }
    assert_eq!(
        draft().sign(key(Algorithm::Hs256)),
        Err(Error::AlgorithmNotAllowed)
    );
}

#[test]
fn d1_another_kind_of_token_is_no_proof() {
    for typ in ["at+jwt", "JWT", "dpop", "dpop+jwt2", ""] {
        assert_eq!(
            with_header("typ", json!(typ)),
            Err(Error::WrongType.into()),
            "{typ}"
        );
    }
    assert_eq!(
        with_header("typ", Value::Null),
        Err(Error::WrongType.into())
    );
    assert_eq!(
        with_header("typ", json!(["dpop+jwt"])),
        Err(Error::WrongType.into())
    );
    with_header("typ", json!("application/dpop+jwt")).unwrap();
}

#[test]
fn d1_algorithms_that_prove_nothing() {
    for alg in ["none", "HS256", "HS512", "ES512", "", "es256"] {
        let read = with_header("alg", json!(alg));
        assert_eq!(read, Err(Error::AlgorithmNotAllowed.into()), "{alg}");
    }
    assert_eq!(
        with_header("alg", json!("RS256")),
        Err(KeyError::AlgorithmMismatch.into())
    );
    let unsigned = Proof::read(
        TOKEN_PROOF.rsplit_once('.').unwrap().0.to_owned().as_str(),
        &expected(),
    );
    assert!(unsigned.is_err());
}

#[test]
fn d1_extensions_and_encryption_are_refused() {
    for name in ["crit", "b64"] {
        let read = with_header(name, json!([]));
        assert_eq!(read, Err(Error::CriticalHeader.into()), "{name}");
    }
    assert_eq!(
        with_header("enc", json!("A256GCM")),
        Err(Error::Malformed.into())
    );
}

#[test]
fn d1_the_key_must_be_public() {
    let (header, _) = parts(Algorithm::Es256);
    let mut with_d = header["jwk"].clone();
    with_d["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    assert_eq!(
        with_header("jwk", with_d),
        Err(KeyError::PrivateMember.into())
    );
    let secret = json!({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"});
    assert_eq!(
        with_header("jwk", secret),
        Err(KeyError::PrivateMember.into())
    );
    assert_eq!(with_header("jwk", Value::Null), Err(DpopError::NoKey));
    assert!(with_header("jwk", json!("key")).is_err());
    assert!(with_header("jwk", json!([])).is_err());
}

#[test]
fn k6_weak_and_foreign_keys() {
    let (header, _) = parts(Algorithm::Es256);
    let mut off_curve = header["jwk"].clone();
    off_curve["y"] = off_curve["x"].clone();
    assert_eq!(with_header("jwk", off_curve), Err(KeyError::Invalid.into()));
    let mut for_encryption = header["jwk"].clone();
    for_encryption["use"] = json!("enc");
    assert_eq!(
        with_header("jwk", for_encryption),
        Err(KeyError::WrongUse.into())
    );
    let n = encoding::encode(&[0xc5; 128]);
    let weak = json!({"kty": "RSA", "n": n, "e": "AQAB"});
    let (mut header, claims) = parts(Algorithm::Rs256);
    header["jwk"] = weak;
    assert_eq!(read(&header, &claims), Err(KeyError::WeakModulus.into()));
}

#[test]
fn d1_another_signer() {
    let stranger = symbolon_token::SigningKey::generate(Algorithm::Es256).unwrap();
    let (header, claims) = parts(Algorithm::Es256);
    let (header, claims) = (header.to_string(), claims.to_string());
    let forged = stranger
        .sign_raw(header.as_bytes(), claims.as_bytes())
        .unwrap();
    assert_eq!(
        Proof::read(&forged, &expected()),
        Err(Error::BadSignature.into())
    );
}

#[test]
fn d1_method_and_uri() {
    for method in ["POST", "get", "", "GET "] {
        let read = with_claim("htm", json!(method));
        assert_eq!(read, Err(DpopError::WrongMethod), "{method}");
    }
    for uri in [
        "https://api.example/",
        "/orders",
        "http://api.example/orders",
        "",
    ] {
        let read = with_claim("htu", json!(uri));
        assert_eq!(read, Err(DpopError::WrongUri), "{uri}");
    }
    with_claim("htu", json!("HTTPS://API.example:443/%6Frders?x=1")).unwrap();
}

#[test]
fn d1_claims_of_the_wrong_type() {
    for name in ["jti", "htm", "htu", "iat"] {
        let absent = Err(Error::MissingClaim(name).into());
        assert_eq!(with_claim(name, Value::Null), absent);
        for value in [json!({}), json!([URI]), json!(true), json!([])] {
            let malformed = Err(Error::MalformedClaim(name).into());
            assert_eq!(with_claim(name, value.clone()), malformed, "{name} {value}");
        }
    }
    for (name, value) in [
        ("jti", json!("")),
        ("jti", json!("x".repeat(257))),
        ("jti", json!(7)),
        ("htu", json!(7)),
        ("iat", json!(NOW.to_string())),
        ("iat", json!(-1)),
        ("ath", json!(7)),
        ("nonce", json!(7)),
    ] {
        let malformed = Err(Error::MalformedClaim(name).into());
        assert_eq!(with_claim(name, value), malformed, "{name}");
    }
    with_claim("jti", json!("x".repeat(256))).unwrap();
}

#[test]
fn d1_a_proof_is_fresh() {
    for (iat, verdict) in [
        (NOW - 300, Err(DpopError::TooOld)),
        (NOW - 61, Err(DpopError::TooOld)),
        (NOW - 60, Ok(())),
        (NOW, Ok(())),
        (NOW + 5, Ok(())),
        (NOW + 6, Err(DpopError::FromTheFuture)),
        (NOW + 300, Err(DpopError::FromTheFuture)),
    ] {
        assert_eq!(with_claim("iat", json!(iat)).map(drop), verdict, "{iat}");
    }
    let older = |age: i64| Draft {
        iat_seconds: NOW - age,
        ..draft()
    };
    let generous = Expected {
        max_age_seconds: 1_000_000,
        ..expected()
    };
    let read = |age| {
        let text = older(age).sign(key(Algorithm::EdDsa)).unwrap();
        Proof::read(&text, &generous).map(drop)
    };
    assert_eq!((read(300), read(301)), (Ok(()), Err(DpopError::TooOld)));
}

#[test]
fn d3_a_proof_is_for_one_access_token() {
    for ath in [json!("x"), json!(""), Value::Null] {
        let read = with_claim("ath", ath.clone());
        assert_eq!(read, Err(DpopError::WrongToken), "{ath}");
    }
    let other = Expected {
        access_token: Some("another.access.token"),
        ..expected()
    };
    let text = draft().sign(key(Algorithm::Es256)).unwrap();
    assert_eq!(Proof::read(&text, &other), Err(DpopError::WrongToken));
    let none = Expected {
        access_token: None,
        ..expected()
    };
    Proof::read(&text, &none).unwrap();
}

#[test]
fn d1_one_text_for_one_proof() {
    let (header, claims) = parts(Algorithm::Es256);
    let sign = |header: &str, claims: &str| {
        let signed = key(Algorithm::Es256).sign_raw(header.as_bytes(), claims.as_bytes());
        Proof::read(&signed.unwrap(), &expected())
    };
    let (header, claims) = (header.to_string(), claims.to_string());
    let twice = claims.replacen('{', r#"{"jti":"two","#, 1);
    assert_eq!(sign(&header, &twice), Err(Error::DuplicateMember.into()));
    let twice = header.replacen(r#""jwk":{"#, r#""jwk":{"kty":"EC","#, 1);
    assert_eq!(sign(&twice, &claims), Err(Error::DuplicateMember.into()));
    let good = draft().sign(key(Algorithm::Es256)).unwrap();
    for bad in [
        format!("{good}="),
        format!(" {good}"),
        format!("{good},{good}"),
        format!("{good}.{good}"),
        good.replacen('.', "..", 1),
        String::new(),
        "x".repeat(9000),
    ] {
        assert!(Proof::read(&bad, &expected()).is_err(), "{bad}");
    }
}

#[test]
fn d3_nonces_last_a_minute_or_two() {
    let nonces = Nonces::new(&[7; 32]);
    let minute = NOW - NOW % 60;
    let nonce = nonces.current(minute);
    assert_eq!(nonce, nonces.current(minute + 59));
    assert_ne!(nonce, nonces.current(minute + 60));
    for (later, good) in [(0, true), (119, true), (120, false), (-1, false)] {
        assert_eq!(nonces.accepts(&nonce, minute + later), good, "{later}");
    }
    assert!(!Nonces::new(&[8; 32]).accepts(&nonce, minute));
    assert!(!nonces.accepts("", minute));
    let (one, other) = (Nonces::random().unwrap(), Nonces::random().unwrap());
    assert!(one.accepts(&one.current(NOW), NOW));
    assert!(!one.accepts(&other.current(NOW), NOW));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// No byte of a proof can be another one.
    #[test]
    fn d1_a_spoilt_proof_is_refused(at: prop::sample::Index, byte in 0x21_u8..0x7f) {
        let text = draft().sign(key(Algorithm::EdDsa)).unwrap();
        let mut spoilt = text.clone().into_bytes();
        let at = at.index(spoilt.len());
        spoilt[at] = byte;
        let spoilt = String::from_utf8(spoilt).unwrap();
        let read = Proof::read(&spoilt, &expected());
        prop_assert_eq!(read.is_ok(), spoilt == text);
    }
}
