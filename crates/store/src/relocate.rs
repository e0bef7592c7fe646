//! Moves all data to another database: from SQLite to PostgreSQL beside running servers, and back beside none.
//!
//! To PostgreSQL (`away`; `docs/decisions/0013-the-move-captures-changes-with-triggers.md`):
//!
//! 1. The target must be empty, or hold what an interrupted move of the same source brought, which goes. It says that it
//!    is being filled, so that nobody else opens it.
//! 2. Triggers in the source note the key of each row that is changed from here on.
//! 3. Each table is copied in the order of its keys, in short reads.
//! 4. What was noted is brought over in rounds: the row as it is now, or its deletion. Until a round is small.
//! 5. Both sides are compared row by row. What differs must have been noted meanwhile.
//! 6. The source is locked for writing. The last round is brought over and compared; the triggers and what they noted go, the
//!    source is sealed: it says where its data is and refuses writes. Only then the target says that it is complete, so that
//!    there are never two that can be used.
//! 7. A server that meets the seal, in its next write or in looking for changes, goes over to the target and writes there.
//!    One that starts later on the old file does the same (`crate::store`). The seal is their proof that the target is
//!    complete, and they say so too, should whoever moved the data have died before.
//! 8. Nobody is held up any more: the digest of the source, which does not change now, is compared with that of the
//!    target as it was at the cut-over.
//!
//! Whatever goes wrong before the end of step 6 leaves the source as it was.

mod away;
mod back;
pub(crate) mod capture;
mod cell;
mod embedded;
mod server;
mod shape;
mod tally;

use std::error::Error as StdError;
use std::path::Path;

use symbolon_domain::Timestamp;

use crate::OpenError;

pub use away::move_to_postgres;
pub use back::move_to_sqlite;
pub use tally::TableDigest;

use embedded::Embedded;

/// What a move tells of its progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveStep {
    /// Rows that were copied of those that there were at the beginning.
    Copied {
        /// So many.
        rows: u64,
        /// Of so many.
        whole: u64,
    },
    /// Rows that were brought over because they had changed.
    CaughtUp {
        /// So many in this round.
        rows: u64,
    },
    /// Rows that were compared on both sides.
    Compared {
        /// So many.
        rows: u64,
    },
    /// Writes to the source wait from here on.
    Locked,
    /// They wait no longer. `sealed` if they go to the target now.
    Unlocked {
        /// Whether it was the cut-over.
        sealed: bool,
    },
}

/// Whom a move tells.
pub type OnStep<'a> = &'a mut dyn FnMut(MoveStep);

/// Why data was not moved. Each is one sentence for whoever asked for it.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// One of the databases cannot be opened.
    #[error(transparent)]
    Open(OpenError),
    /// Something is in the target already.
    #[error("{0} holds data: move into an empty database")]
    NotEmpty(String),
    /// The source was never used.
    #[error("{0} holds nothing of Symbolon's: is it the right database?")]
    Nothing(String),
    /// The source was left before.
    #[error("the data of {0} was moved to {1} before")]
    Gone(String, String),
    /// Another move into the same database, or out of it.
    #[error("another move of {0} is under way")]
    UnderWay(String),
    /// Another move out of the same file has begun since, or this one was given up by somebody.
    #[error("another move of {0} has begun: this one has changed nothing")]
    Overtaken(String),
    /// Nodes may write there.
    #[error(
        "{0} has {1} other connections: stop every server and command that uses it, then try again"
    )]
    InUse(String, i64),
    /// One of them was changed by another version.
    #[error("the tables of {0} and {1} are of different versions")]
    Versions(String, String),
    /// The target does not hold what the source does.
    #[error("the table {0} came out different, so that nothing was changed")]
    Differs(String),
    /// The same, found after the cut-over.
    #[error(
        "the table {0} is not what it was before the move: stop the server and look before anything else"
    )]
    DiffersSince(String),
    /// The comparison after the cut-over came to nothing.
    #[error(
        "the data is in the new database and servers use it; only the comparison that follows the cut-over was not made"
    )]
    Since(#[source] Box<MoveError>),
    /// It was filled by a move that was cut off, and one of the two was written to since.
    #[error(
        "{0} and {1} both hold data, and the table {2} differs: something was started on one of them before the move was done"
    )]
    Both(String, String, String),
    /// The target is whole, but the source may not know.
    #[error(
        "the data is in the file; before anything is started on it, run the same again, which ends the move or says that it is done"
    )]
    Unfinished(#[source] Box<MoveError>),
    /// The cut-over would have held up writes for too long.
    #[error(
        "too much is written at this time: nothing was changed, try again when there is less to do"
    )]
    TooBusy,
    /// SQLite failed.
    #[error("the embedded database failed")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL failed.
    #[error("PostgreSQL failed")]
    Postgres(#[from] tokio_postgres::Error),
    /// Anything else.
    #[error("the move failed")]
    Failed(#[source] Box<dyn StdError + Send + Sync>),
}

impl From<OpenError> for MoveError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl MoveError {
    /// Whether the data is in the new database nevertheless.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        matches!(self, Self::DiffersSince(_) | Self::Since(_))
    }

    fn failed(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Failed(source.into())
    }
}

/// Takes away what a move that was interrupted has left in a SQLite file. Whether there was something.
///
/// # Errors
/// A file that cannot be opened, or that was moved for good.
pub fn abandon_move(path: &Path, now: Timestamp) -> Result<bool, MoveError> {
    let source = Embedded::open(path, false, now)?;
    let found = capture::found(&source.writer)?.is_some();
    if found && !source.lock()? {
        return Err(MoveError::TooBusy);
    }
    if found {
        capture::end(&source.writer)?;
        source.writer.execute_batch("COMMIT")?;
    }
    Ok(found)
}
