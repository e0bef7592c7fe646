//! What PostgreSQL's errors mean to us.

use std::error::Error as _;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

use crate::Error;
use crate::error::conflict_of_constraint;

/// Why an exchange with the server came to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server refused a statement, or the connection broke.
    Said(tokio_postgres::Error),
    /// No answer in time.
    Silent,
    /// A compare-and-set statement missed.
    Stale,
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Said(error)
    }
}

impl Failure {
    /// Whether the same transaction may well succeed at once: two of them were in each other's way.
    pub(super) fn is_collision(&self) -> bool {
        self.state().is_some_and(|state| {
            [
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
            ]
            .contains(state)
        })
    }

    /// Whether the connection should be closed: it is broken, its server takes no writes any more, or it has
    /// forgotten our statements.
    pub(super) fn spoils_connection(&self) -> bool {
        match self {
            Self::Silent => true,
            Self::Stale => false,
            Self::Said(error) => match error.code() {
                None => error.is_closed() || is_io(error),
                Some(state) => [
                    SqlState::READ_ONLY_SQL_TRANSACTION,
                    SqlState::INVALID_SQL_STATEMENT_NAME,
                    SqlState::IN_FAILED_SQL_TRANSACTION,
                    SqlState::ACTIVE_SQL_TRANSACTION,
                ]
                .contains(state),
            },
        }
    }

    pub(super) fn into_error(self) -> Error {
        let error = match self {
            Self::Stale => return Error::Stale,
            Self::Silent => return Error::Busy,
            Self::Said(error) => error,
        };
        match error.as_db_error() {
            Some(said) if *said.code() == SqlState::UNIQUE_VIOLATION => Error::Conflict(
                conflict_of_constraint(said.constraint().unwrap_or_default()),
            ),
            Some(said) if passes(said.code()) => Error::Busy,
            None if error.is_closed() || is_io(&error) => Error::Busy,
            _ => Error::fault(error),
        }
    }

    fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Said(error) => error.code(),
            Self::Silent | Self::Stale => None,
        }
    }
}

/// Troubles of the server that pass, or that another host does not have.
fn passes(state: &SqlState) -> bool {
    let known = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::INVALID_SQL_STATEMENT_NAME,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        // The data was moved elsewhere, and this node has not heard of it.
        SqlState::UNDEFINED_TABLE,
    ];
    // Class 08 is that of broken connections.
    known.contains(state) || state.code().starts_with("08")
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    error
        .source()
        .is_some_and(|source| source.is::<io::Error>())
}

/// Whether the last attempt to connect came to nothing.
pub(super) static UNREACHED: AtomicBool = AtomicBool::new(false);

/// Why there is no connection.
pub(super) fn pool_error(error: PoolError) -> Error {
    match error {
        PoolError::Timeout(_) => Error::Busy,
        PoolError::Backend(error) => {
            let name = error.to_string();
            match Failure::Said(error).into_error() {
                Error::Busy => {
                    // Once, and again after it could.
                    if !UNREACHED.swap(true, Ordering::Relaxed) {
                        tracing::warn!(error = name, "cannot connect to PostgreSQL");
                    }
                    Error::Busy
                }
                other => other,
            }
        }
        other => Error::fault(other),
    }
}
