//! What is wrong with an installation, and that looking changes nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection as Database;
use serde_json::Value;

use super::place::Place;

/// The exit code, and the state and the detail of each check.
fn examined(place: &Place) -> (Option<i32>, Vec<(String, String, String)>) {
    let outcome = place.run(&["doctor", "--json"]);
    assert_eq!(outcome.stderr, "", "{outcome:?}");
    let shown: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    let checks = shown["checks"].as_array().unwrap().iter().map(|check| {
        let text = |member: &str| check[member].as_str().unwrap().to_owned();
        (text("check"), text("state"), text("detail"))
    });
    assert_eq!(shown["ok"], outcome.code == Some(0));
    (outcome.code, checks.collect())
}

#[track_caller]
fn assert_state(place: &Place, check: &str, state: &str, detail: &str) {
    let (code, checks) = examined(place);
    let found = checks.iter().find(|(what, ..)| what == check);
    let (_, was, said) = found.unwrap_or_else(|| panic!("{check}: {checks:?}"));
    assert_eq!(
        (was.as_str(), code),
        (state, Some(i32::from(state == "wrong"))),
        "{checks:?}"
    );
    assert!(said.contains(detail), "{said}");
}

#[test]
fn what_is_not_there_yet_is_no_fault_and_is_not_made() {
    let place = Place::new();
    assert_state(&place, "data folder", "ok", "first start");
    assert_state(&place, "database", "ok", "first start");
    assert!(!place.path("symbolon-data").exists());
}

#[test]
fn a_server_that_runs_is_looked_at_beside_it() {
    let place = Place::new();
    let server = place.serve();
    for (check, state, detail) in [
        ("settings", "ok", "can be read"),
        ("data folder", "ok", "owner"),
        ("disk", "ok", "MiB"),
        ("database", "ok", "up to date"),
        ("master key", "ok", "database"),
        ("signing key", "ok", "ES256"),
        ("issuer", "warning", "this machine only"),
        ("administrator", "warning", "user add"),
        ("mail", "warning", "mail.url"),
        ("server", "ok", "answers"),
    ] {
        assert_state(&place, check, state, detail);
    }
    server.stop();
    assert_state(&place, "server", "warning", "well-known");
}

#[test]
fn what_is_wrong_is_said() {
    let place = Place::new();
    place.serve().stop();
    fs::set_permissions(place.path("symbolon-data"), Permissions::from_mode(0o755)).unwrap();
    assert_state(&place, "data folder", "warning", "755");
    let key = fs::read(place.data("master.key")).unwrap();
    let other = Place::new();
    other.serve().stop();
    fs::copy(other.data("master.key"), place.data("master.key")).unwrap();
    assert_state(&place, "master key", "wrong", "does not open");
    fs::remove_file(place.data("master.key")).unwrap();
    assert_state(&place, "master key", "wrong", "put");
    fs::write(place.data("master.key"), key).unwrap();
    fs::set_permissions(place.data("master.key"), Permissions::from_mode(0o644)).unwrap();
    assert_state(&place, "master key", "wrong", "master.key");

    // As the version before left it: looked at, and not brought up to date.
    let database = Database::open(place.data("symbolon.db")).unwrap();
    let forget = "DROP TABLE leases; DELETE FROM schema_migrations WHERE number = 13";
    database.execute_batch(forget).unwrap();
    assert_state(&place, "database", "warning", "lack: 1;");
    let check = place.run(&["migrate", "--check"]);
    assert_eq!(check.code, Some(2), "{check:?}");
    drop(database);
    fs::write(place.data("symbolon.db"), "This is no database.").unwrap();
    assert_state(&place, "database", "wrong", "not a SQLite database");

    place.write("symbolon.toml", "[pages]\nlogo = \"nowhere.png\"\n");
    assert_state(&place, "settings", "wrong", "nowhere.png");
}
