//! What bringing many users in and out needs beside the verbs of one user.

use symbolon_domain::{User, UserId, Username};

use super::users::{Credentials, read_credentials, user_columns};
use crate::statement::{Expect, statements};
use crate::{Batch, Error, Store};

statements! {
    LIST_FIRST = concat!("SELECT ", user_columns!(), ", u.password_hash FROM users u ORDER BY u.id LIMIT $1");
    LIST_AFTER =
        concat!("SELECT ", user_columns!(), ", u.password_hash FROM users u WHERE u.id > $1 ORDER BY u.id LIMIT $2");
    FIND_TAKEN = "SELECT id, email_key FROM users WHERE id = $1 OR email_key = $2 OR username_key = $3 LIMIT 1";
    BEGIN =
        "INSERT INTO settings (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    ADVANCE = "UPDATE settings SET value = $1 WHERE name = $2 AND value = $3";
    END = "DELETE FROM settings WHERE name = $1 AND value = $2";
}

impl Store {
    /// Users with the hashes of their passwords in the order of their ids; from the first on, or behind `after`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_credentials(
        &self,
        limit: u32,
        after: Option<UserId>,
    ) -> Result<Vec<Credentials>, Error> {
        let limit_value = i64::from(limit).into();
        match after {
            None => {
                self.list(LIST_FIRST, vec![limit_value], limit, read_credentials)
                    .await
            }
            Some(id) => {
                let values = vec![id.into(), limit_value];
                self.list(LIST_AFTER, values, limit, read_credentials).await
            }
        }
    }

    /// What of a new user is taken: `id`, `email` or `username`, the first of these that is.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_taken(&self, user: &User) -> Result<Option<&'static str>, Error> {
        let key = user.email.key();
        let values = [
            user.id.into(),
            key.clone().into(),
            user.username.as_ref().map(Username::key).into(),
        ];
        let read = |row: &crate::value::Row<'_>| {
            Ok(if row.array(0)? == *user.id.as_bytes() {
                "id"
            } else if row.text(1)? == key {
                "email"
            } else {
                "username"
            })
        };
        self.find(FIND_TAKEN, &values, read).await
    }
}

/// How far long work has come, kept among the settings: each step is compared and set, so that it is done once. No
/// process holds it in memory, so that nobody is told to load the settings again.
impl Batch {
    /// Begins work, or begins it anew.
    pub fn begin_progress(&mut self, name: &str, value: &str) -> &mut Self {
        let values = [name.to_owned().into(), value.to_owned().into()];
        self.push(BEGIN, Expect::One, values)
    }

    /// Notes a step; the commit is [`Error::Stale`] unless the last one was `expected`.
    pub fn advance_progress(&mut self, name: &str, expected: &str, value: &str) -> &mut Self {
        let values = [
            value.to_owned().into(),
            name.to_owned().into(),
            expected.to_owned().into(),
        ];
        self.push(ADVANCE, Expect::One, values)
    }

    /// Ends work; the commit is [`Error::Stale`] unless the last step was `expected`.
    pub fn end_progress(&mut self, name: &str, expected: &str) -> &mut Self {
        let values = [name.to_owned().into(), expected.to_owned().into()];
        self.push(END, Expect::One, values)
    }
}
