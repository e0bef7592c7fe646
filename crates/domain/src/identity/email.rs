use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::is_deceptive;
use crate::Problem;

/// RFC 5321 section 4.5.3.1.1, in bytes.
const MAX_LOCAL: usize = 64;
/// RFC 5321 section 4.5.3.1.3 less the angle brackets, in bytes.
const MAX_TOTAL: usize = 254;
/// RFC 1035 section 2.3.4, in bytes.
const MAX_LABEL: usize = 63;

/// A mail address, in NFC, otherwise as it was given.
///
/// The shape is that of RFC 5321 without quoted local parts, address literals and comments, with Unicode on
/// both sides (RFC 6531). A domain of one label (`localhost`) is good: this is a self-hosted program.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// `email_too_long` or `email_malformed`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        // Before normalising, so that the work is bounded; composed text is at most as long for all
        // practical input, and is measured again below.
        if text.len() > MAX_TOTAL * 3 {
            return Err(too_long());
        }
        let text: String = if text.is_ascii() {
            text.to_owned()
        } else {
            text.nfc().collect()
        };
        let (local, domain) = text.rsplit_once('@').ok_or_else(malformed)?;
        if text.len() > MAX_TOTAL || local.len() > MAX_LOCAL {
            return Err(too_long());
        }
        if !is_dot_atom(local) || !is_domain(domain) {
            return Err(malformed());
        }
        Ok(Self(text))
    }

    /// The address as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the address: two addresses with one key belong to one account. Lower case of both sides;
    /// no mailbox in use tells `Alice@` from `alice@`.
    pub fn key(&self) -> String {
        Self::key_of(&self.0)
    }

    /// How a text that addresses begin with stands in their keys.
    pub fn key_of(text: &str) -> String {
        // Lower-casing can leave decomposed text behind (U+0130), hence NFC once more.
        text.to_lowercase().nfc().collect()
    }

    /// What stands behind the `@`, in lower case.
    pub fn domain(&self) -> String {
        let key = self.key();
        key.rsplit_once('@')
            .map_or_else(String::new, |(_, domain)| domain.to_owned())
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn too_long() -> Problem {
    Problem::new("email_too_long", "The e-mail address is too long.")
}

fn malformed() -> Problem {
    Problem::new("email_malformed", "This is not an e-mail address.")
}

/// RFC 5322 section 3.2.3 and RFC 6531 section 3.3: atoms separated by single dots.
fn is_dot_atom(local: &str) -> bool {
    local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn is_atext(c: char) -> bool {
    let is_sign = matches!(
        c,
        '!' | '#'..='\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^'..='`' | '{'..='~'
    );
    c.is_ascii_alphanumeric() || is_sign || is_plain_unicode(c)
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=MAX_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || is_plain_unicode(c))
    })
}

/// Beyond ASCII anything but white space, controls and what hides or turns the text around it. The dots that
/// IDNA reads as `.` are out, for they would split a label unseen.
fn is_plain_unicode(c: char) -> bool {
    !c.is_ascii()
        && !c.is_whitespace()
        && !c.is_control()
        && !is_deceptive(c)
        && !matches!(c, '\u{3002}' | '\u{FF0E}' | '\u{FF61}' | '\u{FF20}')
}
