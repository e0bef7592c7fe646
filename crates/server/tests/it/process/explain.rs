//! `symbolon token explain`, with the database and with a server's address.

use serde_json::{Value, json};

use super::place::{Outcome, Place};
use super::revocations::feed_secret;
use super::running::Server;

/// How a check ended: `true`, `false`, or `null`.
fn check(said: &Value, name: &str) -> Value {
    let checks = said["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["check"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {said}"))["ok"].clone()
}

/// The object that was printed, whatever the exit code.
fn printed(outcome: &Outcome) -> Value {
    assert_eq!(outcome.stderr, "", "{outcome:?}");
    serde_json::from_slice(&outcome.stdout).unwrap()
}

fn explained(place: &Place, server: &Server, token: &str) -> Value {
    let url = format!("http://{}", server.address);
    let here = place.run(&["token", "explain", token, "--json"]);
    let there = place.run(&["token", "explain", token, "--url", &url, "--json"]);
    let (here_says, there_says) = (printed(&here), printed(&there));
    assert_eq!(here.code, there.code);
    assert_eq!(
        here.code,
        Some(i32::from(here_says["accepted"] != json!(true)))
    );
    for part in ["accepted", "code", "revocation"] {
        assert_eq!(here_says[part], there_says[part], "{part}");
    }
    here_says
}

#[test]
fn what_is_right_and_wrong_with_a_token_is_told() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    let said = explained(&place, &server, &device.access);
    assert_eq!(
        (&said["code"], &said["revocation"]),
        (&Value::Null, &Value::Null)
    );
    for name in [
        "form",
        "typ",
        "algorithm",
        "key",
        "signature",
        "issuer",
        "audience",
        "expires",
        "revocation",
    ] {
        assert_eq!(check(&said, name), json!(true), "{name}");
    }
    place
        .run(&["revocations", "add", "--all", "--stale"])
        .text();
    let said = explained(&place, &server, &device.access);
    assert_eq!(said["code"], "token_stale");
    assert_eq!(said["revocation"]["kind"], "all");
    place.run(&["session", "revoke", &device.sid]).text();
    server.until_refused(&device.access);
    let said = explained(&place, &server, &device.access);
    assert_eq!(said["code"], "token_revoked");
    assert_eq!(said["revocation"]["kind"], "session");
    assert_eq!(check(&said, "signature"), json!(true));
    let (input, _) = device.access.rsplit_once('.').unwrap();
    let said = explained(&place, &server, &format!("{input}.{}", "A".repeat(86)));
    assert_eq!(said["code"], "invalid_token");
    assert_eq!(check(&said, "signature"), json!(false));
    assert_eq!(check(&said, "issuer"), json!(true));
    assert_eq!(check(&said, "revocation"), Value::Null);
    let said = explained(&place, &server, "x");
    assert_eq!(check(&said, "form"), json!(false));
    server.stop();
}

#[test]
fn people_get_lines_and_programs_an_exit_code() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    // From standard input, the newline of a pipe cut.
    let input = format!("{}\n", device.access);
    let text = place
        .run_with(&["token", "explain"], input.as_bytes())
        .text();
    assert!(
        text.lines().count() > 8 && text.lines().last().unwrap().contains("accepted"),
        "{text}"
    );
    assert!(!text.contains(&device.access), "{text}");
    let other = [
        "token",
        "explain",
        &device.access,
        "--audience",
        "https://other.example",
    ];
    let refused = place.run(&other);
    let text = String::from_utf8(refused.stdout.clone()).unwrap();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        text.lines()
            .any(|line| line.starts_with("audience  ") && line.contains("fails")),
        "{text}"
    );
    assert!(
        text.lines().last().unwrap().contains("invalid_token"),
        "{text}"
    );
    server.stop();
    // With no server there is still the database, and none of it changes.
    let before = place.run(&["key", "list", "--json"]).json();
    place.run(&["token", "explain", &device.access]).text();
    let configured = place.with("tokens.algorithm", "EdDSA");
    configured.run(&["token", "explain", &device.access]).text();
    assert_eq!(configured.run(&["key", "list", "--json"]).json(), before);
}

#[test]
fn what_it_cannot_know_is_said() {
    let place = Place::new();
    let none = place.run(&["token", "explain", "x", "--json"]);
    assert_eq!(none.failure().0, "start_failed");
    let leeway = place.run(&["token", "explain", "x", "--leeway", "2m", "--json"]);
    assert_eq!(leeway.failure().0, "bad_argument");
    let url = place.run(&["token", "explain", "x", "--url", "nowhere", "--json"]);
    assert_eq!(url.failure().0, "bad_argument");
}

#[test]
fn a_feed_for_clients_is_read_with_the_secret_of_one() {
    let place = Place::new().with("feed.access", "clients");
    let server = place.serve();
    let device = server.register("ada@example.com");
    let url = format!("http://{}", server.address);
    let secret = feed_secret(&place);
    let asked = ["token", "explain", &device.access, "--url", &url, "--json"];
    let (code, sentence) = place.run(&asked).failure();
    assert_eq!(code, "cannot_fetch");
    assert!(sentence.contains("--client"), "{sentence}");
    let shown = [&asked[..], &["--client", "guard"]].concat();
    let wrong = place.run_with(&shown, b"wrong\n");
    assert_eq!(wrong.failure().0, "cannot_fetch");
    let given = place.run_with(&shown, format!("{secret}\n").as_bytes());
    assert_eq!(printed(&given)["accepted"], json!(true));
    // Standard input cannot hold both.
    let token = [
        "token", "explain", "-", "--url", &url, "--client", "guard", "--json",
    ];
    assert_eq!(place.run(&token).failure().0, "bad_argument");
    server.stop();
}
