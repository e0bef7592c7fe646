//! Copies of a database that others may be using, and what is in one.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use symbolon_domain::Timestamp;

use super::errors::{file_error, open_error};
use super::open::{APPLICATION_ID, SHORTEST, add_functions, connect, main};
use super::seal::is_sealed;
use crate::relocate::capture;
use crate::{OpenError, OpenOptions};

/// What is in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// All users.
    pub users: u64,
    /// Sessions that have neither ended nor expired.
    pub sessions: u64,
}

/// Writes a copy of the SQLite database `from`, whoever else uses it, into `to`, a file that is there and empty. The copy is
/// of one moment, without what was deleted, and has no epoch of the feed: whoever starts on it begins another one. It was
/// read through ([`examine`]) and is not synced yet. Takes as long as all of it takes to be read and written: for a thread
/// that may block.
///
/// # Errors
/// One sentence that says what is wrong with either file.
pub fn copy_database(from: &Path, to: &Path, now: Timestamp) -> Result<Contents, OpenError> {
    let existing = OpenOptions {
        create: false,
        ..OpenOptions::default()
    };
    let source = main(from, &existing)?;
    must_be_here(&source, from)?;
    let name = to
        .to_str()
        .ok_or_else(|| OpenError::other("the path of the copy is not UTF-8"))?;
    source
        .execute("VACUUM INTO ?1", [name])
        .map_err(|error| open_error(from, error))?;
    drop(source);
    let copy = writable(to).map_err(|error| open_error(to, error))?;
    // A move that is under way notes what changes: not here.
    capture::end(&copy).map_err(OpenError::other)?;
    // Nobody else knows of the file: where this is cut off, it is thrown away.
    copy.execute_batch(
        "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; UPDATE feed SET epoch = '' WHERE id = 1",
    )
    .map_err(|error| open_error(to, error))?;
    contents(&copy, (to, from), now)
}

/// Reads a whole SQLite database of which nobody else knows, and says what is in it. `name` is what it is called in errors.
///
/// # Errors
/// [`OpenError::NotADatabase`], [`OpenError::Foreign`], [`OpenError::Corrupt`], or what is in the way of reading.
pub fn examine(path: &Path, name: &Path, now: Timestamp) -> Result<Contents, OpenError> {
    let length = fs::metadata(path).map_err(|error| file_error(name, error))?;
    if length.len() < SHORTEST {
        return Err(OpenError::NotADatabase(name.to_owned()));
    }
    let connection = writable(path).map_err(|error| open_error(name, error))?;
    let id: i32 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(|error| open_error(name, error))?;
    if id != APPLICATION_ID {
        return Err(OpenError::Foreign(name.display().to_string()));
    }
    must_be_here(&connection, name)?;
    contents(&connection, (name, name), now)
}

/// Copies the log of a database back into the file, where nobody uses it, so that the file is all there is.
///
/// # Errors
/// What is in the way: it is no database or a damaged one, or somebody uses it.
pub fn fold_log(path: &Path) -> Result<(), OpenError> {
    // The last connection to close does it.
    writable(path)
        .and_then(|connection| {
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        })
        .map_err(|error| open_error(path, error))
}

/// Refuses a file whose data was moved to another database. One that cannot be read is not known to be one.
///
/// # Errors
/// [`OpenError::Left`].
pub fn require_here(path: &Path) -> Result<(), OpenError> {
    match writable(path) {
        Ok(connection) => match must_be_here(&connection, path) {
            Err(left @ OpenError::Left(..)) => Err(left),
            _ => Ok(()),
        },
        Err(_) => Ok(()),
    }
}

/// What was moved to another database is not kept up, and whoever opened a copy of it would open that one.
fn must_be_here(connection: &Connection, name: &Path) -> Result<(), OpenError> {
    match is_sealed(connection).map_err(|error| open_error(name, error))? {
        false => Ok(()),
        true => Err(OpenError::Left(
            name.display().to_string(),
            "another database".to_owned(),
        )),
    }
}

fn writable(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    add_functions(&connection)?;
    Ok(connection)
}

fn contents(
    connection: &Connection,
    (name, whole): (&Path, &Path),
    now: Timestamp,
) -> Result<Contents, OpenError> {
    let explain = |error| open_error(name, error);
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(explain)?;
    if verdict != "ok" {
        return Err(OpenError::Corrupt(whole.to_owned()));
    }
    let users = "SELECT count(*) FROM users";
    let users = connection.query_row(users, [], |row| row.get::<_, i64>(0));
    let sessions = "SELECT count(*) FROM sessions WHERE ended_at IS NULL AND expires_at > ?1 \
                    AND last_used_at + idle_ttl > ?1";
    let sessions = connection.query_row(sessions, [now.millis()], |row| row.get::<_, i64>(0));
    Ok(Contents {
        users: users.map_err(explain)?.unsigned_abs(),
        sessions: sessions.map_err(explain)?.unsigned_abs(),
    })
}
