//! A database that does not answer in time, and one whose rows somebody else holds: nothing is acknowledged that is not stored,
//! whoever asks is told to come back, and all is well afterwards (SECURITY rows A25 and X1).

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::thread;

use rustix::process::Signal;
use serde_json::json;
use symbolon_testkit::Postgres;

use super::super::http::{Connection, Reply};
use super::super::place::{Kept, PASSWORD};
use super::super::running::{Device, Stopwatch};
use super::pair::{EMAIL, Pair};
use super::shop;

/// Callers of each kind: more than there are connections to the database.
const CALLERS: usize = 24;
/// No answer takes longer, in seconds: what is tried gives up after ten, and waits for its turn before.
const BOUND: u64 = 25;

#[track_caller]
fn told_to_come_back(reply: Reply) {
    assert!(reply.has_header("retry-after"), "{reply:?}");
    reply.expect(503);
}

#[test]
fn a25_a_revocation_is_not_acknowledged_by_a_database_that_stands_still() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let pair = Pair::start(&postgres.url());
    shop::open(&pair.places[0]);
    let codes = [(); 2].map(|()| shop::code(&pair.nodes));
    let tokens = codes.map(|code| {
        let reply = shop::redeem(&mut pair.nodes[0].connect(), &code).expect(200);
        [reply.text("access_token"), reply.text("refresh_token")]
    });
    let revoked = [&tokens[0][0], &tokens[1][1]];
    let none_is_done = || {
        let watch = Stopwatch::start();
        let replies = pair.at_once(4, |number, connection| {
            shop::revoke(connection, revoked[number / 2])
        });
        replies.into_iter().for_each(told_to_come_back);
        assert!(watch.elapsed().as_secs() < BOUND);
    };
    // Everything can be read, and nothing written.
    let holder = Holder::hold(&postgres, &pair.url, "sessions, revocations, feed");
    none_is_done();
    holder.release();
    for [access, _] in &tokens {
        shop::userinfo(&mut pair.nodes[1].connect(), access).expect(200);
    }
    postgres.freeze();
    none_is_done();
    postgres.thaw();
    // What was not acknowledged is asked again, until it is.
    for token in revoked {
        let mut connection = pair.nodes[1].connect();
        let done = (0..1000).any(|_| shop::revoke(&mut connection, token).status == 200);
        assert!(done, "it does not go on");
    }
    for node in &pair.nodes {
        let mut connection = node.connect();
        for [access, _] in &tokens {
            shop::until_dead(&mut connection, access);
        }
        // One died alone, the other with its session.
        shop::refresh(&mut connection, &tokens[0][1]).expect(200);
        shop::refresh(&mut connection, &tokens[1][1]).expect(400);
    }
    pair.stop();
}

/// A transaction of somebody else, which holds tables.
struct Holder {
    _process: Kept,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Holder {
    /// Others may read them and not write to them.
    fn hold(postgres: &Postgres, url: &str, tables: &str) -> Self {
        let mut command = postgres.program("psql");
        command.args(["-X", "-A", "-t", "-q", "-d", url]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Kept(command.spawn().unwrap());
        let mut holder = Self {
            input: process.0.stdin.take().unwrap(),
            output: BufReader::new(process.0.stdout.take().unwrap()),
            _process: process,
        };
        holder.say(&format!(
            "BEGIN; LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE;"
        ));
        holder
    }

    fn release(mut self) {
        self.say("ROLLBACK;");
    }

    fn say(&mut self, sql: &str) {
        writeln!(self.input, "{sql} SELECT 'done';").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
    }
}

/// Longer than it takes until the second that was named has passed, and shorter than whoever waits for a lock waits.
const SLOW: u64 = 2;
/// More looks than it takes to wait for a lock.
const MOST_LOOKS: usize = 10_000;

#[test]
fn s4_what_ends_by_its_time_is_said_again_though_nobody_waits_for_it_and_the_node_is_to_end() {
    let Some((pair, postgres)) = Pair::shared() else {
        return;
    };
    let node = &pair.nodes[0];
    let words = ["user", "set-roles", EMAIL, "--role", "admin"];
    pair.places[0].run(&words).text();
    let admin = node.sign_in(EMAIL);
    let before = node.revocations()["entries"].as_array().unwrap().len();
    let holder = Holder::hold(postgres, &pair.url, "feed");
    let mut asker = node.connect();
    let body = r#"{"kind":"client","id":"symbolon","effect":"stale"}"#;
    let request = format!(
        "POST /api/admin/revocations HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        admin.access,
        body.len()
    );
    asker.send(request.as_bytes()).unwrap();
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'feed'::regclass";
    assert!((0..MOST_LOOKS).any(|_| postgres.run(&pair.url, waits) != "0"));
    drop(asker);
    node.signal(Signal::TERM);
    let watch = Stopwatch::start();
    while watch.elapsed().as_secs() < SLOW {
        thread::yield_now();
    }
    holder.release();
    let [ended, other] = pair.nodes;
    ended.stop();
    // Its line of the audit log is signed, too.
    let signed = "SELECT max(audit_checkpoints.seq) = max(audit_head.seq) FROM audit_checkpoints, audit_head";
    assert_eq!(postgres.run(&pair.url, signed), "t");
    let list = other.until_listed(before + 2);
    let entries = &list["entries"].as_array().unwrap()[before..];
    let [first, again] = [0, 1].map(|index| entries[index]["before"].as_i64().unwrap());
    assert_eq!(entries[0]["key"], entries[1]["key"]);
    assert!(first < again, "{list}");
    other.stop();
}

#[test]
fn x1_rows_that_somebody_holds_and_no_connection_left() {
    let Some((pair, postgres)) = Pair::shared() else {
        return;
    };
    let node = &pair.nodes[0];
    let devices: Vec<_> = (0..CALLERS).map(|_| node.sign_in(EMAIL)).collect();
    let ended = node.sign_in(EMAIL);
    node.sign_out(&ended);
    let [mut guard, _] = pair.guards(1);
    let (address, kids) = (node.address, node.kids());
    let holder = Holder::hold(postgres, &pair.url, "sessions, audit");
    thread::scope(|scope| {
        let calls = scope.spawn(|| all_at_once(address, &devices));
        // Guards hear that they have missed nothing, and what is known to be dead stays so.
        for _ in 0..2 {
            guard.until("event: heartbeat").unwrap();
            let refused = node.connect().profile(&ended.access).unwrap();
            refused.refused(401, "token_revoked");
            assert_eq!(node.kids(), kids);
        }
        calls.join().unwrap();
    });
    holder.release();
    for device in &devices {
        let mut connection = node.connect();
        connection.profile(&device.access).unwrap().expect(200);
        let next = connection.refresh(&device.refresh).unwrap().expect(200);
        let other = pair.nodes[1].connect().refresh(&device.refresh).unwrap();
        let [next, other] = [&next, &other].map(|reply| reply.text("refreshToken"));
        assert_eq!(next, other);
        connection.sign_out(&device.access).unwrap().expect(204);
    }
    pair.stop();
}

/// A refresh, a sign-in and a sign-out for each device: none is done, and each caller hears so in time.
fn all_at_once(node: SocketAddr, devices: &[Device]) {
    let sign_in = json!({ "email": EMAIL, "password": PASSWORD });
    let (sign_in, watch) = (&sign_in, Stopwatch::start());
    thread::scope(|scope| {
        let mut calls = Vec::new();
        for device in devices {
            let mut connections = [(); 3].map(|()| Connection::open(node).unwrap());
            calls.push(scope.spawn(move || {
                let [one, other, third] = &mut connections;
                [
                    one.refresh(&device.refresh).unwrap(),
                    other.post("/api/login", sign_in).unwrap(),
                    third.sign_out(&device.access).unwrap(),
                ]
            }));
        }
        for call in calls {
            for reply in call.join().unwrap() {
                assert_eq!(reply.text("code"), "overloaded");
                told_to_come_back(reply);
            }
        }
    });
    let took = watch.elapsed();
    assert!(took.as_secs() < BOUND, "{took:?}");
}
