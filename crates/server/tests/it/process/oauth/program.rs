//! The programs of `tests/clients` as processes.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use symbolon_testkit::skip;

use super::super::place::{Kept, Outcome, PASSWORD, PATIENCE, Place, drain, finish_within};
use super::super::running::Server;

pub const EMAIL: &str = "ada@example.com";
const CHROMIUM: &str = "/usr/bin/chromium";
pub const CALLBACK: &str = "https://app.example.com/callback";
pub const GOODBYE: &str = "https://app.example.com/goodbye";

/// A server with a person, and the folder of the programs.
pub struct Stage {
    pub place: Place,
    server: Server,
}

/// What `cargo xtask test` has made ready.
#[expect(
    clippy::disallowed_methods,
    reason = "the test is told where things are"
)]
pub fn told(variable: &str, what: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        skip(&format!(
            "{what}: run cargo xtask test without a filter, with Node 20 and Python 3.11"
        ));
    }
    found
}

/// A program in JavaScript.
pub fn javascript(program: &str) -> Option<Command> {
    let folder = told("SYMBOLON_TEST_CLIENTS", "clients in JavaScript")?;
    let mut command = Command::new("node");
    command.arg(folder.join(program));
    Some(command)
}

/// A program in JavaScript that drives Chromium.
pub fn in_chromium(program: &str) -> Option<Command> {
    if !Path::new(CHROMIUM).exists() {
        skip("clients in a browser: apt-get install chromium");
        return None;
    }
    let mut command = javascript(program)?;
    command.env("CHROMIUM", CHROMIUM);
    Some(command)
}

/// The program in Rust.
pub fn rust() -> Option<Command> {
    told("SYMBOLON_TEST_OPENIDCONNECT", "the client in Rust").map(Command::new)
}

/// A program in Python.
pub fn python(program: &str) -> Option<Command> {
    let python = told("SYMBOLON_TEST_PYTHON", "clients in Python")?;
    let mut command = Command::new(python);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
    command.arg(program).current_dir(folder);
    Some(command)
}

impl Stage {
    pub fn new() -> Self {
        let place = Place::new();
        let command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
        Self::of(place, command)
    }

    /// The same with a server of one's own.
    pub fn of(place: Place, command: Command) -> Self {
        let server = Server::start(command);
        server.register(EMAIL);
        Self { place, server }
    }

    pub fn issuer(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Makes the client that the words describe; its secret, or nothing.
    pub fn client(&self, id: &str, words: &str) -> String {
        let mut arguments = vec!["client", "add", id];
        arguments.extend(words.split_whitespace());
        self.place.run(&arguments).text().trim_end().to_owned()
    }

    fn ready(&self, command: &mut Command, id: &str) {
        command
            .env("ISSUER", self.issuer())
            .env("CLIENT_ID", id)
            .env("EMAIL", EMAIL)
            .env("PASSWORD", PASSWORD)
            .env_remove("NODE_OPTIONS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// Runs a program to its end, which is a good one.
    #[track_caller]
    pub fn passes<V: AsRef<OsStr>>(&self, command: Command, id: &str, more: &[(&str, V)]) {
        self.passes_within(PATIENCE, command, id, more);
    }

    /// The same for one that takes its time.
    #[track_caller]
    pub fn passes_within<V: AsRef<OsStr>>(
        &self,
        patience: Duration,
        mut command: Command,
        id: &str,
        more: &[(&str, V)],
    ) {
        self.ready(&mut command, id);
        command
            .env("REDIRECT_URI", CALLBACK)
            .env("POST_LOGOUT_REDIRECT_URI", GOODBYE)
            .envs(more.iter().map(|(name, value)| (name, value)));
        self.is_well(&finish_within(patience, command, b""));
    }

    /// The same for a program with a page of its own: it first says where that is, and waits for `client` to be made.
    #[track_caller]
    pub fn passes_with_a_page(&self, mut command: Command, id: &str, client: impl FnOnce(&str)) {
        self.ready(&mut command, id);
        let mut child = Kept(command.spawn().unwrap());
        let stderr = drain(child.0.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
        let mut origin = String::new();
        stdout.read_line(&mut origin).unwrap();
        let mut stdin = child.0.stdin.take().unwrap();
        if !origin.is_empty() {
            client(origin.trim_end());
            writeln!(stdin, "go").unwrap();
        }
        drop(stdin);
        let stderr = stderr.recv_timeout(PATIENCE).expect("it did not end");
        self.is_well(&Outcome {
            code: child.0.wait().unwrap().code(),
            stdout: Vec::new(),
            stderr: String::from_utf8(stderr).unwrap(),
        });
    }

    #[track_caller]
    fn is_well(&self, outcome: &Outcome) {
        let said = String::from_utf8_lossy(&outcome.stdout);
        assert_eq!(outcome.code, Some(0), "{said}\n{}", outcome.stderr);
    }
}
