//! Clients that go on whatever breaks, and what they must find afterwards.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::json;

use super::super::http::{Connection, Reply};
use super::super::place::{PASSWORD, PATIENCE, Place};
use super::super::running::{Device, Server, Stopwatch};
use super::pair;

const CLIENTS: usize = 6;
/// Every so many steps a client signs out, and in again.
const SIGN_OUT: u64 = 12;
/// Answers before something breaks, and refusals before it is mended.
const BEFORE: u64 = 150;
const FELT: u64 = 12;
/// Longer than any bound on the delay of a key.
const MOST_LOOKS: usize = 10_000;
/// Refreshes of each client until all is as before.
const AFTER: u64 = 5;

/// Two servers with one database.
pub struct Nodes {
    places: [Place; 2],
    servers: [Option<Server>; 2],
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Chain>>,
}

/// What clients and test see of each other.
struct Shared {
    addresses: Mutex<Vec<SocketAddr>>,
    is_over: AtomicBool,
    /// Refreshes of each client that were answered.
    refreshes: Vec<AtomicU64>,
    answered: AtomicU64,
    refused: AtomicU64,
    broken: AtomicU64,
    /// Longest wait for an answer, in milliseconds.
    longest: AtomicU64,
}

/// What a client knows.
struct Chain {
    email: String,
    access: String,
    newest: String,
    /// Tokens of sessions whose end was answered: access and refresh.
    ended: Vec<(String, String)>,
}

impl Nodes {
    /// With the database of each; an empty URL is that of the first.
    pub fn start(urls: &[&str; 2]) -> Self {
        Self::of_version(urls, None)
    }

    /// The same of the version before this one, where that is named.
    pub fn of_version(urls: &[&str; 2], former: Option<&Path>) -> Self {
        let urls = urls.map(|url| if url.is_empty() { urls[0] } else { url });
        let mut places = urls.map(|url| Place::node(url).with("refresh.leeway", "60s"));
        places
            .iter_mut()
            .for_each(|place| place.run_version(former));
        let servers = places.each_ref().map(|place| Some(place.serve()));
        let addresses = servers.iter().flatten().map(|server| server.address);
        let shared = Arc::new(Shared {
            addresses: Mutex::new(addresses.collect()),
            is_over: AtomicBool::new(false),
            refreshes: (0..CLIENTS).map(|_| AtomicU64::new(0)).collect(),
            answered: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            longest: AtomicU64::new(0),
        });
        let first = servers[0].as_ref().unwrap();
        let clients = (0..CLIENTS).map(|number| {
            let email = format!("user{number}@example.com");
            let device = first.register(&email);
            let shared = Arc::clone(&shared);
            thread::spawn(move || go_on(&shared, number, email, device))
        });
        let clients = clients.collect();
        Self {
            places,
            servers,
            shared,
            clients,
        }
    }

    pub fn kill(&mut self, number: usize) {
        self.servers[number].take().unwrap().kill();
    }

    pub fn start_again(&mut self, number: usize) {
        let server = self.places[number].serve();
        self.shared.addresses.lock().unwrap()[number] = server.address;
        self.servers[number] = Some(server);
    }

    /// Ends a node in order, and starts it again: of this version, or of the former one that is named.
    pub fn change_version(&mut self, number: usize, former: Option<&Path>) {
        let _warned = self.servers[number].take().unwrap().stop();
        self.places[number].run_version(former);
        self.start_again(number);
    }

    /// Runs a command beside each node at the same time.
    pub fn both(&self, arguments: &[&str]) {
        pair::both(&self.places, arguments);
    }

    /// The keys that each publishes.
    pub fn kids(&self) -> (Vec<String>, Vec<String>) {
        let [one, other] = &self.servers;
        let kids = |server: &Option<Server>| server.as_ref().unwrap().kids();
        // The other node hears of a key a moment later.
        let both = || (kids(one), kids(other));
        let mut found = (0..MOST_LOOKS).map(|_| both());
        found.find(|(one, other)| one == other).unwrap_or_else(both)
    }
}

/// Something that breaks.
pub struct Fault {
    name: &'static str,
    shared: Arc<Shared>,
    refused: u64,
    broken: u64,
    recovery: Duration,
}

impl Fault {
    /// Once the load is under way.
    pub fn begin(name: &'static str, nodes: &Nodes) -> Self {
        let shared = Arc::clone(&nodes.shared);
        until(|| shared.answered.load(Ordering::SeqCst) >= BEFORE);
        let broken = shared.broken.load(Ordering::SeqCst);
        let refused = shared.refused.load(Ordering::SeqCst);
        assert_eq!((refused, broken), (0, 0), "before anything broke");
        Self {
            name,
            shared,
            refused,
            broken,
            recovery: Duration::ZERO,
        }
    }

    /// Waits until clients have met it.
    pub fn until_felt(&self) {
        let met = || {
            self.shared.refused.load(Ordering::SeqCst) + self.shared.broken.load(Ordering::SeqCst)
        };
        until(|| met() >= FELT);
    }

    /// Somebody waited for an answer for so many milliseconds.
    pub fn held_up(&self, least: u64) {
        assert!(self.shared.longest.load(Ordering::SeqCst) >= least);
    }

    /// Waits until every client goes on.
    pub fn mended(mut self) -> Self {
        let watch = Stopwatch::start();
        self.until_all_go_on();
        self.recovery = watch.elapsed();
        self.refused = self.shared.refused.load(Ordering::SeqCst);
        self.broken = self.shared.broken.load(Ordering::SeqCst);
        self
    }

    /// Waits for some refreshes of each.
    pub fn until_all_go_on(&self) {
        let refreshes = &self.shared.refreshes;
        let before: Vec<u64> = refreshes
            .iter()
            .map(|count| count.load(Ordering::SeqCst))
            .collect();
        for (count, before) in refreshes.iter().zip(before) {
            until(|| count.load(Ordering::SeqCst) >= before + AFTER);
        }
    }

    /// Every session is alive with the token that was answered last, at both nodes, and every one that was ended is dead at
    /// both as soon as they have heard of it.
    pub fn nothing_was_lost(self, nodes: Nodes) -> String {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let mut ended = 0;
        for client in nodes.clients {
            let chain = client.join().unwrap();
            let mut successors = Vec::new();
            for server in nodes.servers.iter().flatten() {
                let mut connection = server.connect();
                connection.profile(&chain.access).unwrap().expect(200);
                let reply = connection.refresh(&chain.newest).unwrap().expect(200);
                successors.push(reply.text("refreshToken"));
                for (access, refresh) in &chain.ended {
                    // The last ones may have been ended a moment ago, at the other node.
                    assert_eq!(server.until_refused(access).1, "token_revoked");
                    let reply = connection.refresh(refresh).unwrap();
                    reply.refused(401, "session_revoked");
                }
            }
            assert_eq!(successors[0], successors[1], "{}", chain.email);
            ended += chain.ended.len();
        }
        for server in nodes.servers.into_iter().flatten() {
            let _warned = server.stop();
        }
        format!(
            "{}: {} answered, {} refused (503), {} connections broken, longest answer {} ms, {ended} sessions ended and none \
             alive again, nothing lost; every client went on {:.1} s after it was mended",
            self.name,
            self.shared.answered.load(Ordering::SeqCst),
            self.refused,
            self.broken,
            self.shared.longest.load(Ordering::SeqCst),
            self.recovery.as_secs_f32(),
        )
    }
}

/// Waits for what clients do, unless they have failed.
#[track_caller]
fn until(is_so: impl Fn() -> bool) {
    let watch = Stopwatch::start();
    while !is_so() {
        assert!(watch.elapsed() < PATIENCE, "the clients do not go on");
        thread::yield_now();
    }
}

/// One client's way to whichever node it tries next.
struct Caller<'a> {
    shared: &'a Shared,
    turn: usize,
    connections: [Option<Connection>; 2],
}

impl Caller<'_> {
    /// The answer of the next node, unless it has none or says that it cannot.
    fn ask(&mut self, call: impl Fn(&mut Connection) -> std::io::Result<Reply>) -> Option<Reply> {
        self.turn += 1;
        let node = self.turn % 2;
        let address = self.shared.addresses.lock().unwrap()[node];
        let watch = Stopwatch::start();
        let connection = self.connections[node].take();
        let connection = connection.map_or_else(|| Connection::open(address), Ok);
        let asked = connection.and_then(|mut connection| Ok((call(&mut connection)?, connection)));
        let Ok((reply, connection)) = asked else {
            self.shared.broken.fetch_add(1, Ordering::SeqCst);
            return None;
        };
        let took = u64::try_from(watch.elapsed().as_millis()).unwrap();
        self.shared.longest.fetch_max(took, Ordering::SeqCst);
        self.connections[node] = Some(connection);
        if reply.status == 503 {
            assert!(reply.has_header("retry-after"), "{reply:?}");
            self.shared.refused.fetch_add(1, Ordering::SeqCst);
            return None;
        }
        self.shared.answered.fetch_add(1, Ordering::SeqCst);
        Some(reply)
    }

    /// Asks until there is an answer.
    fn insist(&mut self, call: impl Fn(&mut Connection) -> std::io::Result<Reply>) -> Reply {
        loop {
            if let Some(reply) = self.ask(&call) {
                return reply;
            }
            thread::yield_now();
        }
    }
}

fn go_on(shared: &Shared, number: usize, email: String, device: Device) -> Chain {
    let mut caller = Caller {
        shared,
        turn: number,
        connections: [None, None],
    };
    let mut chain = Chain {
        email,
        access: device.access,
        newest: device.refresh,
        ended: Vec::new(),
    };
    let mut step = 0;
    while !shared.is_over.load(Ordering::SeqCst) {
        step += 1;
        if step % SIGN_OUT == 0 {
            sign_out(&mut caller, &mut chain);
        }
        let reply = caller.insist(|connection| connection.refresh(&chain.newest));
        let reply = reply.expect(200);
        chain.newest = reply.text("refreshToken");
        chain.access = reply.text("accessToken");
        shared.refreshes[number].fetch_add(1, Ordering::SeqCst);
        if let Some(reply) = caller.ask(|connection| connection.profile(&chain.access)) {
            reply.expect(200);
        }
    }
    chain
}

fn sign_out(caller: &mut Caller<'_>, chain: &mut Chain) {
    let reply = caller.insist(|connection| connection.sign_out(&chain.access));
    // A former attempt, whose answer was lost, may have ended it.
    if reply.status != 204 {
        reply.refused(401, "token_revoked");
    }
    let body = json!({ "email": chain.email, "password": PASSWORD, "transport": "body" });
    let reply = caller.insist(|connection| connection.post("/api/login", &body));
    let reply = reply.expect(200);
    let before = (
        std::mem::replace(&mut chain.access, reply.text("accessToken")),
        std::mem::replace(&mut chain.newest, reply.text("refreshToken")),
    );
    chain.ended.push(before);
}
