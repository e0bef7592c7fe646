//! Headers: algorithm, type, extensions, keys that a token brings along (RFC 7515 section 4, RFC 8725; SECURITY J1 to
//! J4, J9, J16, K1, K2, K4).

use anyhow::{Context as _, Result};
use serde_json::Value;
use symbolon_token::{Algorithm, Jwk, encoding};

use super::cases::{ACCEPTED, Cases, INVALID};
use super::forge::{EDDSA, ES256, PS256, RETIRED, RS256, STRANGER, hs256, joined};
use super::members::{Members, quoted};

pub(super) fn add(cases: &mut Cases) -> Result<()> {
    no_algorithm(cases)?;
    secrets_that_are_none(cases)?;
    critical(cases)?;
    types(cases)?;
    keys(cases)?;
    keys_brought_along(cases)?;
    duplicates(cases)
}

fn no_algorithm(cases: &mut Cases) -> Result<()> {
    let good = cases.forge.header(EDDSA)?;
    let claims = Members::claims().text();
    for (name, alg) in [
        ("none", r#""none""#),
        ("none-capitalised", r#""None""#),
        ("none-mixed", r#""nOnE""#),
        ("none-capitals", r#""NONE""#),
        ("none-with-space", r#""none ""#),
        ("empty", r#""""#),
        ("unknown", r#""ES384""#),
        ("small-letters", r#""eddsa""#),
        ("null", "null"),
        ("list", r#"["EdDSA"]"#),
        ("number", "1"),
        ("true", "true"),
        ("object", r#"{"alg":"EdDSA"}"#),
    ] {
        let header = good.with("alg", alg).text();
        let unsigned = joined(&header, &claims, &[]);
        cases.token(format!("j1-alg-{name}-unsigned"), unsigned, INVALID);
        let zeros = joined(&header, &claims, &[0; 64]);
        cases.token(format!("j1-alg-{name}-zeros"), zeros, INVALID);
        cases.header(format!("j1-alg-{name}-signed"), &header, INVALID)?;
        let nameless = good.with("alg", alg).without("kid").text();
        let unsigned = joined(&nameless, &claims, &[]);
        cases.token(
            format!("j1-alg-{name}-unsigned-without-kid"),
            unsigned,
            INVALID,
        );
    }
    let header = good.without("alg").text();
    cases.token(
        "j1-alg-absent-unsigned",
        joined(&header, &claims, &[]),
        INVALID,
    );
    cases.header("j1-alg-absent-signed", &header, INVALID)
}

/// HMAC keyed with what everybody knows, the public keys and nothing at all.
fn secrets_that_are_none(cases: &mut Cases) -> Result<()> {
    let claims = Members::claims().text();
    for kid in [ES256, EDDSA, RS256] {
        for (form, file) in key_files(&cases.forge.keys.public(kid)?)? {
            let header = Members::header("HS256", kid);
            let token = hs256(&file, &header.text(), &claims);
            cases.token(format!("j2-hs256-{kid}-{form}"), token, INVALID);
            let token = hs256(&file, &header.without("kid").text(), &claims);
            cases.token(format!("j2-hs256-{kid}-{form}-without-kid"), token, INVALID);
        }
    }
    for (name, secret) in [("empty", &[][..]), ("zeros", &[0; 32]), ("word", b"secret")] {
        for (whose, header) in [
            ("known-kid", Members::header("HS256", ES256)),
            ("unknown-kid", Members::header("HS256", "nobody")),
            ("no-kid", Members::header("HS256", "").without("kid")),
        ] {
            let token = hs256(secret, &header.text(), &claims);
            cases.token(format!("j3-hs256-{name}-{whose}"), token, INVALID);
        }
    }
    Ok(())
}

/// Every shape in which a public key has been taken for a secret.
fn key_files(jwk: &Jwk) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let jwk = serde_json::to_string(jwk)?;
    let der = spki(&serde_json::from_str(&jwk)?)?;
    let base64 = encoding::encode(&der).replace('-', "+").replace('_', "/");
    let padded = format!("{base64}{}", "=".repeat((4 - base64.len() % 4) % 4));
    let lines: Vec<&str> = (0..padded.len())
        .step_by(64)
        .map(|at| &padded[at..padded.len().min(at + 64)])
        .collect();
    let body = lines.join("\n");
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    Ok(vec![
        ("pem", pem.clone().into_bytes()),
        (
            "pem-without-last-newline",
            pem.trim_end().as_bytes().to_vec(),
        ),
        ("pem-behind-space", format!(" \n\t{pem}").into_bytes()),
        ("der", der),
        ("jwk", jwk.clone().into_bytes()),
        ("jwks", format!(r#"{{"keys":[{jwk}]}}"#).into_bytes()),
    ])
}

/// `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
fn spki(jwk: &Value) -> Result<Vec<u8>> {
    let member = |name| {
        let text = jwk
            .get(name)
            .and_then(Value::as_str)
            .context("no such member")?;
        anyhow::Ok(encoding::decode(text.as_bytes())?)
    };
    let p256 =
        b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
    let rsa = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let (algorithm, key) = match jwk.get("kty").and_then(Value::as_str) {
        Some("EC") => (
            p256.to_vec(),
            [vec![4], member("x")?, member("y")?].concat(),
        ),
        Some("OKP") => (b"\x30\x05\x06\x03\x2b\x65\x70".to_vec(), member("x")?),
        _ => {
            let integers = [
                der(2, &unsigned(member("n")?)),
                der(2, &unsigned(member("e")?)),
            ];
            (rsa.to_vec(), der(0x30, &integers.concat()))
        }
    };
    let bits = der(3, &[vec![0], key].concat());
    Ok(der(0x30, &[algorithm, bits].concat()))
}

/// One DER value of a tag and its content.
pub(super) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut value = vec![tag];
    match length.as_slice() {
        [] => value.push(0),
        [short] if *short < 0x80 => value.push(*short),
        long => {
            value.extend(u8::try_from(long.len()).map(|count| 0x80 | count));
            value.extend(long);
        }
    }
    value.extend(content);
    value
}

/// A number that is not negative, for DER.
pub(super) fn unsigned(mut number: Vec<u8>) -> Vec<u8> {
    if number.first().is_some_and(|first| *first >= 0x80) {
        number.insert(0, 0);
    }
    number
}

/// RFC 7515 section 4.1.11: no extension is understood, so that any `crit` is refused.
fn critical(cases: &mut Cases) -> Result<()> {
    let good = cases.forge.header(EDDSA)?;
    for (name, crit) in [
        ("unknown", r#"["x"]"#),
        ("unknown-and-there", r#"["x"],"x":1"#),
        ("empty", "[]"),
        ("alg", r#"["alg"]"#),
        ("exp", r#"["exp"],"exp":1790000900"#),
        ("b64", r#"["b64"],"b64":false"#),
        ("null", "null"),
        ("text", r#""x""#),
        ("object", "{}"),
    ] {
        cases.header(
            format!("j4-crit-{name}"),
            &good.with("crit", crit).text(),
            INVALID,
        )?;
    }
    // RFC 7797 section 6: `b64` without `crit`.
    cases.header(
        "j4-b64-without-crit",
        &good.with("b64", "false").text(),
        INVALID,
    )
}

/// RFC 9068 section 4: `typ` says that it is an access token. Media types ignore the case of letters.
fn types(cases: &mut Cases) -> Result<()> {
    let good = cases.forge.header(EDDSA)?;
    for (name, typ, code) in [
        ("jwt", r#""JWT""#, INVALID),
        ("jwt-small", r#""jwt""#, INVALID),
        ("refresh", r#""rt+jwt""#, INVALID),
        ("logout", r#""logout+jwt""#, INVALID),
        ("dpop", r#""dpop+jwt""#, INVALID),
        ("security-event", r#""secevent+jwt""#, INVALID),
        (
            "client-assertion",
            r#""client-authentication+jwt""#,
            INVALID,
        ),
        ("empty", r#""""#, INVALID),
        ("trailing-space", r#""at+jwt ""#, INVALID),
        ("parameter", r#""at+jwt; charset=utf-8""#, INVALID),
        ("prefix", r#""at+jwt2""#, INVALID),
        ("other-tree", r#""text/at+jwt""#, INVALID),
        ("two-slashes", r#""application/x/at+jwt""#, INVALID),
        (
            "twice-application",
            r#""application/application/at+jwt""#,
            INVALID,
        ),
        ("null", "null", INVALID),
        ("number", "1", INVALID),
        ("list", r#"["at+jwt"]"#, INVALID),
        ("long-form", r#""application/at+jwt""#, ACCEPTED),
        ("capitals", r#""AT+JWT""#, ACCEPTED),
        ("long-form-mixed", r#""Application/At+Jwt""#, ACCEPTED),
    ] {
        cases.header(
            format!("j9-typ-{name}"),
            &good.with("typ", typ).text(),
            code,
        )?;
    }
    cases.header("j9-typ-absent", &good.without("typ").text(), INVALID)?;
    let unknown = good.with("x", r#"{"y":[]}"#).with("cty", quoted("JWT"));
    cases.header("header-unknown-members", &unknown.text(), ACCEPTED)?;
    let spaced = good.text().replace(',', " ,\n\t").replace(':', " : ");
    cases.header("header-with-white-space", &spaced, ACCEPTED)
}

/// Name, the key that signs, and what the header says of `alg` and `kid`, the latter as JSON.
type OfKeys = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

const WRONG_KEYS: &[OfKeys] = &[
    (
        "j16-retired-key",
        RETIRED,
        "EdDSA",
        Some(r#""test-retired""#),
    ),
    (
        "j16-retired-key-under-a-live-name",
        RETIRED,
        "EdDSA",
        Some(r#""test-eddsa""#),
    ),
    ("k4-kid-unknown", EDDSA, "EdDSA", Some(r#""nobody""#)),
    (
        "k4-kid-of-a-sibling",
        EDDSA,
        "EdDSA",
        Some(r#""test-eddsa-next""#),
    ),
    ("k4-kid-empty", EDDSA, "EdDSA", Some(r#""""#)),
    (
        "k4-kid-other-letters",
        EDDSA,
        "EdDSA",
        Some(r#""TEST-EDDSA""#),
    ),
    ("k4-kid-null", EDDSA, "EdDSA", Some("null")),
    ("k4-kid-number", EDDSA, "EdDSA", Some("1")),
    ("k4-kid-list", EDDSA, "EdDSA", Some(r#"["test-eddsa"]"#)),
    ("k4-kid-path", EDDSA, "EdDSA", Some(r#""../../dev/null""#)),
    ("k4-kid-prototype", EDDSA, "EdDSA", Some(r#""__proto__""#)),
    ("k4-kid-absent-two-keys-of-the-alg", EDDSA, "EdDSA", None),
    (
        "k4-kid-of-another-alg",
        EDDSA,
        "EdDSA",
        Some(r#""test-es256""#),
    ),
    (
        "k4-alg-of-another-key",
        EDDSA,
        "ES256",
        Some(r#""test-eddsa""#),
    ),
    (
        "k4-kid-and-alg-of-another-key",
        EDDSA,
        "ES256",
        Some(r#""test-es256""#),
    ),
    (
        "j2-rs256-under-ps256",
        RS256,
        "PS256",
        Some(r#""test-ps256""#),
    ),
    (
        "j2-rs256-by-the-wrong-key",
        RS256,
        "RS256",
        Some(r#""test-ps256""#),
    ),
    (
        "j2-rs256-named-ps256",
        RS256,
        "PS256",
        Some(r#""test-rs256""#),
    ),
];

/// Which key a header names. Where it names none, the key must be the only one of the algorithm.
fn keys(cases: &mut Cases) -> Result<()> {
    let text = Members::claims().text();
    for &(name, signer, alg, kid) in WRONG_KEYS {
        let header = Members::header(alg, signer);
        let header = match kid {
            Some(kid) => header.with("kid", kid),
            None => header.without("kid"),
        };
        let token = cases.forge.sign(signer, &header.text(), text.as_bytes())?;
        cases.token(name, token, INVALID);
    }
    // RFC 8725 section 3.1: one key, one algorithm, though RSA could do both.
    let other = cases.forge.keys.repurposed(PS256, Algorithm::Rs256)?;
    let header = Members::header("RS256", PS256).text();
    let token = other.sign_raw(header.as_bytes(), text.as_bytes())?;
    cases.token("j2-rs256-with-the-numbers-of-a-ps256-key", token, INVALID);
    for (kid, alg) in [(ES256, "ES256"), (RS256, "RS256"), (PS256, "PS256")] {
        let header = Members::header(alg, kid).without("kid").text();
        let token = cases.forge.sign(kid, &header, text.as_bytes())?;
        let name = format!("k4-kid-absent-one-key-of-the-alg-{alg}");
        cases.token(name, token, ACCEPTED);
    }
    Ok(())
}

/// RFC 8725 section 3.10: a token never brings its own key, and nobody is asked for one.
fn keys_brought_along(cases: &mut Cases) -> Result<()> {
    let stranger = serde_json::to_string(&cases.forge.keys.public(STRANGER)?)?;
    let metadata = quoted("http://169.254.169.254/latest/meta-data/");
    let evil = quoted("https://evil.example/jwks.json");
    let text = Members::claims().text();
    for (name, member, value) in [
        ("k1-jwk", "jwk", stranger.as_str()),
        ("k1-x5c", "x5c", r#"["MIIB"]"#),
        ("k2-jku", "jku", &evil),
        ("k2-jku-link-local", "jku", &metadata),
        ("k2-x5u", "x5u", &evil),
        ("k2-x5u-link-local", "x5u", &metadata),
    ] {
        for (whose, kid) in [("live", EDDSA), ("own", STRANGER)] {
            let header = Members::header("EdDSA", kid).with(member, value);
            let token = cases
                .forge
                .sign(STRANGER, &header.text(), text.as_bytes())?;
            cases.token(format!("{name}-under-its-{whose}-name"), token, INVALID);
        }
        let header = Members::header("EdDSA", "")
            .without("kid")
            .with(member, value);
        let token = cases
            .forge
            .sign(STRANGER, &header.text(), text.as_bytes())?;
        cases.token(format!("{name}-without-name"), token, INVALID);
        // It says nothing about a token of ours.
        let header = cases.forge.header(EDDSA)?.with(member, value);
        cases.header(format!("{name}-of-no-account"), &header.text(), ACCEPTED)?;
    }
    Ok(())
}

fn duplicates(cases: &mut Cases) -> Result<()> {
    let good = cases.forge.header(EDDSA)?;
    for (name, member, value) in [
        ("alg-same", r#""alg""#, r#""EdDSA""#),
        ("alg-none", r#""alg""#, r#""none""#),
        ("kid", r#""kid""#, r#""nobody""#),
        ("typ", r#""typ""#, r#""JWT""#),
        ("typ-escaped", r#""\u0074yp""#, r#""JWT""#),
        ("unknown-member", r#""x":1,"x""#, "2"),
        ("nested", r#""x""#, r#"{"y":1,"y":2}"#),
    ] {
        cases.header(
            format!("duplicate-header-{name}"),
            &good.twice(member, value),
            INVALID,
        )?;
    }
    Ok(())
}
