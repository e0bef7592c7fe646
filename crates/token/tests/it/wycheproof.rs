//! Project Wycheproof: `vectors/NOTICE` says where the files come from.

use serde_json::Value;
use symbolon_token::inspect::{keys_from_jwks_file, keys_from_secret_file, verify_signature_only};
use symbolon_token::{Algorithm, Error, KeyError, KeySet};

/// Runs the sets of secrets through the reader of public sets too.
#[test]
fn json_web_key_sets_of_secrets() {
    let file: Value = serde_json::from_str(include_str!("vectors/json_web_key_test.json")).unwrap();
    for group in file["testGroups"].as_array().unwrap() {
        if group["public"].is_null() {
            let content = group["private"].to_string();
            // Keys of other algorithms are left out of a public set, refused as secrets.
            let count = |keys: Result<KeySet, KeyError>| keys.map_or(0, |keys| keys.len());
            assert_eq!(
                count(keys_from_jwks_file(content.as_bytes(), None)),
                count(keys_from_secret_file(content.as_bytes())),
                "{content}"
            );
        }
    }
}

/// Labels of `json_web_signature_test.json` that the RFCs do not bear out.
const WRONG_LABELS: [(u64, bool, &str); 6] = [
    (
        346,
        false,
        "header says PS384, the key is for PS256 (RFC 8725 section 3.1)",
    ),
    (
        350,
        false,
        "header says PS384, the key is for PS256 (RFC 8725 section 3.1)",
    ),
    (367, true, "byte for byte the token of 357, which is valid"),
    (370, true, "byte for byte the token of 357, which is valid"),
    (
        372,
        false,
        "`?` in the header is not base64url (RFC 7515 section 2)",
    ),
    (
        373,
        false,
        "`?` in the payload is not base64url (RFC 7515 section 2)",
    ),
];

struct Case {
    id: u64,
    comment: String,
    keys: Result<KeySet, KeyError>,
    jws: String,
    labelled_valid: bool,
}

fn cases(file: &str) -> Vec<Case> {
    let file: Value = serde_json::from_str(file).unwrap();
    let mut cases = Vec::new();
    for group in file["testGroups"].as_array().unwrap() {
        let read = || match (&group["public"], &group["private"]) {
            (Value::Null, secret) => keys_from_secret_file(secret.to_string().as_bytes()),
            (public, _) => keys_from_jwks_file(public.to_string().as_bytes(), None),
        };
        for test in group["tests"].as_array().unwrap() {
            cases.push(Case {
                id: test["tcId"].as_u64().unwrap(),
                comment: test["comment"].as_str().unwrap().to_owned(),
                keys: read(),
                jws: test["jws"].as_str().unwrap().to_owned(),
                labelled_valid: test["result"] == "valid",
            });
        }
    }
    cases
}

fn accepted(case: &Case) -> bool {
    case.keys
        .as_ref()
        .is_ok_and(|keys| verify_signature_only(keys, &case.jws, &Algorithm::ALL).is_ok())
}

#[test]
fn json_web_signature() {
    let cases = cases(include_str!("vectors/json_web_signature_test.json"));
    assert_eq!(cases.len(), 366);
    let (mut valid, mut judged_by_the_rfcs) = (0, 0);
    for case in &cases {
        let wrong_label = WRONG_LABELS.iter().find(|(id, ..)| *id == case.id);
        let expected = match wrong_label {
            Some((_, expected, _)) => {
                assert_ne!(*expected, case.labelled_valid, "label {} is right", case.id);
                judged_by_the_rfcs += 1;
                *expected
            }
            None => case.labelled_valid,
        };
        assert_eq!(
            accepted(case),
            expected,
            "test {} ({})",
            case.id,
            case.comment
        );
        valid += u32::from(expected);
    }
    assert_eq!((valid, judged_by_the_rfcs), (26, 6));
    println!("{} tests, {valid} of them valid", cases.len());
}

#[test]
fn json_web_key() {
    /// We do not have HS384 and HS512.
    const UNSUPPORTED: [u64; 2] = [14, 15];
    let cases = cases(include_str!("vectors/json_web_key_test.json"));
    assert_eq!(cases.len(), 26);
    let mut valid = 0;
    for case in &cases {
        let expected = case.labelled_valid && !UNSUPPORTED.contains(&case.id);
        assert_eq!(
            accepted(case),
            expected,
            "test {} ({})",
            case.id,
            case.comment
        );
        valid += u32::from(expected);
    }
    assert_eq!(valid, 3);
}

#[test]
fn json_web_key_says_why() {
    let expected = [
        (1, KeyError::MixedSet),
        // Two keys of one name, and before that bits that stand for nothing.
        (4, KeyError::MalformedMember("k")),
        (7, KeyError::WeakModulus),
        (8, KeyError::WeakModulus),
        (9, KeyError::UnsafeExponent),
        (10, KeyError::SecretTooShort),
        (16, KeyError::SecretTooShort),
        (22, KeyError::Invalid),
        (24, KeyError::MissingMember("n")),
        (25, KeyError::Unsupported),
    ];
    for case in cases(include_str!("vectors/json_web_key_test.json")) {
        if let Some((_, error)) = expected.iter().find(|(id, _)| *id == case.id) {
            assert_eq!(case.keys.err(), Some(*error), "test {}", case.id);
        }
    }
}

#[test]
fn wrong_algorithm_is_told_from_wrong_signature() {
    for case in cases(include_str!("vectors/json_web_signature_test.json")) {
        if case.comment.contains("SymmetryConfusion") {
            let verified = verify_signature_only(&case.keys.unwrap(), &case.jws, &Algorithm::ALL);
            assert_eq!(verified, Err(Error::AlgorithmMismatch), "test {}", case.id);
        }
    }
}
