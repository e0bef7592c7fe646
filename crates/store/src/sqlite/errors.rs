//! What SQLite's errors mean to us.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi::{
    SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE,
};

use crate::error::conflict_of_columns;
use crate::{Error, OpenError};

/// The error of one statement.
pub(super) fn error_of(error: rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(code, message) = &error else {
        return Error::fault(error);
    };
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Busy,
        ErrorCode::ConstraintViolation if is_unique(code.extended_code) => {
            let message = message.as_deref().unwrap_or_default();
            let columns = message.split_once(": ").map_or("", |(_, columns)| columns);
            Error::Conflict(conflict_of_columns(columns))
        }
        _ => Error::fault(error),
    }
}

fn is_unique(extended_code: i32) -> bool {
    [
        SQLITE_CONSTRAINT_UNIQUE,
        SQLITE_CONSTRAINT_PRIMARYKEY,
        SQLITE_CONSTRAINT_ROWID,
    ]
    .contains(&extended_code)
}

/// Whether an error is about the database and not about the statement, so that nothing else of the transaction
/// can be relied upon.
pub(super) fn is_fatal(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code().is_some_and(|code| {
        !matches!(
            code,
            ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                | ErrorCode::ParameterOutOfRange
                | ErrorCode::Unknown
        )
    })
}

/// The error of opening or migrating, in one sentence.
pub(super) fn open_error(path: &Path, error: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase(path),
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Corrupt(path),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked(path),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            OpenError::Permission(path)
        }
        Some(ErrorCode::DiskFull) => OpenError::Full(path),
        _ => OpenError::other(error),
    }
}

/// The error of making or reaching the file, in one sentence.
pub(super) fn file_error(path: &Path, error: io::Error) -> OpenError {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            OpenError::Permission(path.to_owned())
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            OpenError::Full(path.to_owned())
        }
        io::ErrorKind::IsADirectory => OpenError::NotADatabase(path.to_owned()),
        _ => OpenError::other(error),
    }
}
