//! `symbolon import` and `symbolon export` as an operator meets them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::{Value, json};
use symbolon_testkit::Postgres;

use super::place::{Kept, PASSWORD, Place, drain};

/// Of `correct horse`, by Python's bcrypt.
const HASH: &str = "$2a$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";

fn users(count: usize) -> String {
    let lines = (0..count).map(|number| {
        let user = json!({
            "email": format!("user{number}@example.com"),
            "username": format!("user{number}"),
            "passwordHash": HASH,
        });
        format!("{user}\n")
    });
    lines.collect()
}

fn tally(read: u64, imported: u64, skipped: u64, failed: u64) -> Value {
    json!({"read": read, "imported": imported, "skipped": skipped, "failed": failed, "dryRun": false})
}

fn exported(place: &Place, more: &[&str]) -> String {
    let arguments: Vec<_> = ["export"].iter().chain(more).copied().collect();
    let ended = place.run(&arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn an_import_says_what_it_did_and_what_is_wrong() {
    let place = Place::new();
    let file = "{\"email\":\"ada@example.com\",\"name\":\"Ada\"}\n{\"email\":\"nobody\"}\nbroken\n";
    place.write("users.jsonl", file);
    let ended = place.run(&["import", "users.jsonl", "--report", "report.jsonl"]);
    assert_eq!(ended.code, Some(1), "something failed");
    assert_eq!(
        String::from_utf8(ended.stdout).unwrap(),
        "3 read: 1 imported, 0 skipped, 2 failed.\n"
    );
    assert_eq!(
        ended.stderr,
        "2: /email: This is not an e-mail address. (email_malformed)\n\
         3: This is no JSON object. (malformed_json)\n"
    );
    let report = fs::read_to_string(place.path("report.jsonl")).unwrap();
    assert_eq!(report.lines().count(), 3);
    let mode = fs::metadata(place.path("report.jsonl"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);

    let again = place.run(&["import", "users.jsonl", "--on-conflict", "fail", "--json"]);
    let said: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((again.code, said), (Some(1), tally(3, 0, 0, 3)));
    let good = place.run_with(
        &["import", "-", "--format", "csv", "--json"],
        b"email,name\neve@example.com,Eve\n",
    );
    assert_eq!(good.json(), tally(1, 1, 0, 0));
}

#[test]
fn mistakes_of_the_operator_are_said_in_one_sentence() {
    let place = Place::new();
    place.write("users.csv", "name\nAda\n");
    place.write("realm.json", "{\"realm\":\"shop\"}");
    place.write("config.txt", "rounds: 8");
    place.write("users.jsonl", users(1));
    for (line, code) in [
        ("import absent.jsonl", "io"),
        ("import users.csv", "malformed_request"),
        ("import realm.json --format keycloak", "malformed_request"),
        ("import users.jsonl --role ghost", "validation_failed"),
        ("import users.jsonl --role admin", "validation_failed"),
        ("import users.jsonl --role No!", "role_malformed"),
        (
            "import users.jsonl --hash-config config.txt",
            "bad_hash_config",
        ),
        ("import users.jsonl --report absent/report", "io"),
        ("export --spreadsheet", "bad_arguments"),
    ] {
        let mut arguments: Vec<_> = line.split(' ').collect();
        place.run(&arguments).sentence();
        arguments.push("--json");
        assert_eq!(place.run(&arguments).failure().0, code, "{line}");
    }
    assert_eq!(
        place
            .run(&["import", "users.jsonl", "--format", "ldif"])
            .code,
        Some(2)
    );
    assert_eq!(
        place
            .run(&["import", "users.jsonl", "--resume", "--dry-run"])
            .code,
        Some(2)
    );
    assert_eq!(exported(&place, &[]), "", "nobody came in");
}

#[test]
fn what_goes_out_comes_in_again_as_it_was() {
    let postgres = Postgres::shared().map(|postgres| postgres.url());
    for url in [None, postgres.as_deref()] {
        if url.is_none() || postgres.is_some() {
            round_trip(url);
        }
    }
}

fn round_trip(database: Option<&str>) {
    let from = Place::new();
    from.write("users.jsonl", users(1500));
    from.run(&["import", "users.jsonl"]).text();
    let add = [
        "user",
        "add",
        "ada@example.com",
        "--name",
        "=Ada, \"B\" \u{1F600}",
        "--role",
        "admin",
        "--password-stdin",
    ];
    from.run_with(&add, PASSWORD.as_bytes()).text();
    from.run(&["user", "disable", "user7@example.com"]).text();
    let plain = exported(&from, &[]);
    assert!(!plain.contains("passwordHash") && !plain.contains(HASH));

    for format in ["jsonl", "csv"] {
        let to = match database {
            Some(url) => Place::new().with("database.url", url),
            None => Place::new(),
        };
        let name = format!("users.{format}");
        let file = to.path(&name).to_str().unwrap().to_owned();
        let out = [
            "export",
            "--with-password-hashes",
            "--format",
            format,
            "--output",
            &file,
            "--json",
        ];
        let ended = from.run(&out);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stderr.contains("password hashes"), "a warning");
        let mode = fs::metadata(&file).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let taken = from.run(&out);
        assert_eq!(taken.code, Some(1), "no file is written over: {taken:?}");

        let come_in = to.run(&["import", &name, "--allow-admin", "--json"]).json();
        assert_eq!(come_in["failed"], 0);
        if database.is_none() || format == "jsonl" {
            assert_eq!(come_in["imported"], 1501, "{format}");
        }
        let whole = ["--with-password-hashes"];
        assert_eq!(exported(&to, &whole), exported(&from, &whole), "{format}");
    }
    let sheet = exported(&from, &["--format", "csv", "--spreadsheet"]);
    assert!(
        sheet.contains(",\"'=Ada, \"\"B\"\" \u{1F600}\","),
        "no formula"
    );
}

#[test]
fn an_imported_user_signs_in_at_a_running_server() {
    let place = Place::new();
    let server = place.serve();
    place.write("users.jsonl", users(1));
    place.run(&["import", "users.jsonl"]).text();
    let body = json!({"username": "user0", "password": "correct horse"});
    let mut connection = server.connect();
    connection.post("/api/login", &body).unwrap().expect(200);
    connection.post("/api/login", &body).unwrap().expect(200);
    let hash = exported(&place, &["--with-password-hashes"]);
    assert!(
        hash.contains("$argon2id$") && !hash.contains("$2a$"),
        "{hash}"
    );
    server.stop();
}

/// However often it is killed: the same command goes on, and in the end everybody is there once.
#[test]
fn x2_an_import_that_is_killed_goes_on_with_the_same_command() {
    const USERS: usize = 30_000;
    let place = Place::new();
    place.write("users.jsonl", users(USERS));
    let command = [
        "import",
        "users.jsonl",
        "--resume",
        "--report",
        "report.jsonl",
        "--json",
    ];
    place.run(&["import", "-"]).text();
    let mut killed = 0;
    for round in 1..=4 {
        let mut child = Kept(
            place
                .command(&command)
                .stdin(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let stdout = drain(child.0.stdout.take().unwrap());
        // As far as the report has grown: somewhere in the middle of a chunk or a commit.
        let enough = round * 500_000;
        while child.0.try_wait().unwrap().is_none() {
            let grown = fs::metadata(place.path("report.jsonl")).map_or(0, |file| file.len());
            if grown > enough {
                child.0.kill().unwrap();
                killed += 1;
                break;
            }
            std::thread::yield_now();
        }
        child.0.wait().unwrap();
        drop(stdout.recv());
    }
    assert!(killed > 1, "it was never interrupted");
    let ended = place.run(&command);
    assert_eq!(ended.json(), tally(USERS as u64, USERS as u64, 0, 0));
    let out = exported(&place, &[]);
    assert_eq!(out.lines().count(), USERS);
    let report = fs::read_to_string(place.path("report.jsonl")).unwrap();
    let told: BTreeSet<_> = report.lines().collect();
    assert_eq!((told.len(), report.lines().count()), (USERS, USERS));
    for line in report.lines().step_by(1000) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(out.contains(line["id"].as_str().unwrap()), "{line}");
    }
}
