//! Attacks by keys and their names, one test for each row of the catalogue.

use symbolon_token::inspect::{keys_from_jwks_file, keys_from_secret_file};
use symbolon_token::{
    Algorithm, Error, Jwk, Jwks, KeyError, KeySet, PrivateJwk, SigningKey, Typ, VerifyingKey,
    encoding,
};

use crate::support::{NOW, claims, claims_json, header, key, keys, sign_under, verifier, verify};

#[test]
fn k1_key_in_the_header() {
    let theirs = SigningKey::generate(Algorithm::Es256).unwrap();
    let jwk = serde_json::to_string(&theirs.public_jwk().unwrap()).unwrap();
    let ours = key(Algorithm::Es256).kid();
    let payload = claims_json().to_string();
    for (kid, refused) in [
        (format!(r#","kid":"{ours}""#), Error::BadSignature),
        (format!(r#","kid":"{}""#, theirs.kid()), Error::UnknownKey),
        (String::new(), Error::BadSignature),
    ] {
        for name in ["jwk", "x5c"] {
            let value = match name {
                "jwk" => jwk.clone(),
                _ => r#"["MIIB"]"#.to_owned(),
            };
            let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","{name}":{value}{kid}}}"#);
            let token = theirs
                .sign_raw(header.as_bytes(), payload.as_bytes())
                .unwrap();
            assert_eq!(verify(&token), Err(refused), "{header}");
        }
    }
}

#[test]
fn k2_addresses_of_keys_in_the_header() {
    // Nothing here can open a connection; and the header does not matter for
    // which key is used, whoever signed.
    let theirs = SigningKey::generate(Algorithm::Es256).unwrap();
    let payload = claims_json().to_string();
    for name in ["jku", "x5u"] {
        for address in ["https://evil.example/jwks.json", "http://169.254.169.254/"] {
            let header =
                header(Algorithm::Es256).replacen('{', &format!(r#"{{"{name}":"{address}","#), 1);
            let forged = theirs
                .sign_raw(header.as_bytes(), payload.as_bytes())
                .unwrap();
            assert_eq!(verify(&forged), Err(Error::BadSignature));
            verify(&sign_under(Algorithm::Es256, &header, &payload)).unwrap();
        }
    }
}

#[test]
fn k4_name_of_a_key_of_another_algorithm() {
    for named in Algorithm::ALL {
        for signer in Algorithm::ALL {
            if named == signer {
                continue;
            }
            let kid = key(named).kid();
            let header = format!(r#"{{"alg":"{signer}","typ":"at+jwt","kid":"{kid}"}}"#);
            let token = sign_under(signer, &header, &claims_json().to_string());
            assert_eq!(
                verify(&token),
                Err(Error::AlgorithmMismatch),
                "{named} {signer}"
            );
        }
    }
}

#[test]
fn k4_no_name() {
    let nameless = |algorithm: Algorithm| {
        let header = format!(r#"{{"alg":"{algorithm}","typ":"at+jwt"}}"#);
        sign_under(algorithm, &header, &claims_json().to_string())
    };
    // One key of the algorithm: that one, among others of other algorithms.
    for algorithm in Algorithm::ALL {
        verify(&nameless(algorithm)).unwrap();
    }
    // Two: none, even though one of them would fit.
    let second = SigningKey::generate(Algorithm::Es256).unwrap();
    let two = KeySet::new(vec![
        key(Algorithm::Es256).verifying_key(),
        second.verifying_key(),
    ]);
    let token = nameless(Algorithm::Es256);
    assert_eq!(
        verifier().verify(&two.unwrap(), &token, NOW),
        Err(Error::UnknownKey)
    );
    // A `kid` that is no string is no absent `kid`.
    for kid in ["null", "1", "[]"] {
        let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":{kid}}}"#);
        let token = sign_under(Algorithm::Es256, &header, &claims_json().to_string());
        assert_eq!(verify(&token), Err(Error::Malformed));
    }
}

#[test]
fn k4_key_without_a_name_answers_to_any() {
    let secret = key(Algorithm::Hs256).to_private_bytes().unwrap();
    let keys = KeySet::new(vec![VerifyingKey::hmac(None, &secret).unwrap()]).unwrap();
    let token = key(Algorithm::Hs256).sign(Typ::AtJwt, &claims()).unwrap();
    verifier().verify(&keys, &token, NOW).unwrap();
}

fn ec() -> serde_json::Value {
    serde_json::to_value(key(Algorithm::Es256).public_jwk().unwrap()).unwrap()
}

fn rsa() -> serde_json::Value {
    serde_json::to_value(key(Algorithm::Rs256).public_jwk().unwrap()).unwrap()
}

fn ed() -> serde_json::Value {
    serde_json::to_value(key(Algorithm::EdDsa).public_jwk().unwrap()).unwrap()
}

/// Reads a set of one key with a member replaced, or left out.
fn read(
    mut jwk: serde_json::Value,
    name: &str,
    value: Option<serde_json::Value>,
) -> Option<KeyError> {
    match value {
        Some(value) => jwk[name] = value,
        None => {
            jwk.as_object_mut().unwrap().remove(name);
        }
    }
    let set = serde_json::json!({ "keys": [jwk] }).to_string();
    Jwks::parse_all(set.as_bytes())
        .and_then(|jwks| KeySet::from_jwks(&jwks))
        .err()
}

#[test]
fn k6_weak_rsa_keys() {
    let number = |bytes: &[u8]| Some(encoding::encode(bytes).into());
    let n = encoding::decode(rsa()["n"].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(read(rsa(), "n", number(&n)), None);
    assert_eq!(
        read(rsa(), "n", number(&n[..128])),
        Some(KeyError::WeakModulus)
    );
    // The key is another one each time: the next byte may be zero.
    let short = [&[n[1] | 1], &n[2..]].concat();
    assert_eq!(
        read(rsa(), "n", number(&short)),
        Some(KeyError::WeakModulus)
    );
    let mut even = n.clone();
    *even.last_mut().unwrap() &= 0xfe;
    assert_eq!(read(rsa(), "n", number(&even)), Some(KeyError::WeakModulus));
    let long = [&n[..], &[1; 1024]].concat();
    assert_eq!(read(rsa(), "n", number(&long)), Some(KeyError::WeakModulus));
    let padded = [&[0], &n[..]].concat();
    assert_eq!(
        read(rsa(), "n", number(&padded)),
        Some(KeyError::MalformedMember("n"))
    );
    assert_eq!(
        read(rsa(), "n", number(&[])),
        Some(KeyError::MalformedMember("n"))
    );
    for exponent in [
        &[1][..],
        &[3],
        &[0xff],
        &[1, 0, 0],
        &[1, 0, 2],
        &[0xff; 5],
        &[1; 9],
    ] {
        assert_eq!(
            read(rsa(), "e", number(exponent)),
            Some(KeyError::UnsafeExponent),
            "{exponent:?}"
        );
    }
    assert_eq!(
        read(rsa(), "e", number(&[0, 1, 0, 1])),
        Some(KeyError::MalformedMember("e"))
    );
}

#[test]
fn k6_points_off_the_curve() {
    let x = encoding::decode(ec()["x"].as_str().unwrap().as_bytes()).unwrap();
    let number = |bytes: &[u8]| Some(encoding::encode(bytes).into());
    let mut off = x.clone();
    off[31] ^= 1;
    assert_eq!(read(ec(), "x", number(&off)), Some(KeyError::Invalid));
    assert_eq!(read(ec(), "y", number(&[0; 32])), Some(KeyError::Invalid));
    assert_eq!(
        read(ec(), "x", number(&[0xff; 32])),
        Some(KeyError::Invalid)
    );
    for wrong in [&x[..31], &[&[0], &x[..]].concat(), &[]] {
        assert_eq!(
            read(ec(), "x", number(wrong)),
            Some(KeyError::MalformedMember("x"))
        );
    }
    assert_eq!(read(ec(), "y", None), Some(KeyError::MissingMember("y")));
}

#[test]
fn k6_ed25519_points_of_small_order() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut negative_identity = identity;
    negative_identity[31] = 0x80;
    let mut p_plus_one = [0xff; 32];
    p_plus_one[0] = 0xee;
    for point in [[0; 32], identity, negative_identity, p_plus_one] {
        let refused = read(ed(), "x", Some(encoding::encode(&point).into()));
        assert_eq!(refused, Some(KeyError::Invalid));
    }
    // What such a key would let pass: any message at all, unsigned.
    let parsed =
        aws_lc_rs::signature::ParsedPublicKey::new(&aws_lc_rs::signature::ED25519, identity);
    let mut forged = [0; 64];
    forged[0] = 1;
    parsed.unwrap().verify_sig(b"anything", &forged).unwrap();
}

#[test]
fn k6_use_operations_and_algorithm() {
    for usage in ["enc", "SIG", "", "sig "] {
        assert_eq!(
            read(ec(), "use", Some(usage.into())),
            Some(KeyError::WrongUse),
            "{usage}"
        );
    }
    assert_eq!(read(ec(), "use", None), None);
    let ops = |names: &[&str]| read(ec(), "key_ops", Some(names.into()));
    assert_eq!(ops(&["verify"]), None);
    assert_eq!(ops(&["verify", "sign"]), None);
    assert_eq!(ops(&["encrypt"]), Some(KeyError::WrongUse));
    assert_eq!(ops(&[]), Some(KeyError::WrongUse));
    assert_eq!(
        ops(&["verify", "verify"]),
        Some(KeyError::MalformedMember("key_ops"))
    );
    for alg in ["ES384", "ES521", "none", "RSA1_5"] {
        assert_eq!(
            read(ec(), "alg", Some(alg.into())),
            Some(KeyError::Unsupported),
            "{alg}"
        );
    }
    for alg in ["RS256", "HS256", "EdDSA"] {
        assert_eq!(
            read(ec(), "alg", Some(alg.into())),
            Some(KeyError::AlgorithmMismatch),
            "{alg}"
        );
    }
    assert_eq!(
        read(ec(), "crv", Some("P-384".into())),
        Some(KeyError::Unsupported)
    );
    assert_eq!(
        read(ed(), "crv", Some("X25519".into())),
        Some(KeyError::Unsupported)
    );
    assert_eq!(
        read(ec(), "kty", Some("ec".into())),
        Some(KeyError::Unsupported)
    );
    assert_eq!(
        read(ec(), "kty", None),
        Some(KeyError::MissingMember("kty"))
    );
    assert_eq!(read(ec(), "kid", Some("".into())), Some(KeyError::BadKid));
    assert_eq!(
        read(ec(), "kid", Some("k".repeat(257).into())),
        Some(KeyError::BadKid)
    );
    for name in ["kty", "use", "key_ops", "alg", "kid", "crv", "x"] {
        assert_eq!(
            read(ec(), name, Some(1.into())),
            Some(KeyError::MalformedMember(name))
        );
    }
}

#[test]
fn k6_keys_of_other_kinds_are_left_out_when_only_read() {
    let mut encryption = rsa();
    encryption["use"] = "enc".into();
    encryption["kid"] = "other".into();
    let other = serde_json::json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA" });
    let set = serde_json::json!({ "keys": [ec(), encryption, other] }).to_string();
    let read = KeySet::from_jwks_json(set.as_bytes()).unwrap();
    assert_eq!(read.len(), 1);
    Jwks::parse_all(set.as_bytes()).unwrap_err();
}

#[test]
fn k6_duplicate_names() {
    let mut other = ed();
    other["kid"] = ec()["kid"].clone();
    let set = serde_json::json!({ "keys": [ec(), other] }).to_string();
    assert_eq!(Jwks::parse(set.as_bytes()), Err(KeyError::DuplicateKid));
    let twice = vec![
        key(Algorithm::Es256).verifying_key(),
        key(Algorithm::Es256).verifying_key(),
    ];
    assert_eq!(KeySet::new(twice).err(), Some(KeyError::DuplicateKid));
    let members = ec().to_string().replacen('{', r#"{"kid":"a","#, 1);
    assert_eq!(
        Jwk::parse(members.as_bytes()),
        Err(KeyError::DuplicateMember)
    );
    let set = format!(r#"{{"keys":[{members}]}}"#);
    assert_eq!(Jwks::parse(set.as_bytes()), Err(KeyError::DuplicateMember));
    assert_eq!(
        Jwks::parse(br#"{"keys":[],"keys":[]}"#),
        Err(KeyError::DuplicateMember)
    );
}

#[test]
fn k6_private_members() {
    for (jwk, name) in [
        (ec(), "d"),
        (ed(), "d"),
        (rsa(), "d"),
        (rsa(), "p"),
        (rsa(), "qi"),
        (ec(), "k"),
    ] {
        let value = encoding::encode(&[7; 32]);
        let refused = read(jwk, name, Some(value.into())).unwrap();
        assert!(
            matches!(
                refused,
                KeyError::PrivateMember
                    | KeyError::MissingMember(_)
                    | KeyError::MalformedMember("k")
            ),
            "{name}: {refused}"
        );
    }
    let oct = serde_json::json!({ "kty": "oct", "k": encoding::encode(&[7; 32]) });
    let set = serde_json::json!({ "keys": [ec(), oct] }).to_string();
    assert_eq!(Jwks::parse(set.as_bytes()), Err(KeyError::PrivateMember));
    let read = keys_from_jwks_file(set.as_bytes(), None);
    assert_eq!(read.err(), Some(KeyError::PrivateMember));
    let private = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    for content in [private.to_owned(), format!(r#"{{"keys":[{private}]}}"#)] {
        let read = keys_from_jwks_file(content.as_bytes(), None);
        assert_eq!(read.err(), Some(KeyError::PrivateMember));
    }
}

#[test]
fn k6_private_keys_whose_halves_do_not_fit() {
    let private = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
    let read = |json: &str| SigningKey::from_jwk(&PrivateJwk::parse(json.as_bytes()).unwrap());
    read(private).unwrap();
    let other = private.replace("jpsQ", "kpsQ");
    assert_eq!(read(&other).err(), Some(KeyError::Invalid));
    let verify_only = private.replacen('{', r#"{"key_ops":["verify"],"#, 1);
    assert_eq!(read(&verify_only).err(), Some(KeyError::WrongUse));
}

#[test]
fn k7_published_keys_are_public() {
    let keys = Algorithm::ALL
        .iter()
        .filter_map(|&algorithm| key(algorithm).public_jwk())
        .collect();
    let json = serde_json::to_value(Jwks { keys }).unwrap();
    let published = json["keys"].as_array().unwrap();
    assert_eq!(published.len(), 4, "the secret of HS256 is not among them");
    for jwk in published {
        let jwk = jwk.as_object().unwrap();
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!jwk.contains_key(private));
        }
        assert_eq!(jwk["use"], "sig");
        assert!(jwk["kid"].is_string() && jwk["alg"].is_string());
    }
    KeySet::from_jwks_json(json.to_string().as_bytes()).unwrap();
}

#[test]
fn k7_nothing_secret_is_printed() {
    let secret = b"correct horse battery staple, and then some";
    let signing = SigningKey::hmac("kid", secret).unwrap();
    let jwk = format!(
        r#"{{"kty":"oct","kid":"kid","k":"{}"}}"#,
        encoding::encode(secret)
    );
    let private = PrivateJwk::parse(jwk.as_bytes()).unwrap();
    for printed in [
        format!("{signing:?}"),
        format!("{:?}", signing.verifying_key()),
        format!("{private:?}"),
        format!("{:?}", keys(&Algorithm::ALL)),
        format!("{:?}", key(Algorithm::Es256)),
    ] {
        assert!(printed.contains("kid"), "{printed}");
        assert!(!printed.contains("horse") && !printed.contains(&encoding::encode(secret)));
        assert!(printed.len() < 600, "{printed}");
    }
}

#[test]
fn owners_files() {
    let secret = key(Algorithm::Hs256).to_private_bytes().unwrap();
    let text = encoding::encode(&secret);
    let raw = SigningKey::hmac("kid", text.as_bytes()).unwrap();
    let token = raw.sign(Typ::AtJwt, &claims()).unwrap();
    for end in ["", "\n", "\r\n"] {
        let keys = keys_from_secret_file(format!("{text}{end}").as_bytes()).unwrap();
        verifier().verify(&keys, &token, NOW).unwrap();
    }
    let keys = keys_from_secret_file(format!("{text}\n\n").as_bytes()).unwrap();
    assert_eq!(
        verifier().verify(&keys, &token, NOW),
        Err(Error::BadSignature)
    );
    // One public JWK instead of a set, and a set that is restricted.
    let token = key(Algorithm::Es256).sign(Typ::AtJwt, &claims()).unwrap();
    let keys = keys_from_jwks_file(ec().to_string().as_bytes(), None).unwrap();
    verifier().verify(&keys, &token, NOW).unwrap();
    let keys = keys_from_jwks_file(ec().to_string().as_bytes(), Some(Algorithm::EdDsa)).unwrap();
    assert!(keys.is_empty());
    // An RSA key that names no algorithm serves the one that is asked for.
    let mut unnamed = serde_json::to_value(key(Algorithm::Ps256).public_jwk().unwrap()).unwrap();
    unnamed.as_object_mut().unwrap().remove("alg");
    let unnamed = unnamed.to_string();
    let token = key(Algorithm::Ps256).sign(Typ::AtJwt, &claims()).unwrap();
    let keys = keys_from_jwks_file(unnamed.as_bytes(), None).unwrap();
    assert_eq!(
        verifier().verify(&keys, &token, NOW),
        Err(Error::AlgorithmMismatch)
    );
    let keys = keys_from_jwks_file(unnamed.as_bytes(), Some(Algorithm::Ps256)).unwrap();
    verifier().verify(&keys, &token, NOW).unwrap();
}
