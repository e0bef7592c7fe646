//! What became of each piece of a file, a JSON object a line: the mapping of ids among it.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use serde::Serialize;
use symbolon_domain::{FieldError, UserId};

/// What became of a piece.
#[derive(Debug)]
pub enum Outcome {
    /// The user is there now.
    Imported {
        /// Under this id.
        id: UserId,
        /// Whether the hash of the password was left behind.
        password_dropped: bool,
    },
    /// There was nothing to be done, and why.
    Skipped(String),
    /// It cannot be used, and why.
    Failed(Vec<FieldError>),
}

/// A piece and what became of it.
#[derive(Debug)]
pub struct Line {
    /// The line, or the place in the list, from 1 on.
    pub number: u64,
    /// What the other system calls the user.
    pub foreign_id: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    foreign_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    password_dropped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault<'a>>,
}

#[derive(Serialize)]
struct Fault<'a> {
    pointer: &'a str,
    code: &'a str,
    detail: &'a str,
}

impl<'a> From<&'a Line> for Shown<'a> {
    fn from(line: &'a Line) -> Self {
        let mut shown = Self {
            line: line.number,
            foreign_id: line.foreign_id.as_deref(),
            id: None,
            outcome: "failed",
            password_dropped: false,
            reason: None,
            errors: Vec::new(),
        };
        match &line.outcome {
            Outcome::Imported {
                id,
                password_dropped,
            } => {
                shown.outcome = "imported";
                shown.id = Some(id.to_string());
                shown.password_dropped = *password_dropped;
            }
            Outcome::Skipped(reason) => {
                shown.outcome = "skipped";
                shown.reason = Some(reason);
            }
            Outcome::Failed(errors) => shown.errors = errors.iter().map(Fault::from).collect(),
        }
        shown
    }
}

impl<'a> From<&'a FieldError> for Fault<'a> {
    fn from(error: &'a FieldError) -> Self {
        Self {
            pointer: &error.pointer,
            code: error.code,
            detail: &error.detail,
        }
    }
}

/// A report file. Lines that belong to what is not committed yet can be taken back, so that after an interruption it
/// tells of each piece once.
pub struct Report {
    file: File,
    kept: u64,
    written: u64,
}

impl Report {
    /// A report of which `kept` bytes are there already; what follows them is cut off.
    ///
    /// # Errors
    /// When the file cannot be written, or is shorter.
    pub fn new(file: File, kept: u64) -> io::Result<Self> {
        let length = file.metadata()?.len();
        if length < kept {
            return Err(io::Error::other(
                "the report is shorter than an earlier run has left it",
            ));
        }
        let mut report = Self {
            file,
            kept,
            written: length,
        };
        report.take_back()?;
        Ok(report)
    }

    /// Writes lines, in the place of such as were not kept. Returns the length of the file with them, in bytes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, lines: &[Line]) -> io::Result<u64> {
        self.take_back()?;
        let mut text = Vec::with_capacity(lines.len() * 128);
        for line in lines {
            serde_json::to_writer(&mut text, &Shown::from(line))?;
            text.push(b'\n');
        }
        self.file.write_all(&text)?;
        self.written += text.len() as u64;
        Ok(self.written)
    }

    /// Keeps what was written.
    pub fn keep(&mut self) {
        self.kept = self.written;
    }

    fn take_back(&mut self) -> io::Result<()> {
        if self.written != self.kept {
            self.file.set_len(self.kept)?;
            self.written = self.kept;
        }
        // What is no file of a disk has no place to go to.
        if self.kept > 0 {
            self.file.seek(SeekFrom::Start(self.kept))?;
        }
        Ok(())
    }
}
