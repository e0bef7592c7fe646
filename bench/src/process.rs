//! Servers to measure: a child process on a core of its own, and small requests to set it up.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{clock, floor, machine};

/// The core that a pinned server has; the load has the other.
pub const SERVER_CORE: usize = 0;
pub const LOAD_CORE: usize = 1;

/// A server that listens.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

/// Where a server may run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On [`SERVER_CORE`] only.
    Pinned,
    /// Wherever the kernel puts it.
    Anywhere,
}

impl Server {
    /// `symbolon serve` on a data folder of its own.
    pub fn symbolon(
        program: &Path,
        data: &Path,
        place: Place,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            // No settings but these: not those of the caller, nor of a file where he stands.
            .env_clear()
            .current_dir(data.parent().unwrap_or(data))
            .env("SYMBOLON_THROTTLE__ENABLED", "false")
            .envs(settings.iter().copied());
        Self::start(command, place)
    }

    /// This program as one of its floors.
    pub fn floor(arguments: &[&OsStr], place: Place) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("floor").args(arguments);
        Self::start(command, place)
    }

    /// Any program that says where it listens.
    pub fn start(mut command: Command, place: Place) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let program = command.get_program().to_owned();
        let mut child = spawn(&mut command, place)?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        while !line.contains("listening on http://") {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                let status = child.wait()?;
                bail!("{} ended before it listened: {status}", program.display());
            }
        }
        let address = floor::address_in(&line)?;
        // Whatever it prints later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok(Self { child, address })
    }

    /// A program that says nothing, once it takes connections at `address`.
    pub fn start_at(mut command: Command, place: Place, address: SocketAddr) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = spawn(&mut command, place)?;
        let mut server = Self { child, address };
        let start = clock::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!(
                    "{:?} ended before it listened: {status}",
                    command.get_program()
                );
            }
            if clock::since(start) > Duration::from_secs(30) {
                bail!("{:?} does not listen", command.get_program());
            }
            clock::pause(Duration::from_millis(20));
        }
        Ok(server)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        terminate(&self.child);
        let start = clock::now();
        while clock::since(start) < Duration::from_secs(30) {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            clock::pause(Duration::from_millis(5));
        }
        bail!("the server did not end within 30 seconds");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, or not needed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(command: &mut Command, place: Place) -> Result<Child> {
    let child = match place {
        // A child runs where the thread that starts it may run.
        Place::Pinned => machine::on_core(SERVER_CORE, || command.spawn()),
        Place::Anywhere => command.spawn(),
    };
    child.with_context(|| format!("cannot start {}", command.get_program().display()))
}

#[cfg(unix)]
fn terminate(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // If it is gone already, waiting for it says so.
        let _ = kill_process(pid, Signal::TERM);
    }
}

#[cfg(not(unix))]
fn terminate(_child: &Child) {}

/// An answer to a request of the set-up.
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

/// One request on a connection of its own, for setting up; not what is measured.
pub fn call(address: SocketAddr, head: &str, body: &str) -> Result<Reply> {
    call_as(address, head, None, body)
}

/// The same with an access token.
pub fn call_as(address: SocketAddr, head: &str, access: Option<&str>, body: &str) -> Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    let mut request = format!("{head} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    if let Some(access) = access {
        request += &format!("authorization: Bearer {access}\r\n");
    }
    if !body.is_empty() {
        request += &format!(
            "content-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        );
    }
    stream.write_all(format!("{request}\r\n{body}").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = memchr::memmem::find(&answer, b"\r\n\r\n").context("no answer")?;
    let status = answer.get(9..12).context("no status")?;
    Ok(Reply {
        status: std::str::from_utf8(status)?.parse()?,
        body: answer.split_off(end + 4),
    })
}

/// A folder for one measurement, on the disk that is measured, removed afterwards.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(under: &Path, name: &str) -> Result<Self> {
        let path = under.join(format!("{name}-{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(under)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What remains is under target/ and goes with it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
