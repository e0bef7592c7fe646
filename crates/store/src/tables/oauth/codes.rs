//! What is used once: codes, requests that were pushed, names that may be shown once only.

use symbolon_domain::refresh::Digest;
use symbolon_domain::{ClientId, SessionId, Timestamp, UserId};

use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

statements! {
    FIND_CODE =
        "SELECT digest, client_id, user_id, request, session_id, expires_at FROM authorization_codes WHERE digest = $1";
    INSERT_CODE =
        "INSERT INTO authorization_codes (digest, client_id, user_id, request, session_id, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    TAKE_CODE =
        "UPDATE authorization_codes SET session_id = $1 WHERE digest = $2 AND session_id IS NULL AND expires_at > $3";
    DELETE_CODES_OF_USER = "DELETE FROM authorization_codes WHERE user_id = $1";
    PURGE_CODES =
        "DELETE FROM authorization_codes WHERE digest IN \
         (SELECT digest FROM authorization_codes WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    FIND_PUSHED = "SELECT digest, client_id, request, expires_at FROM pushed_requests WHERE digest = $1";
    INSERT_PUSHED = "INSERT INTO pushed_requests (digest, client_id, request, expires_at) VALUES ($1, $2, $3, $4)";
    TAKE_PUSHED = "DELETE FROM pushed_requests WHERE digest = $1";
    PURGE_PUSHED =
        "DELETE FROM pushed_requests WHERE digest IN \
         (SELECT digest FROM pushed_requests WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    INSERT_REPLAY = "INSERT INTO replays (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
    PURGE_REPLAYS =
        "DELETE FROM replays WHERE digest IN \
         (SELECT digest FROM replays WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
}

/// A code (RFC 6749 section 4.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRow {
    /// SHA-256 of its text.
    pub digest: Digest,
    /// Whom it was given to.
    pub client: ClientId,
    /// Who agreed.
    pub user: UserId,
    /// What it stands for.
    pub request: String,
    /// The session that it was exchanged for.
    pub session: Option<SessionId>,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// A request that came ahead of the browser (RFC 9126).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedRow {
    /// SHA-256 of its name.
    pub digest: Digest,
    /// Whose it is.
    pub client: ClientId,
    /// Its parameters.
    pub request: String,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

impl Store {
    /// The code of this digest, used or not. It may have expired.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_code(&self, digest: Digest) -> Result<Option<CodeRow>, Error> {
        self.find(FIND_CODE, &[(*digest.as_bytes()).into()], read_code)
            .await
    }

    /// The pushed request of this digest. It may have expired.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_pushed(&self, digest: Digest) -> Result<Option<PushedRow>, Error> {
        self.find(FIND_PUSHED, &[(*digest.as_bytes()).into()], read_pushed)
            .await
    }

    /// Drops codes that expired before, `limit` at a time; returns how many.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_codes(&self, before: Timestamp, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE_CODES, vec![before.into(), i64::from(limit).into()])
            .await
    }

    /// The same for pushed requests.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_pushed(&self, before: Timestamp, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE_PUSHED, vec![before.into(), i64::from(limit).into()])
            .await
    }

    /// The same for names that may be shown once.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_replays(&self, before: Timestamp, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE_REPLAYS, vec![before.into(), i64::from(limit).into()])
            .await
    }
}

impl Batch {
    /// Keeps a code.
    pub fn insert_code(&mut self, code: &CodeRow) -> &mut Self {
        let values = [
            (*code.digest.as_bytes()).into(),
            code.client.as_str().to_owned().into(),
            code.user.into(),
            code.request.clone().into(),
            code.session.into(),
            code.expires_at.into(),
        ];
        self.push(INSERT_CODE, Expect::One, values)
    }

    /// Uses a code up for a session. The commit is [`Error::Stale`] if it was used, or has expired at `now`.
    pub fn take_code(&mut self, digest: Digest, session: SessionId, now: Timestamp) -> &mut Self {
        let values = [session.into(), (*digest.as_bytes()).into(), now.into()];
        self.push(TAKE_CODE, Expect::One, values)
    }

    /// Deletes the codes of a user.
    pub fn delete_user_codes(&mut self, user: UserId) -> &mut Self {
        self.push(DELETE_CODES_OF_USER, Expect::Any, [user.into()])
    }

    /// Keeps a pushed request.
    pub fn insert_pushed(&mut self, pushed: &PushedRow) -> &mut Self {
        let values = [
            (*pushed.digest.as_bytes()).into(),
            pushed.client.as_str().to_owned().into(),
            pushed.request.clone().into(),
            pushed.expires_at.into(),
        ];
        self.push(INSERT_PUSHED, Expect::One, values)
    }

    /// Uses a pushed request up. The commit is [`Error::Stale`] if it was used.
    pub fn take_pushed(&mut self, digest: Digest) -> &mut Self {
        self.push(TAKE_PUSHED, Expect::One, [(*digest.as_bytes()).into()])
    }

    /// Notes that something was shown. The commit is [`Error::Stale`] if it was shown before.
    pub fn insert_replay(&mut self, digest: Digest, expires_at: Timestamp) -> &mut Self {
        let values = [(*digest.as_bytes()).into(), expires_at.into()];
        self.push(INSERT_REPLAY, Expect::One, values)
    }
}

fn read_code(row: &Row<'_>) -> Result<CodeRow, Error> {
    Ok(CodeRow {
        digest: Digest::new(row.array(0)?),
        client: row.parsed(1, ClientId::parse)?,
        user: UserId::from_bytes(row.array(2)?),
        request: row.text(3)?,
        session: row.array_or_none(4)?.map(SessionId::from_bytes),
        expires_at: row.time(5)?,
    })
}

fn read_pushed(row: &Row<'_>) -> Result<PushedRow, Error> {
    Ok(PushedRow {
        digest: Digest::new(row.array(0)?),
        client: row.parsed(1, ClientId::parse)?,
        request: row.text(2)?,
        expires_at: row.time(3)?,
    })
}
