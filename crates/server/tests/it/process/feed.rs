//! The feed over restarts and restored backups.

use std::fs;

use rusqlite::Connection as Database;
use serde_json::Value;
use symbolon_testkit::Postgres;

use super::place::Place;
use super::running::Server;

/// More looks at a running server than there are between two heartbeats.
const MOST_LOOKS: usize = 200_000;
const EMAIL: &str = "ada@example.com";
const DATABASE: &str = "symbolon.db";
const MARK: &str = "feed.mark";

fn sign_out(server: &Server, email: &str) {
    server.sign_out(&server.sign_in(email));
}

#[test]
fn a_restart_keeps_the_epoch_and_a_restored_backup_begins_another() {
    let place = Place::new();
    let server = place.serve();
    server.register(EMAIL);
    sign_out(&server, EMAIL);
    let first = server.until_listed(1);
    server.stop();
    let backup = fs::read(place.data(DATABASE)).unwrap();

    let server = place.serve();
    let again = server.revocations();
    assert_eq!(
        (&again["epoch"], &again["entries"]),
        (&first["epoch"], &first["entries"])
    );
    sign_out(&server, EMAIL);
    assert_eq!(server.until_listed(2)["epoch"], first["epoch"]);
    server.stop();

    fs::write(place.data(DATABASE), backup).unwrap();
    let server = place.serve();
    let restored = server.revocations();
    assert_ne!(restored["epoch"], first["epoch"]);
    assert_eq!(restored["entries"], first["entries"]);
    let said = server.stop();
    assert!(said.contains("restored from a backup"), "{said}");

    // And that one stays.
    let server = place.serve();
    assert_eq!(server.revocations()["epoch"], restored["epoch"]);
    assert_eq!(server.stop(), "");
}

/// What is kept of the feed beside the database: how far it came, and what the last revocation is about.
fn kept(place: &Place) -> (String, String) {
    let mark = fs::read_to_string(place.data(MARK)).unwrap();
    let (point, key) = mark.split_once(' ').expect("it names no revocation");
    (point.to_owned(), key.to_owned())
}

/// Signs out, and waits until the mark has that number.
fn sign_out_and_keep(place: &Place, server: &Server, seq: usize) {
    sign_out(server, EMAIL);
    let epoch = server.until_listed(seq)["epoch"].clone();
    let point = format!("{}:{seq} ", epoch.as_str().unwrap());
    let is_kept = (0..MOST_LOOKS).any(|_| {
        // A look takes its time.
        server.revocations();
        fs::read_to_string(place.data(MARK)).is_ok_and(|mark| mark.starts_with(&point))
    });
    assert!(is_kept, "the mark does not come to {point}");
}

/// The database as it is without a server: all of it in one file.
fn database(place: &Place) -> Vec<u8> {
    assert!(!place.data("symbolon.db-wal").exists());
    fs::read(place.data(DATABASE)).unwrap()
}

/// The restored database begins another epoch, which stays.
fn begins_another_epoch(place: &Place, epoch: &Value, entries: usize) {
    let server = place.serve();
    let restored = server.revocations();
    assert_ne!(&restored["epoch"], epoch);
    assert_eq!(restored["entries"].as_array().unwrap().len(), entries);
    let said = server.stop();
    assert!(said.contains("restored from a backup"), "{said}");
    goes_on(place, &restored["epoch"]);
}

fn goes_on(place: &Place, epoch: &Value) {
    let server = place.serve();
    assert_eq!(&server.revocations()["epoch"], epoch);
    assert_eq!(server.stop(), "");
}

#[test]
fn x7_a_number_that_another_revocation_was_given_meanwhile_begins_another_epoch() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register(EMAIL);
    sign_out(&server, EMAIL);
    let epoch = server.until_listed(1)["epoch"].clone();
    server.stop();
    let copy = database(&place);
    let server = place.serve();
    sign_out_and_keep(&place, &server, 2);
    server.stop();
    let (point, key) = kept(&place);
    goes_on(&place, &epoch);
    assert_eq!(
        kept(&place),
        (point.clone(), key.clone()),
        "nothing has happened"
    );
    let purge = "DELETE FROM revocations WHERE seq = 2";
    let purged = Database::open(place.data(DATABASE)).unwrap();
    assert_eq!(purged.execute(purge, []).unwrap(), 1);
    drop(purged);
    goes_on(&place, &epoch);
    assert_eq!(kept(&place), (point, key), "it was purged");

    let elsewhere = Place::new();
    fs::create_dir(elsewhere.data("")).unwrap();
    fs::write(elsewhere.data(DATABASE), copy).unwrap();
    fs::copy(place.data("master.key"), elsewhere.data("master.key")).unwrap();
    let add = ["revocations", "add", "--session", &device.sid];
    elsewhere.run(&add).text();
    let listed = elsewhere.run(&["revocations", "list", "--json"]).json();
    let numbers = listed.as_array().unwrap().iter().map(|one| &one["seq"]);
    assert!(numbers.eq([1, 2]), "{listed}");
    assert!(!elsewhere.data(MARK).exists());

    fs::write(place.data(DATABASE), database(&elsewhere)).unwrap();
    begins_another_epoch(&place, &epoch, 2);
    assert!(!kept(&place).0.starts_with(epoch.as_str().unwrap()));
    let server = place.serve();
    assert_eq!(server.until_refused(&device.access).1, "token_revoked");
    server.stop();
}

#[test]
fn x7_a_mark_that_tells_only_how_far_it_came_means_that() {
    let place = Place::new();
    let server = place.serve();
    server.register(EMAIL);
    sign_out(&server, EMAIL);
    let epoch = server.until_listed(1)["epoch"].clone();
    server.stop();
    let first = database(&place);
    let server = place.serve();
    sign_out(&server, EMAIL);
    server.until_listed(2);
    server.stop();
    let (point, key) = kept(&place);
    assert_eq!(point, format!("{}:2", epoch.as_str().unwrap()));
    fs::write(place.data(MARK), &point).unwrap();
    goes_on(&place, &epoch);
    assert_eq!(kept(&place), (point.clone(), key));
    // And with the end of a line, as an editor leaves it.
    fs::write(place.data(MARK), point + "\n").unwrap();
    fs::write(place.data(DATABASE), first).unwrap();
    begins_another_epoch(&place, &epoch, 1);
}

#[test]
fn a_node_that_was_away_when_the_feed_was_renewed_goes_on_in_the_new_epoch() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let url = postgres.url();
    let [here, away] = [(); 2].map(|()| Place::node(&url));
    let running = here.serve();
    let other = away.serve();
    running.register(EMAIL);
    sign_out(&running, EMAIL);
    other.until_listed(1);
    other.stop();
    let renewed = here.run(&["revocations", "renew", "--json"]).json()["epoch"].clone();
    let back = away.serve();
    assert_eq!(back.revocations()["epoch"], renewed);
    assert_eq!(back.stop(), "");
    running.stop();
}
