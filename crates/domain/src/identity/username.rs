use std::fmt;

use crate::Problem;

/// The shortest and the longest user name, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=64;

/// A user name: 3 to 64 ASCII letters, digits, `.`, `_` and `-`, with a letter or digit at either end.
///
/// ASCII only, so that no two names look alike; no `@`, so that no name looks like an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// Reads a user name.
    ///
    /// # Errors
    /// `username_too_short`, `username_too_long` or `username_malformed`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > *LENGTH.end() {
            return Err(Problem::new(
                "username_too_long",
                format!("A user name has at most {} characters.", LENGTH.end()),
            ));
        }
        let ends = [text.chars().next(), text.chars().next_back()];
        let all_allowed = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        let ends_allowed = ends.iter().flatten().all(char::is_ascii_alphanumeric);
        if !all_allowed || !ends_allowed {
            return Err(Problem::new(
                "username_malformed",
                "A user name has letters a to z, digits, '.', '_' and '-', and begins and ends with a letter or digit.",
            ));
        }
        if text.len() < *LENGTH.start() {
            return Err(Problem::new(
                "username_too_short",
                format!("A user name has at least {} characters.", LENGTH.start()),
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the name: two names with one key belong to one account.
    pub fn key(&self) -> String {
        Self::key_of(&self.0)
    }

    /// How a text that names begin with stands in their keys.
    pub fn key_of(text: &str) -> String {
        text.to_ascii_lowercase()
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
