//! Which clients are still to be told that a session has ended.

use symbolon_domain::{ClientId, SessionId, Timestamp, UserId};

use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

/// One row for each of these sessions at `$1` of a client that has an address to be told at. A client that is not kept here
/// describes itself elsewhere: whether it has one, its document says.
macro_rules! insert {
    ($which:literal) => {
        concat!(
            "INSERT INTO logouts (session_id, client_id, user_id, created_at, due_at, attempts) \
             SELECT a.session_id, a.client_id, a.user_id, $1, $1, 0 FROM authorizations a \
             JOIN sessions s ON s.id = a.session_id LEFT JOIN clients c ON c.id = a.client_id \
             WHERE (c.id IS NULL OR c.backchannel_logout_uri <> '') AND ",
            $which,
            " ON CONFLICT (session_id) DO NOTHING"
        )
    };
}

statements! {
    LIST_CLIENTS =
        "SELECT client_id FROM logouts WHERE due_at <= $1 GROUP BY client_id ORDER BY min(due_at) LIMIT $2";
    LIST_DUE =
        "SELECT session_id, client_id, user_id, created_at, due_at, attempts FROM logouts \
         WHERE client_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3";
    COUNT =
        "SELECT count(*) FROM logouts WHERE session_id IN (SELECT session_id FROM logouts LIMIT $1)";
    INSERT_OF_SESSION = insert!("s.ended_at = $1 AND a.session_id = $2");
    INSERT_OF_USER = insert!("s.ended_at = $1 AND a.user_id = $2");
    INSERT_OF_BROWSER = insert!("s.ended_at = $1 AND a.browser = $2");
    INSERT_AGREED_IN = insert!("(s.ended_at IS NULL OR s.ended_at = $1) AND a.agreed_in = $2");
    INSERT_OF_CLIENT = insert!("s.ended_at = $1 AND a.user_id = $2 AND a.client_id = $3");
    CLAIM =
        "UPDATE logouts SET due_at = $1, attempts = attempts + 1 WHERE session_id = $2 AND due_at = $3";
    RELEASE =
        "UPDATE logouts SET due_at = $1, attempts = attempts - 1 WHERE session_id = $2 AND due_at = $3";
    POSTPONE = "UPDATE logouts SET due_at = $1 WHERE session_id = $2 AND due_at = $3";
    POSTPONE_OF_CLIENT = "UPDATE logouts SET due_at = $1 WHERE client_id = $2 AND due_at <= $3";
    DELETE = "DELETE FROM logouts WHERE session_id = $1 AND due_at = $2";
    PURGE =
        "DELETE FROM logouts WHERE session_id IN \
         (SELECT session_id FROM logouts WHERE client_id = $1 AND created_at <= $2 LIMIT $3)";
}

/// A session that ended, or of which the sign-in that it came from ended, as its client is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutRow {
    /// The session.
    pub session: SessionId,
    /// The client.
    pub client: ClientId,
    /// Whose session it was; they may be gone.
    pub user: UserId,
    /// When it ended.
    pub created_at: Timestamp,
    /// When to try; of one that is claimed, until when.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
}

impl Store {
    /// Clients that there is something to tell at `now`, those that wait longest first.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_logout_clients(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ClientId>, Error> {
        let values = vec![now.into(), i64::from(limit).into()];
        let read = |row: &Row<'_>| row.parsed(0, ClientId::parse);
        self.list(LIST_CLIENTS, values, limit, read).await
    }

    /// What a client is to be told at `now`, what waits longest first.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_due_logouts(
        &self,
        client: &ClientId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<LogoutRow>, Error> {
        let client = client.as_str().to_owned().into();
        let values = vec![client, now.into(), i64::from(limit).into()];
        self.list(LIST_DUE, values, limit, read).await
    }

    /// How much clients are still to be told; counted up to `most`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn count_waiting_logouts(&self, most: u32) -> Result<u32, Error> {
        self.count(COUNT, &[i64::from(most).into()]).await
    }

    /// Drops what a client was to be told of sessions that ended up to `before`, `limit` at a time; returns how many.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_logouts(
        &self,
        client: &ClientId,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, Error> {
        let client = client.as_str().to_owned().into();
        let values = vec![client, before.into(), i64::from(limit).into()];
        self.purge(PURGE, values).await
    }
}

/// The verbs that insert go behind what ends the sessions, in the same batch, and before what deletes them.
impl Batch {
    /// Notes that the client of a session that ends at `now` is to be told, if it wants to be.
    pub fn insert_session_logout(&mut self, session: SessionId, now: Timestamp) -> &mut Self {
        let values = [now.into(), session.into()];
        self.push(INSERT_OF_SESSION, Expect::Any, values)
    }

    /// The same for all sessions of a user that end at `now`.
    pub fn insert_user_logouts(&mut self, user: UserId, now: Timestamp) -> &mut Self {
        self.push(INSERT_OF_USER, Expect::Any, [now.into(), user.into()])
    }

    /// The same for those that end with a browser's, and for those that go on, to which the person agreed there.
    pub fn insert_browser_logouts(&mut self, browser: SessionId, now: Timestamp) -> &mut Self {
        let values = || [now.into(), browser.into()];
        self.push(INSERT_OF_BROWSER, Expect::Any, values());
        self.push(INSERT_AGREED_IN, Expect::Any, values())
    }

    /// The same for those of a client for a user.
    pub fn insert_client_logouts(
        &mut self,
        (user, client): (UserId, &ClientId),
        now: Timestamp,
    ) -> &mut Self {
        let client = client.as_str().to_owned().into();
        let values = [now.into(), user.into(), client];
        self.push(INSERT_OF_CLIENT, Expect::Any, values)
    }

    /// Takes one to tell it, until `lease`; then another may. Compare-and-set on [`LogoutRow::due_at`].
    pub fn claim_logout(&mut self, row: &LogoutRow, lease: Timestamp) -> &mut Self {
        let values = [lease.into(), row.session.into(), row.due_at.into()];
        self.push(CLAIM, Expect::One, values)
    }

    /// Gives back one that was claimed until `row.due_at` and not tried: it is due at `due_at`, and has cost no attempt.
    /// Compare-and-set on that.
    pub fn release_logout(&mut self, row: &LogoutRow, due_at: Timestamp) -> &mut Self {
        let values = [due_at.into(), row.session.into(), row.due_at.into()];
        self.push(RELEASE, Expect::One, values)
    }

    /// Puts off one that was claimed until `row.due_at`. Compare-and-set on that.
    pub fn postpone_logout(&mut self, row: &LogoutRow, due_at: Timestamp) -> &mut Self {
        let values = [due_at.into(), row.session.into(), row.due_at.into()];
        self.push(POSTPONE, Expect::One, values)
    }

    /// Puts off all that a client is to be told at `now`, however much there is.
    pub fn postpone_client_logouts(
        &mut self,
        client: &ClientId,
        now: Timestamp,
        due_at: Timestamp,
    ) -> &mut Self {
        let client = client.as_str().to_owned().into();
        let values = [due_at.into(), client, now.into()];
        self.push(POSTPONE_OF_CLIENT, Expect::Any, values)
    }

    /// Drops one that was claimed until `row.due_at`. Compare-and-set on that.
    pub fn delete_logout(&mut self, row: &LogoutRow) -> &mut Self {
        let values = [row.session.into(), row.due_at.into()];
        self.push(DELETE, Expect::One, values)
    }
}

fn read(row: &Row<'_>) -> Result<LogoutRow, Error> {
    Ok(LogoutRow {
        session: SessionId::from_bytes(row.array(0)?),
        client: row.parsed(1, ClientId::parse)?,
        user: UserId::from_bytes(row.array(2)?),
        created_at: row.time(3)?,
        due_at: row.time(4)?,
        attempts: u32::try_from(row.int(5)?).map_err(Error::fault)?,
    })
}
