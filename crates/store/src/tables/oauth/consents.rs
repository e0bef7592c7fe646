//! What people have agreed to.

use symbolon_domain::oauth::{Agreement, Consent, Scopes};
use symbolon_domain::{ClientId, Problem, Resource, UserId};

use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

statements! {
    FIND =
        "SELECT user_id, client_id, agreement, version, created_at, updated_at FROM consents \
         WHERE user_id = $1 AND client_id = $2";
    LIST =
        "SELECT user_id, client_id, agreement, version, created_at, updated_at FROM consents \
         WHERE user_id = $1 AND client_id > $2 ORDER BY client_id LIMIT $3";
    INSERT =
        "INSERT INTO consents (user_id, client_id, agreement, version, created_at, updated_at) \
         VALUES ($1, $2, $3, 1, $4, $5) ON CONFLICT DO NOTHING";
    UPDATE =
        "UPDATE consents SET agreement = $1, version = version + 1, updated_at = $2 \
         WHERE user_id = $3 AND client_id = $4 AND version = $5";
    REQUIRE =
        "UPDATE consents SET updated_at = updated_at WHERE user_id = $1 AND client_id = $2 AND version = $3";
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
    /// Keeps what a person agreed to, with the next version. Compare-and-set: of version 0 there is none yet, of another one
    /// it is the one that is kept; the commit is [`Error::Stale`] otherwise.
    pub fn put_consent(&mut self, consent: &Consent) -> &mut Self {
        let (user, client) = (consent.user, consent.client.as_str().to_owned());
        let (agreement, now) = (written(&consent.agreement), consent.updated_at);
        if consent.version == 0 {
            let created = consent.created_at.into();
            let values = [
                user.into(),
                client.into(),
                agreement.into(),
                created,
                now.into(),
            ];
            return self.push(INSERT, Expect::One, values);
        }
        let version = consent.version.into();
        let values = [
            agreement.into(),
            now.into(),
            user.into(),
            client.into(),
            version,
        ];
        self.push(UPDATE, Expect::One, values)
    }

    /// Makes the commit [`Error::Stale`] unless what is kept is of this version. Holds against a batch that forgets it or
    /// changes it at the same time.
    pub fn require_consent(&mut self, consent: &Consent) -> &mut Self {
        let client = consent.client.as_str().to_owned();
        let values = [consent.user.into(), client.into(), consent.version.into()];
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

/// A line for each API: its name, a space, and the scopes there. Our own has no name.
fn written(agreement: &Agreement) -> String {
    let lines = agreement.iter().map(|(resource, scopes)| {
        let name = resource.map(Resource::as_str).unwrap_or_default();
        format!("{name} {scopes}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn read_agreement(text: &str) -> Result<Agreement, Problem> {
    let lines = text.lines().map(|line| {
        let (name, scopes) = line.split_once(' ').unwrap_or((line, ""));
        let resource = match name {
            "" => None,
            name => Some(Resource::parse(name)?),
        };
        Ok((resource, Scopes::kept(scopes)?))
    });
    lines.collect()
}

fn read(row: &Row<'_>) -> Result<Consent, Error> {
    Ok(Consent {
        user: UserId::from_bytes(row.array(0)?),
        client: row.parsed(1, ClientId::parse)?,
        agreement: row.parsed(2, read_agreement)?,
        version: row.int(3)?,
        created_at: row.time(4)?,
        updated_at: row.time(5)?,
    })
}
