//! A database that is locked or gone while the server runs: 503, nothing acknowledged that is not stored, and all is
//! well afterwards (threat table X1).

use std::thread;

use rusqlite::Connection as Database;
use symbolon_testkit::Postgres;

use super::http::Reply;
use super::place::Place;
use super::running::{Device, Server};

/// What needs the store to write, each on a connection of its own at the same time: a refresh, a sign-in, a sign-out.
fn writes(server: &Server, device: &Device) -> [Reply; 3] {
    let mut connections = [server.connect(), server.connect(), server.connect()];
    let sign_in =
        serde_json::json!({ "email": "ada@example.com", "password": super::place::PASSWORD });
    thread::scope(|scope| {
        let [one, other, third] = &mut connections;
        let refreshed = scope.spawn(|| one.refresh(&device.refresh).unwrap());
        let signed_in = scope.spawn(|| other.post("/api/login", &sign_in).unwrap());
        let signed_out = scope.spawn(|| third.sign_out(&device.access).unwrap());
        [refreshed, signed_in, signed_out].map(|call| call.join().unwrap())
    })
}

#[test]
fn a_database_that_is_locked_for_long() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    let holder = Database::open(place.data("symbolon.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    for reply in writes(&server, &device) {
        assert!(reply.has_header("retry-after"), "{reply:?}");
        reply.refused(503, "overloaded");
    }
    // Reads go on, and what was not acknowledged did not happen.
    let mut connection = server.connect();
    connection.profile(&device.access).unwrap().expect(200);
    let ended = place.run(&["session", "revoke", &device.sid]);
    assert_eq!(ended.code, Some(1));
    ended.sentence();
    holder.execute_batch("ROLLBACK").unwrap();
    let refreshed = connection.refresh(&device.refresh).unwrap().expect(200);
    let again = connection.refresh(&device.refresh).unwrap().expect(200);
    assert_eq!(refreshed.text("refreshToken"), again.text("refreshToken"));
    server.stop();
}

#[test]
fn a_postgresql_that_goes_away() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let place = Place::new().with("database.url", &postgres.url());
    let server = place.serve();
    let device = server.register("ada@example.com");
    drop(postgres);
    for reply in writes(&server, &device) {
        assert!(reply.has_header("retry-after"), "{reply:?}");
        reply.refused(503, "overloaded");
    }
    let mut connection = server.connect();
    let ready = connection.call("GET", "/readyz", None, None).unwrap();
    ready.refused(503, "overloaded");
    let alive = connection.call("GET", "/healthz", None, None).unwrap();
    alive.expect(200);
    server.stop();
}
