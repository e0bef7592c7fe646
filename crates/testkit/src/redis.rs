//! A Redis server of a test's own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::{has_openssl, skip};

/// Runs it until its input ends, and says when it answers.
const SCRIPT: &str = concat!(include_str!("certificates.sh"), include_str!("redis.sh"));
/// What the script runs.
const PROGRAMS: [&str; 2] = ["redis-server", "redis-cli"];
/// Nothing takes this long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Redis server that keeps nothing, at an address of this machine. It lives until it is dropped, or until this process ends.
#[derive(Debug)]
pub struct Redis {
    url: String,
    folder: String,
    shell: Child,
    pipe: Option<Mutex<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl Redis {
    /// Starts one. `None` if Redis is not installed: then one line says what to install, unless `SYMBOLON_REQUIRE_ALL` is set.
    ///
    /// # Panics
    /// If `SYMBOLON_REQUIRE_ALL` is set and there is none, or if it does not begin.
    pub fn start() -> Option<Self> {
        is_installed().then(|| Self::begin("redis", ""))
    }

    /// Starts one that takes nothing but TLS: [`Redis::authority`] made its certificate. `None` without `openssl` as well.
    ///
    /// # Panics
    /// As [`Redis::start`].
    pub fn secure() -> Option<Self> {
        (is_installed() && has_openssl("Redis")).then(|| Self::begin("rediss", "tls"))
    }

    #[expect(clippy::panic, reason = "only tests call this")]
    fn begin(scheme: &str, kind: &str) -> Self {
        static STARTED: AtomicU16 = AtomicU16::new(0);
        // One that no other process of this machine has.
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        let host = format!("127.{}.{middle}.{low}", high | 0x20);
        let port = 6400 + STARTED.fetch_add(1, Ordering::Relaxed);
        let started = Command::new("sh")
            .args(["-c", SCRIPT, "sh", &host, &port.to_string(), kind])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut shell = match started {
            Ok(shell) => shell,
            Err(error) => panic!("cannot run sh: {error}"),
        };
        let pipe = shell.stdin.take().zip(shell.stdout.take());
        let mut redis = Self {
            url: format!("{scheme}://{host}:{port}"),
            folder: String::new(),
            shell,
            pipe: pipe.map(|(input, output)| Mutex::new((input, BufReader::new(output)))),
        };
        let line = redis.answer("");
        match line.split_once('\t') {
            Some(("started", folder)) => folder.clone_into(&mut redis.folder),
            _ => panic!("Redis does not begin: {line}"),
        }
        redis
    }

    /// `redis://…` or `rediss://…`
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The file of the authority that made the certificate of one that is [`Redis::secure`].
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}/ca.pem", self.folder)
    }

    /// Kills it with SIGKILL, and returns when it is gone.
    ///
    /// # Panics
    /// If that fails.
    pub fn crash(&self) {
        assert_eq!(self.answer("crash\n"), "crashed");
    }

    /// Starts it again at the same address after [`Redis::crash`], and returns when it answers.
    ///
    /// # Panics
    /// If that fails.
    pub fn restart(&self) {
        assert_eq!(self.answer("start\n"), "started");
    }

    /// The line that answers an order.
    fn answer(&self, order: &str) -> String {
        let mut line = String::new();
        if let Some(pipe) = &self.pipe {
            let mut pipe = pipe.lock().unwrap_or_else(PoisonError::into_inner);
            let (input, output) = &mut *pipe;
            let sent = input.write_all(order.as_bytes());
            // One that has ended answers with nothing, which nobody expects.
            let _ = sent.and_then(|()| output.read_line(&mut line));
        }
        line.trim_end().to_owned()
    }

    /// How many connections listen to the only channel that there is.
    #[must_use]
    pub fn listeners(&self) -> usize {
        let said = self.ask(&[b"PUBSUB", b"NUMSUB", self.channel().as_bytes()]);
        let said = said.unwrap_or_default();
        let count = said.lines().last().and_then(|line| line.strip_prefix(':'));
        count
            .and_then(|count| count.trim().parse().ok())
            .unwrap_or(0)
    }

    /// The only channel that anybody listens to.
    fn channel(&self) -> String {
        let channels = self.ask(&[b"PUBSUB", b"CHANNELS"]).unwrap_or_default();
        channels.lines().nth(2).unwrap_or_default().to_owned()
    }

    /// Sends a message to all who listen.
    ///
    /// # Panics
    /// If Redis does not take it, or nobody listens.
    pub fn publish(&self, message: &[u8]) {
        let channel = self.channel();
        let said = self.ask(&[b"PUBLISH", channel.as_bytes(), message]);
        let heard = said.as_deref().and_then(|said| said.strip_prefix(':'));
        assert!(heard.is_some_and(|count| count != "0"), "{said:?}");
    }

    /// Listens as well, from here on.
    ///
    /// # Panics
    /// If nobody listens.
    #[must_use]
    #[expect(clippy::panic, reason = "only tests call this")]
    pub fn listen(&self) -> Listener {
        let channel = self.channel();
        let mut listener = match self.send(&[b"SUBSCRIBE", channel.as_bytes()]) {
            Ok(stream) => Listener(BufReader::new(stream)),
            Err(error) => panic!("cannot listen: {error}"),
        };
        assert_eq!(listener.part().as_deref(), Some(&b"subscribe"[..]));
        assert_eq!(listener.part().as_deref(), Some(channel.as_bytes()));
        listener
    }

    fn ask(&self, command: &[&[u8]]) -> Option<String> {
        let mut stream = self.send(command).ok()?;
        stream.write_all(b"QUIT\r\n").ok()?;
        let mut said = String::new();
        stream.read_to_string(&mut said).ok()?;
        let said = said.trim_end().trim_end_matches("+OK").trim_end();
        Some(said.to_owned())
    }

    /// A connection on which a command was sent, by its socket, which needs no certificate.
    fn send(&self, command: &[&[u8]]) -> std::io::Result<UnixStream> {
        let mut stream = UnixStream::connect(format!("{}/redis.sock", self.folder))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
        for word in command {
            bytes.extend(format!("${}\r\n", word.len()).bytes());
            bytes.extend([word, &b"\r\n"[..]].concat());
        }
        stream.write_all(&bytes)?;
        Ok(stream)
    }
}

/// A connection that hears every message.
#[derive(Debug)]
pub struct Listener(BufReader<UnixStream>);

impl Listener {
    /// The next message.
    ///
    /// # Panics
    /// If none comes.
    #[expect(clippy::panic, reason = "only tests call this")]
    pub fn message(&mut self) -> Vec<u8> {
        while let Some(part) = self.part() {
            if part == b"message" && self.part().is_some() {
                return self.part().unwrap_or_default();
            }
        }
        panic!("no message came");
    }

    /// The next text in what Redis sends: one that its length stands before.
    fn part(&mut self) -> Option<Vec<u8>> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(length) = line.strip_prefix('$') {
                let length: usize = length.trim_end().parse().ok()?;
                let mut text = vec![0; length + 2];
                self.0.read_exact(&mut text).ok()?;
                text.truncate(length);
                return Some(text);
            }
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // It cleans up behind itself, and there is nobody to tell if it cannot.
        let _ = self.shell.wait();
    }
}

fn is_installed() -> bool {
    let is_missing = |name: &&str| Command::new(name).arg("--version").output().is_err();
    let is_installed = !PROGRAMS.iter().any(is_missing);
    if !is_installed {
        skip("Redis: install the package redis-server to test it");
    }
    is_installed
}
