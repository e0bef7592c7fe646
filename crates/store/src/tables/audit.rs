use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_domain::{SessionId, Timestamp, UserId};
use uuid::Uuid;

use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

statements! {
    LIST_LATEST =
        "SELECT id, at, kind, actor, subject, session, address, user_agent, request_id, detail FROM audit \
         ORDER BY id DESC LIMIT $1";
    LIST_BEFORE =
        "SELECT id, at, kind, actor, subject, session, address, user_agent, request_id, detail FROM audit \
         WHERE id < $1 ORDER BY id DESC LIMIT $2";
    INSERT =
        "INSERT INTO audit (id, at, kind, actor, subject, session, address, user_agent, request_id, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    PURGE = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < $1 ORDER BY id LIMIT $2)";
}

/// A line of the audit log as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id, a UUIDv7: the order of ids is that of time.
    pub id: Uuid,
    /// What it says.
    pub event: AuditEvent,
}

impl Store {
    /// The audit log, the latest first; from its end on, or what came before the line `before`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_audit(
        &self,
        limit: u32,
        before: Option<Uuid>,
    ) -> Result<Vec<AuditRow>, Error> {
        let limit_value = i64::from(limit).into();
        match before {
            None => {
                self.list(LIST_LATEST, vec![limit_value], limit, read_audit)
                    .await
            }
            Some(id) => {
                self.list(LIST_BEFORE, vec![id.into(), limit_value], limit, read_audit)
                    .await
            }
        }
    }

    /// Deletes up to `limit` lines made before `before`, the oldest first, and returns how many there were: fewer
    /// than `limit` means that none is left.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_audit(&self, before: Timestamp, limit: u32) -> Result<u64, Error> {
        self.purge(
            PURGE,
            vec![first_id(before).into(), i64::from(limit).into()],
        )
        .await
    }
}

impl Batch {
    /// Writes a line of the audit log. `id` must be a UUIDv7 of `event.at`, or the purge misjudges its age.
    pub fn insert_audit(&mut self, id: Uuid, event: &AuditEvent) -> &mut Self {
        self.push(
            INSERT,
            Expect::One,
            [
                id.into(),
                event.at.into(),
                event.kind.as_str().into(),
                event.actor.into(),
                event.subject.into(),
                event.session.into(),
                event.address.clone().into(),
                event.user_agent.clone().into(),
                event.request_id.clone().into(),
                event.detail.clone().into(),
            ],
        )
    }
}

/// The least UUIDv7 of a moment: 48 bits of milliseconds, then the rest (RFC 9562 section 5.7).
fn first_id(at: Timestamp) -> [u8; 16] {
    let millis = u128::from(u64::try_from(at.millis()).unwrap_or(0).min((1 << 48) - 1));
    (millis << 80).to_be_bytes()
}

fn read_audit(row: &Row<'_>) -> Result<AuditRow, Error> {
    Ok(AuditRow {
        id: Uuid::from_bytes(row.array(0)?),
        event: AuditEvent {
            at: row.time(1)?,
            kind: row.parsed(2, str::parse::<AuditKind>)?,
            actor: row.array_or_none(3)?.map(UserId::from_bytes),
            subject: row.array_or_none(4)?.map(UserId::from_bytes),
            session: row.array_or_none(5)?.map(SessionId::from_bytes),
            address: row.text_or_none(6)?,
            user_agent: row.text_or_none(7)?,
            request_id: row.text_or_none(8)?,
            detail: row.text_or_none(9)?,
        },
    })
}
