//! Two nodes of one database, and many who call them at once.

use std::sync::Barrier;
use std::thread;

use super::super::http::Connection;
use super::super::place::Place;
use super::super::running::{Device, Server};

pub const EMAIL: &str = "ada@example.com";
/// Heartbeats that a guard hears at most before it is cut off.
const MOST_BEATS: usize = 6;

/// Two places of nodes with one database.
pub fn places(url: &str) -> [Place; 2] {
    [(); 2].map(|()| Place::node(url))
}

/// Two nodes that run.
pub struct Pair {
    pub places: [Place; 2],
    pub nodes: [Server; 2],
}

impl Pair {
    pub fn start(url: &str) -> Self {
        let places = places(url);
        let nodes = places.each_ref().map(Place::serve);
        Self { places, nodes }
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

    /// The same command beside each node at the same moment.
    pub fn both(&self, arguments: &[&str]) {
        thread::scope(|scope| {
            for place in &self.places {
                scope.spawn(move || place.run(arguments).succeeded());
            }
        });
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
