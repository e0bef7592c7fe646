use symbolon_domain::refresh::Digest;
use symbolon_domain::{RoleName, Timestamp};

use crate::statement::{Expect, statements};
use crate::value::{Row, Value};
use crate::{Batch, Error, Store};

statements! {
    FIND = "SELECT digest, expires_at FROM setup WHERE id = 1";
    PUT =
        "INSERT INTO setup (id, digest, expires_at) VALUES (1, $1, $2) \
         ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at";
    TAKE = "DELETE FROM setup WHERE id = 1 AND digest = $1 AND expires_at > $2";
    DELETE = "DELETE FROM setup WHERE id = 1";
    LOCK_ROLE = "UPDATE roles SET builtin = builtin WHERE name = $1";
    REQUIRE_NO_HOLDER =
        "UPDATE roles SET builtin = builtin WHERE name = $1 AND NOT EXISTS \
         (SELECT 1 FROM user_roles m JOIN users u ON u.id = m.user_id WHERE m.role = $1 AND u.status = 'active')";
}

/// The token that makes the first administrator, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupToken {
    /// SHA-256 of its text.
    pub digest: Digest,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

impl Store {
    /// The token that was made last, if it was not used.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_setup_token(&self) -> Result<Option<SetupToken>, Error> {
        self.find(FIND, &[], read).await
    }
}

impl Batch {
    /// Keeps a token in the place of a former one, which is worth nothing from then on.
    pub fn put_setup_token(&mut self, token: &SetupToken) -> &mut Self {
        let digest = *token.digest.as_bytes();
        self.push(PUT, Expect::One, [digest.into(), token.expires_at.into()])
    }

    /// Uses a token up: the commit is [`Error::Stale`] unless it is there and good at `now`.
    pub fn take_setup_token(&mut self, digest: Digest, now: Timestamp) -> &mut Self {
        self.push(TAKE, Expect::One, [(*digest.as_bytes()).into(), now.into()])
    }

    /// Forgets the token, if there is one.
    pub fn delete_setup_token(&mut self) -> &mut Self {
        self.push(DELETE, Expect::Any, [])
    }

    /// Makes the commit [`Error::Stale`] if an active user has the role `admin`. Holds against other batches that ask
    /// the same at the same time; push it before what gives the role.
    pub fn require_no_admin(&mut self) -> &mut Self {
        let admin = || Value::from(RoleName::ADMIN.as_str().to_owned());
        // The lock first, in a statement of its own: see `require_other_admin`.
        self.push(LOCK_ROLE, Expect::One, [admin()]);
        self.push(REQUIRE_NO_HOLDER, Expect::One, [admin()])
    }
}

fn read(row: &Row<'_>) -> Result<SetupToken, Error> {
    Ok(SetupToken {
        digest: Digest::new(row.array(0)?),
        expires_at: row.time(1)?,
    })
}
