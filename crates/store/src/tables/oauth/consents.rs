//! What people have agreed to.

use symbolon_domain::oauth::Consent;
use symbolon_domain::{ClientId, UserId};

use super::{joined, read_resources, read_scopes};
use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

statements! {
    FIND =
        "SELECT user_id, client_id, scopes, resources, created_at, updated_at FROM consents \
         WHERE user_id = $1 AND client_id = $2";
    LIST =
        "SELECT user_id, client_id, scopes, resources, created_at, updated_at FROM consents \
         WHERE user_id = $1 AND client_id > $2 ORDER BY client_id LIMIT $3";
    PUT =
        "INSERT INTO consents (user_id, client_id, scopes, resources, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (user_id, client_id) DO UPDATE SET scopes = excluded.scopes, resources = excluded.resources, \
         updated_at = excluded.updated_at";
    REQUIRE = "UPDATE consents SET updated_at = updated_at WHERE user_id = $1 AND client_id = $2";
    DELETE = "DELETE FROM consents WHERE user_id = $1 AND client_id = $2";
    DELETE_OF_USER = "DELETE FROM consents WHERE user_id = $1";
    DELETE_OF_CLIENT = "DELETE FROM consents WHERE client_id = $1";
}

impl Store {
    /// What a person has agreed to towards a client.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_consent(
        &self,
        user: UserId,
        client: &ClientId,
    ) -> Result<Option<Consent>, Error> {
        let values = [user.into(), client.as_str().to_owned().into()];
        self.find(FIND, &values, read).await
    }

    /// What a person has agreed to, by the clients' ids, behind `after`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_consents(
        &self,
        user: UserId,
        after: Option<&ClientId>,
        limit: u32,
    ) -> Result<Vec<Consent>, Error> {
        // Every id is greater than the empty text.
        let after = after.map_or_else(String::new, ClientId::to_string);
        let values = vec![user.into(), after.into(), i64::from(limit).into()];
        self.list(LIST, values, limit, read).await
    }
}

impl Batch {
    /// Keeps what a person agreed to, in the place of what was kept before.
    pub fn put_consent(&mut self, consent: &Consent) -> &mut Self {
        self.push(
            PUT,
            Expect::One,
            [
                consent.user.into(),
                consent.client.as_str().to_owned().into(),
                consent.scopes.to_string().into(),
                joined(&consent.resources).into(),
                consent.created_at.into(),
                consent.updated_at.into(),
            ],
        )
    }

    /// Makes the commit [`Error::Stale`] if nothing was agreed to. Holds against a batch that forgets it at the same time.
    pub fn require_consent(&mut self, user: UserId, client: &ClientId) -> &mut Self {
        let values = [user.into(), client.as_str().to_owned().into()];
        self.push(REQUIRE, Expect::One, values)
    }

    /// Forgets it. The commit is [`Error::Stale`] if there is none.
    pub fn delete_consent(&mut self, user: UserId, client: &ClientId) -> &mut Self {
        let values = [user.into(), client.as_str().to_owned().into()];
        self.push(DELETE, Expect::One, values)
    }

    /// Forgets those of a user, however many there are.
    pub fn delete_user_consents(&mut self, user: UserId) -> &mut Self {
        self.push(DELETE_OF_USER, Expect::Any, [user.into()])
    }

    /// Forgets those towards a client, however many there are.
    pub fn delete_client_consents(&mut self, client: &ClientId) -> &mut Self {
        let values = [client.as_str().to_owned().into()];
        self.push(DELETE_OF_CLIENT, Expect::Any, values)
    }
}

fn read(row: &Row<'_>) -> Result<Consent, Error> {
    Ok(Consent {
        user: UserId::from_bytes(row.array(0)?),
        client: row.parsed(1, ClientId::parse)?,
        scopes: read_scopes(row, 2)?,
        resources: read_resources(row, 3)?,
        created_at: row.time(4)?,
        updated_at: row.time(5)?,
    })
}
