//! `symbolon revocations list|tail|add|renew` and `symbolon user set-roles`, beside a running server.

use std::io::{BufRead, BufReader, Write};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rusqlite::Connection as Database;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::place::{Kept, PASSWORD, PATIENCE, Place, drain};
use super::running::{Device, Server};

/// A `tail` that runs.
struct Tail {
    child: Kept,
    lines: Receiver<String>,
    stderr: Receiver<Vec<u8>>,
}

impl Tail {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let all = [&["revocations", "tail", "--json"], arguments].concat();
        Self::of(place.command(&all))
    }

    fn of(mut command: Command) -> Self {
        let mut child = Kept(command.spawn().unwrap());
        let stdout = child.0.stdout.take().unwrap();
        let stderr = drain(child.0.stderr.take().unwrap());
        let (said, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _nobody_reads = said.send(line);
            }
        });
        Self {
            child,
            lines,
            stderr,
        }
    }

    /// Writes into its standard input, and closes that.
    fn give(&mut self, text: &str) {
        let mut stdin = self.child.0.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            let said = self.stderr.recv_timeout(PATIENCE).unwrap_or_default();
            panic!("no line came, {error}: {}", String::from_utf8_lossy(&said))
        })
    }

    fn told(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// Kind, effect and number of the next line, which is a revocation.
    fn revocation(&self) -> (String, String, i64) {
        let told = self.told();
        assert_eq!(told["event"], "revocation", "{told}");
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        (text("kind"), text("effect"), told["seq"].as_i64().unwrap())
    }

    fn snapshot(&self) -> Value {
        let told = self.told();
        assert_eq!(told["event"], "snapshot", "{told}");
        told
    }

    /// Ends it as an operator does, at the keyboard.
    fn interrupt(mut self) -> String {
        kill_process(Pid::from_child(&self.child.0), Signal::INT).unwrap();
        assert_eq!(self.child.0.wait().unwrap().code(), Some(0));
        String::from_utf8(self.stderr.recv_timeout(PATIENCE).unwrap()).unwrap()
    }
}

/// The secret of a new client `guard`, which may read the feed.
pub fn feed_secret(place: &Place) -> String {
    let add = "client add guard --type confidential --name Guard --grant client_credentials --json";
    let add: Vec<_> = add.split(' ').collect();
    let added = place.run(&add).json();
    added["secret"].as_str().unwrap().to_owned()
}

fn entry(kind: &str, effect: &str) -> (String, String) {
    (kind.to_owned(), effect.to_owned())
}

fn live(server: &Server, device: &Device) -> bool {
    server.connect().profile(&device.access).unwrap().status == 200
}

fn renewed(server: &Server, device: &Device) -> Device {
    let reply = server.connect().refresh(&device.refresh).unwrap();
    Device::given(&reply.expect(200))
}

fn issuer(server: &Server) -> String {
    format!("http://{}", server.address)
}

#[test]
fn tail_prints_what_is_committed_to_the_database() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    let tail = Tail::start(&place, &[]);
    let begun = tail.snapshot();
    assert_eq!((&begun["seq"], &begun["entries"]), (&json!(0), &json!({})));
    place.run(&["session", "revoke", &device.sid]).text();
    let (kind, effect, first) = tail.revocation();
    assert_eq!((kind, effect), entry("session", "revoked"));
    place
        .run(&["revocations", "add", "--user", "ada@example.com", "--stale"])
        .text();
    let (kind, effect, second) = tail.revocation();
    assert_eq!((kind, effect), entry("user", "stale"));
    assert!(second > first);
    assert_eq!(tail.interrupt(), "");
    // It goes on where it was.
    let point = format!("{}:{first}", begun["epoch"].as_str().unwrap());
    let tail = Tail::start(&place, &["--since", &point]);
    assert_eq!(tail.revocation().2, second);
    tail.interrupt();
    // A point of another epoch, which may begin with a hyphen, and one of the future, is none to go on from.
    for point in ["-ther:1", &format!("{point}000")] {
        let tail = Tail::start(&place, &["--since", point]);
        assert_eq!(
            tail.snapshot()["entries"],
            json!({ "session": 1, "user": 1 })
        );
        tail.interrupt();
    }
    let bad = place.run(&["revocations", "tail", "--since", "yesterday", "--json"]);
    assert_eq!(bad.failure().0, "bad_argument");
    server.stop();
}

#[test]
fn tail_reads_a_feed_for_clients_with_the_secret_of_one() {
    let place = Place::new().with("feed.access", "clients");
    let server = place.serve();
    let (url, secret) = (issuer(&server), feed_secret(&place));
    let shown = ["--url", &url, "--client", "guard"];
    let mut tail = Tail::start(&place, &shown);
    tail.give(&secret);
    assert_eq!(tail.snapshot()["seq"], 0);
    tail.interrupt();
    let all = [&["revocations", "tail", "--json"], &shown[..]].concat();
    let (code, detail) = place.run_with(&all, b"wrong").failure();
    assert_eq!(code, "cannot_fetch");
    assert!(detail.contains("does not take these"), "{detail}");
    server.stop();
}

#[test]
fn tail_of_a_server_survives_its_restart() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    let (url, listen) = (issuer(&server), server.address.to_string());
    let tail = Tail::start(&place, &["--url", &url, "--heartbeats"]);
    assert_eq!(tail.snapshot()["seq"], 0);
    assert_eq!(tail.told()["event"], "heartbeat");
    place.run(&["session", "revoke", &device.sid]).text();
    let next = |tail: &Tail| loop {
        let told = tail.told();
        if told["event"] != "heartbeat" {
            return told;
        }
    };
    assert_eq!(next(&tail)["kind"], "session");
    server.stop();
    place
        .run(&["revocations", "add", "--client", "symbolon"])
        .text();
    let server = Server::start(place.command(&["serve", "--listen", &listen]));
    // What was committed while it was away, and no snapshot.
    let told = next(&tail);
    assert_eq!(
        (&told["event"], &told["kind"]),
        (&json!("revocation"), &json!("client"))
    );
    let complaints = tail.interrupt();
    assert!(
        complaints.lines().count() == 1 && complaints.contains("feed_lost"),
        "{complaints:?}"
    );
    let mistaken = place.run(&[
        "revocations",
        "tail",
        "--url",
        "http://127.0.0.1:1",
        "--json",
    ]);
    assert_eq!(mistaken.failure().0, "cannot_fetch");
    let other = url.replace("127.0.0.1", "localhost");
    let other = place.run(&["revocations", "tail", "--url", &other, "--json"]);
    assert_eq!(other.failure().0, "bad_metadata");
    server.stop();
}

#[test]
fn tail_ends_when_nobody_reads_it() {
    let place = Place::new();
    let server = place.serve();
    let mut command = place.command(&["revocations", "tail", "--heartbeats"]);
    let mut child = Kept(command.spawn().unwrap());
    drop(child.0.stdout.take());
    // The next line, a heartbeat at the latest, finds nobody.
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    let stderr = drain(child.0.stderr.take().unwrap());
    assert_eq!(stderr.recv_timeout(PATIENCE).unwrap(), b"");
    server.stop();
}

fn add(place: &Place, target: &[&str]) -> Value {
    let arguments = [&["revocations", "add", "--json"], target].concat();
    place.run(&arguments).json()
}

#[test]
fn an_operator_kills_tokens_in_an_emergency() {
    let place = Place::new();
    let server = place.serve();
    let ada = server.register("ada@example.com");
    let bob = server.register("bob@example.com");
    let claims = crate::people::claims(&ada.access);
    let said = add(&place, &["--token", claims["jti"].as_str().unwrap()]);
    assert_eq!(said["effect"], "revoked");
    assert_eq!(server.until_refused(&ada.access).1, "token_revoked");
    assert!(live(&server, &bob));
    // The session goes on.
    assert!(live(&server, &renewed(&server, &ada)));
    add(&place, &["--session", &bob.sid]);
    assert_eq!(server.until_refused(&bob.access).1, "token_revoked");
    let mut connection = server.connect();
    let mut is_out = |device: &Device| {
        let refused = connection.refresh(&device.refresh).unwrap();
        refused.refused(401, "session_revoked");
    };
    is_out(&bob);
    let bob = server.sign_in("bob@example.com");
    let words = "client add another --type public --redirect-uri http://127.0.0.1/ --grant authorization_code";
    let another: Vec<&str> = words.split(' ').collect();
    place.run(&another).text();
    add(&place, &["--client", "another"]);
    assert!(live(&server, &bob));
    add(&place, &["--all"]);
    assert_eq!(server.until_refused(&bob.access).1, "token_revoked");
    add(&place, &["--user", "bob@example.com"]);
    is_out(&bob);
    let listed = place.run(&["revocations", "list", "--json"]).json();
    let listed = listed.as_array().unwrap().iter();
    let mut kinds: Vec<_> = listed.map(|entry| entry["kind"].clone()).collect();
    // What ends tokens by their time is said again where a second passed while it was committed.
    kinds.dedup();
    assert_eq!(kinds, ["token", "session", "client", "all", "user"]);
    let table = place.run(&["revocations", "list", "--limit", "2", "--after", "1"]);
    let table = table.text();
    assert!(
        table.starts_with("SEQ") && table.lines().count() == 3,
        "{table}"
    );
    server.stop();
}

#[test]
fn stale_tokens_are_renewed_and_no_session_ends() {
    let place = Place::new();
    let server = place.serve();
    let bob = server.register("bob@example.com");
    let mut ada = server.register("ada@example.com");
    let sid = ada.sid.clone();
    for kind in ["--user", "--session", "--token"] {
        let claims = crate::people::claims(&ada.access);
        let id = match kind {
            "--user" => "ada@example.com",
            "--session" => &sid,
            _ => claims["jti"].as_str().unwrap(),
        };
        assert_eq!(add(&place, &[kind, id, "--stale"])["effect"], "stale");
        assert_eq!(server.until_refused(&ada.access).1, "token_stale", "{kind}");
        ada = renewed(&server, &ada);
        assert!(live(&server, &ada) && live(&server, &bob), "{kind}");
    }
    assert_eq!(ada.sid, sid);
    server.stop();
}

#[test]
fn what_an_operator_does_is_written_down() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    add(&place, &["--token", "some-jti"]);
    add(&place, &["--client", "symbolon", "--stale"]);
    add(&place, &["--all"]);
    add(&place, &["--user", "ada@example.com", "--stale"]);
    add(&place, &["--session", &device.sid]);
    place
        .run(&["user", "set-roles", "ada@example.com", "--role", "admin"])
        .text();
    let renewed = place.run(&["revocations", "renew", "--json"]).json();
    server.stop();
    let database = Database::open(place.data("symbolon.db")).unwrap();
    let mut rows = database
        .prepare("SELECT kind, coalesce(detail, '') FROM audit WHERE user_agent = 'symbolon command line' ORDER BY id")
        .unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let rows: Vec<(String, String)> = rows.unwrap().map(Result::unwrap).collect();
    let epoch = renewed["epoch"].as_str().unwrap();
    let expected = [
        ("tokens_revoked", "revoked token some-jti"),
        ("tokens_revoked", "stale client symbolon"),
        ("tokens_revoked", "revoked all"),
        ("tokens_revoked", "stale user"),
        ("session_ended", "revoked"),
        ("roles_changed", "user -> admin"),
        ("feed_renewed", epoch),
    ];
    let rows: Vec<_> = rows
        .iter()
        .map(|(kind, detail)| (&**kind, &**detail))
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn bad_targets_change_nothing() {
    let place = Place::new();
    let server = place.serve();
    server.register("ada@example.com");
    let unknown = "01995d2e-7a3b-7c55-8a3f-2f6c1f0e9b13";
    for (target, code) in [
        (vec!["--session", "no-id"], "malformed_id"),
        (vec!["--session", unknown], "not_found"),
        (vec!["--session", unknown, "--stale"], "not_found"),
        (vec!["--user", "bob@example.com"], "not_found"),
        (vec!["--token", ""], "malformed_id"),
        (vec!["--client", ""], "malformed_id"),
        (vec!["--client", "symbolon2"], "not_found"),
        (vec!["--client", "no client"], "not_found"),
        (vec!["--key", "k1"], "use_key_withdraw"),
    ] {
        let arguments = [&["revocations", "add", "--json"], &target[..]].concat();
        let ended = place.run(&arguments);
        assert_eq!(
            (ended.code, ended.failure().0.as_str()),
            (Some(1), code),
            "{target:?}"
        );
    }
    for target in [&[][..], &["--all", "--client", "x"], &["--stale"]] {
        let arguments = [&["revocations", "add"], target].concat();
        assert_eq!(place.run(&arguments).code, Some(2), "{target:?}");
    }
    assert_eq!(
        place.run(&["revocations", "list", "--json"]).json(),
        json!([])
    );
    server.stop();
}

#[test]
fn a_new_epoch_is_told_to_all_who_follow() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    let url = issuer(&server);
    let remote = Tail::start(&place, &["--url", &url]);
    let local = Tail::start(&place, &[]);
    let first = remote.snapshot();
    assert_eq!(local.snapshot()["epoch"], first["epoch"]);
    place.run(&["session", "revoke", &device.sid]).text();
    let epoch = place.run(&["revocations", "renew", "--json"]).json()["epoch"].clone();
    assert_ne!(epoch, first["epoch"]);
    for tail in [remote, local] {
        let mut told = tail.told();
        if told["event"] == "revocation" {
            told = tail.snapshot();
        }
        assert_eq!(
            (&told["epoch"], &told["entries"]),
            (&epoch, &json!({ "session": 1 }))
        );
        tail.interrupt();
    }
    server.stop();
}

#[test]
fn other_roles_make_tokens_stale_and_the_next_one_has_them() {
    let place = Place::new();
    let server = place.serve();
    let device = server.register("ada@example.com");
    let set = |roles: &[&str]| {
        let arguments = [&["user", "set-roles", "ada@example.com", "--json"], roles].concat();
        place.run(&arguments)
    };
    let made = set(&["--role", "admin", "--role", "user"]).json();
    assert_eq!(made["roles"], json!(["admin", "user"]));
    assert_eq!(server.until_refused(&device.access).1, "token_stale");
    let device = renewed(&server, &device);
    assert!(live(&server, &device));
    let claims = crate::people::claims(&device.access);
    assert_eq!(claims["roles"], json!(["admin", "user"]));
    // The same again changes nothing.
    set(&["--role", "user", "--role", "admin"]).json();
    assert!(live(&server, &device));
    // The last admin stays; a role must be there, and named.
    assert_eq!(set(&["--role", "user"]).failure().0, "conflict");
    assert_eq!(set(&["--role", "adimn"]).failure().0, "validation_failed");
    assert_eq!(set(&["--role", "No Role"]).failure().0, "role_malformed");
    assert_eq!(set(&[]).code, Some(2));
    assert!(live(&server, &device));
    let add = [
        "user",
        "add",
        "bob@example.com",
        "--role",
        "admin",
        "--password-stdin",
    ];
    place.run_with(&add, PASSWORD.as_bytes()).text();
    assert_eq!(set(&["--role", "user"]).json()["roles"], json!(["user"]));
    assert_eq!(server.until_refused(&device.access).1, "token_stale");
    server.stop();
}
