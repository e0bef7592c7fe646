//! Numbers for whoever looks after the service. Each is counted up to a bound, over an index.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::{Timestamp, UserStatus};
use uuid::Uuid;

use crate::statement::statements;
use crate::{Error, Store};

statements! {
    COUNT_USERS = "SELECT count(*) FROM (SELECT 1 FROM users u WHERE u.status = $1 LIMIT $2) AS found";
    COUNT_SESSIONS =
        "SELECT count(*), count(CASE WHEN found.ended_at IS NULL AND found.idle_end > $1 THEN 1 END) \
         FROM (SELECT s.ended_at AS ended_at, s.last_used_at + s.idle_ttl AS idle_end FROM sessions s \
               WHERE s.expires_at > $1 ORDER BY s.expires_at DESC LIMIT $2) AS found";
    COUNT_AUDIT =
        "SELECT count(*) FROM (SELECT 1 FROM audit a WHERE a.kind = $1 AND a.id > $2 LIMIT $3) AS found";
    COUNT_REVOCATIONS = "SELECT count(*) FROM (SELECT 1 FROM revocations r WHERE r.until_s > $1 LIMIT $2) AS found";
}

/// A number, and whether there may be more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many were found.
    pub found: u32,
    /// The bound was reached: there may be more.
    pub more: bool,
}

impl Store {
    /// How many users of a status there are.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn count_users(&self, status: UserStatus, most: u32) -> Result<Counted, Error> {
        let values = vec![status.as_str().into(), i64::from(most).into()];
        self.counted(COUNT_USERS, values, most).await
    }

    /// How many sessions are alive at `now`, among the `most` that can live longest.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn count_sessions(&self, now: Timestamp, most: u32) -> Result<Counted, Error> {
        let values = vec![now.into(), i64::from(most).into()];
        let rows = self.list(COUNT_SESSIONS, values, u32::MAX, |row| {
            Ok((row.int(0)?, row.int(1)?))
        });
        let (looked_at, live) = rows.await?.first().copied().unwrap_or_default();
        Ok(Counted {
            found: u32::try_from(live).unwrap_or(u32::MAX),
            more: looked_at >= i64::from(most),
        })
    }

    /// How many lines of a kind the audit log has after `since`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn count_audit(
        &self,
        kind: AuditKind,
        since: Timestamp,
        most: u32,
    ) -> Result<Counted, Error> {
        let first = Uuid::from_bytes(super::audit::first_id(since));
        let values = vec![kind.as_str().into(), first.into(), i64::from(most).into()];
        self.counted(COUNT_AUDIT, values, most).await
    }

    /// How many revocations can hit a living token at `now_s` (seconds since 1970).
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn count_revocations(&self, now_s: i64, most: u32) -> Result<Counted, Error> {
        let values = vec![now_s.into(), i64::from(most).into()];
        self.counted(COUNT_REVOCATIONS, values, most).await
    }

    async fn counted(
        &self,
        text: &'static str,
        values: Vec<crate::value::Value>,
        most: u32,
    ) -> Result<Counted, Error> {
        // As a list of unknown length, so that counting does not hold up the thread that asks.
        let rows = self.list(text, values, u32::MAX, |row| row.int(0)).await?;
        let found = rows.first().copied().unwrap_or_default();
        Ok(Counted {
            found: u32::try_from(found).unwrap_or(u32::MAX),
            more: found >= i64::from(most),
        })
    }
}
