//! What was made under an `Idempotency-Key`.

use symbolon_domain::Timestamp;

use crate::statement::{Expect, statements};
use crate::{Batch, Error, Store};

statements! {
    FIND = "SELECT request, made FROM creations WHERE key = $1";
    INSERT = "INSERT INTO creations (key, request, made, created_at) VALUES ($1, $2, $3, $4)";
    PURGE =
        "DELETE FROM creations WHERE key IN \
         (SELECT key FROM creations WHERE created_at <= $1 ORDER BY created_at LIMIT $2)";
}

/// What a request made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// A MAC over the body of the request.
    pub request: [u8; 32],
    /// The id of what it made.
    pub made: [u8; 16],
}

impl Store {
    /// What was made under this key; the key is a MAC as well.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_creation(&self, key: [u8; 32]) -> Result<Option<Creation>, Error> {
        let read = |row: &crate::value::Row<'_>| {
            Ok(Creation {
                request: row.array(0)?,
                made: row.array(1)?,
            })
        };
        self.find(FIND, &[key.into()], read).await
    }

    /// Forgets up to `limit` keys that were used until `before`, and returns how many there were.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_creations(&self, before: Timestamp, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE, vec![before.into(), i64::from(limit).into()])
            .await
    }
}

impl Batch {
    /// Notes what is made under a key. The commit is [`Error::Conflict`] with `creation` if another batch was quicker.
    pub fn insert_creation(
        &mut self,
        key: [u8; 32],
        creation: &Creation,
        now: Timestamp,
    ) -> &mut Self {
        let values = [
            key.into(),
            creation.request.into(),
            creation.made.into(),
            now.into(),
        ];
        self.push(INSERT, Expect::One, values)
    }
}
