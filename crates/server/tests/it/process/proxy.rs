//! nginx or HAProxy with a file of `deploy/` as it stands, only its addresses changed.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use symbolon_testkit::skip;

use super::place::{Kept, PATIENCE, Place, drain};

/// Where it listens in every file of `deploy/`.
const LISTENS: &str = "127.0.0.1:8090";
/// More attempts than it takes to listen.
const MOST_LOOKS: usize = 10_000_000;
static STARTED: AtomicU32 = AtomicU32::new(0);

/// One of them on a socket of its own; killed when it is dropped.
pub struct Proxy {
    _process: Kept,
    socket: PathBuf,
}

impl Proxy {
    /// Runs what stands in the `http` block, with other addresses for those in it; nothing where there is no nginx.
    pub fn nginx(place: &Place, config: &str, changes: &[(&str, String)]) -> Option<Self> {
        if !is_there("nginx", "nginx-light") {
            return None;
        }
        let (socket, config) = placed(config, changes, "unix:");
        let folder = place.path("");
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {0}/{name};", folder.display()));
        let all = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr notice; events {{}} \
             http {{ access_log off; {} {config} }}",
            paths.join(" ")
        );
        place.write("nginx.conf", all);
        let mut command = Command::new("nginx");
        command
            .arg("-p")
            .arg(&folder)
            .args(["-c", "nginx.conf", "-e", "stderr"]);
        let mut process = Kept(
            command
                .stdin(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        // It says so once it listens; then what it says is of no interest.
        let mut lines = BufReader::new(process.0.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("start worker process") && !said.contains("using the") {
            assert_ne!(lines.read_line(&mut said).unwrap(), 0, "{said}");
        }
        drain(lines);
        Some(Self {
            _process: process,
            socket,
        })
    }

    /// The same with HAProxy and a whole file.
    pub fn haproxy(place: &Place, config: &str, changes: &[(&str, String)]) -> Option<Self> {
        if !is_there("haproxy", "haproxy") {
            return None;
        }
        let (socket, config) = placed(config, changes, "unix@");
        place.write("haproxy.cfg", config);
        let mut command = Command::new("haproxy");
        command
            .args(["-db", "-q", "-f"])
            .arg(place.path("haproxy.cfg"));
        let process = Kept(command.stdin(Stdio::null()).spawn().unwrap());
        let listens = (0..MOST_LOOKS).any(|_| UnixStream::connect(&socket).is_ok());
        assert!(listens, "it does not listen");
        Some(Self {
            _process: process,
            socket,
        })
    }

    /// A request, with something in it if it is a `POST`: the status and the whole answer.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let body = if method == "POST" { "hi" } else { "" };
        self.send(method, path, headers, body)
    }

    /// The same with a body of one's own.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String) {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let lines = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"));
        let length = match body.len() {
            0 => String::new(),
            length => format!("content-length: {length}\r\n"),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: app\r\nconnection: close\r\n{}{length}\r\n{body}",
            lines.collect::<String>()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer[9..12].parse().unwrap(), answer)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.socket);
    }
}

fn is_there(program: &str, package: &str) -> bool {
    let mut asked = Command::new(program);
    asked.arg("-v").stdout(Stdio::null()).stderr(Stdio::null());
    let found = asked.status().is_ok_and(|status| status.success());
    if !found {
        skip(&format!("{program}: apt-get install {package}"));
    }
    found
}

/// Where it will listen, and the file with that and other addresses.
fn placed(config: &str, changes: &[(&str, String)], kind: &str) -> (PathBuf, String) {
    // A path to a socket is short by law.
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let name = format!("symbolon-{}-{number}.sock", std::process::id());
    let socket = std::env::temp_dir().join(name);
    let listens = [(LISTENS, format!("{kind}{}", socket.display()))];
    let changes = changes.iter().chain(&listens);
    let config = changes.fold(config.to_owned(), |config, (theirs, ours)| {
        assert!(config.contains(theirs), "{theirs}");
        config.replace(theirs, ours)
    });
    (socket, config)
}
