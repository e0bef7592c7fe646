use symbolon_domain::{DisplayName, Email, Roles, Timestamp, UserId};
use uuid::Uuid;

use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

/// The columns that [`read_invitation`] reads.
macro_rules! invitation_columns {
    () => {
        "id, email, name, roles, inviter, created_at, expires_at"
    };
}

statements! {
    FIND = concat!("SELECT ", invitation_columns!(), " FROM invitations WHERE id = $1");
    FIND_BY_EMAIL = concat!("SELECT ", invitation_columns!(), " FROM invitations WHERE email_key = $1");
    LIST_LATEST = concat!("SELECT ", invitation_columns!(), " FROM invitations ORDER BY id DESC LIMIT $1");
    LIST_BEFORE =
        concat!("SELECT ", invitation_columns!(), " FROM invitations WHERE id < $1 ORDER BY id DESC LIMIT $2");
    PUT =
        "INSERT INTO invitations (id, email, email_key, name, roles, inviter, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (email_key) DO UPDATE SET id = excluded.id, email = excluded.email, name = excluded.name, \
         roles = excluded.roles, inviter = excluded.inviter, created_at = excluded.created_at, \
         expires_at = excluded.expires_at";
    TAKE = "DELETE FROM invitations WHERE id = $1";
    PURGE =
        "DELETE FROM invitations WHERE id IN \
         (SELECT id FROM invitations WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
}

/// An invitation as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Who is invited; the key of the address is unique.
    pub email: Email,
    /// The name that the account begins with.
    pub name: Option<DisplayName>,
    /// The roles that the account gets.
    pub roles: Roles,
    /// Who invited; nobody for the command line.
    pub inviter: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
    /// From when on it cannot be accepted any more.
    pub expires_at: Timestamp,
}

impl Store {
    /// The invitation of this id. It may have expired.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_invitation(&self, id: Uuid) -> Result<Option<Invitation>, Error> {
        self.find(FIND, &[id.into()], read_invitation).await
    }

    /// The invitation of the address whose [`Email::key`] this is.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_invitation_by_email(&self, key: &str) -> Result<Option<Invitation>, Error> {
        self.find(FIND_BY_EMAIL, &[key.to_owned().into()], read_invitation)
            .await
    }

    /// Invitations, the latest first; from the last one on, or those made before the id `before`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_invitations(
        &self,
        limit: u32,
        before: Option<Uuid>,
    ) -> Result<Vec<Invitation>, Error> {
        let rows = i64::from(limit).into();
        match before {
            None => {
                self.list(LIST_LATEST, vec![rows], limit, read_invitation)
                    .await
            }
            Some(id) => {
                self.list(LIST_BEFORE, vec![id.into(), rows], limit, read_invitation)
                    .await
            }
        }
    }

    /// Drops invitations that have expired, `limit` at a time; returns how many.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_invitations(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE, vec![now.into(), i64::from(limit).into()])
            .await
    }
}

impl Batch {
    /// Keeps an invitation, in the place of the one before of the same address.
    pub fn put_invitation(&mut self, invitation: &Invitation) -> &mut Self {
        let values = [
            invitation.id.into(),
            invitation.email.as_str().to_owned().into(),
            invitation.email.key().into(),
            invitation
                .name
                .as_ref()
                .map(|name| name.as_str().to_owned())
                .into(),
            invitation.roles.to_string().into(),
            invitation.inviter.into(),
            invitation.created_at.into(),
            invitation.expires_at.into(),
        ];
        self.push(PUT, Expect::One, values)
    }

    /// Takes an invitation away: it was accepted or withdrawn. The commit is [`Error::Stale`] if it was before.
    pub fn take_invitation(&mut self, id: Uuid) -> &mut Self {
        self.push(TAKE, Expect::One, [id.into()])
    }
}

fn read_invitation(row: &Row<'_>) -> Result<Invitation, Error> {
    Ok(Invitation {
        id: Uuid::from_bytes(row.array(0)?),
        email: row.parsed(1, Email::parse)?,
        name: row.parsed_or_none(2, DisplayName::parse)?,
        roles: row.parsed(3, Roles::parse)?,
        inviter: row.array_or_none(4)?.map(UserId::from_bytes),
        created_at: row.time(5)?,
        expires_at: row.time(6)?,
    })
}
