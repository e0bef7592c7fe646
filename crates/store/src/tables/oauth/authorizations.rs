//! What each session of a client may do.

use symbolon_domain::oauth::Authorization;
use symbolon_domain::{ClientId, EndReason, SessionId, Timestamp, UserId};

use super::{joined, read_resources, read_scopes};
use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

statements! {
    FIND =
        "SELECT session_id, user_id, client_id, scopes, resources, auth_time, browser, jkt, claims, expires_at, \
         agreed_in FROM authorizations WHERE session_id = $1";
    INSERT =
        "INSERT INTO authorizations (session_id, user_id, client_id, scopes, resources, auth_time, browser, jkt, \
         claims, expires_at, agreed_in) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    LIST_LIVE_OF_BROWSER =
        "SELECT a.session_id FROM authorizations a JOIN sessions s ON s.id = a.session_id \
         WHERE a.browser = $1 AND s.ended_at IS NULL AND s.expires_at > $2 ORDER BY a.session_id LIMIT $3";
    LIST_LIVE_OF_CLIENT =
        "SELECT a.session_id FROM authorizations a JOIN sessions s ON s.id = a.session_id \
         WHERE a.user_id = $1 AND a.client_id = $2 AND s.ended_at IS NULL AND s.expires_at > $3 \
         ORDER BY a.session_id LIMIT $4";
    END_OF_BROWSER =
        "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE id IN \
         (SELECT session_id FROM authorizations WHERE browser = $3) AND ended_at IS NULL AND expires_at > $1";
    END_OF_CLIENT =
        "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE id IN \
         (SELECT session_id FROM authorizations WHERE user_id = $3 AND client_id = $4) \
         AND ended_at IS NULL AND expires_at > $1";
    MOVE = "UPDATE authorizations SET browser = $1 WHERE browser = $2";
    MOVE_AGREED = "UPDATE authorizations SET agreed_in = $1 WHERE agreed_in = $2";
    DELETE_OF_CLIENT = "DELETE FROM authorizations WHERE client_id = $1";
    DELETE_OF_USER = "DELETE FROM authorizations WHERE user_id = $1";
    PURGE =
        "DELETE FROM authorizations WHERE session_id IN \
         (SELECT session_id FROM authorizations WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
}

impl Store {
    /// What the session of this id may do, if it is one of a client.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_authorization(&self, id: SessionId) -> Result<Option<Authorization>, Error> {
        self.find(FIND, &[id.into()], read).await
    }

    /// The sessions that are not ended and end with a browser's, the oldest first.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_browser_authorizations(
        &self,
        browser: SessionId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionId>, Error> {
        let values = vec![browser.into(), now.into(), i64::from(limit).into()];
        self.list(LIST_LIVE_OF_BROWSER, values, limit, read_id)
            .await
    }

    /// The sessions of a client for a user that are not ended, the oldest first.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_client_authorizations(
        &self,
        (user, client): (UserId, &ClientId),
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionId>, Error> {
        let client = client.as_str().to_owned().into();
        let values = vec![user.into(), client, now.into(), i64::from(limit).into()];
        self.list(LIST_LIVE_OF_CLIENT, values, limit, read_id).await
    }

    /// Drops those whose session is over, `limit` at a time; returns how many.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_authorizations(&self, before: Timestamp, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE, vec![before.into(), i64::from(limit).into()])
            .await
    }
}

impl Batch {
    /// Keeps what a session may do.
    pub fn insert_authorization(&mut self, granted: &Authorization) -> &mut Self {
        self.push(
            INSERT,
            Expect::One,
            [
                granted.session.into(),
                granted.user.into(),
                granted.client.as_str().to_owned().into(),
                granted.scopes.to_string().into(),
                joined(&granted.resources).into(),
                granted.auth_time.into(),
                granted.browser.into(),
                granted.jkt.clone().into(),
                granted.claims.clone().into(),
                granted.expires_at.into(),
                granted.agreed_in.into(),
            ],
        )
    }

    /// Ends the sessions that end with a browser's. The commit is [`Error::Stale`] unless there are `count` of them: each has
    /// a revocation, and one may have begun since they were listed.
    pub fn end_browser_sessions(
        &mut self,
        browser: SessionId,
        count: usize,
        (now, reason): (Timestamp, EndReason),
    ) -> &mut Self {
        let values = [now.into(), reason.as_str().into(), browser.into()];
        self.push(END_OF_BROWSER, Expect::Exactly(count as u64), values)
    }

    /// The same for the sessions of a client for a user.
    pub fn end_client_sessions(
        &mut self,
        (user, client): (UserId, &ClientId),
        count: usize,
        (now, reason): (Timestamp, EndReason),
    ) -> &mut Self {
        let client = client.as_str().to_owned().into();
        let values = [now.into(), reason.as_str().into(), user.into(), client];
        self.push(END_OF_CLIENT, Expect::Exactly(count as u64), values)
    }

    /// Lets those that end with one session of a browser end with another one, and puts that in the place of the one where
    /// the person agreed to the others.
    pub fn move_authorizations(&mut self, from: SessionId, to: SessionId) -> &mut Self {
        self.push(MOVE, Expect::Any, [to.into(), from.into()]);
        self.push(MOVE_AGREED, Expect::Any, [to.into(), from.into()])
    }

    /// Deletes those of a client, however many there are: none of its sessions can be refreshed any more.
    pub fn delete_client_authorizations(&mut self, client: &ClientId) -> &mut Self {
        let values = [client.as_str().to_owned().into()];
        self.push(DELETE_OF_CLIENT, Expect::Any, values)
    }

    /// Deletes those of a user, however many there are.
    pub fn delete_user_authorizations(&mut self, user: UserId) -> &mut Self {
        self.push(DELETE_OF_USER, Expect::Any, [user.into()])
    }
}

fn read_id(row: &Row<'_>) -> Result<SessionId, Error> {
    Ok(SessionId::from_bytes(row.array(0)?))
}

fn read(row: &Row<'_>) -> Result<Authorization, Error> {
    Ok(Authorization {
        session: read_id(row)?,
        user: UserId::from_bytes(row.array(1)?),
        client: row.parsed(2, ClientId::parse)?,
        scopes: read_scopes(row, 3)?,
        resources: read_resources(row, 4)?,
        auth_time: row.time(5)?,
        browser: row.array_or_none(6)?.map(SessionId::from_bytes),
        jkt: row.text_or_none(7)?,
        claims: row.text_or_none(8)?,
        expires_at: row.time(9)?,
        agreed_in: row.array_or_none(10)?.map(SessionId::from_bytes),
    })
}
