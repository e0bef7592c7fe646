use std::fmt;

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::refresh::Digest;
use crate::{Problem, Timestamp};

/// In characters. Who chooses a secret is to draw it as the server does.
const LEAST: usize = 32;
const MOST: usize = 512;
/// How much of a secret is kept to recognise it by.
const HINT: usize = 4;

/// What a client proves itself with. Only its digest is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// Names it among those of its client.
    pub id: Uuid,
    /// Its last characters.
    pub hint: String,
    /// SHA-256 of it.
    pub digest: Digest,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A secret on its way: made by the server, or chosen by the owner.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Reads a secret that was chosen.
    ///
    /// # Errors
    /// `secret_malformed`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let fits = (LEAST..=MOST).contains(&text.len());
        if !fits || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Problem::new(
                "secret_malformed",
                "A client's secret has 32 to 512 printable ASCII characters and no spaces; draw it at random.",
            ));
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its last characters, to recognise it by.
    pub fn hint(&self) -> String {
        self.0
            .chars()
            .skip(self.0.len().saturating_sub(HINT))
            .collect()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}
