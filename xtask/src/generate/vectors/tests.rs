use serde_json::Value;

use super::*;

#[test]
fn a_second_run_writes_the_same_and_a_first_run_other_signatures_by_chance_only() {
    let first = vectors(None).unwrap();
    assert_eq!(vectors(Some(&first)).unwrap(), first);
    let of_chance = |text: &str| -> Vec<String> {
        let file: Value = serde_json::from_str(text).unwrap();
        let tokens = file["tokens"].as_array().unwrap().iter();
        let named = |part: &str| {
            let name = format!("good-test-{part}");
            tokens.clone().find(|case| case["name"] == name).unwrap()["token"].to_string()
        };
        ["es256", "ps256", "rs256", "eddsa"].map(named).to_vec()
    };
    let again = vectors(None).unwrap();
    let (first, again) = (of_chance(&first), of_chance(&again));
    assert_ne!(first[0], again[0]);
    assert_ne!(first[1], again[1]);
    assert_eq!(first[2..], again[2..]);
}

#[test]
fn a_kept_signature_that_is_wrong_is_made_anew() {
    let first = vectors(None).unwrap();
    let file: Value = serde_json::from_str(&first).unwrap();
    let tokens = file["tokens"].as_array().unwrap();
    let good = tokens
        .iter()
        .find(|case| case["name"] == "good-test-es256")
        .unwrap();
    let token = good["token"].as_str().unwrap();
    let (input, _) = token.rsplit_once('.').unwrap();
    let spoilt = first.replace(token, &format!("{input}.{}", "A".repeat(86)));
    let again = vectors(Some(&spoilt)).unwrap();
    assert_ne!(again, spoilt);
}

#[test]
fn no_private_half_is_written() {
    let text = vectors(None).unwrap();
    for member in [r#""d":"#, r#""p":"#, r#""k":"#] {
        assert!(!text.contains(member), "{member}");
    }
}
