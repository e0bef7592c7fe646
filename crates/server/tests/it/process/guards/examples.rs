//! The example examples as processes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use symbolon_testkit::skip;

use super::super::http::{Connection, Reply};
use super::super::running::Server;

/// A example that a guard protects.
pub struct Example {
    pub name: &'static str,
    server: Server,
}

/// A verdict: the status, and the code where it is a refusal.
pub type Verdict = (u16, String);

/// Every guard of `issuer` that can run here; one line is said of each that cannot.
pub fn examples(issuer: &str) -> Vec<Example> {
    [rust(), javascript(), python()]
        .into_iter()
        .flatten()
        .map(|(name, command)| Example::start(name, command, issuer))
        .collect()
}

fn rust() -> Option<(&'static str, Command)> {
    // A workspace's programs are built side by side.
    let program = Path::new(env!("CARGO_BIN_EXE_symbolon")).with_file_name("orders");
    if !program.exists() {
        skip("the example in Rust: run cargo xtask test without a filter");
        return None;
    }
    Some(("rust", Command::new(program)))
}

fn javascript() -> Option<(&'static str, Command)> {
    let folder = folder("SYMBOLON_TEST_EXPRESS", "the example in JavaScript")?;
    let mut command = Command::new("node");
    command.arg(folder.join("server.js"));
    Some(("javascript", command))
}

fn python() -> Option<(&'static str, Command)> {
    let python = folder("SYMBOLON_TEST_PYTHON", "the example in Python")?;
    let mut command = Command::new(python);
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/fastapi");
    command.arg("main.py").current_dir(examples);
    Some(("python", command))
}

/// What `cargo xtask test` has made ready.
#[expect(
    clippy::disallowed_methods,
    reason = "the test is told where things are"
)]
fn folder(variable: &str, what: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        skip(&format!(
            "{what}: run cargo xtask test without a filter, with Node 20 and Python 3.11"
        ));
    }
    found
}

impl Example {
    fn start(name: &'static str, mut command: Command, issuer: &str) -> Self {
        command
            .env("ISSUER", issuer)
            .env("LISTEN", "127.0.0.1:0")
            .env_remove("NODE_OPTIONS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            name,
            server: Server::start(command),
        }
    }

    pub fn ask(
        &self,
        method: &str,
        path: &str,
        access: Option<&str>,
        body: Option<&Value>,
    ) -> Reply {
        let mut connection = Connection::open(self.server.address).unwrap();
        connection.call(method, path, access, body).unwrap()
    }

    /// What becomes of a token on a protected route.
    pub fn verdict(&self, path: &str, access: &str) -> Verdict {
        let reply = self.ask("GET", path, Some(access), None);
        let code = match reply.status {
            200 => String::new(),
            _ => reply.json()["code"].as_str().unwrap_or("none").to_owned(),
        };
        (reply.status, code)
    }

    /// The guard's own figures.
    pub fn state(&self) -> Value {
        self.ask("GET", "/guard", None, None).json()
    }

    /// Waits until the guard has heeded the feed up to `seq`.
    #[track_caller]
    pub fn wait_for(&self, epoch: &str, seq: i64) {
        for _ in 0..MOST_POLLS {
            let state = self.state();
            if state["epoch"] == epoch && state["seq"].as_i64() >= Some(seq) {
                return;
            }
        }
        panic!(
            "{} stands at {}, not at {epoch}:{seq}",
            self.name,
            self.state()
        );
    }
}

/// No wait takes as many questions, however busy the machine is.
const MOST_POLLS: usize = 60_000;
