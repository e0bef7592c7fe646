//! The feed over restarts and restored backups.

use std::fs;

use serde_json::Value;
use symbolon_testkit::Postgres;

use super::place::Place;
use super::running::Server;

/// More looks than any revocation takes to be published.
const MOST_POLLS: usize = 100_000;

pub fn list(server: &Server) -> Value {
    let path = "/api/revocations?since=no:1";
    // Over HTTP/1.0, whose answers are not chunked.
    let mut connection = server.connect();
    let head = format!("GET {path} HTTP/1.0\r\nhost: {}\r\n\r\n", server.address);
    connection.send(head.as_bytes()).unwrap();
    serde_json::from_slice(&connection.rest().unwrap()).unwrap()
}

fn sign_out(server: &Server, email: &str) {
    server.sign_out(&server.sign_in(email));
}

/// The list once it holds so many.
pub fn listed(server: &Server, entries: usize) -> Value {
    let lists = (0..MOST_POLLS).map(|_| list(server));
    let mut long = lists.filter(|list| list["entries"].as_array().unwrap().len() >= entries);
    long.next().expect("the list does not grow")
}

#[test]
fn a_restart_keeps_the_epoch_and_a_restored_backup_begins_another() {
    let place = Place::new();
    let server = place.serve();
    server.register("ada@example.com");
    sign_out(&server, "ada@example.com");
    let first = listed(&server, 1);
    server.stop();
    let backup = fs::read(place.data("symbolon.db")).unwrap();

    let server = place.serve();
    let again = list(&server);
    assert_eq!(
        (&again["epoch"], &again["entries"]),
        (&first["epoch"], &first["entries"])
    );
    sign_out(&server, "ada@example.com");
    assert_eq!(listed(&server, 2)["epoch"], first["epoch"]);
    server.stop();

    fs::write(place.data("symbolon.db"), backup).unwrap();
    let server = place.serve();
    let restored = list(&server);
    assert_ne!(restored["epoch"], first["epoch"]);
    assert_eq!(restored["entries"], first["entries"]);
    let said = server.stop();
    assert!(said.contains("restored from a backup"), "{said}");

    // And that one stays.
    let server = place.serve();
    assert_eq!(list(&server)["epoch"], restored["epoch"]);
    assert_eq!(server.stop(), "");
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
    running.register("ada@example.com");
    sign_out(&running, "ada@example.com");
    listed(&other, 1);
    other.stop();
    let renewed = here.run(&["revocations", "renew", "--json"]).json()["epoch"].clone();
    let back = away.serve();
    assert_eq!(list(&back)["epoch"], renewed);
    assert_eq!(back.stop(), "");
    running.stop();
}
