//! `deploy/balancer/nginx.conf` and `haproxy.cfg` before two nodes of one PostgreSQL, each ended and started in turn under load: no request
//! fails, and nobody is signed out.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};
use symbolon_testkit::Postgres;

use super::place::{PASSWORD, PATIENCE, Place};
use super::proxy::Proxy;
use super::running::{Server, Stopwatch};

const CONFIGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/balancer/");
const ISSUER: &str = "http://127.0.0.1:8090";
const JSON: (&str, &str) = ("content-type", "application/json");
/// Longer than `keepalive_timeout` in the file.
const DRAIN: &str = "3s";
/// What the threads do all the time, two of them each.
const WAYS: [fn(&Balanced, &str); 3] = [
    Balanced::look_at_the_profile,
    Balanced::refresh,
    Balanced::sign_in_and_out,
];

/// Two nodes behind a balancer.
struct Balanced {
    proxy: Proxy,
    over: AtomicBool,
    answers: AtomicU64,
}

#[test]
fn behind_nginx_a_node_after_the_other_is_started_anew_and_no_request_fails() {
    no_request_fails("nginx.conf", Proxy::nginx);
}

#[test]
fn behind_haproxy_a_node_after_the_other_is_started_anew_and_no_request_fails() {
    no_request_fails("haproxy.cfg", Proxy::haproxy);
}

type Start = fn(&Place, &str, &[(&str, String)]) -> Option<Proxy>;

fn no_request_fails(config: &str, start: Start) {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let url = postgres.url();
    let network = config.len() as u8;
    // On addresses of their own, where nobody takes a node's port while it is started anew.
    let nodes = [2, 3].map(|last| Node::start(&url, ([127, 0, network, last], 0).into()));
    let changes = [
        ("127.0.0.1:8081", nodes[0].server.address.to_string()),
        ("127.0.0.1:8082", nodes[1].server.address.to_string()),
    ];
    let place = Place::new();
    let config = std::fs::read_to_string(format!("{CONFIGS}{config}")).unwrap();
    let Some(proxy) = start(&place, &config, &changes) else {
        return;
    };
    let balanced = Balanced {
        proxy,
        over: AtomicBool::new(false),
        answers: AtomicU64::new(0),
    };
    let emails = (0..2 * WAYS.len()).map(|number| format!("user-{number}@example.com"));
    let emails: Vec<_> = emails.inspect(|email| balanced.register(email)).collect();
    let nodes = thread::scope(|scope| {
        let balanced = &balanced;
        let _ends = Over(&balanced.over);
        let callers = emails.iter().zip(WAYS.iter().cycle());
        let callers = callers.map(|(email, call)| scope.spawn(move || call(balanced, email)));
        let callers: Vec<_> = callers.collect();
        balanced.until_asked(&nodes.each_ref().map(|node| &node.server));
        let nodes = nodes.map(|node| balanced.restart(node));
        assert!(callers.iter().all(|caller| !caller.is_finished()));
        nodes
    });
    for node in nodes {
        node.server.stop();
    }
}

/// One of the nodes, in a place of its own.
struct Node {
    place: Place,
    server: Server,
}

impl Node {
    fn start(url: &str, address: SocketAddr) -> Self {
        let place = Place::node(url)
            .with("server.issuer", ISSUER)
            .with("server.trusted_proxies", "127.0.0.1")
            .with("server.drain", DRAIN);
        let server = Self::serve(&place, address);
        Self { place, server }
    }

    fn serve(place: &Place, address: SocketAddr) -> Server {
        let listen = address.to_string();
        Server::start(place.command(&["serve", "--listen", &listen]))
    }

    /// Ends as an operator does it and is started again where it was.
    fn restart(self) -> Self {
        let Self { place, server } = self;
        server.signal(Signal::TERM);
        // Balancers that ask are told before it refuses anybody.
        let watch = Stopwatch::start();
        loop {
            assert!(watch.elapsed() < PATIENCE, "it says that it is ready");
            let mut connection = server.connect();
            let reply = connection.call("GET", "/readyz", None, None).unwrap();
            if reply.status == 503 {
                assert!(
                    reply.head().contains("\r\nconnection: close\r\n"),
                    "{reply:?}"
                );
                assert!(connection.reply().is_err(), "it goes on");
                break;
            }
        }
        let address = server.address;
        assert_eq!(server.ended(), (Some(0), String::new()));
        let server = Self::serve(&place, address);
        assert_eq!(server.address, address);
        Self { place, server }
    }
}

/// Ends the load, whatever happens.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Balanced {
    /// One request, which must be answered as it should.
    #[track_caller]
    fn ask(&self, asked: (&str, &str), access: Option<&str>, body: &Value, status: u16) -> Value {
        let (method, path) = asked;
        let bearer = access.map(|access| format!("Bearer {access}"));
        let mut headers = vec![JSON];
        headers.extend(
            bearer
                .iter()
                .map(|bearer| ("authorization", bearer.as_str())),
        );
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (answered, text) = self.proxy.send(method, path, &headers, &body);
        assert_eq!(answered, status, "{method} {path}: {text}");
        self.answers.fetch_add(1, Ordering::Relaxed);
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_default()
    }

    fn register(&self, email: &str) {
        let body = json!({ "email": email, "password": PASSWORD });
        self.ask(("POST", "/api/register"), None, &body, 201);
    }

    fn sign_in(&self, email: &str) -> [String; 2] {
        let body = json!({ "email": email, "password": PASSWORD, "transport": "body" });
        let tokens = self.ask(("POST", "/api/login"), None, &body, 200);
        ["accessToken", "refreshToken"].map(|name| tokens[name].as_str().unwrap().to_owned())
    }

    /// Starts a node anew and waits until it is asked again.
    fn restart(&self, node: Node) -> Node {
        let before = self.answers.load(Ordering::Relaxed);
        let node = node.restart();
        let meanwhile = self.answers.load(Ordering::Relaxed) - before;
        assert!(meanwhile > 100, "{meanwhile}");
        self.until_asked(&[&node.server]);
        node
    }

    fn going_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    fn look_at_the_profile(&self, email: &str) {
        let [access, refresh] = self.sign_in(email);
        while self.going_on() {
            let profile = ("GET", "/api/user/profile");
            let profile = self.ask(profile, Some(&access), &Value::Null, 200);
            assert_eq!(profile["email"], email);
        }
        let body = json!({ "refreshToken": refresh });
        self.ask(("POST", "/api/refresh"), None, &body, 200);
    }

    fn refresh(&self, email: &str) {
        let [mut access, mut refresh] = self.sign_in(email);
        while self.going_on() {
            let body = json!({ "refreshToken": refresh });
            let tokens = self.ask(("POST", "/api/refresh"), None, &body, 200);
            let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
            (access, refresh) = (text("accessToken"), text("refreshToken"));
        }
        let profile = ("GET", "/api/user/profile");
        self.ask(profile, Some(&access), &Value::Null, 200);
    }

    fn sign_in_and_out(&self, email: &str) {
        while self.going_on() {
            let [access, _] = self.sign_in(email);
            self.ask(("POST", "/api/logout"), Some(&access), &Value::Null, 204);
        }
    }

    /// Until the balancer has had an answer of each of these nodes. A request's id begins with what its node is called.
    fn until_asked(&self, nodes: &[&Server]) {
        let names: BTreeSet<_> = nodes.iter().map(|node| name_of(node)).collect();
        let watch = Stopwatch::start();
        let mut heard = BTreeSet::new();
        while !names.is_subset(&heard) {
            assert!(
                watch.elapsed() < PATIENCE,
                "{heard:?}, not all of {names:?}"
            );
            let (_, text) = self.proxy.ask("GET", "/.well-known/jwks.json", &[]);
            heard.insert(name_in(&text.to_lowercase()));
        }
    }
}

fn name_of(node: &Server) -> String {
    let reply = node.connect().call("GET", "/healthz", None, None);
    name_in(reply.unwrap().head())
}

/// The part of `x-request-id` that is the same for all requests of a node.
fn name_in(head: &str) -> String {
    let id = head.split("\r\nx-request-id: ").nth(1);
    let id = id.and_then(|rest| rest.split("\r\n").next());
    let (name, _) = id.and_then(|id| id.rsplit_once('-')).unwrap();
    name.to_owned()
}
