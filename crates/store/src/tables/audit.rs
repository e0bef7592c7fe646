//! The audit log: written, and read in pages. What makes it tamper-evident is in [`chain`].

pub(crate) mod chain;
mod line;

use symbolon_domain::audit::{AuditEvent, AuditKind};
use symbolon_domain::{SessionId, Timestamp, UserId};
use uuid::Uuid;

pub use chain::{AuditHead, AuditMark, ChainRow};
pub use line::{AuditLine, ChainValue, chain_origin, follow};

use crate::statement::{Expect, Statement, statements};
use crate::value::{Row, Value};
use crate::{Batch, Error, Store};

/// The columns that [`read_audit`] and [`line::read`] read.
macro_rules! audit_columns {
    () => {
        "id, at, kind, actor, subject, session, address, user_agent, request_id, detail, seq, chain"
    };
}

pub(crate) use audit_columns;

/// A page of one index: its column, if any, then the span of ids.
macro_rules! page {
    () => {
        concat!(
            "SELECT ",
            audit_columns!(),
            " FROM audit WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT $3"
        )
    };
    ($column:literal) => {
        concat!(
            "SELECT ",
            audit_columns!(),
            " FROM audit WHERE ",
            $column,
            " = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4"
        )
    };
}

statements! {
    FIND = concat!("SELECT ", audit_columns!(), " FROM audit WHERE id = $1");
    LIST = page!();
    LIST_OF_SUBJECT = page!("subject");
    LIST_OF_ACTOR = page!("actor");
    LIST_OF_SESSION = page!("session");
    LIST_OF_KIND = page!("kind");
    ADVANCE = "UPDATE audit_head SET seq = seq + 1, chain = sha256(chain || $1) WHERE id = 1";
    INSERT =
        "INSERT INTO audit (id, at, kind, actor, subject, session, address, user_agent, request_id, detail, seq, chain) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, (SELECT seq FROM audit_head WHERE id = 1), \
         (SELECT chain FROM audit_head WHERE id = 1))";
}

/// A line of the audit log as stored. What in it cannot be read, because a newer version wrote it or somebody
/// meddled, is left out: one line must not hide the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id, a UUIDv7: the order of ids is that of time, to the millisecond.
    pub id: Uuid,
    /// Its number; none for one from before the chain.
    pub seq: Option<i64>,
    /// What it says.
    pub event: AuditEvent,
}

/// Which lines to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditLane {
    /// All.
    Whole,
    /// Those about a user.
    Subject(UserId),
    /// Those of what a user did.
    Actor(UserId),
    /// Those of a session.
    Session(SessionId),
    /// Those of a kind.
    Kind(AuditKind),
}

/// Ids from one to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditSpan {
    from: Uuid,
    before: Uuid,
}

impl AuditSpan {
    /// All of them.
    pub const WHOLE: Self = Self {
        from: Uuid::nil(),
        before: Uuid::max(),
    };

    /// Only lines of `at` and later.
    #[must_use]
    pub fn since(self, at: Timestamp) -> Self {
        Self {
            from: self.from.max(Uuid::from_bytes(first_id(at))),
            ..self
        }
    }

    /// Only lines from before `at`.
    #[must_use]
    pub fn until(self, at: Timestamp) -> Self {
        self.before(Uuid::from_bytes(first_id(at)))
    }

    /// Only lines with lower ids than this one.
    #[must_use]
    pub fn before(self, id: Uuid) -> Self {
        Self {
            before: self.before.min(id),
            ..self
        }
    }
}

impl Store {
    /// The line of this id.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn find_audit(&self, id: Uuid) -> Result<Option<AuditRow>, Error> {
        self.find(FIND, &[id.into()], read_audit).await
    }

    /// The audit log, the latest first; from its end on, or what came before the line `before`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_audit(
        &self,
        limit: u32,
        before: Option<Uuid>,
    ) -> Result<Vec<AuditRow>, Error> {
        let span = before.map_or(AuditSpan::WHOLE, |id| AuditSpan::WHOLE.before(id));
        self.list_audit_lane(AuditLane::Whole, span, limit).await
    }

    /// The lines of a lane and a span, the latest first: a range of one index, however long the log is.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_audit_lane(
        &self,
        lane: AuditLane,
        span: AuditSpan,
        limit: u32,
    ) -> Result<Vec<AuditRow>, Error> {
        let (text, value): (_, Option<Value>) = match lane {
            AuditLane::Whole => (LIST, None),
            AuditLane::Subject(user) => (LIST_OF_SUBJECT, Some(user.into())),
            AuditLane::Actor(user) => (LIST_OF_ACTOR, Some(user.into())),
            AuditLane::Session(session) => (LIST_OF_SESSION, Some(session.into())),
            AuditLane::Kind(kind) => (LIST_OF_KIND, Some(kind.as_str().into())),
        };
        let mut values: Vec<Value> = value.into_iter().collect();
        values.extend([
            span.from.into(),
            span.before.into(),
            i64::from(limit).into(),
        ]);
        self.list(text, values, limit, read_audit).await
    }
}

impl Batch {
    /// Writes a line of the audit log at the end of its chain. `id` must be a UUIDv7 of `event.at`, or lists by time
    /// misjudge it.
    ///
    /// The chain's end is one row that every line changes: it comes late in the batch, just before the revocations.
    pub fn insert_audit(&mut self, id: Uuid, event: &AuditEvent) -> &mut Self {
        let line = AuditLine::new(id, event);
        self.push_audit(Statement {
            text: ADVANCE,
            values: vec![line.digest().into()],
            expect: Expect::One,
        });
        self.push_audit(Statement {
            text: INSERT,
            values: vec![
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
            expect: Expect::One,
        })
    }
}

/// The least UUIDv7 of a moment: 48 bits of milliseconds, then the rest (RFC 9562 section 5.7).
pub(super) fn first_id(at: Timestamp) -> [u8; 16] {
    let millis = u128::from(u64::try_from(at.millis()).unwrap_or(0).min((1 << 48) - 1));
    (millis << 80).to_be_bytes()
}

fn read_audit(row: &Row<'_>) -> Result<AuditRow, Error> {
    let id = |column| row.array_or_none(column).unwrap_or_default();
    let text = |column| row.text_or_none(column).unwrap_or_default();
    let kind = row.parsed(2, str::parse::<AuditKind>);
    let at = row.time(1).unwrap_or(Timestamp::from_millis(0));
    Ok(AuditRow {
        id: Uuid::from_bytes(row.array(0)?),
        seq: row.int_or_none(10).unwrap_or_default(),
        event: AuditEvent {
            actor: id(3).map(UserId::from_bytes),
            subject: id(4).map(UserId::from_bytes),
            session: id(5).map(SessionId::from_bytes),
            address: text(6),
            user_agent: text(7),
            request_id: text(8),
            detail: text(9),
            ..AuditEvent::new(at, kind.unwrap_or(AuditKind::Unknown))
        },
    })
}
