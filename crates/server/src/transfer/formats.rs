//! What each format calls the things that it says about a user.

mod auth0;
pub(super) mod firebase;
mod keycloak;
mod native;
mod supabase;

use serde::de::value::{Error as ValueError, MapDeserializer};
use serde::de::{Deserialize, DeserializeOwned};
use symbolon_domain::FieldError;

use super::pieces::{Layout, Piece};
use super::{Format, Record, Said, Unreadable};
use crate::hashing::notation::FirebaseProject;

/// What a piece turns out to be: a user, something that is none, or nothing of use.
type Read = Result<Found, Vec<FieldError>>;

enum Found {
    User(Record),
    Other(&'static str),
}

/// A format with what is needed to read it.
pub(super) struct Source {
    format: Format,
    firebase: Option<FirebaseProject>,
    is_table: bool,
}

impl Source {
    /// `first` is the first byte of the file that is no white space.
    pub(super) fn new(
        format: Format,
        first: Option<u8>,
        firebase: Option<FirebaseProject>,
    ) -> Self {
        let is_json = matches!(first, Some(b'{' | b'['));
        Self {
            format,
            firebase,
            is_table: match format {
                Format::Csv => true,
                Format::Jsonl | Format::Keycloak => false,
                Format::Auth0 | Format::Firebase | Format::Supabase => !is_json,
            },
        }
    }

    pub(super) fn layout(&self, first: Option<u8>) -> Layout {
        match self.format {
            Format::Firebase if self.is_table => Layout::BareRows,
            _ if self.is_table => Layout::Rows,
            Format::Keycloak | Format::Firebase => Layout::Elements,
            // A list as some tools write it; else an object a line.
            Format::Auth0 | Format::Supabase if first == Some(b'[') => Layout::Elements,
            _ => Layout::Lines,
        }
    }

    /// A column that is misspelt would be lost without a word.
    pub(super) fn check_header(&self, header: &[String]) -> Result<(), Unreadable> {
        if !self.is_table || self.format == Format::Firebase {
            return Ok(());
        }
        let (needed, known): (_, &[&str]) = match self.format {
            Format::Csv => ("email", &native::FIELDS),
            _ => ("email", &[]),
        };
        if !header.iter().any(|name| name == needed) {
            return Err(Unreadable(format!(
                "The header has no column `{needed}`: its first line is to name the columns."
            )));
        }
        let unknown = header
            .iter()
            .find(|name| !known.is_empty() && !known.contains(&name.as_str()));
        match unknown {
            Some(_) => Err(Unreadable(format!(
                "The header names a column that is not known. The columns are: {}.",
                known.join(", ")
            ))),
            None => Ok(()),
        }
    }

    /// What a piece says.
    pub(super) fn read(&self, piece: &Piece, header: &[String]) -> Said {
        let read = match self.format {
            Format::Jsonl | Format::Csv => self.parse(piece, header).and_then(native::read),
            Format::Keycloak => self.parse(piece, header).and_then(keycloak::read),
            Format::Auth0 => self.parse(piece, header).and_then(auth0::read),
            Format::Supabase => self.parse(piece, header).and_then(supabase::read),
            Format::Firebase => {
                let parsed = if self.is_table {
                    row(&firebase::COLUMNS, piece, true)
                } else {
                    object(&piece.bytes)
                };
                parsed.and_then(|user| firebase::read(user, self.firebase.as_ref()))
            }
        };
        match read {
            Ok(Found::User(record)) => Said::User(Box::new(record)),
            Ok(Found::Other(why)) => Said::Other(why),
            Err(errors) => Said::Broken(errors),
        }
    }

    fn parse<T: DeserializeOwned>(
        &self,
        piece: &Piece,
        header: &[String],
    ) -> Result<T, Vec<FieldError>> {
        if self.is_table {
            row(header, piece, false)
        } else {
            object(&piece.bytes)
        }
    }
}

fn broken(code: &'static str, detail: &str) -> Vec<FieldError> {
    vec![FieldError {
        pointer: String::new(),
        code,
        detail: detail.to_owned(),
    }]
}

/// A row, by the names of its columns. `lax`: the file may have more columns, or fewer.
fn row<T: DeserializeOwned>(
    header: &[impl AsRef<str>],
    piece: &Piece,
    lax: bool,
) -> Result<T, Vec<FieldError>> {
    if !lax && piece.ends.len() != header.len() {
        return Err(broken(
            "wrong_columns",
            "The row has not as many fields as the header.",
        ));
    }
    let texts: Result<Vec<&str>, _> = piece.fields().map(std::str::from_utf8).collect();
    let texts = texts.map_err(|_| broken("malformed_utf8", "This is not UTF-8."))?;
    let pairs = header.iter().map(AsRef::as_ref).zip(texts);
    let pairs = MapDeserializer::<_, ValueError>::new(pairs);
    T::deserialize(pairs).map_err(|_| broken("type_mismatch", "The row cannot be read."))
}

/// A JSON object. What it holds does not get into an error.
fn object<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Vec<FieldError>> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(broken("malformed_json", "This is no JSON object."));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        if error.classify() != serde_json::error::Category::Data {
            let place = format!("This is not valid JSON (at byte {}).", error.column());
            return broken("malformed_json", &place);
        }
        let text = error.to_string();
        if text.starts_with("unknown field") {
            broken("unknown_field", "It has a field that is not known here.")
        } else if text.starts_with("duplicate field") {
            broken("duplicate_field", "It has a field twice.")
        } else {
            broken("type_mismatch", "It has a value of the wrong type.")
        }
    })
}

/// Whether a name says no more than the address.
fn is_the_email(name: &str, email: Option<&str>) -> bool {
    email.is_some_and(|email| email.eq_ignore_ascii_case(name))
}
