use serde_json::Value;
use symbolon_domain::revocation::Kind as Named;

use super::*;

/// What every guard must pass, and so must what explains them.
const VECTORS: &str = include_str!("../../../../../sdk/vectors/guard.json");

fn knowledge(file: &Value, case: &Value) -> Knowledge {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let feed = &file["feeds"][case["feed"].as_str().unwrap()];
    let entry = |entry: &Value| Entry {
        seq: entry["seq"].as_i64().unwrap(),
        kind: text(&entry["kind"]).parse::<Named>().unwrap(),
        key: symbolon_token::encoding::decode_exact(text(&entry["key"]).as_bytes()).unwrap(),
        effect: text(&entry["effect"]).parse().unwrap(),
        below: entry["below"].as_i64(),
        before: entry["before"].as_i64(),
        until_s: entry["until"].as_i64().unwrap(),
    };
    Knowledge {
        issuer: text(&file["issuer"]),
        audience: text(&file["audience"]),
        keys: KeySet::from_jwks_json(file["jwks"].to_string().as_bytes()).unwrap(),
        revocations: feed["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(entry)
            .collect(),
        leeway: 5,
        now: Timestamp::from_seconds(case["now"].as_i64().unwrap()),
    }
}

#[test]
fn every_refusal_has_a_line_that_fails_and_nothing_else_has() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    for case in file["tokens"].as_array().unwrap() {
        let name = &case["name"];
        let knowledge = knowledge(&file, case);
        let said = explain(&knowledge, case["token"].as_str().unwrap()).unwrap();
        assert_eq!(said.code, case["code"].as_str(), "{name}");
        let fails = said.lines.iter().any(|line| line.finding == Finding::Fails);
        assert_eq!(fails, said.code.is_some(), "{name}: {said:#?}");
        let hit = matches!(said.code, Some("token_revoked" | "token_stale"));
        assert_eq!(said.hit.is_some(), hit, "{name}");
        for line in &said.lines {
            assert!(!line.says.contains(char::is_control), "{name}: {line:?}");
        }
    }
}

#[test]
fn each_thing_that_is_wrong_is_told() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = file["tokens"].as_array().unwrap();
    for (name, what) in [
        ("j1-alg-none-unsigned", "algorithm"),
        ("j2-rs256-named-ps256", "algorithm"),
        ("j4-crit-unknown", "form"),
        ("j6-expired-61-seconds-ago", "expires"),
        ("j6-nbf-in-an-hour", "not before"),
        ("j6-iat-in-an-hour", "issued"),
        ("j7-aud-other", "audience"),
        ("j8-iss-other", "issuer"),
        ("j9-typ-jwt", "typ"),
        ("j11-segments-two", "form"),
        ("j16-retired-key", "key"),
        ("claim-sub-absent", "claims"),
        ("signature-test-eddsa-with-a-bit-flipped", "signature"),
        ("revoked-session-hit", "revocation"),
        ("stale-user-below-next", "revocation"),
    ] {
        let case = cases.iter().find(|case| case["name"] == name).unwrap();
        let said = explain(&knowledge(&file, case), case["token"].as_str().unwrap()).unwrap();
        let failing = said
            .lines
            .iter()
            .filter(|line| line.finding == Finding::Fails);
        let failing: Vec<_> = failing.map(|line| line.what).collect();
        assert_eq!(failing, [what], "{name}");
    }
}

#[test]
fn the_entry_that_hits_is_the_one_that_reaches_farthest() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = file["tokens"].as_array().unwrap();
    for (name, seq) in [
        ("revoked-two-user-wide-first", 1),
        ("revoked-two-user-narrow-first", 2),
    ] {
        let case = cases.iter().find(|case| case["name"] == name).unwrap();
        let said = explain(&knowledge(&file, case), case["token"].as_str().unwrap()).unwrap();
        assert_eq!(said.hit.unwrap().seq, seq, "{name}");
    }
}
