//! What makes the audit log tamper-evident: the chain over its lines, where it begins, where it ends, and the places
//! that were signed in between. What fits together and what does not is judged elsewhere.

use symbolon_domain::Timestamp;

use super::line::{self, AuditLine, ChainValue};
use super::{audit_columns, first_id};
use crate::statement::{Expect, statements};
use crate::value::Row;
use crate::{Batch, Error, Store};

statements! {
    HEAD = "SELECT seq, chain, unchained FROM audit_head WHERE id = 1";
    START = "SELECT seq, chain, at, mac FROM audit_start WHERE id = 1";
    LIST = concat!(
        "SELECT ", audit_columns!(), " FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2"
    );
    COUNT_UNCHAINED = "SELECT count(*) FROM audit WHERE seq IS NULL";
    LAST_CHECKPOINT = "SELECT seq, chain, at, mac FROM audit_checkpoints ORDER BY seq DESC LIMIT 1";
    LIST_CHECKPOINTS =
        "SELECT seq, chain, at, mac FROM audit_checkpoints WHERE seq > $1 ORDER BY seq LIMIT $2";
    INSERT_CHECKPOINT =
        "INSERT INTO audit_checkpoints (seq, chain, at, kept, mac) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (seq) DO NOTHING";
    PURGE_CHECKPOINTS = "DELETE FROM audit_checkpoints WHERE kept = FALSE AND at < $1";
    MOVE_START = "UPDATE audit_start SET seq = $1, chain = $2, at = $3, mac = $4 WHERE id = 1 AND seq = $5";
    PURGE = "DELETE FROM audit WHERE seq <= $1";
    PURGE_CHECKPOINTS_OF = "DELETE FROM audit_checkpoints WHERE seq < $1";
    PURGE_UNCHAINED =
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE seq IS NULL AND id < $1 LIMIT $2)";
}

/// Where the chain ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// The number of the last line; 0 where there was none yet.
    pub seq: i64,
    /// Its chain.
    pub chain: ChainValue,
    /// How many lines there were before the first of the chain.
    pub unchained: i64,
}

/// A place of the chain that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditMark {
    /// The number of a line.
    pub seq: i64,
    /// Its chain.
    pub chain: ChainValue,
    /// When it was signed.
    pub at: Timestamp,
    /// A MAC over these; none where the chain begins with its first line, or where what is there can be none.
    pub mac: Option<[u8; 32]>,
}

/// A line of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainRow {
    /// Its number.
    pub seq: i64,
    /// The line and its chain; nothing where they hold what was never written there.
    pub line: Option<(AuditLine, ChainValue)>,
}

impl Store {
    /// Where the chain of the audit log ends.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn audit_head(&self) -> Result<AuditHead, Error> {
        let found = self.find(HEAD, &[], read_head).await?;
        found.ok_or_else(|| Error::fault("the audit log's head is gone"))
    }

    /// The last line that was purged, behind which the chain begins.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn audit_start(&self) -> Result<AuditMark, Error> {
        let found = self.find(START, &[], read_mark).await?;
        found.ok_or_else(|| Error::fault("the audit log's start is gone"))
    }

    /// The lines of the chain behind number `after`, in their order.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_audit_chain(&self, after: i64, limit: u32) -> Result<Vec<ChainRow>, Error> {
        let values = vec![after.into(), i64::from(limit).into()];
        self.list(LIST, values, limit, read_row).await
    }

    /// How many lines are not in the chain.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn count_unchained_audit(&self) -> Result<u32, Error> {
        self.count(COUNT_UNCHAINED, &[]).await
    }

    /// The checkpoint with the highest number.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn last_audit_checkpoint(&self) -> Result<Option<AuditMark>, Error> {
        self.find(LAST_CHECKPOINT, &[], read_mark).await
    }

    /// The checkpoints behind number `after`, in their order.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_audit_checkpoints(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditMark>, Error> {
        let values = vec![after.into(), i64::from(limit).into()];
        self.list(LIST_CHECKPOINTS, values, limit, read_mark).await
    }

    /// Deletes checkpoints from before `before` that are not kept as long as their lines.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_audit_checkpoints(&self, before: Timestamp) -> Result<u64, Error> {
        self.purge(PURGE_CHECKPOINTS, vec![before.into()]).await
    }

    /// Deletes up to `limit` lines made before `before` that are not in the chain, and returns how many there were.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_unchained_audit(&self, before: Timestamp, limit: u32) -> Result<u64, Error> {
        let values = vec![first_id(before).into(), i64::from(limit).into()];
        self.purge(PURGE_UNCHAINED, values).await
    }
}

impl Batch {
    /// Keeps a checkpoint, unless there is one of that line. `kept` ones go only with their line.
    pub fn insert_audit_checkpoint(&mut self, mark: &AuditMark, kept: bool) -> &mut Self {
        self.push(
            INSERT_CHECKPOINT,
            Expect::Any,
            [
                mark.seq.into(),
                mark.chain.into(),
                mark.at.into(),
                kept.into(),
                mark.mac.into(),
            ],
        )
    }

    /// Deletes the lines up to that of `to`, and their checkpoints: the chain begins behind it. Compare-and-set: it
    /// must have begun behind `from`. The only verb that takes anything from the log.
    pub fn purge_audit(&mut self, from: i64, to: &AuditMark) -> &mut Self {
        self.push(
            MOVE_START,
            Expect::One,
            [
                to.seq.into(),
                to.chain.into(),
                to.at.into(),
                to.mac.into(),
                from.into(),
            ],
        );
        self.push(PURGE, Expect::Any, [to.seq.into()]);
        self.push(PURGE_CHECKPOINTS_OF, Expect::Any, [to.seq.into()])
    }
}

fn read_head(row: &Row<'_>) -> Result<AuditHead, Error> {
    Ok(AuditHead {
        seq: row.int(0)?,
        chain: row.array(1).unwrap_or_default(),
        unchained: row.int(2)?,
    })
}

fn read_mark(row: &Row<'_>) -> Result<AuditMark, Error> {
    Ok(AuditMark {
        seq: row.int(0)?,
        chain: row.array(1).unwrap_or_default(),
        at: row.time(2)?,
        mac: row.array_or_none(3).unwrap_or_default(),
    })
}

fn read_row(row: &Row<'_>) -> Result<ChainRow, Error> {
    let chain = row.array(11);
    Ok(ChainRow {
        seq: row.int(10)?,
        line: line::read(row).ok().zip(chain.ok()),
    })
}
