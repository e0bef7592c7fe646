//! Backup and restore of the embedded database, as an operator does them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use super::place::Place;
use super::running::{Device, Server};

const FILE: &str = "backup.db";
const OTHER_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The first event of a stream that goes on behind `point`.
fn first_event(server: &Server, point: &str) -> String {
    let mut connection = server.connect();
    let head = format!(
        "GET /api/revocations/stream HTTP/1.1\r\nhost: {}\r\nlast-event-id: {point}\r\n\r\n",
        server.address
    );
    connection.send(head.as_bytes()).unwrap();
    connection.until("event: ").unwrap();
    connection.until("\n").unwrap()
}

#[test]
fn a_backup_is_made_beside_the_requests_and_brought_back() {
    let place = Place::new();
    let server = place.serve();
    let kept: Vec<Device> = (0..5)
        .map(|number| server.register(&format!("kept{number}@example.com")))
        .collect();
    let gone = server.register("gone@example.com");
    let busy: Vec<Device> = (0..3)
        .map(|number| server.register(&format!("busy{number}@example.com")))
        .collect();
    let stop = AtomicBool::new(false);
    let made = thread::scope(|scope| {
        for device in &busy {
            let (stop, address) = (&stop, server.address);
            scope.spawn(move || {
                let mut connection = super::http::Connection::open(address).unwrap();
                let mut token = device.refresh.clone();
                while !stop.load(Ordering::Relaxed) {
                    let answer = connection.refresh(&token).unwrap();
                    token = answer.expect(200).text("refreshToken");
                }
            });
        }
        let made = place.run(&["backup", FILE, "--json"]);
        stop.store(true, Ordering::Relaxed);
        made.json()
    });
    assert_eq!((&made["users"], &made["sessions"]), (&9.into(), &9.into()));
    let file = fs::metadata(place.path(FILE)).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    assert_eq!(made["bytes"].as_u64(), Some(file.len()));
    let key = made["masterKey"].as_str().unwrap();
    assert!(place.path(key).exists(), "{key}");

    // What comes after the backup is lost with it.
    server.sign_out(&gone);
    let before = server.until_listed(1);
    server.stop();
    let restored = place.run(&["restore", FILE, "--json"]).json();
    assert_eq!(restored["users"], 9);
    assert!(place.path(restored["kept"].as_str().unwrap()).exists());

    let server = place.serve();
    let after = server.revocations();
    assert_ne!(after["epoch"], before["epoch"]);
    assert_eq!(after["entries"], serde_json::json!([]));
    let point = format!("{}:{}", before["epoch"].as_str().unwrap(), before["seq"]);
    assert_eq!(first_event(&server, &point), "snapshot");
    for device in kept.iter().chain([&gone]) {
        let answer = server.connect().refresh(&device.refresh).unwrap();
        answer.expect(200);
    }
    assert_eq!(server.stop(), "", "the epoch is begun once");
    let audit = place.run(&["audit", "list", "--json"]).text();
    assert!(audit.contains("feed_renewed"), "{audit}");
    place.run(&["audit", "verify"]).text();
}

#[test]
fn a_backup_begins_another_epoch_in_a_new_folder_too() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    let epoch = server.revocations()["epoch"].clone();
    place.run(&["backup", FILE]).text();
    server.stop();
    // By hand, without `restore` and without what the folder remembers.
    fs::create_dir(place.path("other")).unwrap();
    fs::copy(place.path(FILE), place.path("other/symbolon.db")).unwrap();
    fs::copy(place.data("master.key"), place.path("other/master.key")).unwrap();
    let server = place.serve_with(&["--data", "other"]);
    assert_ne!(server.revocations()["epoch"], epoch);
    let answer = server.connect().refresh(&device.refresh).unwrap();
    answer.expect(200);
    server.stop();

    // And by `restore`, into a folder that is not there yet.
    let data = place.path("third");
    let key = fs::read_to_string(place.data("master.key")).unwrap();
    let place = place.with("server.master_key", key.trim());
    let third = data.to_str().unwrap();
    let restored = place.run(&["restore", FILE, "--data", third, "--json"]);
    assert_eq!(restored.json()["kept"], Value::Null);
    let server = place.serve_with(&["--data", third]);
    assert_ne!(server.revocations()["epoch"], epoch);
    server.stop();
}

#[test]
fn what_a_killed_server_had_committed_is_kept() {
    let place = Place::new();
    let server = place.serve();
    place.run(&["backup", FILE]).text();
    server.register("eve@example.com");
    server.kill();
    assert!(place.data("symbolon.db-wal").exists());
    let restored = place.run(&["restore", FILE, "--json"]).json();
    assert!(!place.data("symbolon.db-wal").exists());
    assert!(!place.run(&["user", "list"]).text().contains("eve"));
    let kept = format!("sqlite:{}", restored["kept"].as_str().unwrap());
    let before = place.run(&["user", "list", "--database", &kept]).text();
    assert!(before.contains("eve"), "{before}");
}

#[test]
fn a_damaged_database_is_kept_as_it_is() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    place.run(&["backup", FILE]).text();
    server.stop();
    let damaged = b"no database any more ".repeat(1000);
    fs::write(place.data("symbolon.db"), &damaged).unwrap();
    let restored = place.run(&["restore", FILE, "--json"]).json();
    let kept = place.path(restored["kept"].as_str().unwrap());
    assert_eq!(fs::read(kept).unwrap(), damaged);
    let server = place.serve();
    let answer = server.connect().refresh(&device.refresh).unwrap();
    answer.expect(200);
    server.stop();
}

/// Refused, with this code, and nothing is changed or left.
#[track_caller]
fn refused(place: &Place, arguments: &[&str], code: &str) -> String {
    let before = place.files();
    let ended = place.run(&[arguments, &["--json"]].concat());
    let (said, detail) = ended.failure();
    assert_eq!(said, code, "{arguments:?}: {detail}");
    let names = |files: super::place::Files| files.into_keys().collect::<Vec<_>>();
    assert_eq!(names(place.files()), names(before), "{arguments:?}");
    detail
}

#[test]
fn what_is_in_the_way_is_said_and_nothing_is_written_over() {
    let place = Place::new();
    refused(&place, &["backup", FILE], "database");
    let server = place.serve();
    place.run(&["backup", FILE]).text();
    let whole = fs::read(place.path(FILE)).unwrap();
    refused(&place, &["backup", FILE], "exists");
    refused(&place, &["restore", FILE], "in_use");
    assert_eq!(fs::read(place.path(FILE)).unwrap(), whole);
    let other = [
        "backup",
        "b.db",
        "--database",
        "postgres://nobody@localhost/none",
    ];
    let said = refused(&place, &other, "not_embedded");
    assert!(said.contains("pg_dump"), "{said}");
    server.stop();
}

#[test]
fn what_is_no_whole_backup_is_refused() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    place.run(&["backup", FILE]).text();
    server.stop();
    let whole = fs::read(place.path(FILE)).unwrap();
    for length in [0, 100, 4096, whole.len() / 2, whole.len() - 4096] {
        place.write("cut.db", &whole[..length]);
        let (code, detail) = place.run(&["restore", "cut.db", "--json"]).failure();
        let is_told = ["damaged", "database"].contains(&code.as_str());
        assert!(is_told && detail.contains("cut.db"), "{length}: {detail}");
    }
    let foreign = rusqlite::Connection::open(place.path("foreign.db")).unwrap();
    foreign.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(foreign);
    let said = refused(&place, &["restore", "foreign.db"], "database");
    assert!(said.contains("foreign.db belongs to another"), "{said}");
    refused(&place, &["restore", "missing.db"], "io");
    place.write("half.db", &whole);
    place.write("half.db-wal", "more");
    refused(&place, &["restore", "half.db"], "unfinished");
    let elsewhere = Place::new();
    elsewhere.write("cut.db", &whole[..100]);
    elsewhere.run(&["restore", "cut.db", "--json"]).failure();
    assert!(!elsewhere.data("").exists(), "a folder stays");
    fs::create_dir(elsewhere.path("there")).unwrap();
    let deep = ["restore", "cut.db", "--json", "--data", "there/new/data"];
    elsewhere.run(&deep).failure();
    assert!(elsewhere.path("there").exists(), "a folder is gone");
    assert!(!elsewhere.path("there/new").exists(), "a folder stays");
    let server = place.serve();
    let answer = server.connect().refresh(&device.refresh).unwrap();
    answer.expect(200);
    server.stop();
}

#[test]
fn another_master_key_or_none_restores_nothing() {
    let place = Place::new();
    place.serve().stop();
    place.run(&["backup", FILE]).text();
    let other = place.with("server.master_key", OTHER_KEY);
    let said = refused(&other, &["restore", FILE], "database");
    assert!(said.contains("does not open"), "{said}");
    let place = other.without("server.master_key");
    fs::remove_file(place.data("master.key")).unwrap();
    let said = refused(&place, &["restore", FILE], "database");
    let is_told = said.contains("master key") && said.contains("missing");
    assert!(is_told, "{said}");
}
