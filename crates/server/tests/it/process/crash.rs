//! `kill -9` at any moment loses nothing that was answered, and answers nothing twice (CONTRACT section 5, rule 5;
//! threat table X2, R6).

use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::http::Connection;
use super::place::{Kept, Place};
use super::running::{Device, Stopwatch};

const ROUNDS: usize = 50;
const CLIENTS: usize = 4;
/// Most answers of a round before its end.
const MOST_ANSWERS: u64 = 300;

/// A client that keeps its newest refresh token and the one before.
#[derive(Clone)]
struct Chain {
    access: String,
    before: Option<String>,
    newest: String,
}

/// Numbers that look like chance and are the same in every run (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        1 + self.0 % most
    }
}

#[test]
fn no_answered_refresh_is_lost_by_kill_9_and_none_has_two_successors() {
    let place = Place::new()
        .with("refresh.leeway", "60s")
        .with("refresh.idle_ttl", "7d");
    let watch = Stopwatch::start();
    let mut dice = Dice(0x5eed_5b01);
    let first = place.serve();
    let mut chains: Vec<Chain> = (0..CLIENTS)
        .map(|number| first.register(&format!("user{number}@example.com")))
        .map(|device: Device| Chain {
            access: device.access,
            before: None,
            newest: device.refresh,
        })
        .collect();
    let mut server = first;
    let (mut answers, mut unheard) = (0, 0);
    for round in 0..ROUNDS {
        let (heard, count) = channel();
        let (address, last) = (server.address, dice.roll(MOST_ANSWERS));
        let clients: Vec<_> = chains
            .drain(..)
            .map(|chain| {
                let heard = heard.clone();
                thread::spawn(move || go_on(address, chain, &heard))
            })
            .collect();
        drop(heard);
        for _ in 0..last {
            count.recv().expect("every client gave up");
            answers += 1;
        }
        server.kill();
        chains = clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect();
        answers += count.try_iter().count();
        server = place.serve();
        for chain in &mut chains {
            unheard += usize::from(survives(server.address, chain, round));
        }
    }
    let seconds = watch.elapsed().as_secs_f32();
    println!(
        "kill -9: {ROUNDS} rounds, {CLIENTS} clients, {answers} answered refreshes, {unheard} committed and unheard, {seconds:.1} s"
    );
    server.stop();
}

/// A first start that is killed as soon as one of its files is there leaves nothing that the next one trips over.
#[test]
fn a_first_start_may_be_killed_at_any_moment() {
    for name in [
        "symbolon.db",
        "symbolon.db-wal",
        "symbolon.db-shm",
        "master.key",
    ] {
        for _ in 0..3 {
            let place = Place::new();
            let mut child = Kept(
                place
                    .command(&["serve", "--listen", "127.0.0.1:0"])
                    .spawn()
                    .unwrap(),
            );
            while !place.data(name).exists() {
                assert_eq!(child.0.try_wait().unwrap(), None, "it never made {name}");
            }
            child.0.kill().unwrap();
            child.0.wait().unwrap();
            let server = place.serve();
            let device = server.register("ada@example.com");
            server.stop();
            let server = place.serve();
            server
                .connect()
                .profile(&device.access)
                .unwrap()
                .expect(200);
            server.stop();
        }
    }
}

/// Refreshes until the connection breaks. Every fourth token is presented twice, and must have one successor.
fn go_on(address: SocketAddr, mut chain: Chain, heard: &Sender<()>) -> Chain {
    let Ok(mut connection) = Connection::open(address) else {
        return chain;
    };
    for number in 0.. {
        let Ok(reply) = connection.refresh(&chain.newest) else {
            break;
        };
        let reply = reply.expect(200);
        let next = reply.text("refreshToken");
        if number % 4 == 0
            && let Ok(again) = connection.refresh(&chain.newest)
        {
            assert_eq!(again.expect(200).text("refreshToken"), next);
        }
        chain.access = reply.text("accessToken");
        chain.before = Some(std::mem::replace(&mut chain.newest, next));
        // The test may have heard enough.
        let _unheard = heard.send(());
    }
    chain
}

/// What the server must still know of a client. True when it had committed a refresh that nobody heard of.
fn survives(address: SocketAddr, chain: &mut Chain, round: usize) -> bool {
    let mut connection = Connection::open(address).unwrap();
    connection.profile(&chain.access).unwrap().expect(200);
    let mut unheard = false;
    if let Some(before) = &chain.before {
        let reply = connection.refresh(before).unwrap();
        // Either the answered token is the current one, and its predecessor leads to it and to nothing else, or it
        // was exchanged already and its predecessor is too old.
        unheard = reply.status == 401;
        if unheard {
            reply.refused(401, "invalid_refresh_token");
        } else {
            let successor = reply.expect(200).text("refreshToken");
            assert_eq!(successor, chain.newest, "two successors in round {round}");
        }
    }
    let reply = connection.refresh(&chain.newest).unwrap().expect(200);
    let next = reply.text("refreshToken");
    let again = connection.refresh(&chain.newest).unwrap().expect(200);
    assert_eq!(
        again.text("refreshToken"),
        next,
        "two successors in round {round}"
    );
    chain.access = reply.text("accessToken");
    chain.before = Some(std::mem::replace(&mut chain.newest, next));
    unheard
}
