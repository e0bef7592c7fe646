//! Who users are at other providers.

use symbolon_domain::upstream::{ForeignIdentity, IdentityLink};
use symbolon_domain::{Timestamp, UserId};

use crate::statement::{Expect, statements};
use crate::value::{Row, Value};
use crate::{Batch, Error, Store};

statements! {
    FIND =
        "SELECT issuer, subject, user_id, created_at, last_used_at FROM upstream_identities \
         WHERE issuer = $1 AND subject = $2";
    LIST =
        "SELECT issuer, subject, user_id, created_at, last_used_at FROM upstream_identities WHERE user_id = $1 \
         ORDER BY issuer, subject LIMIT $2";
    INSERT =
        "INSERT INTO upstream_identities (issuer, subject, user_id, created_at, last_used_at) \
         VALUES ($1, $2, $3, $4, $5)";
    TOUCH = "UPDATE upstream_identities SET last_used_at = $1 WHERE issuer = $2 AND subject = $3";
    REQUIRE =
        "UPDATE upstream_identities SET last_used_at = last_used_at WHERE issuer = $1 AND subject = $2 AND user_id = $3";
    DELETE = "DELETE FROM upstream_identities WHERE issuer = $1 AND subject = $2 AND user_id = $3";
    DELETE_OF_USER = "DELETE FROM upstream_identities WHERE user_id = $1";
}

impl Store {
    /// Whose an identity is.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_upstream_identity(
        &self,
        identity: &ForeignIdentity,
    ) -> Result<Option<IdentityLink>, Error> {
        self.find(FIND, &key(identity), read_link).await
    }

    /// Up to `limit` identities of a user, by issuer.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_upstream_identities(
        &self,
        user: UserId,
        limit: u32,
    ) -> Result<Vec<IdentityLink>, Error> {
        let values = vec![user.into(), i64::from(limit).into()];
        self.list(LIST, values, limit, read_link).await
    }
}

impl Batch {
    /// Links an identity. The commit is [`Error::Conflict`] with `upstream_identity` if it is somebody's.
    pub fn insert_upstream_identity(&mut self, link: &IdentityLink) -> &mut Self {
        let [issuer, subject] = key(&link.identity);
        let values = [
            issuer,
            subject,
            link.user.into(),
            link.created_at.into(),
            link.last_used_at.into(),
        ];
        self.push(INSERT, Expect::One, values)
    }

    /// Notes that an identity was used, if it is still somebody's.
    pub fn touch_upstream_identity(
        &mut self,
        identity: &ForeignIdentity,
        now: Timestamp,
    ) -> &mut Self {
        let [issuer, subject] = key(identity);
        self.push(TOUCH, Expect::Any, [now.into(), issuer, subject])
    }

    /// Makes the commit [`Error::Stale`] if an identity is not this user's. Holds against a batch that takes it away at the
    /// same time. Who names several identities names them by issuer and subject.
    pub fn require_upstream_identity(
        &mut self,
        identity: &ForeignIdentity,
        user: UserId,
    ) -> &mut Self {
        let [issuer, subject] = key(identity);
        self.push(REQUIRE, Expect::One, [issuer, subject, user.into()])
    }

    /// Takes an identity from a user who has it.
    pub fn delete_upstream_identity(
        &mut self,
        identity: &ForeignIdentity,
        user: UserId,
    ) -> &mut Self {
        let [issuer, subject] = key(identity);
        self.push(DELETE, Expect::One, [issuer, subject, user.into()])
    }

    /// Takes all identities from a user.
    pub fn delete_upstream_identities(&mut self, user: UserId) -> &mut Self {
        self.push(DELETE_OF_USER, Expect::Any, [user.into()])
    }
}

fn key(identity: &ForeignIdentity) -> [Value; 2] {
    [
        identity.issuer().to_owned().into(),
        identity.subject().to_owned().into(),
    ]
}

fn read_link(row: &Row<'_>) -> Result<IdentityLink, Error> {
    let (issuer, subject) = (row.text(0)?, row.text(1)?);
    Ok(IdentityLink {
        identity: ForeignIdentity::new(&issuer, &subject).map_err(Error::fault)?,
        user: UserId::from_bytes(row.array(2)?),
        created_at: row.time(3)?,
        last_used_at: row.time(4)?,
    })
}
