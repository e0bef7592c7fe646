//! A folder of a test's own, in which the binary runs with no settings but those that the test gives.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::app::Folder;

/// No command takes this long, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const PASSWORD: &str = "violet-staple orbit 7";
/// What nodes of one database share.
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const BINARY: &str = env!("CARGO_BIN_EXE_symbolon");

/// Contents by path.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Where a test's processes run.
pub struct Place {
    folder: Folder,
    settings: Vec<(String, String)>,
    binary: PathBuf,
}

/// How a command ended.
#[derive(Debug)]
pub struct Outcome {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Place {
    /// An empty folder, the cheapest hashes, no throttling.
    pub fn new() -> Self {
        let place = Self {
            folder: Folder::new(),
            settings: Vec::new(),
            binary: BINARY.into(),
        };
        place
            .with("password.memory_kib", "7168")
            .with("password.iterations", "5")
            .with("throttle.enabled", "false")
            .with("log.level", "warn")
    }

    /// One node of several with the same database, and so with the same keys and one issuer.
    pub fn node(url: &str) -> Self {
        Self::new()
            .with("database.url", url)
            .with("server.master_key", MASTER_KEY)
            .with("server.issuer", "https://login.example.com")
    }

    /// Runs the version before this one from here on; without a path, this one.
    pub fn run_version(&mut self, former: Option<&Path>) {
        self.binary = former.map_or_else(|| BINARY.into(), Path::to_path_buf);
    }

    /// A setting for every process from here on, as a variable.
    pub fn with(mut self, setting: &str, value: &str) -> Self {
        let variable = format!("SYMBOLON_{}", setting.replace('.', "__").to_uppercase());
        self.settings.retain(|(name, _)| *name != variable);
        self.settings.push((variable, value.to_owned()));
        self
    }

    /// Without a setting that it had.
    pub fn without(mut self, setting: &str) -> Self {
        let variable = format!("SYMBOLON_{}", setting.replace('.', "__").to_uppercase());
        self.settings.retain(|(name, _)| *name != variable);
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The data folder that the binary takes by default.
    pub fn data(&self, name: &str) -> PathBuf {
        self.path("symbolon-data").join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, contents).unwrap();
        path
    }

    /// A process of the binary that is yet to start.
    pub fn command<I: AsRef<std::ffi::OsStr>>(&self, arguments: &[I]) -> Command {
        self.through(&[], arguments)
    }

    /// As [`Place::command`], started by the words of `wrapper`, which end with what runs the rest.
    pub fn through<I: AsRef<std::ffi::OsStr>>(&self, wrapper: &[&str], arguments: &[I]) -> Command {
        let mut words: Vec<OsString> = wrapper.iter().map(OsString::from).collect();
        words.push(self.binary.clone().into());
        words.extend(
            arguments
                .iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        finish(self.command(arguments), b"")
    }

    /// Runs a command that reads `input`.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Outcome {
        finish(self.command(arguments), input)
    }

    /// Every file of the folder and its contents.
    pub fn files(&self) -> Files {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), &mut files);
        files
    }
}

fn collect(folder: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let contents = fs::read(&path).unwrap();
            files.insert(path, contents);
        }
    }
}

/// Starts a command, gives it its input and waits for its end.
pub fn finish(command: Command, input: &[u8]) -> Outcome {
    finish_within(PATIENCE, command, input)
}

/// The same for one that takes its time.
pub fn finish_within(patience: Duration, mut command: Command, input: &[u8]) -> Outcome {
    let mut child = Kept(command.spawn().unwrap());
    let stdout = drain(child.0.stdout.take().unwrap());
    let stderr = drain(child.0.stderr.take().unwrap());
    // Who does not read its input is not made to.
    let _unread = child.0.stdin.take().unwrap().write_all(input);
    let waited = "the command did not end";
    let stdout = stdout.recv_timeout(patience).expect(waited);
    let stderr = stderr.recv_timeout(patience).expect(waited);
    Outcome {
        code: child.0.wait().unwrap().code(),
        stdout,
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// Everything that a pipe carries, once it is closed.
pub fn drain(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (whole, wait) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A killed process leaves what it had written.
        let _broken_off = pipe.read_to_end(&mut bytes);
        let _nobody_waits = whole.send(bytes);
    });
    wait
}

/// A process that does not outlive its test.
pub struct Kept(pub Child);

impl Drop for Kept {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Outcome {
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        assert_eq!(
            self.stderr, "",
            "a command that succeeds complains of nothing"
        );
        self
    }

    /// The text that a command printed that succeeded.
    #[track_caller]
    pub fn text(self) -> String {
        String::from_utf8(self.succeeded().stdout).unwrap()
    }

    /// The JSON that a command printed that succeeded.
    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The one sentence in which a command said why it failed.
    #[track_caller]
    pub fn sentence(&self) -> &str {
        assert!(self.code.is_some_and(|code| code != 0), "{self:?}");
        assert_eq!(self.stdout, b"", "{self:?}");
        let sentence = self
            .stderr
            .strip_prefix("symbolon: ")
            .and_then(|text| text.strip_suffix('\n'))
            .unwrap_or_else(|| panic!("{self:?}"));
        assert_clear(sentence);
        sentence
    }

    /// The same with `--json`: code and detail.
    #[track_caller]
    pub fn failure(&self) -> (String, String) {
        assert!(self.code.is_some_and(|code| code != 0), "{self:?}");
        assert_eq!(self.stdout, b"", "{self:?}");
        let said: Value =
            serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let members: Vec<_> = said.as_object().unwrap().keys().collect();
        assert_eq!(members, ["code", "detail"], "{said}");
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        assert_clear(&text("detail"));
        (text("code"), text("detail"))
    }
}

/// One line for people: no trace, no names of types, nothing said twice.
#[track_caller]
fn assert_clear(sentence: &str) {
    assert!(
        !sentence.is_empty() && !sentence.contains('\n'),
        "{sentence:?}"
    );
    for noise in [
        "panicked",
        "Error {",
        "Err(",
        "Some(",
        "backtrace",
        "::",
        "SQLITE_",
    ] {
        assert!(!sentence.contains(noise), "{sentence:?}");
    }
    let mut parts: Vec<_> = sentence.split(": ").collect();
    let all = parts.len();
    parts.sort_unstable();
    parts.dedup();
    assert_eq!(parts.len(), all, "something is said twice in {sentence:?}");
}
