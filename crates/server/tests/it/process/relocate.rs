//! `symbolon migrate --to`: all data goes to another database under the hands of a running server, and back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rusqlite::Connection as Database;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use symbolon_testkit::Postgres;

use super::http::Connection;
use super::place::{Kept, PASSWORD, Place};
use super::running::{Device, Server};

/// Clients at once.
const CLIENTS: usize = 4;
/// What each does after the move.
const MORE: usize = 5;
/// Looks at a file before something must have happened in it.
const MOST_LOOKS: usize = 1_000_000;

/// A client's sessions: those that live, with their newest tokens, and those that it ended.
#[derive(Default)]
struct Sessions {
    live: Vec<(String, String)>,
    ended: Vec<(String, String)>,
}

/// Signs in, refreshes, looks and signs out, until the move is done and some more. Nothing may fail.
fn go_on(mut connection: Connection, email: &str, done: &AtomicBool) -> Sessions {
    let mut sessions = Sessions::default();
    let mut more = MORE;
    while more > 0 {
        more -= usize::from(done.load(Ordering::Acquire));
        let body = json!({ "email": email, "password": PASSWORD, "transport": "body" });
        let reply = connection.post("/api/login", &body).unwrap().expect(200);
        let (mut access, mut refresh) = (reply.text("accessToken"), reply.text("refreshToken"));
        for _ in 0..3 {
            let reply = connection.refresh(&refresh).unwrap().expect(200);
            (access, refresh) = (reply.text("accessToken"), reply.text("refreshToken"));
            connection.profile(&access).unwrap().expect(200);
        }
        if sessions.live.len() <= sessions.ended.len() {
            sessions.live.push((access, refresh));
            continue;
        }
        connection.sign_out(&access).unwrap().expect(204);
        connection.profile(&access).unwrap().expect(401);
        sessions.ended.push((access, refresh));
    }
    sessions
}

/// What lives lives on, with new tokens; what was ended stays so.
fn judge(server: &Server, sessions: &mut [Sessions]) {
    let mut connection = server.connect();
    for client in sessions {
        for (access, refresh) in &mut client.live {
            connection.profile(access).unwrap().expect(200);
            let reply = connection.refresh(refresh).unwrap().expect(200);
            (*access, *refresh) = (reply.text("accessToken"), reply.text("refreshToken"));
        }
        for (access, refresh) in &client.ended {
            connection.profile(access).unwrap().expect(401);
            let refused = connection.refresh(refresh).unwrap();
            refused.refused(401, "session_revoked");
        }
    }
}

/// Epoch and numbers of the feed, once it holds so many.
fn feed(server: &Server, entries: usize) -> (String, Vec<i64>) {
    let body = server.until_listed(entries);
    let entries = body["entries"].as_array().unwrap().iter();
    let epoch = body["epoch"].as_str().unwrap().to_owned();
    let seqs = entries.map(|entry| entry["seq"].as_i64().unwrap());
    (epoch, seqs.collect())
}

/// Tables by name, without those of the audit log, to which each move adds a line.
fn tables(moved: &Value) -> Vec<&Value> {
    let tables = moved["tables"].as_array().unwrap().iter();
    let is_audit = |table: &Value| table["name"].as_str().unwrap().starts_with("audit");
    tables.filter(|table| !is_audit(table)).collect()
}

/// The place with data elsewhere.
fn elsewhere(place: &Place, database: &str, arguments: &[&str]) -> Value {
    let all = [arguments, &["--database", database, "--json"]].concat();
    place.run(&all).json()
}

/// Moves while clients are at it, and returns what they have.
fn move_under_load(place: &Place, server: &Server, to: &str) -> Vec<Sessions> {
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let email = format!("user{number}@example.com");
            server.register(&email);
            let (connection, done) = (server.connect(), Arc::clone(&done));
            thread::spawn(move || go_on(connection, &email, &done))
        })
        .collect();
    let moved = place.run(&["migrate", "--to", to, "--json"]);
    done.store(true, Ordering::Release);
    let sessions = clients
        .into_iter()
        .map(|client| client.join().unwrap())
        .collect();
    let moved = moved.json();
    assert!(moved["heldMs"].as_i64().unwrap() < 5_000, "{moved}");
    assert!(moved["rows"].as_i64().unwrap() > 20, "{moved}");
    assert!(!moved["to"].as_str().unwrap().contains("user="), "{moved}");
    sessions
}

#[test]
fn a_running_server_goes_over_and_nobody_notices() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let (place, to) = (Place::new(), postgres.url());
    let server = place.serve();
    let before = feed(&server, 0);
    let mut sessions = move_under_load(&place, &server, &to);
    judge(&server, &mut sessions);
    let ended: usize = sessions.iter().map(|client| client.ended.len()).sum();
    let after = feed(&server, ended);
    assert_eq!(after, (before.0.clone(), (1..=ended as i64).collect()));
    // What another process does there is obeyed here.
    let device = server.sign_in("user0@example.com");
    place.run(&["session", "revoke", &device.sid]).text();
    server.until_refused(&device.access);
    let said = server.stop();
    assert_eq!(said.matches("database.url").count(), 1, "{said}");
    assert!(!said.contains("user="), "{said}");
    // The old file still says where to go.
    let server = place.serve();
    judge(&server, &mut sessions);
    assert_eq!(feed(&server, ended).0, before.0);
    server.stop();
    let listed = elsewhere(&place, &to, &["audit", "list", "--kind", "database_moved"]);
    let moves = listed.to_string().matches("database_moved").count();
    assert_eq!(moves, 1, "{listed}");
    place.run(&["audit", "verify", "--database", &to]).text();
    come_back(&place, (&to, &postgres.url()), &mut sessions);
}

/// The way back, and away again: the same by number and digest.
fn come_back(place: &Place, (from, third): (&str, &str), sessions: &mut [Sessions]) {
    let back = format!("sqlite:{}", place.path("back.db").display());
    let server = place.serve();
    let refused = place.run(&["migrate", "--to", &back, "--database", from]);
    assert!(
        refused.sentence().contains("stop every server"),
        "{refused:?}"
    );
    server.stop();
    let there = elsewhere(place, from, &["migrate", "--to", &back]);
    let again = elsewhere(place, &back, &["migrate", "--to", third]);
    assert_eq!(tables(&there), tables(&again));
    let left = place.run(&["user", "list", "--database", from]);
    assert!(left.sentence().contains("back.db"), "{left:?}");
    let server = place.serve_with(&["--database", &back]);
    judge(&server, sessions);
    server.stop();
}

#[test]
fn a_move_that_was_killed_is_made_again() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let (place, to) = (Place::new(), postgres.url());
    let server = place.serve();
    let device = server.register("ada@example.com");
    let file = place.data("symbolon.db");
    let database = Database::open(&file).unwrap();
    let count = |sql: &str| {
        database
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let captures = "SELECT count(*) FROM sqlite_schema WHERE name = 'move_mark'";
    // More than is copied before anybody looks.
    database
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
             INSERT INTO replays (digest, expires_at) SELECT randomblob(32), 9000000000000 FROM n",
        )
        .unwrap();
    let moving = Kept(place.command(&["migrate", "--to", &to]).spawn().unwrap());
    assert!(
        (0..MOST_LOOKS).any(|_| count(captures) == 1),
        "it does not begin"
    );
    kill_process(Pid::from_child(&moving.0), Signal::KILL).unwrap();
    drop(moving);
    assert_eq!(
        count("PRAGMA user_version"),
        0,
        "it was over before it was killed"
    );
    // The server goes on, and nobody starts on half of the data.
    let mut connection = server.connect();
    let refreshed = connection.refresh(&device.refresh).unwrap().expect(200);
    let half = place.run(&["user", "list", "--database", &to]);
    assert!(half.sentence().contains("being filled"), "{half:?}");
    let abandoned = place.run(&["migrate", "--abandon", "--json"]).json();
    assert_eq!(abandoned, json!({ "abandoned": true }));
    assert_eq!(count(captures), 0);
    place.run(&["migrate", "--to", &to]).text();
    let reply = connection.refresh(&refreshed.text("refreshToken")).unwrap();
    reply.expect(200);
    let sealed = database.execute("DELETE FROM replays", []).unwrap_err();
    assert!(sealed.to_string().contains("moved"), "{sealed}");
    server.stop();
}

#[test]
fn moves_that_are_refused() {
    let place = Place::new();
    place.run(&["migrate"]).text();
    let refused = |to: &str, why: &str| {
        let outcome = place.run(&["migrate", "--to", to]);
        assert!(outcome.sentence().contains(why), "{outcome:?}");
    };
    refused("sqlite:other.db", "from SQLite to PostgreSQL or back");
    refused("mysql://h/db", "must begin with");
    refused("postgres://me:hunter2@127.0.0.1:1/db", "127.0.0.1:1/db");
    assert!(!place.path("other.db").exists());
    let none = place.run(&["migrate", "--abandon"]).text();
    assert_eq!(none, "No move was interrupted.\n");
    if let Some(postgres) = Postgres::shared() {
        let url = postgres.url();
        postgres.run(&url, "CREATE TABLE users (a TEXT)");
        refused(&url, "move into an empty database");
        let used = postgres.url();
        let server = place.serve_with(&["--database", &used]);
        let Device { refresh, .. } = server.register("ada@example.com");
        refused(&used, "move into an empty database");
        server.connect().refresh(&refresh).unwrap().expect(200);
        server.stop();
    }
}
