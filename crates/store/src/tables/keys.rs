use std::fmt;
use std::str::FromStr;

use symbolon_domain::{Timestamp, UnknownWord};

use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

statements! {
    LIST =
        "SELECT kid, purpose, algorithm, number, public_jwk, sealed, state, created_at, activate_at, retire_at, \
         expires_at FROM keys ORDER BY created_at, kid";
    INSERT =
        "INSERT INTO keys (kid, purpose, algorithm, number, public_jwk, sealed, state, created_at, activate_at, \
         retire_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    RETIRE =
        "UPDATE keys SET retire_at = $1, expires_at = $2 WHERE kid = $3 AND state = 'live' AND retire_at IS NULL";
    WITHDRAW =
        "UPDATE keys SET state = 'withdrawn', retire_at = COALESCE(retire_at, $1), expires_at = $1 \
         WHERE kid = $2 AND state = 'live'";
}

/// Whether a key may be used at all. What it is used for at a given time follows from its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It may.
    Live,
    /// It was withdrawn: nothing that it signed is good.
    Withdrawn,
}

impl KeyState {
    /// The word as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyState {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "live" => Ok(Self::Live),
            "withdrawn" => Ok(Self::Withdrawn),
            _ => Err(UnknownWord("key state")),
        }
    }
}

/// A key as stored: its private part is sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its name.
    pub kid: String,
    /// What it is for: `sign`, `refresh` and so on.
    pub purpose: String,
    /// The name of the algorithm.
    pub algorithm: String,
    /// Which of its purpose it is, where tokens name it by a number; 0 otherwise.
    pub number: i64,
    /// The public part as JSON (RFC 7517), if it has one.
    pub public_jwk: Option<String>,
    /// The private part, encrypted under the master key.
    pub sealed: Vec<u8>,
    /// Whether it may be used.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub activate_at: Timestamp,
    /// From when on it does not sign any more.
    pub retire_at: Option<Timestamp>,
    /// When nothing that it signed can be alive any more.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRow")
            .field("kid", &self.kid)
            .field("purpose", &self.purpose)
            .field("algorithm", &self.algorithm)
            .field("number", &self.number)
            .field("state", &self.state)
            .field("activate_at", &self.activate_at)
            .field("retire_at", &self.retire_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Every key, the oldest first.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_keys(&self) -> Result<Vec<KeyRow>, Error> {
        self.list(LIST, Vec::new(), 0, read_key).await
    }
}

/// Each of these tells other processes to load the keys again: see [`Store::changed`].
impl Batch {
    /// Stores a new key. The commit is [`Error::Conflict`] with `kid` if there is one of that name, and with
    /// `current_key` if there is a live one of the same purpose and algorithm that is not retired: retire that
    /// one before, in the same batch.
    pub fn insert_key(&mut self, key: &KeyRow) -> &mut Self {
        self.push(
            INSERT,
            Expect::One,
            [
                key.kid.clone().into(),
                key.purpose.clone().into(),
                key.algorithm.clone().into(),
                key.number.into(),
                key.public_jwk.clone().into(),
                key.sealed.clone().into(),
                key.state.as_str().into(),
                key.created_at.into(),
                key.activate_at.into(),
                key.retire_at.into(),
                key.expires_at.into(),
            ],
        );
        self.reloads()
    }

    /// Sets when a key stops signing and when it is of no use any more. Compare-and-set: it must be live and not
    /// retired yet.
    pub fn retire_key(
        &mut self,
        kid: &str,
        retire_at: Timestamp,
        expires_at: Timestamp,
    ) -> &mut Self {
        self.push(
            RETIRE,
            Expect::One,
            [retire_at.into(), expires_at.into(), kid.to_owned().into()],
        );
        self.reloads()
    }

    /// Withdraws a key. Compare-and-set: it must be live.
    pub fn withdraw_key(&mut self, kid: &str, now: Timestamp) -> &mut Self {
        self.push(WITHDRAW, Expect::One, [now.into(), kid.to_owned().into()]);
        self.reloads()
    }
}

fn read_key(row: &Row<'_>) -> Result<KeyRow, Error> {
    Ok(KeyRow {
        kid: row.text(0)?,
        purpose: row.text(1)?,
        algorithm: row.text(2)?,
        number: row.int(3)?,
        public_jwk: row.text_or_none(4)?,
        sealed: row.bytes(5)?,
        state: row.parsed(6, str::parse)?,
        created_at: row.time(7)?,
        activate_at: row.time(8)?,
        retire_at: row.time_or_none(9)?,
        expires_at: row.time_or_none(10)?,
    })
}
