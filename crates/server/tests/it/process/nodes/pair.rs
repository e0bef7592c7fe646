//! Two nodes of one database, and many who call them at once.

use std::sync::Barrier;
use std::thread;

use symbolon_testkit::Postgres;

use super::super::http::Connection;
use super::super::place::Place;
use super::super::running::{Device, Server};

pub const EMAIL: &str = "ada@example.com";
/// Heartbeats that a guard hears at most before it is cut off.
const MOST_BEATS: usize = 6;

/// Two nodes that run, and Ada.
pub struct Pair {
    pub places: [Place; 2],
    pub nodes: [Server; 2],
    /// Where their database is.
    pub url: String,
    /// With which she registered at the first.
    pub device: Device,
}

impl Pair {
    pub fn start(url: &str) -> Self {
        let places = [(); 2].map(|()| Place::node(url));
        let nodes = places.each_ref().map(Place::serve);
        let device = nodes[0].register(EMAIL);
        Self {
            places,
            nodes,
            url: url.to_owned(),
            device,
        }
    }

    /// On the PostgreSQL that tests share, if there is one.
    pub fn shared() -> Option<(Self, &'static Postgres)> {
        let postgres = Postgres::shared()?;
        Some((Self::start(&postgres.url()), postgres))
    }

    /// More devices of hers: all but the last have signed out at the first node.
    pub fn one_left(&self) -> [Device; 4] {
        let node = &self.nodes[0];
        let devices = [(); 4].map(|()| node.sign_in(EMAIL));
        for device in &devices[..3] {
            node.sign_out(device);
        }
        devices
    }

    /// So many calls at the same moment, each on a connection of its own, to each node in turn.
    pub fn at_once<T: Send>(
        &self,
        calls: usize,
        call: impl Fn(usize, &mut Connection) -> T + Sync,
    ) -> Vec<T> {
        let barrier = Barrier::new(calls);
        thread::scope(|scope| {
            let callers = (0..calls).map(|number| {
                let mut connection = self.nodes[number % 2].connect();
                let (barrier, call) = (&barrier, &call);
                scope.spawn(move || {
                    barrier.wait();
                    call(number, &mut connection)
                })
            });
            let callers: Vec<_> = callers.collect();
            let answers = callers.into_iter().map(|caller| caller.join().unwrap());
            answers.collect()
        })
    }

    /// The access token is good at both.
    #[track_caller]
    pub fn assert_alive(&self, access: &str) {
        for node in &self.nodes {
            node.connect().profile(access).unwrap().expect(200);
        }
    }

    /// No token of a device is good at either: the refresh token from now on, the access token within the bound.
    #[track_caller]
    pub fn assert_ended(&self, device: &Device) {
        for node in &self.nodes {
            let refused = node.connect().refresh(&device.refresh).unwrap();
            refused.refused(401, "session_revoked");
        }
        for node in &self.nodes {
            let (_, code) = node.until_refused(&device.access);
            assert_eq!(code, "token_revoked");
        }
    }

    /// Of four devices only the last has an access token that this node takes.
    #[track_caller]
    pub fn assert_one_left(node: &Server, devices: &[Device; 4]) {
        let mut connection = node.connect();
        let [ended @ .., left] = devices;
        for device in ended {
            let dead = connection.profile(&device.access).unwrap();
            dead.refused(401, "token_revoked");
        }
        connection.profile(&left.access).unwrap().expect(200);
    }

    /// A guard of each, once it has heard that this is the last revocation.
    pub fn guards(&self, last: i64) -> [Connection; 2] {
        self.nodes.each_ref().map(|node| {
            let mut guard = node.connect();
            let stream = b"GET /api/revocations/stream HTTP/1.0\r\n\r\n";
            guard.send(stream).unwrap();
            // As only a heartbeat ends.
            guard.until(&format!("\"seq\":{last}}}")).unwrap();
            guard
        })
    }

    /// Guards are cut off, as by another epoch: who comes back gets everything.
    pub fn are_cut_off(guards: [Connection; 2]) {
        for mut guard in guards {
            let mut beats = 0..MOST_BEATS;
            let is_cut_off = beats.any(|_| guard.until("event: heartbeat").is_err());
            assert!(is_cut_off, "it follows on");
        }
    }

    /// Ends both: what they said.
    #[track_caller]
    pub fn stop(self) -> String {
        self.nodes.map(Server::stop).concat()
    }
}

/// The same command in both places at the same moment.
pub fn both(places: &[Place; 2], arguments: &[&str]) {
    thread::scope(|scope| {
        for place in places {
            scope.spawn(move || place.run(arguments).succeeded());
        }
    });
}
