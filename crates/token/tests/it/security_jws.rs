//! Attacks on signatures, one test for each row of the catalogue.

use symbolon_token::inspect::verify_signature_only;
use symbolon_token::{Algorithm, Error, KeyError, KeySet, SigningKey, Typ, Verifier, encoding};

use crate::support::{
    AUDIENCE, ISSUER, NOW, claims, claims_json, forged, header, key, keys, sign, sign_under,
    verifier, verify,
};

#[test]
fn j1_no_algorithm() {
    let kid = key(Algorithm::Es256).kid();
    for alg in [
        r#""none""#,
        r#""None""#,
        r#""nOnE""#,
        r#""NONE""#,
        r#""""#,
        r#""ES384""#,
        r#""es256""#,
    ] {
        let header = format!(r#"{{"alg":{alg},"typ":"at+jwt","kid":"{kid}"}}"#);
        for signature in [&[][..], &[0; 64]] {
            assert_eq!(
                verify(&forged(&header, signature)),
                Err(Error::AlgorithmNotAllowed),
                "{alg}"
            );
        }
        let signed = sign_under(Algorithm::Es256, &header, &claims_json().to_string());
        assert_eq!(verify(&signed), Err(Error::AlgorithmNotAllowed), "{alg}");
    }
    for alg in ["null", r#"["ES256"]"#, "1", "true", r#"{"alg":"ES256"}"#] {
        let header = format!(r#"{{"alg":{alg},"typ":"at+jwt","kid":"{kid}"}}"#);
        let signed = sign_under(Algorithm::Es256, &header, &claims_json().to_string());
        assert_eq!(verify(&signed), Err(Error::Malformed), "{alg}");
    }
    let header = format!(r#"{{"typ":"at+jwt","kid":"{kid}"}}"#);
    assert_eq!(verify(&forged(&header, &[])), Err(Error::Malformed));
}

/// Every shape in which a public key has been taken for an HMAC secret.
fn public_key_files(algorithm: Algorithm) -> Vec<Vec<u8>> {
    let jwk = key(algorithm).public_jwk().unwrap();
    let json = serde_json::to_string(&jwk).unwrap();
    let bytes = |name: &str| {
        let jwk: serde_json::Value = serde_json::from_str(&json).unwrap();
        encoding::decode(jwk[name].as_str().unwrap().as_bytes()).unwrap()
    };
    let der = match algorithm {
        Algorithm::Es256 => {
            let prefix = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA";
            let mut der = encoding::decode(format!("{prefix}A").as_bytes()).unwrap();
            der.truncate(26);
            [der, vec![4], bytes("x"), bytes("y")].concat()
        }
        _ => {
            let prefix = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
            [prefix.to_vec(), bytes("x")].concat()
        }
    };
    let base64: String = encoding::encode(&der).replace('-', "+").replace('_', "/");
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n");
    let mut files = vec![
        pem.clone().into_bytes(),
        format!(" \n\t{pem}").into_bytes(),
        pem.replace('\n', "\r\n").into_bytes(),
        der,
        json.clone().into_bytes(),
        format!("\n {json}").into_bytes(),
        format!(r#"{{"keys":[{json}]}}"#).into_bytes(),
    ];
    if algorithm == Algorithm::Es256 {
        files.push([vec![4], bytes("x"), bytes("y")].concat());
    }
    files
}

#[test]
fn j2_hs256_keyed_with_public_key() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let kid = key(algorithm).kid();
        for file in public_key_files(algorithm) {
            // The attacker's signature, made with a library that takes any secret.
            let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &file);
            let header = format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}"}}"#);
            let unsigned = forged(&header, &[]);
            let input = unsigned.trim_end_matches('.');
            let tag = aws_lc_rs::hmac::sign(&secret, input.as_bytes());
            let token = format!("{input}.{}", encoding::encode(tag.as_ref()));
            assert_eq!(verify(&token), Err(Error::AlgorithmMismatch));
            // Without `kid`, and with no HMAC key about.
            let token = token.replacen(
                &encoding::encode(header.as_bytes()),
                &encoding::encode(br#"{"alg":"HS256","typ":"at+jwt"}"#),
                1,
            );
            let public = keys(&[Algorithm::Es256, Algorithm::EdDsa]);
            let verified = verifier().verify(&public, &token, NOW);
            assert_eq!(verified, Err(Error::UnknownKey));
            // And no owner makes the mistake for them.
            assert_eq!(
                SigningKey::hmac("kid", &file).err(),
                Some(KeyError::SecretIsKeyFile)
            );
        }
    }
}

#[test]
fn j2_only_the_keys_algorithm_verifies() {
    for (signer, named) in [
        (Algorithm::Hs256, Algorithm::Es256),
        (Algorithm::Rs256, Algorithm::Ps256),
        (Algorithm::Es256, Algorithm::EdDsa),
    ] {
        // The header names the algorithm of the signature, and the key of another one.
        let header = header(named).replace(named.as_str(), signer.as_str());
        let token = sign_under(signer, &header, &claims_json().to_string());
        assert_eq!(verify(&token), Err(Error::AlgorithmMismatch));
        // The header names key and algorithm of one, the signature is of another.
        let token = sign_under(signer, &self::header(named), &claims_json().to_string());
        assert_eq!(verify(&token), Err(Error::BadSignature));
    }
}

#[test]
fn j2_one_rsa_key_is_not_for_both_paddings() {
    let bytes = key(Algorithm::Rs256).to_private_bytes().unwrap();
    let ps = SigningKey::from_private_bytes(Algorithm::Ps256, key(Algorithm::Rs256).kid(), &bytes);
    let token = ps.unwrap().sign(Typ::AtJwt, &claims()).unwrap();
    assert_eq!(verify(&token), Err(Error::AlgorithmMismatch));
}

#[test]
fn j3_hmac_with_empty_key() {
    for secret in [&b""[..], b"secret", &[0; 31]] {
        assert_eq!(
            SigningKey::hmac("kid", secret).err(),
            Some(KeyError::SecretTooShort)
        );
    }
    // A lookup that misses finds no key, not an empty one.
    let empty = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"");
    let unsigned = forged(r#"{"alg":"HS256","typ":"at+jwt","kid":"nobody"}"#, &[]);
    let input = unsigned.trim_end_matches('.');
    let tag = aws_lc_rs::hmac::sign(&empty, input.as_bytes());
    let token = format!("{input}.{}", encoding::encode(tag.as_ref()));
    assert_eq!(verify(&token), Err(Error::UnknownKey));
    let none = KeySet::new(Vec::new()).unwrap();
    assert_eq!(
        verifier().verify(&none, &token, NOW),
        Err(Error::UnknownKey)
    );
}

#[test]
fn j4_critical_header() {
    let payload = claims_json().to_string();
    for crit in [
        r#"["x"]"#,
        "[]",
        r#"["alg"]"#,
        r#"["exp"]"#,
        r#"["b64"],"b64":false"#,
        "null",
        r#""x""#,
        "{}",
    ] {
        let header = header(Algorithm::Es256).replacen('{', &format!(r#"{{"crit":{crit},"#), 1);
        let token = sign_under(Algorithm::Es256, &header, &payload);
        assert_eq!(verify(&token), Err(Error::CriticalHeader), "{crit}");
        let signature_only = verify_signature_only(&keys(&Algorithm::ALL), &token, &Algorithm::ALL);
        assert_eq!(signature_only, Err(Error::CriticalHeader), "{crit}");
    }
    // RFC 7797 section 6: `b64` without `crit`.
    let header = header(Algorithm::Es256).replacen('{', r#"{"b64":false,"#, 1);
    assert_eq!(
        verify(&sign_under(Algorithm::Es256, &header, &payload)),
        Err(Error::CriticalHeader)
    );
}

#[test]
fn j13_es256_signatures_of_other_forms() {
    let token = sign(Algorithm::Es256, &claims_json().to_string());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = encoding::decode(signature.as_bytes()).unwrap();
    let (r, s) = signature.split_at(32);
    let integer = |number: &[u8]| {
        let mut number = number.to_vec();
        if number[0] >= 0x80 {
            number.insert(0, 0);
        }
        [vec![2, number.len() as u8], number].concat()
    };
    let body = [integer(r), integer(s)].concat();
    let der = [vec![0x30, body.len() as u8], body].concat();
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&order[at..at + 2], 16).unwrap())
        .collect();
    let mut one = [0; 32];
    one[31] = 1;
    for (name, forged) in [
        ("r=s=0", vec![0; 64]),
        ("r=0", [&[0; 32], s].concat()),
        ("s=0", [r, &[0; 32]].concat()),
        ("r=n", [&order, s].concat()),
        ("s=n", [r, &order].concat()),
        ("r=s=1", [one, one].concat()),
        ("r=s=n", [order.clone(), order.clone()].concat()),
        ("all ones", vec![0xff; 64]),
        ("DER", der),
        ("63 bytes", signature[..63].to_vec()),
        ("65 bytes", [&signature[..], &[0]].concat()),
        ("padded in front", [&[0], &signature[..]].concat()),
        ("swapped", [s, r].concat()),
        ("empty", Vec::new()),
    ] {
        let token = format!("{input}.{}", encoding::encode(&forged));
        assert_eq!(verify(&token), Err(Error::BadSignature), "{name}");
    }
    verify(&token).unwrap();
}

#[test]
fn j13_trailing_bits_and_padding_of_each_segment() {
    for algorithm in Algorithm::ALL {
        let token = sign(algorithm, &claims_json().to_string());
        let (input, signature) = token.rsplit_once('.').unwrap();
        let last = signature.chars().last().unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let value = alphabet.find(last).unwrap();
        let other = alphabet.as_bytes()[value | 1] as char;
        assert_ne!(other, last, "32, 64 and 256 bytes leave unused bits");
        let rest = &signature[..signature.len() - 1];
        let refused = verify(&format!("{input}.{rest}{other}"));
        assert_eq!(refused, Err(Error::Malformed), "{algorithm}");
        verify(&format!("{input}.{signature}=")).unwrap_err();
    }
}

#[test]
fn j16_retired_key() {
    let token = key(Algorithm::Es256).sign(Typ::AtJwt, &claims()).unwrap();
    let after = keys(&[Algorithm::EdDsa, Algorithm::Hs256]);
    assert_eq!(
        verifier().verify(&after, &token, NOW),
        Err(Error::UnknownKey)
    );
    // A new key of the same algorithm does not stand in for it.
    let new = SigningKey::generate(Algorithm::Es256).unwrap();
    let after = KeySet::new(vec![new.verifying_key()]).unwrap();
    assert_eq!(
        verifier().verify(&after, &token, NOW),
        Err(Error::UnknownKey)
    );
}

#[test]
fn algorithms_that_are_not_on_the_list() {
    let only = Verifier::access(ISSUER, AUDIENCE, &[Algorithm::EdDsa]).unwrap();
    let all = keys(&Algorithm::ALL);
    for algorithm in Algorithm::ALL {
        let known = key(algorithm).sign(Typ::AtJwt, &claims()).unwrap();
        let spaced = sign_under(
            algorithm,
            &header(algorithm).replace(',', ", "),
            &claims_json().to_string(),
        );
        for token in [known, spaced] {
            let verified = only.verify(&all, &token, NOW).map(drop);
            let expected = match algorithm {
                Algorithm::EdDsa => Ok(()),
                _ => Err(Error::AlgorithmNotAllowed),
            };
            assert_eq!(verified, expected, "{algorithm}");
        }
    }
}
