//! Which passwords may be chosen, and the password itself on its way to the hash.
//!
//! The rules are those of NIST SP 800-63B-4 section 3.1.1.2: length counted in code points, a blocklist, no
//! rules of composition, no truncation, NFC before hashing.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::{IsNormalized, is_nfc_quick};
use zeroize::Zeroizing;

use crate::Problem;

mod blocklist;
#[cfg(test)]
mod tests;

/// The most bytes that are looked at. Well above 256 code points in any form of normalisation, and small
/// enough for a hash to cost what it always costs.
const MAX_BYTES: usize = 4096;

/// A password in NFC, erased from memory when dropped. `Debug` does not print it.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// A password that someone presents to be compared. The rules for new ones do not apply: they may have been
    /// others when it was chosen.
    ///
    /// # Errors
    /// `required` if it is empty, `password_too_long` above 4096 bytes, `password_malformed` if it holds NUL.
    pub fn presented(text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::new("required", "A password is required."));
        }
        if text.len() > MAX_BYTES {
            return Err(Problem::new(
                "password_too_long",
                "The password is too long.",
            ));
        }
        if text.contains('\0') {
            return Err(Problem::new(
                "password_malformed",
                "A password cannot hold NUL.",
            ));
        }
        Ok(Self(normalised(text)))
    }

    /// What is hashed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// What is hashed, as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// The rules for new passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordRules {
    /// The fewest code points.
    pub min_length: usize,
    /// The most code points. No fewer than 64 (NIST SP 800-63B-4).
    pub max_length: usize,
}

impl Default for PasswordRules {
    /// 8 to 256 code points.
    fn default() -> Self {
        Self {
            min_length: 8,
            max_length: 256,
        }
    }
}

impl PasswordRules {
    /// Reads a new password. `context` is what must not be the password of this user: address, user name.
    ///
    /// # Errors
    /// `password_too_short`, `password_too_long`, `password_blocklisted` or `password_malformed`.
    pub fn choose(&self, text: &str, context: &[&str]) -> Result<Password, Problem> {
        if text.is_empty() {
            return Err(self.too_short());
        }
        if text.len() > MAX_BYTES {
            return Err(self.too_long());
        }
        let password = Password::presented(text)?;
        let length = password.0.chars().count();
        if length > self.max_length {
            return Err(self.too_long());
        }
        if length < self.min_length {
            return Err(self.too_short());
        }
        if blocklist::is_blocked(&password.0, context) {
            return Err(Problem::new(
                "password_blocklisted",
                "This password is too easy to guess. Choose another one.",
            ));
        }
        Ok(password)
    }

    fn too_short(&self) -> Problem {
        let detail = format!("A password has at least {} characters.", self.min_length);
        Problem::new("password_too_short", detail)
    }

    fn too_long(&self) -> Problem {
        let detail = format!("A password has at most {} characters.", self.max_length);
        Problem::new("password_too_long", detail)
    }
}

/// NFC, in a buffer that never moves: growing it would leave parts of the password behind in freed memory.
fn normalised(text: &str) -> Zeroizing<String> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Zeroizing::new(text.to_owned());
    }
    // NFC makes UTF-8 at most three times as long (the expansion factors in Unicode's normalization FAQ).
    let mut buffer = Zeroizing::new(String::with_capacity(text.len() * 3));
    buffer.extend(text.nfc());
    buffer
}
