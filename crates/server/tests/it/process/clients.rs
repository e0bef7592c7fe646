//! `symbolon client`

use serde_json::{Value, json};

use super::place::Place;

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

fn json(place: &Place, line: &str) -> Value {
    let line = format!("{line} --json");
    place.run(&words(&line)).json()
}

#[test]
fn clients_are_made_shown_edited_and_deleted() {
    let place = Place::new();
    place.serve().stop();
    let add = "client add app --type public --redirect-uri https://app.example.com/cb --grant authorization_code \
               --grant refresh_token --scope openid";
    let made = json(&place, add);
    assert_eq!(made["redirectUris"], json!(["https://app.example.com/cb"]));
    assert_eq!(json(&place, "client show app"), made);
    let edited = json(
        &place,
        "client edit app --name Shop --redirect-uri com.example.app:/cb --no scopes",
    );
    assert_eq!(edited["redirectUris"], json!(["com.example.app:/cb"]));
    assert_eq!(
        (&edited["name"], &edited["scopes"]),
        (&json!("Shop"), &json!([]))
    );
    assert_eq!(edited["grants"], made["grants"], "the rest stays");
    assert_eq!(json(&place, "client disable app")["status"], "disabled");
    assert_eq!(json(&place, "client list --status active"), json!([]));
    assert_eq!(json(&place, "client enable app")["status"], "active");
    let table = place.run(&["client", "list"]).text();
    assert!(
        table.starts_with("ID") && table.lines().count() == 2,
        "{table}"
    );
    place.run(&words("client delete app")).text();
    let gone = place.run(&words("client show app --json"));
    assert_eq!(
        (gone.code, gone.failure().0),
        (Some(1), "not_found".to_owned())
    );
}

#[test]
fn m7_a_secret_is_printed_once_alone_on_standard_output() {
    let place = Place::new();
    place.serve().stop();
    let secret = place
        .run(&words(
            "client add robot --type confidential --grant client_credentials",
        ))
        .text();
    let secret = secret.strip_suffix('\n').unwrap();
    assert!(
        secret.starts_with("sbs_") && !secret.contains('\n'),
        "{secret}"
    );
    let second = json(&place, "client secret add robot");
    let id = second["secretId"].as_str().unwrap();
    for told in [
        json(&place, "client list").to_string(),
        place.run(&words("client show robot")).text(),
    ] {
        assert!(!told.contains(&secret[..40]), "{told}");
        assert!(
            told.contains(&secret[43..]) || told.contains("robot"),
            "{told}"
        );
    }
    let third = place.run(&words("client secret add robot --json"));
    assert_eq!(third.failure().0, "conflict");
    place
        .run(&["client", "secret", "delete", "robot", id])
        .text();
    json(&place, "client secret add robot");
    for files in place.files().values() {
        let needle = &secret.as_bytes()[4..40];
        assert!(!files.windows(needle.len()).any(|window| window == needle));
    }
}

#[test]
fn what_is_wrong_with_a_client_is_said() {
    let place = Place::new();
    place.serve().stop();
    for (line, code) in [
        ("client add symbolon --type public", "client_id_reserved"),
        ("client add a/b --type public", "client_id_malformed"),
        (
            "client add app --type public --redirect-uri http://a.example/",
            "redirect_uri_insecure",
        ),
        (
            "client add app --type public --grant password",
            "grant_unknown",
        ),
        (
            "client add app --type public --role user",
            "validation_failed",
        ),
        (
            "client add app --type confidential --role nobody",
            "validation_failed",
        ),
        ("client edit app --name x", "not_found"),
        ("client secret add app", "not_found"),
        ("client secret delete app x", "malformed_id"),
        ("client delete app", "not_found"),
    ] {
        let line = format!("{line} --json");
        let ended = place.run(&words(&line));
        assert_eq!(
            (ended.code, ended.failure().0.as_str()),
            (Some(1), code),
            "{line}"
        );
    }
    assert_eq!(
        place.run(&words("client add app")).code,
        Some(2),
        "the type is needed"
    );
}

#[test]
fn a_client_with_keys_of_its_own_has_no_secret() {
    let place = Place::new();
    place.serve().stop();
    let key = r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwaaPJgHURo"}"#;
    place.write("keys.json", format!("{{\"keys\":[{key}]}}"));
    let add = "client add bank --type confidential --auth-method private_key_jwt --jwks-file keys.json --require-pushed \
               --dpop-bound --subject-type pairwise --id-token-alg EdDSA --consent trusted \
               --backchannel-logout-uri https://bank.example.com/out";
    let made = json(&place, add);
    assert_eq!(made["secrets"], json!([]));
    assert_eq!(made["jwks"]["keys"][0]["kid"], "a");
    assert_eq!(made["authMethod"], "private_key_jwt");
    assert_eq!(
        (&made["requirePushed"], &made["dpopBound"]),
        (&json!(true), &json!(true))
    );
    let shown = place.run(&words("client show bank")).text();
    assert!(shown.contains("pushed requests, bound tokens"), "{shown}");
    let exported = place.run(&words("state export")).text();
    assert!(exported.contains("dpop_bound = true"), "{exported}");
    let state = place.write("state.toml", &exported);
    let planned = place.run(&["plan", "-f", &state.to_string_lossy(), "--json"]);
    assert_eq!(String::from_utf8_lossy(&planned.stdout).trim(), "[]");
    let edited = json(
        &place,
        "client edit bank --jwks-uri https://bank.example.com/keys --no jwks --no dpop-bound --no id-token-alg",
    );
    assert_eq!(
        (&edited["jwks"], &edited["idTokenAlg"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(edited["dpopBound"], false);
    for (line, code) in [
        (
            "client add 0192b3a1-7c1e-7d3a-8b2f-3c4d5e6f7a8b --type public",
            "client_id_reserved",
        ),
        (
            "client add app --type public --auth-method tls_client_auth",
            "unknown_word",
        ),
        ("client edit bank --jwks-file missing.json", "cannot_read"),
        ("client edit bank --auth-method none", "validation_failed"),
    ] {
        let ended = place.run(&words(&format!("{line} --json")));
        assert_eq!(ended.failure().0, code, "{line}");
    }
}
