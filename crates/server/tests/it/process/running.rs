//! A running server.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{ChildStdin, Command};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::http::{Connection, Reply};
use super::place::{Kept, PASSWORD, PATIENCE, Place, drain};

/// More requests than fit into any bound on the delay of a revocation.
const MOST_POLLS: usize = 20_000;
/// More looks than any revocation takes to be published.
const MOST_LISTS: usize = 100_000;

/// A server that answers. It is killed when it is dropped.
pub struct Server {
    child: Kept,
    pub address: SocketAddr,
    /// Closed when the process has ended.
    lines: Receiver<String>,
    stderr: Receiver<Vec<u8>>,
    _stdin: Option<ChildStdin>,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Device {
    pub access: String,
    pub refresh: String,
    /// The session.
    pub sid: String,
}

impl Place {
    /// Runs the server on a port that is free.
    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    pub fn serve_with(&self, arguments: &[&str]) -> Server {
        let all = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        Server::start(self.command(&all))
    }
}

impl Server {
    pub fn start(mut command: Command) -> Self {
        let mut child = Kept(command.spawn().unwrap());
        let stdin = child.0.stdin.take();
        let stderr = drain(child.0.stderr.take().unwrap());
        let stdout = child.0.stdout.take().unwrap();
        let (said, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _nobody_reads = said.send(line);
            }
        });
        let address = loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(at) = line.strip_prefix("listening on http://") {
                        break at.parse().unwrap();
                    }
                }
                Err(error) => {
                    drop(child);
                    let said = stderr.recv_timeout(PATIENCE).unwrap_or_default();
                    panic!("{error}: {}", String::from_utf8_lossy(&said));
                }
            }
        };
        Self {
            child,
            address,
            lines,
            stderr,
            _stdin: stdin,
        }
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.address).unwrap()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child.0)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for the end of the process: its exit code and what it said on standard error, save how to make the first
    /// administrator, which most tests do not need.
    pub fn ended(self) -> (Option<i32>, String) {
        let (code, stderr) = self.ended_saying();
        let lines = stderr.split_inclusive('\n');
        let rest = lines.filter(|line| !line.starts_with("no administrator yet: "));
        (code, rest.collect())
    }

    /// The same with all that it said.
    pub fn ended_saying(mut self) -> (Option<i32>, String) {
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        let stderr = self.stderr.recv_timeout(PATIENCE).expect("it did not end");
        let status = self.child.0.wait().unwrap();
        (status.code(), String::from_utf8(stderr).unwrap())
    }

    /// Ends it as an operator does, which succeeds.
    #[track_caller]
    pub fn stop(self) -> String {
        self.signal(Signal::TERM);
        let (code, stderr) = self.ended();
        assert_eq!(code, Some(0), "{stderr}");
        stderr
    }

    /// Ends it as a crash does.
    pub fn kill(self) {
        self.signal(Signal::KILL);
        assert_eq!(self.ended().0, None);
    }

    /// Signs in, the refresh token in the body.
    pub fn sign_in(&self, email: &str) -> Device {
        let body = json!({ "email": email, "password": PASSWORD, "transport": "body" });
        let reply = self.connect().post("/api/login", &body).unwrap();
        Device::given(&reply.expect(200))
    }

    /// Signs out, which succeeds.
    #[track_caller]
    pub fn sign_out(&self, device: &Device) {
        let reply = self.connect().sign_out(&device.access);
        reply.unwrap().expect(204);
    }

    /// Makes an account over HTTP and signs in.
    pub fn register(&self, email: &str) -> Device {
        let body = json!({ "email": email, "password": PASSWORD });
        let reply = self.connect().post("/api/register", &body).unwrap();
        reply.expect(201);
        self.sign_in(email)
    }

    /// Asks until the access token is refused: how long that took, and what the refusal says.
    #[track_caller]
    pub fn until_refused(&self, access: &str) -> (Duration, String) {
        let watch = Stopwatch::start();
        let mut connection = self.connect();
        for _ in 0..MOST_POLLS {
            let reply = connection.profile(access).unwrap();
            if reply.status == 401 {
                return (watch.elapsed(), reply.text("code"));
            }
            reply.expect(200);
        }
        panic!("the server takes a token that was killed");
    }

    /// The list of revocations.
    pub fn revocations(&self) -> Value {
        let path = "/api/revocations?since=no:1";
        // Over HTTP/1.0, whose answers are not chunked.
        let mut connection = self.connect();
        let head = format!("GET {path} HTTP/1.0\r\nhost: {}\r\n\r\n", self.address);
        connection.send(head.as_bytes()).unwrap();
        serde_json::from_slice(&connection.rest().unwrap()).unwrap()
    }

    /// The list once it holds so many.
    #[track_caller]
    pub fn until_listed(&self, entries: usize) -> Value {
        let lists = (0..MOST_LISTS).map(|_| self.revocations());
        let mut long = lists.filter(|list| list["entries"].as_array().unwrap().len() >= entries);
        long.next().expect("the list does not grow")
    }

    /// The ids of the published keys.
    pub fn kids(&self) -> Vec<String> {
        let path = "/.well-known/jwks.json";
        let reply = self.connect().call("GET", path, None, None).unwrap();
        let keys = reply.expect(200).json()["keys"].as_array().unwrap().clone();
        let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        keys.iter().map(kid).collect()
    }
}

impl Device {
    /// What a sign-in or a refresh answered.
    pub fn given(reply: &Reply) -> Self {
        let access = reply.text("accessToken");
        let claims = crate::people::claims(&access);
        Self {
            refresh: reply.text("refreshToken"),
            sid: claims["sid"].as_str().unwrap().to_owned(),
            access,
        }
    }
}

/// Time that passes, for figures and never for a wait.
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "it measures the outside world")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    #[expect(clippy::disallowed_methods, reason = "it measures the outside world")]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
