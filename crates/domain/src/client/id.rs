use uuid::Uuid;

use super::token_text::text_type;
use super::uri::{Host, split};
use crate::Problem;

/// In characters.
const MAX_LENGTH: usize = 64;
/// Of the URL of a document, in bytes.
const MOST_URL: usize = 1_000;
/// What our own sign-in calls itself in tokens.
const RESERVED: &str = "symbolon";

text_type! {
    /// The `client_id`: of a client that is kept here 1 to 64 of `A`-`Z`, `a`-`z`, `0`-`9`, `.`, `_` and `-`, with a letter
    /// or digit first; of one that describes itself in a document on the web, the URL of that
    /// (draft-ietf-oauth-client-id-metadata-document section 3).
    ///
    /// Compared byte by byte. `symbolon`, in whatever case, is our own sign-in.
    ClientId
}

impl ClientId {
    /// Reads the id of a client.
    ///
    /// # Errors
    /// `client_id_malformed`, `client_id_reserved`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if is_document_url(text) {
            return Ok(Self(text.into()));
        }
        let first_allowed = text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if !first_allowed || !text.bytes().all(is_allowed) || text.len() > MAX_LENGTH {
            return Err(malformed());
        }
        if text.eq_ignore_ascii_case(RESERVED) {
            return Err(reserved("This id stands for the server's own sign-in."));
        }
        Ok(Self(text.into()))
    }

    /// Reads an id that somebody chose for a client that is to be kept here. Ids of users are UUIDs, and both stand in the
    /// `sub` of tokens: no id of a client is one (RFC 9700 section 4.15).
    ///
    /// # Errors
    /// `client_id_malformed`, `client_id_reserved`.
    pub fn chosen(text: &str) -> Result<Self, Problem> {
        let id = Self::parse(text)?;
        if id.is_document() {
            return Err(malformed());
        }
        if Uuid::try_parse(text).is_ok() {
            return Err(reserved(
                "The id of a client is no UUID: ids of users are, and tokens must not mix them up.",
            ));
        }
        Ok(id)
    }

    /// The id of a client that the server names, from a number that nobody else has.
    pub fn drawn(number: Uuid) -> Self {
        Self(format!("client-{number}").into())
    }

    /// Whether it is the URL of a document on the web in which the client describes itself.
    pub fn is_document(&self) -> bool {
        self.0.contains(':')
    }

    /// The host of that URL, without its port.
    pub fn document_host(&self) -> Option<&str> {
        let parts = split(&self.0)?;
        parts.authority.and_then(Host::of).map(|host| host.name)
    }
}

/// `https` (or `http` to a loopback address), a host, a path; no user, fragment or dot segment.
fn is_document_url(text: &str) -> bool {
    let Some(parts) = split(text).filter(|_| text.len() <= MOST_URL) else {
        return false;
    };
    let Some(host) = parts.authority.and_then(Host::of) else {
        return false;
    };
    let safe = parts.scheme == "https" || (parts.scheme == "http" && host.is_loopback());
    safe && !parts.path.is_empty() && !parts.climbs()
}

fn malformed() -> Problem {
    Problem::new(
        "client_id_malformed",
        "The id of a client has 1 to 64 letters A to Z and a to z, digits, '.', '_' and '-', a letter or digit first.",
    )
}

fn reserved(sentence: &'static str) -> Problem {
    Problem::new("client_id_reserved", sentence)
}
