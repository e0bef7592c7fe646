//! Users on their way in and out: readers of the files of other systems, and writers of our own. No store, no rules:
//! what a file says about a user, a piece at a time, however large the file is.

mod fields;
mod formats;
mod input;
mod pieces;
mod record;
pub mod report;
#[cfg(test)]
mod tests;
pub mod write;

use std::fmt;
use std::io::Read;
use std::str::FromStr;

use symbolon_domain::FieldError;

use self::formats::Source;
pub use self::formats::firebase::parse_hash_config;
use self::input::Input;
use self::pieces::{Piece, Pieces};
pub use self::record::{Record, Secret};
use crate::hashing::notation::FirebaseProject;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own: a JSON object a line.
    Jsonl,
    /// Our own, with a header (RFC 4180).
    Csv,
    /// A realm export of Keycloak, with users, or one of its `…-users-N.json`.
    Keycloak,
    /// A users export of Auth0, or its export of password hashes.
    Auth0,
    /// `firebase auth:export`, JSON or CSV.
    Firebase,
    /// Supabase's table `auth.users`, as CSV with a header or as JSON.
    Supabase,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [
        Self::Jsonl,
        Self::Csv,
        Self::Keycloak,
        Self::Auth0,
        Self::Firebase,
        Self::Supabase,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Keycloak => "keycloak",
            Self::Auth0 => "auth0",
            Self::Firebase => "firebase",
            Self::Supabase => "supabase",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| format!("expected {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

/// Why a file cannot be read at all, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl From<std::io::Error> for Unreadable {
    fn from(error: std::io::Error) -> Self {
        Self(format!("The file cannot be read: {error}."))
    }
}

/// How far a file was read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Bytes.
    pub offset: u64,
    /// The line that comes next, or how many users were read where they are a list in one document.
    pub number: u64,
    /// SHA-256 over what was read, in hexadecimal: another file in the place of this one shows.
    pub digest: String,
}

/// What a piece of a file says.
#[derive(Debug)]
pub enum Said {
    /// A user.
    User(Box<Record>),
    /// Something that is no user to be brought along, and why.
    Other(&'static str),
    /// Nothing that can be used, and why.
    Broken(Vec<FieldError>),
}

/// The users of a file, one after the other, in constant memory.
pub struct Records {
    pieces: Pieces,
    source: Source,
    buffer: Piece,
}

impl Records {
    /// Begins to read. `firebase` tells how the project of a Firebase file hashes.
    ///
    /// # Errors
    /// When the file is of another kind than its format.
    pub fn open(
        format: Format,
        read: Box<dyn Read + Send>,
        firebase: Option<FirebaseProject>,
    ) -> Result<Self, Unreadable> {
        let mut input = Input::new(read);
        let first = input.first_byte()?;
        let source = Source::new(format, first, firebase);
        let pieces = Pieces::open(input, source.layout(first))?;
        source.check_header(pieces.header())?;
        Ok(Self {
            buffer: pieces.empty(),
            pieces,
            source,
        })
    }

    /// Goes on where an earlier run had come to.
    ///
    /// # Errors
    /// When what lies before that place is not what was read then.
    pub fn skip_to(&mut self, place: &Place) -> Result<(), Unreadable> {
        self.pieces.skip_to(place)
    }

    /// Where the next piece begins.
    #[must_use]
    pub fn place(&self) -> Place {
        self.pieces.place()
    }

    /// The number of the next piece (see [`Place::number`]) and what it says; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read further.
    pub fn read(&mut self) -> Result<Option<(u64, Said)>, Unreadable> {
        let Some(number) = self.pieces.next(&mut self.buffer)? else {
            return Ok(None);
        };
        let said = match self.buffer.problem() {
            Some(problem) => Said::Broken(vec![problem]),
            None => self.source.read(&self.buffer, self.pieces.header()),
        };
        Ok(Some((number, said)))
    }
}
