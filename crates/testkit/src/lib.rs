//! What the tests of several crates need and production never does: a PostgreSQL or Redis server of their own.
//!
//! Not published, and nothing but a dev-dependency.

#![warn(missing_docs)]

mod redis;

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

pub use redis::{Listener, Redis};

/// Makes a server in a folder of its own, says where, waits until its input ends, and takes everything away.
const SCRIPT: &str = concat!(include_str!("certificates.sh"), include_str!("postgres.sh"));
/// Options of a server that keeps nothing, for tests: a crash of its processes loses nothing either, one of the machine would.
const FLEETING: &str =
    "-c fsync=off -c full_page_writes=off -c shared_buffers=32MB -c autovacuum=off";
/// What a server says that may not have a disk of its own.
const NO_DISK: &str = "only an administrator may mount a disk: run the tests as root to test it";
/// Options of a server that is measured.
const DURABLE: &str = "-c shared_buffers=256MB -c max_wal_size=4GB";

/// A PostgreSQL server that is reached by a Unix socket only, in a temporary folder.
///
/// It lives until it is dropped, or until this process ends in whatever way: what watches over it waits for the
/// end of a pipe.
#[derive(Debug)]
pub struct Postgres {
    folder: String,
    binaries: String,
    databases: AtomicU32,
    // The order of fields is that of dropping: the pipe's end is what stops the server.
    pipe: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
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
        match Self::try_start(FLEETING) {
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
        match SHARED.get_or_init(|| Self::try_start(FLEETING)) {
            Ok(server) => Some(server),
            Err(reason) => {
                skip_postgres(reason);
                None
            }
        }
    }

    /// A server on a disk of its own, of so many MiB, in memory. `None` also where this process may not mount one: it takes an
    /// administrator.
    ///
    /// # Panics
    /// As [`Postgres::start`].
    pub fn on_a_disk_of(mebibytes: u32) -> Option<Self> {
        match Self::begin(FLEETING, "", &mebibytes.to_string()) {
            Ok(server) => Some(server),
            Err(reason) if reason == NO_DISK => {
                note(&format!("a PostgreSQL whose disk is full: {reason}"));
                None
            }
            Err(reason) => {
                skip_postgres(&reason);
                None
            }
        }
    }

    /// A server as it is in use: what it has answered is on disk.
    ///
    /// # Errors
    /// Why there is none.
    pub fn durable() -> Result<Self, String> {
        Self::try_start(DURABLE)
    }

    /// A standby of this one, which follows it and is read only until it is promoted. [`Postgres::url`] is not for it: it has
    /// the databases of this one.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    #[expect(clippy::panic, reason = "only tests call this")]
    pub fn standby(&self) -> Self {
        match Self::begin(FLEETING, &self.folder, "") {
            Ok(standby) => standby,
            Err(reason) => panic!("no standby: {reason}"),
        }
    }

    fn try_start(options: &str) -> Result<Self, String> {
        Self::begin(options, "", "")
    }

    fn begin(options: &str, primary: &str, disk: &str) -> Result<Self, String> {
        let spawned = Command::new("sh")
            .args(["-c", SCRIPT, "sh", options, primary, disk, NO_DISK])
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
        let mut output = BufReader::new(output);
        output
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
        match line.trim_end().split_once('\t') {
            Some((folder, binaries)) => Ok(Self {
                folder: folder.to_owned(),
                binaries: binaries.to_owned(),
                databases: AtomicU32::new(0),
                pipe: Mutex::new((pipe, output)),
                _watcher: watcher,
            }),
            None => Err(line.trim_end().to_owned()),
        }
    }

    /// Kills every process of the server with SIGKILL, and returns when they are gone.
    ///
    /// # Panics
    /// If that fails.
    pub fn crash(&self) {
        self.order("crash", "crashed");
    }

    /// Starts it again after [`Postgres::crash`], and returns when it answers.
    ///
    /// # Panics
    /// If that fails.
    pub fn restart(&self) {
        self.order("start", "started");
    }

    /// Leaves no room on a disk of its own.
    ///
    /// # Panics
    /// If that fails.
    pub fn fill(&self) {
        self.order("fill", "filled");
    }

    /// Gives the room back, and returns when the server answers: where it has ended, started again.
    ///
    /// # Panics
    /// If that fails.
    pub fn empty(&self) {
        self.order("empty", "emptied");
    }

    /// Stops every process of the server where it is (SIGSTOP).
    ///
    /// # Panics
    /// If that fails.
    pub fn freeze(&self) {
        self.order("freeze", "frozen");
    }

    /// Lets them go on.
    ///
    /// # Panics
    /// If that fails.
    pub fn thaw(&self) {
        self.order("thaw", "thawed");
    }

    /// Lets it take TLS as well, and nothing but that, at an address of this machine, which is returned. Beside its socket
    /// are the certificates of two authorities, `ca.pem`, which made its own, and `other.pem`. `None` without `openssl`.
    ///
    /// # Panics
    /// If that fails, and as [`Postgres::start`].
    pub fn secure(&self) -> Option<String> {
        if !has_openssl("PostgreSQL") {
            return None;
        }
        // One that no other process of this machine has.
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        let address = format!("127.{}.{middle}.{low}", high | 0x40);
        self.order(&format!("secure {address}"), "secured");
        Some(address)
    }

    /// Where its socket is.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.folder
    }

    #[expect(clippy::panic, reason = "only tests call this")]
    fn order(&self, word: &str, done: &str) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let (input, output) = &mut *pipe;
        let mut line = String::new();
        let answered = writeln!(input, "{word}").and_then(|()| output.read_line(&mut line));
        if answered.is_err() || line.trim_end() != done {
            panic!("{word}: {answered:?} {line}");
        }
    }

    /// A program of the server, such as `pgbench`.
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        Command::new(format!("{}/{name}", self.binaries))
    }

    /// The URL of a new, empty database.
    ///
    /// # Panics
    /// If it cannot be made.
    #[expect(clippy::panic, reason = "only tests call this")]
    pub fn url(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = self
            .program("createdb")
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
        let run = self
            .program("psql")
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

/// Whether certificates can be made; where not, one line says so.
fn has_openssl(server: &str) -> bool {
    let answers = Command::new("openssl").arg("version").output().is_ok();
    if !answers {
        skip(&format!(
            "TLS to {server}: install the package openssl to test it"
        ));
    }
    answers
}

fn skip_postgres(reason: &str) {
    skip(&format!(
        "PostgreSQL: {reason}; install the package postgresql to test it"
    ));
}

/// The binary of the version before this one: `cargo xtask test --all` builds it. Nothing where the history that it is built of is not
/// there.
///
/// # Panics
/// As [`skip`], where nobody built it.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the tests, set by xtask"
)]
pub fn former() -> Option<PathBuf> {
    let Some(path) = std::env::var_os("SYMBOLON_FORMER") else {
        skip("the former version: `cargo xtask test --all` builds it");
        return None;
    };
    let found = Some(PathBuf::from(path)).filter(|path| path.is_file());
    if found.is_none() {
        note(
            "the former version: this clone is without the history that it is built of; `git fetch --unshallow` brings it",
        );
    }
    found
}

/// Says in one line what is not tested here, and what would have to be there.
///
/// # Panics
/// If `SYMBOLON_REQUIRE_ALL` is set, with that line.
#[expect(
    clippy::disallowed_methods,
    reason = "the switches of all tests, documented in xtask"
)]
#[expect(clippy::panic, reason = "only tests call this")]
pub fn skip(text: &str) {
    if std::env::var_os("SYMBOLON_REQUIRE_ALL").is_some_and(|value| value == "1") {
        panic!("{text}");
    }
    note(text);
}

/// Says what this machine cannot test, whatever is installed.
#[expect(
    clippy::disallowed_methods,
    reason = "the switches of all tests, documented in xtask"
)]
#[expect(clippy::panic, clippy::print_stderr, reason = "only tests call this")]
fn note(text: &str) {
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
