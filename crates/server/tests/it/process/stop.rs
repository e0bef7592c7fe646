//! Ends and starts: what is in flight is finished, and what was issued before is good after.

use rustix::process::Signal;
use serde_json::json;

use super::http::{Connection, request};
use super::place::{PASSWORD, Place};
use super::running::{Server, Stopwatch};

/// More attempts than any listener is closed in.
const MOST_POLLS: usize = 1_000_000;

/// A request of which half is sent when the signal comes, and the rest after the server has stopped listening.
fn finishes_what_is_in_flight(signal: Signal) {
    let place = Place::new();
    let server = place.serve();
    let idle = server.connect();
    let mut slow = server.connect();
    let body = json!({ "email": "slow@example.com", "password": PASSWORD });
    let whole = request("POST", "/api/register", None, Some(&body));
    let text = String::from_utf8(whole).unwrap();
    let (head, rest) = text.split_once("\r\n\r\n").unwrap();
    let half = rest.len() / 2;
    slow.send(format!("{head}\r\nexpect: 100-continue\r\n\r\n").as_bytes())
        .unwrap();
    // Said once the body is being read.
    slow.reply().unwrap().expect(100);
    slow.send(&rest.as_bytes()[..half]).unwrap();
    server.signal(signal);
    stops_listening(&server);
    slow.send(&rest.as_bytes()[half..]).unwrap();
    let reply = slow.reply().unwrap().expect(201);
    assert_eq!(reply.json()["user"]["email"], "slow@example.com");
    let (code, stderr) = server.ended();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    drop(idle);
    assert!(
        !place.data("symbolon.db-wal").exists(),
        "the log is copied back"
    );
    // It was stored, not only answered.
    let server = place.serve();
    server.sign_in("slow@example.com");
    server.stop();
}

fn stops_listening(server: &Server) {
    let refused = (0..MOST_POLLS).any(|_| Connection::open(server.address).is_err());
    assert!(refused, "it still listens");
}

#[test]
fn a_second_signal_ends_the_drain() {
    let place = Place::new().with("server.drain", "5m");
    let server = place.serve();
    server.signal(Signal::TERM);
    let not_ready = |_| {
        let mut connection = server.connect();
        let reply = connection.call("GET", "/readyz", None, None);
        reply.unwrap().status == 503
    };
    assert!((0..MOST_POLLS).any(not_ready), "it does not drain");
    server.signal(Signal::INT);
    assert_eq!(server.ended().0, Some(0));
}

/// Connections that ask nothing, half of something, or no more: none holds up the end for longer than requests may take.
#[test]
fn n2_connections_that_bring_nothing_do_not_hold_up_the_end() {
    let place = Place::new().with("server.drain", "1s");
    let server = place.serve();
    let mut held = [(); 4].map(|()| server.connect());
    let [_silent, idle, half_a_head, half_a_body] = &mut held;
    let asked = idle.call("GET", "/healthz", None, None);
    asked.unwrap().expect(200);
    half_a_head
        .send(b"GET /healthz HTTP/1.1\r\nhost: loc")
        .unwrap();
    let body = json!({ "email": "slow@example.com", "password": PASSWORD });
    let whole = request("POST", "/api/register", None, Some(&body));
    half_a_body.send(&whole[..whole.len() - 5]).unwrap();
    let watch = Stopwatch::start();
    server.signal(Signal::TERM);
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
    // A second of the drain, and twenty for what is in flight.
    let took = watch.elapsed().as_secs_f32();
    assert!((1.0..30.0).contains(&took), "{took}");
    let [silent, idle, half_a_head, half_a_body] = held;
    for mut connection in [silent, idle, half_a_head] {
        assert!(connection.reply().is_err());
    }
    let told = { half_a_body }.reply().unwrap();
    told.refused(400, "malformed_request");
}

#[test]
fn sigterm_finishes_requests_in_flight() {
    finishes_what_is_in_flight(Signal::TERM);
}

#[test]
fn sigint_finishes_requests_in_flight() {
    finishes_what_is_in_flight(Signal::INT);
}

#[test]
fn a_restart_on_another_port_keeps_the_issuer_and_the_tokens() {
    let place = Place::new();
    let first = place.serve();
    let issuer = format!("http://{}", first.address);
    let device = first.register("ada@example.com");
    assert_eq!(crate::people::claims(&device.access)["iss"], issuer);
    let kids = first.kids();
    // Held, so that nobody gives the second server the same port.
    let address = first.address;
    first.stop();
    let held = std::net::TcpListener::bind(address);
    let second = place.serve();
    assert!(held.is_err() || second.address != address);
    assert_eq!(second.kids(), kids);
    let mut connection = second.connect();
    connection.profile(&device.access).unwrap().expect(200);
    let refreshed = connection.refresh(&device.refresh).unwrap().expect(200);
    let claims = crate::people::claims(&refreshed.text("accessToken"));
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!(issuer), &json!(issuer))
    );
    // A token that was rotated before a restart is as used after it (threat table R6).
    let next = refreshed.text("refreshToken");
    connection.refresh(&next).unwrap().expect(200);
    second.stop();
    let place = place
        .with("refresh.leeway", "0s")
        .with("refresh.retry_window", "0s");
    let third = place.serve();
    let mut connection = third.connect();
    let reused = connection.refresh(&device.refresh).unwrap();
    reused.refused(401, "refresh_token_reused");
    let dead = connection.profile(&refreshed.text("accessToken")).unwrap();
    dead.refused(401, "token_revoked");
    third.stop();
}

#[test]
fn a_set_issuer_wins() {
    let place = Place::new();
    place.serve().stop();
    let server = place.serve_with(&["--issuer", "https://login.example.com"]);
    let device = server.register("ada@example.com");
    let claims = crate::people::claims(&device.access);
    assert_eq!(claims["iss"], "https://login.example.com");
    server.stop();
}
