//! `symbolon audit`, beside a running server and without one.

use std::fs;

use serde_json::{Value, json};

use super::place::{PASSWORD, Place};

/// A place with a server that has something to tell, stopped in order.
fn place() -> Place {
    let place = Place::new();
    let server = place.serve();
    let add = ["user", "add", "ada@example.com", "--password-stdin"];
    place.run_with(&add, PASSWORD.as_bytes()).text();
    server.sign_in("ada@example.com");
    let wrong = json!({ "email": "ada@example.com", "password": "not the one" });
    server.connect().post("/api/login", &wrong).unwrap();
    place.run(&["user", "disable", "ada@example.com"]).text();
    server.stop();
    place
}

fn kinds(list: &Value) -> Vec<&str> {
    let kinds = list.as_array().unwrap().iter();
    kinds.map(|line| line["kind"].as_str().unwrap()).collect()
}

#[test]
fn the_log_is_listed_by_what_is_asked_for() {
    let place = place();
    let listed = place
        .run(&["audit", "list", "--user", "ada@example.com", "--json"])
        .json();
    let expected = [
        "user_disabled",
        "login_failed",
        "login_succeeded",
        "user_created",
    ];
    assert_eq!(kinds(&listed), expected);
    assert_eq!(listed[0]["userAgent"], "symbolon command line");
    assert_eq!(listed[0]["actor"], Value::Null);
    assert_eq!(listed[1]["detail"], "wrong_password");
    let listed = place
        .run(&["audit", "list", "--outcome", "failure", "--json"])
        .json();
    assert_eq!(kinds(&listed), ["login_failed"]);
    let listed = place
        .run(&["audit", "list", "--limit", "2", "--json"])
        .json();
    assert_eq!(kinds(&listed), expected[..2]);
    let table = place
        .run(&["audit", "list", "--kind", "login_failed"])
        .text();
    assert!(
        table.starts_with("AT") && table.lines().count() == 2,
        "{table}"
    );
    for line in ["--kind login", "--from noon", "--session 1", "--outcome ok"] {
        let arguments: Vec<_> = ["audit", "list"]
            .into_iter()
            .chain(line.split(' '))
            .collect();
        assert_eq!(place.run(&arguments).code, Some(2), "{line}");
    }
    let late = place
        .run(&["audit", "list", "--from", "2999-01-01", "--json"])
        .json();
    assert_eq!(late, json!([]));
}

#[test]
fn a_log_is_verified_where_it_is_and_where_it_was_exported_to() {
    let place = place();
    let verified = place.run(&["audit", "verify", "--json"]).json();
    let head = verified["head"].as_str().unwrap().to_owned();
    let rows = verified["rows"].as_u64().unwrap();
    let checkpoints = &verified["checkpoints"];
    assert_eq!(checkpoints["checked"], true);
    assert_eq!(checkpoints["last"]["seq"], rows, "signed at the stop");
    let text = place.run(&["audit", "verify", "--expect", &head]).text();
    assert!(
        text.contains("lines are good") && text.contains(&format!("head {head}")),
        "{text}"
    );

    let export = place.run(&["audit", "export"]).text();
    assert_eq!(export.lines().count() as u64, rows);
    let file = place.path("export.jsonl");
    let path = file.to_str().unwrap();
    let check = |text: &str| {
        fs::write(&file, text).unwrap();
        place.run(&[
            "audit",
            "verify",
            "--from-file",
            path,
            "--expect",
            &head,
            "--json",
        ])
    };
    assert_eq!(check(&export).json()["rows"], rows);
    let lines: Vec<_> = export.lines().map(|line| format!("{line}\n")).collect();
    assert_eq!(
        check(&lines[2..].concat()).json()["rows"],
        rows - 2,
        "a part of it"
    );
    for (text, code) in [
        (export.replace("wrong_password", "unknown_user"), "changed"),
        ([&lines[..1], &lines[2..]].concat().concat(), "missing"),
        (lines[..lines.len() - 1].concat(), "truncated"),
        (
            [&lines[..2], &lines[..1], &lines[2..]].concat().concat(),
            "inserted",
        ),
        (format!("{}\n", "{}"), "malformed_export"),
    ] {
        let refused = check(&text);
        assert_eq!(
            (refused.code, refused.failure().0.as_str()),
            (Some(1), code)
        );
    }
    let other = format!("{}A", &head[..head.len() - 1]);
    let other = if other == head {
        head.replace('A', "E")
    } else {
        other
    };
    let refused = place.run(&["audit", "verify", "--expect", &other, "--json"]);
    assert!([Some(1), Some(2)].contains(&refused.code), "{refused:?}");
}

#[test]
fn what_was_done_to_the_database_is_told() {
    let place = place();
    let database = rusqlite::Connection::open(place.data("symbolon.db")).unwrap();
    let sql = "UPDATE audit SET detail = 'account_disabled' WHERE kind = 'login_failed'";
    assert_eq!(database.execute(sql, []).unwrap(), 1);
    drop(database);
    let refused = place.run(&["audit", "verify"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.sentence().contains("was changed"), "{refused:?}");
    // Without the master key the lines are judged all the same.
    fs::rename(place.data("master.key"), place.data("elsewhere")).unwrap();
    assert_eq!(
        place.run(&["audit", "verify", "--json"]).failure().0,
        "changed"
    );
}

#[test]
fn without_the_master_key_checkpoints_are_not_checked() {
    let place = place();
    fs::rename(place.data("master.key"), place.data("elsewhere")).unwrap();
    let text = place.run(&["audit", "verify"]).text();
    assert!(
        text.contains("checkpoints were not checked: the master key"),
        "{text}"
    );
}

#[test]
fn a_spreadsheet_gets_no_formula_and_no_line_that_nobody_wrote() {
    let place = place();
    let csv = place.run(&["audit", "export", "--format", "csv"]).text();
    let mut lines = csv.split("\r\n");
    assert!(lines.next().unwrap().starts_with("seq,at,kind,outcome,"));
    let rows = place.run(&["audit", "verify", "--json"]).json()["rows"].clone();
    assert_eq!(
        lines.filter(|line| !line.is_empty()).count() as u64,
        rows.as_u64().unwrap()
    );
    let part = place
        .run(&["audit", "export", "--from", "2999-01-01"])
        .text();
    assert_eq!(part, "");
    let whole = place
        .run(&[
            "audit",
            "export",
            "--from",
            "2000-01-01",
            "--to",
            "2999-01-01",
        ])
        .text();
    assert_eq!(whole, place.run(&["audit", "export"]).text());
}
