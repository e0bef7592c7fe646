use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::skip;

/// Runs it until its input ends, and says when it answers.
const SCRIPT: &str = include_str!("redis.sh");
/// What the script runs.
const PROGRAMS: [&str; 2] = ["redis-server", "redis-cli"];

/// A Redis server that keeps nothing, at an address of this machine. It lives until it is dropped, or until this process ends.
#[derive(Debug)]
pub struct Redis {
    address: String,
    shell: Child,
}

impl Redis {
    /// Starts one. `None` if Redis is not installed: then one line says what to install, unless `SYMBOLON_REQUIRE_ALL` is set.
    ///
    /// # Panics
    /// If `SYMBOLON_REQUIRE_ALL` is set and there is none, or if it does not begin.
    #[expect(clippy::panic, reason = "only tests call this")]
    pub fn start() -> Option<Self> {
        static STARTED: AtomicU16 = AtomicU16::new(0);
        let is_missing = |name: &&str| Command::new(name).arg("--version").output().is_err();
        if PROGRAMS.iter().any(is_missing) {
            skip("Redis: install the package redis-server to test it");
            return None;
        }
        // One that no other process of this machine has.
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        let host = format!("127.{}.{middle}.{low}", high | 0x20);
        let port = 6400 + STARTED.fetch_add(1, Ordering::Relaxed);
        let started = Command::new("sh")
            .args(["-c", SCRIPT, "sh", &host, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut redis = match started {
            Ok(shell) => Self {
                address: format!("{host}:{port}"),
                shell,
            },
            Err(error) => panic!("cannot run sh: {error}"),
        };
        let mut line = String::new();
        let output = redis.shell.stdout.take().map(BufReader::new);
        let heard = output.map(|mut output| output.read_line(&mut line));
        let said = line.trim_end();
        assert_eq!(said, "started", "Redis does not begin: {heard:?}");
        Some(redis)
    }

    /// `redis://…`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// How many connections listen to the only channel that there is.
    #[must_use]
    pub fn listeners(&self) -> usize {
        let channels = self.ask("PUBSUB CHANNELS").unwrap_or_default();
        let channel = channels.lines().nth(2).unwrap_or_default();
        let said = self
            .ask(&format!("PUBSUB NUMSUB {channel}"))
            .unwrap_or_default();
        let count = said.lines().last().and_then(|line| line.strip_prefix(':'));
        count
            .and_then(|count| count.trim().parse().ok())
            .unwrap_or(0)
    }

    fn ask(&self, command: &str) -> Option<String> {
        let mut connection = TcpStream::connect(&self.address).ok()?;
        connection
            .write_all(format!("{command}\r\nQUIT\r\n").as_bytes())
            .ok()?;
        let mut said = String::new();
        connection.read_to_string(&mut said).ok()?;
        Some(
            said.trim_end()
                .trim_end_matches("+OK")
                .trim_end()
                .to_owned(),
        )
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // It cleans up behind itself, and there is nobody to tell if it cannot.
        let _ = self.shell.wait();
    }
}
