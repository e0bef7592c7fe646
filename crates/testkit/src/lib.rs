//! What the tests of several crates need and production never does: a PostgreSQL server of their own.
//!
//! Not published, and nothing but a dev-dependency.

#![warn(missing_docs)]

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes a server in a folder of its own, says where, waits until its input ends, and takes everything away.
const SCRIPT: &str = include_str!("postgres.sh");

/// A PostgreSQL server that is reached by a Unix socket only and keeps nothing.
///
/// It lives until it is dropped, or until this process ends in whatever way: what watches over it waits for the
/// end of a pipe.
#[derive(Debug)]
pub struct Postgres {
    folder: String,
    binaries: String,
    databases: AtomicU32,
    // The order of fields is that of dropping: the pipe's end is what stops the server.
    _pipe: ChildStdin,
    _watcher: Watcher,
}

#[derive(Debug)]
struct Watcher(Option<Child>);

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // It cleans up behind itself, and there is nobody to tell if it cannot.
            let _ = child.wait();
        }
    }
}

impl Postgres {
    /// Starts a server. `None` if PostgreSQL is not installed: then one line says what to install, unless
    /// `SYMBOLON_REQUIRE_ALL` is set.
    ///
    /// # Panics
    /// If `SYMBOLON_REQUIRE_ALL` is set and there is no server, with the reason.
    pub fn start() -> Option<Self> {
        match Self::try_start() {
            Ok(server) => Some(server),
            Err(reason) => {
                skip_postgres(&reason);
                None
            }
        }
    }

    /// The server that all tests of this process share, started for the first of them.
    ///
    /// # Panics
    /// As [`Postgres::start`].
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
        match SHARED.get_or_init(Self::try_start) {
            Ok(server) => Some(server),
            Err(reason) => {
                skip_postgres(reason);
                None
            }
        }
    }

    fn try_start() -> Result<Self, String> {
        let spawned = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = spawned.map_err(|error| format!("cannot run sh: {error}"))?;
        let (pipe, output) = (child.stdin.take(), child.stdout.take());
        let watcher = Watcher(Some(child));
        let (Some(pipe), Some(output)) = (pipe, output) else {
            return Err("no pipe to sh".to_owned());
        };
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
        match line.trim_end().split_once('\t') {
            Some((folder, binaries)) => Ok(Self {
                folder: folder.to_owned(),
                binaries: binaries.to_owned(),
                databases: AtomicU32::new(0),
                _pipe: pipe,
                _watcher: watcher,
            }),
            None => Err(line.trim_end().to_owned()),
        }
    }

    /// The URL of a new, empty database.
    ///
    /// # Panics
    /// If it cannot be made.
    #[expect(clippy::panic, reason = "only tests call this")]
    pub fn url(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = Command::new(format!("{}/createdb", self.binaries))
            .args([
                "-h",
                &self.folder,
                "-U",
                "postgres",
                "-T",
                "template0",
                &name,
            ])
            .status();
        if !made.as_ref().is_ok_and(std::process::ExitStatus::success) {
            panic!("cannot make the database {name}: {made:?}");
        }
        format!("postgres:///{name}?host={}&user=postgres", self.folder)
    }

    /// Runs SQL in the database of a URL that [`Postgres::url`] gave, and returns what it prints, bare.
    ///
    /// # Panics
    /// If it fails.
    #[expect(clippy::panic, reason = "only tests call this")]
    pub fn run(&self, url: &str, sql: &str) -> String {
        let run = Command::new(format!("{}/psql", self.binaries))
            .args([
                "-X",
                "-A",
                "-t",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                url,
                "-c",
                sql,
            ])
            .output();
        match run {
            Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
                .trim_end()
                .to_owned(),
            other => panic!("psql failed: {other:?}"),
        }
    }
}

fn skip_postgres(reason: &str) {
    skip(&format!(
        "PostgreSQL: {reason}; install the package postgresql to test it"
    ));
}

/// Says in one line what is not tested here, and what would have to be there.
///
/// # Panics
/// If `SYMBOLON_REQUIRE_ALL` is set, with that line.
#[expect(
    clippy::disallowed_methods,
    reason = "the switches of all tests, documented in xtask"
)]
#[expect(clippy::panic, clippy::print_stderr, reason = "only tests call this")]
pub fn skip(text: &str) {
    if std::env::var_os("SYMBOLON_REQUIRE_ALL").is_some_and(|value| value == "1") {
        panic!("{text}");
    }
    eprintln!("skipped: {text}");
    // A test's output is shown only when it fails, so what was skipped is told by `cargo xtask test` at its end.
    if let Some(log) = std::env::var_os("SYMBOLON_SKIP_LOG") {
        let file = OpenOptions::new().create(true).append(true).open(log);
        if let Err(error) = file.and_then(|mut file| file.write_all(format!("{text}\n").as_bytes()))
        {
            panic!("cannot write what was skipped: {error}");
        }
    }
}
