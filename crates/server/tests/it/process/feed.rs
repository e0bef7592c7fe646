//! The feed over restarts and restored backups.

use std::fs;

use symbolon_testkit::Postgres;

use super::place::Place;
use super::running::Server;

fn sign_out(server: &Server, email: &str) {
    server.sign_out(&server.sign_in(email));
}

#[test]
fn a_restart_keeps_the_epoch_and_a_restored_backup_begins_another() {
    let place = Place::new();
    let server = place.serve();
    server.register("ada@example.com");
    sign_out(&server, "ada@example.com");
    let first = server.until_listed(1);
    server.stop();
    let backup = fs::read(place.data("symbolon.db")).unwrap();

    let server = place.serve();
    let again = server.revocations();
    assert_eq!(
        (&again["epoch"], &again["entries"]),
        (&first["epoch"], &first["entries"])
    );
    sign_out(&server, "ada@example.com");
    assert_eq!(server.until_listed(2)["epoch"], first["epoch"]);
    server.stop();

    fs::write(place.data("symbolon.db"), backup).unwrap();
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
    other.until_listed(1);
    other.stop();
    let renewed = here.run(&["revocations", "renew", "--json"]).json()["epoch"].clone();
    let back = away.serve();
    assert_eq!(back.revocations()["epoch"], renewed);
    assert_eq!(back.stop(), "");
    running.stop();
}
