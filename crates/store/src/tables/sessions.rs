use std::time::Duration;

use symbolon_domain::refresh::{Digest, RefreshState};
use symbolon_domain::{
    EndReason, Ended, Session, SessionId, SignInMethod, Timestamp, Transport, User, UserId,
};

use super::users::{read_user, user_columns};
use crate::statement::{Expect, Statement, statements};
use crate::value::{Row, Value};
use crate::{Batch, Error, Store};

/// The columns that [`read_session`] reads.
macro_rules! session_columns {
    () => {
        "s.id, s.user_id, s.client_id, s.generation, s.refresh_digest, s.refresh_key, s.rotated_at, \
         s.late_generation, s.last_used_at, s.idle_ttl, s.expires_at, s.persistent, s.transport, s.device, \
         s.user_agent, s.address, s.created_at, s.ended_at, s.end_reason, s.method"
    };
}

/// Sessions of one user that are looked through for devices.
const MOST_DEVICES: u32 = 500;
/// How many columns [`session_columns`] has.
const SESSION_COLUMNS: usize = 20;

/// What [`read_refresh`] reads: all that a refresh is decided and answered by, as it was at one moment.
macro_rules! refresh_columns {
    () => {
        concat!(
            session_columns!(),
            ", (SELECT revision FROM role_state WHERE id = 1), ",
            user_columns!()
        )
    };
}

/// [`FIND_REFRESH`] for many at once, where the engine has arrays; the first column is the id.
const FIND_REFRESH_OF_MANY: &str = concat!(
    "SELECT ",
    refresh_columns!(),
    " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ANY($1)"
);
/// [`ROTATE`] for many at once: an array for each of its values. It tells the ids of those that it changed.
const ROTATE_MANY: &str = "UPDATE sessions SET generation = v.generation, refresh_digest = v.digest, refresh_key = v.key, \
     rotated_at = v.rotated_at, late_generation = v.late, last_used_at = v.used \
     FROM unnest($1::BIGINT[], $2::BYTEA[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[], $7::BYTEA[], \
     $8::BIGINT[], $9::BYTEA[], $10::BIGINT[]) \
     AS v (generation, digest, key, rotated_at, late, used, id, was, was_digest, was_late) \
     WHERE sessions.id = v.id AND sessions.generation = v.was AND sessions.refresh_digest = v.was_digest \
     AND sessions.late_generation IS NOT DISTINCT FROM v.was_late AND sessions.ended_at IS NULL RETURNING sessions.id";

/// What many callers ask at once, under the text that one of them would use.
pub(crate) fn of_many(text: &str) -> Option<&'static str> {
    match text {
        FIND_REFRESH => Some(FIND_REFRESH_OF_MANY),
        ROTATE => Some(ROTATE_MANY),
        _ => None,
    }
}

statements! {
    FIND = concat!("SELECT ", session_columns!(), " FROM sessions s WHERE s.id = $1");
    FIND_REFRESH = concat!(
        "SELECT ", refresh_columns!(), " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1"
    );
    LIST_DEVICES = "SELECT user_agent, address FROM sessions WHERE user_id = $1 LIMIT $2";
    LIST_LIVE = concat!(
        "SELECT ", session_columns!(), " FROM sessions s WHERE s.user_id = $1 AND s.ended_at IS NULL \
         AND s.expires_at > $2 AND s.last_used_at + s.idle_ttl > $2 ORDER BY s.created_at DESC, s.id DESC LIMIT $3"
    );
    PAGE_LIVE = concat!(
        "SELECT ", session_columns!(), " FROM sessions s WHERE s.id < $1 AND s.ended_at IS NULL \
         AND s.expires_at > $2 AND s.last_used_at + s.idle_ttl > $2 ORDER BY s.id DESC LIMIT $3"
    );
    PAGE_LIVE_OF_USER = concat!(
        "SELECT ", session_columns!(), " FROM sessions s WHERE s.id < $1 AND s.ended_at IS NULL \
         AND s.expires_at > $2 AND s.last_used_at + s.idle_ttl > $2 AND s.user_id = $3 ORDER BY s.id DESC LIMIT $4"
    );
    PAGE = concat!("SELECT ", session_columns!(), " FROM sessions s WHERE s.id < $1 ORDER BY s.id DESC LIMIT $2");
    PAGE_OF_USER = concat!(
        "SELECT ", session_columns!(), " FROM sessions s WHERE s.id < $1 AND s.user_id = $2 ORDER BY s.id DESC LIMIT $3"
    );
    COUNT_LIVE =
        "SELECT count(*) FROM sessions WHERE user_id = $1 AND ended_at IS NULL \
         AND expires_at > $2 AND last_used_at + idle_ttl > $2";
    LIST_ADDRESSES =
        "SELECT address FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND created_at > $2 LIMIT 200";
    LIST_FORMER_ADDRESSES =
        "SELECT address FROM sessions WHERE user_id = $1 AND ended_at > $2 ORDER BY ended_at DESC LIMIT 200";
    INSERT =
        "INSERT INTO sessions (id, user_id, client_id, generation, refresh_digest, refresh_key, rotated_at, \
         late_generation, last_used_at, idle_ttl, expires_at, persistent, transport, device, user_agent, address, \
         created_at, ended_at, end_reason, method) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
    ROTATE =
        "UPDATE sessions SET generation = $1, refresh_digest = $2, refresh_key = $3, rotated_at = $4, \
         late_generation = $5, last_used_at = $6 WHERE id = $7 AND generation = $8 AND refresh_digest = $9 \
         AND late_generation IS NOT DISTINCT FROM $10 AND ended_at IS NULL";
    REQUIRE_LIVE =
        "UPDATE sessions SET ended_at = ended_at WHERE id = $1 AND ended_at IS NULL AND expires_at > $2";
    TOUCH = "UPDATE sessions SET last_used_at = $1 WHERE id = $2 AND ended_at IS NULL";
    END = "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE id = $3 AND ended_at IS NULL";
    END_ALL = "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE user_id = $3 AND ended_at IS NULL";
    END_ALL_BUT =
        "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE user_id = $3 AND id <> $4 AND ended_at IS NULL";
    END_LIVE_BUT =
        "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE user_id = $3 AND id <> $4 AND ended_at IS NULL \
         AND expires_at > $1 AND last_used_at + idle_ttl > $1";
    DELETE_OF_USER = "DELETE FROM sessions WHERE user_id = $1";
    PURGE =
        "DELETE FROM sessions WHERE id IN \
         (SELECT id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
}

impl Store {
    /// With which programs and from which addresses the user's sessions were begun: those that are live or ended not long
    /// ago, up to [`MOST_DEVICES`].
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_devices(
        &self,
        user: UserId,
    ) -> Result<Vec<(Option<String>, Option<String>)>, Error> {
        let values = vec![user.into(), i64::from(MOST_DEVICES).into()];
        self.list(LIST_DEVICES, values, MOST_DEVICES, |row| {
            Ok((row.text_or_none(0)?, row.text_or_none(1)?))
        })
        .await
    }

    /// The session of this id, alive or not.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_session(&self, id: SessionId) -> Result<Option<Session>, Error> {
        self.find(FIND, &[id.into()], |row| read_session(row, 0))
            .await
    }

    /// The session of this id, alive or not, and its user: what a refresh needs, in one statement.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_refresh(&self, id: SessionId) -> Result<Option<(Session, User)>, Error> {
        let found = self.find(FIND_REFRESH, &[id.into()], read_refresh).await?;
        Ok(found.map(|(session, user, _)| (session, user)))
    }

    /// Loads the session of this id, its user and the revision of the roles' definitions, lets `decide` say which refresh state comes next, if another
    /// one does, and returns what it made of it once that is durable. `decide` may be asked again when somebody
    /// else wrote in between; what it says is obeyed only if the session is as it was loaded.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`]; [`Error::Stale`] when others were quicker every time.
    pub async fn update_refresh<T: Send + 'static>(
        &self,
        id: SessionId,
        now: Timestamp,
        decide: impl Fn(Option<(Session, User, i64)>) -> (Option<RefreshState>, T)
        + Send
        + Sync
        + 'static,
    ) -> Result<T, Error> {
        let decide = move |found: Option<(Session, User, i64)>| {
            let expected = found.as_ref().map(|(session, ..)| session.refresh);
            let (next, outcome) = decide(found);
            let rotation = expected
                .zip(next)
                .map(|(expected, next)| rotation(id, &expected, &next, now));
            (rotation.into_iter().collect(), outcome)
        };
        let load = (FIND_REFRESH, vec![id.into()]);
        self.decide(load, read_refresh, decide).await
    }

    /// A user's sessions that are alive at `now`, newest first.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_sessions(
        &self,
        user: UserId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Session>, Error> {
        let values = vec![user.into(), now.into(), i64::from(limit).into()];
        self.list(LIST_LIVE, values, limit, |row| read_session(row, 0))
            .await
    }

    /// Sessions from the newest on, by their ids: of a user or of all, those that are alive at `live_at` or all that are
    /// still stored, behind `after`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn page_sessions(
        &self,
        user: Option<UserId>,
        live_at: Option<Timestamp>,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, Error> {
        let after = after.unwrap_or(SessionId::from_bytes([0xff; 16]));
        let mut values: Vec<Value> = vec![after.into()];
        values.extend(live_at.map(Value::from));
        values.extend(user.map(Value::from));
        values.push(i64::from(limit).into());
        let text = match (user, live_at) {
            (None, None) => PAGE,
            (None, Some(_)) => PAGE_LIVE,
            (Some(_), None) => PAGE_OF_USER,
            (Some(_), Some(_)) => PAGE_LIVE_OF_USER,
        };
        self.list(text, values, limit, |row| read_session(row, 0))
            .await
    }

    /// How many sessions of a user are alive at `now`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn count_live_sessions(&self, user: UserId, now: Timestamp) -> Result<u32, Error> {
        self.count(COUNT_LIVE, &[user.into(), now.into()]).await
    }

    /// The addresses from which sessions of a user began that are live, or ended, since `since`: of each kind, 200 at
    /// most are looked at.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_session_addresses(
        &self,
        user: UserId,
        since: Timestamp,
    ) -> Result<Vec<String>, Error> {
        let mut addresses = Vec::new();
        for text in [LIST_ADDRESSES, LIST_FORMER_ADDRESSES] {
            let values = vec![user.into(), since.into()];
            let found = self.list(text, values, 200, |row| row.text_or_none(0));
            addresses.extend(found.await?.into_iter().flatten());
        }
        Ok(addresses)
    }

    /// Deletes up to `limit` sessions whose absolute life was over by `before`, the oldest first, and returns how
    /// many there were: fewer than `limit` means that none is left.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_sessions(&self, before: Timestamp, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE, vec![before.into(), i64::from(limit).into()])
            .await
    }
}

impl Batch {
    /// Makes a session.
    pub fn insert_session(&mut self, session: &Session) -> &mut Self {
        self.push(
            INSERT,
            Expect::One,
            [
                session.id.into(),
                session.user.into(),
                session.client_id.clone().into(),
                session.refresh.generation.into(),
                (*session.refresh.digest.as_bytes()).into(),
                session.refresh.key.into(),
                session.refresh.rotated_at.into(),
                session.refresh.late_generation.into(),
                session.last_used_at.into(),
                session.idle_ttl.into(),
                session.expires_at.into(),
                session.persistent.into(),
                session.transport.as_str().into(),
                session.device.clone().into(),
                session.user_agent.clone().into(),
                session.address.clone().into(),
                session.created_at.into(),
                session.ended.map(|ended| ended.at).into(),
                session.ended.map(|ended| ended.reason.as_str()).into(),
                session.method.as_str().into(),
            ],
        )
    }

    /// Puts `next` in the place of the refresh state that was decided upon, and notes the use. Compare-and-set:
    /// the stored generation, digest and late generation must be those of `expected`, the session not ended.
    ///
    /// Writes one row and no index, whose length does not depend on how often that has been done.
    pub fn rotate_session(
        &mut self,
        id: SessionId,
        expected: &RefreshState,
        next: &RefreshState,
        now: Timestamp,
    ) -> &mut Self {
        self.push_statement(rotation(id, expected, next, now))
    }

    /// Ends a session. Compare-and-set: it must not have been ended before.
    pub fn end_session(&mut self, id: SessionId, now: Timestamp, reason: EndReason) -> &mut Self {
        self.push(
            END,
            Expect::One,
            [now.into(), reason.as_str().into(), id.into()],
        )
    }

    /// Ends the sessions of a user that were not ended before, save `except`; however many there are.
    pub fn end_user_sessions(
        &mut self,
        user: UserId,
        except: Option<SessionId>,
        now: Timestamp,
        reason: EndReason,
    ) -> &mut Self {
        let (at, reason) = (now.into(), reason.as_str().into());
        match except {
            None => self.push(END_ALL, Expect::Any, [at, reason, user.into()]),
            Some(kept) => self.push(
                END_ALL_BUT,
                Expect::Any,
                [at, reason, user.into(), kept.into()],
            ),
        }
    }

    /// Ends the sessions of a user that are alive at `at`, save `kept`. Compare-and-set on their number, so that
    /// one that began after they were listed is not ended without its own revocation.
    pub fn end_other_sessions(
        &mut self,
        user: UserId,
        kept: SessionId,
        expected: usize,
        (at, reason): (Timestamp, EndReason),
    ) -> &mut Self {
        let values = [at.into(), reason.as_str().into(), user.into(), kept.into()];
        self.push(END_LIVE_BUT, Expect::Exactly(expected as u64), values)
    }

    /// Makes the commit [`Error::Stale`] unless the session is neither ended nor, at `now`, at the end of its life. Holds
    /// against a batch that ends it at the same time.
    pub fn require_live_session(&mut self, id: SessionId, now: Timestamp) -> &mut Self {
        self.push(REQUIRE_LIVE, Expect::One, [id.into(), now.into()])
    }

    /// Notes that a session was used, if it was not ended.
    pub fn touch_session(&mut self, id: SessionId, now: Timestamp) -> &mut Self {
        self.push(TOUCH, Expect::Any, [now.into(), id.into()])
    }

    /// Deletes the sessions of a user, however many there are.
    pub fn delete_user_sessions(&mut self, user: UserId) -> &mut Self {
        self.push(DELETE_OF_USER, Expect::Any, [user.into()])
    }
}

/// Reads [`session_columns`], of which the first is column `at`.
fn read_session(row: &Row<'_>, at: usize) -> Result<Session, Error> {
    let ended_at = row.time_or_none(at + 17)?;
    let end_reason = row.parsed_or_none(at + 18, str::parse::<EndReason>)?;
    Ok(Session {
        id: SessionId::from_bytes(row.array(at)?),
        user: UserId::from_bytes(row.array(at + 1)?),
        client_id: row.text(at + 2)?,
        refresh: RefreshState {
            generation: row.int(at + 3)?.cast_unsigned(),
            digest: Digest::new(row.array(at + 4)?),
            key: u8::try_from(row.int(at + 5)?).map_err(Error::fault)?,
            rotated_at: row.time(at + 6)?,
            late_generation: row.int_or_none(at + 7)?.map(i64::cast_unsigned),
        },
        last_used_at: row.time(at + 8)?,
        idle_ttl: Duration::from_millis(row.int(at + 9)?.cast_unsigned()),
        expires_at: row.time(at + 10)?,
        persistent: row.bool(at + 11)?,
        transport: row.parsed(at + 12, str::parse::<Transport>)?,
        method: row.parsed(at + 19, str::parse::<SignInMethod>)?,
        device: row.text_or_none(at + 13)?,
        user_agent: row.text_or_none(at + 14)?,
        address: row.text_or_none(at + 15)?,
        created_at: row.time(at + 16)?,
        ended: ended_at
            .zip(end_reason)
            .map(|(at, reason)| Ended { at, reason }),
    })
}

fn read_refresh(row: &Row<'_>) -> Result<(Session, User, i64), Error> {
    Ok((
        read_session(row, 0)?,
        read_user(row, SESSION_COLUMNS + 1)?,
        row.int(SESSION_COLUMNS)?,
    ))
}

fn rotation(
    id: SessionId,
    expected: &RefreshState,
    next: &RefreshState,
    now: Timestamp,
) -> Statement {
    Statement {
        text: ROTATE,
        expect: Expect::One,
        values: vec![
            next.generation.into(),
            (*next.digest.as_bytes()).into(),
            next.key.into(),
            next.rotated_at.into(),
            next.late_generation.into(),
            now.into(),
            id.into(),
            expected.generation.into(),
            (*expected.digest.as_bytes()).into(),
            expected.late_generation.into(),
        ],
    }
}
