//! Opening the file: what is refused, and how each connection is set.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::checkpoint::Target;
use super::errors::{file_error, open_error};
use crate::{OpenError, OpenOptions};

/// `Symb`: marks the file as ours (offset 68 of the header; `file` and we read it).
pub(super) const APPLICATION_ID: i32 = 0x5379_6d62;

/// The smallest page that SQLite knows, and no database has less than one. (Reading the first bytes here would
/// tell more, but closing the file again would give up the locks of a store of the same file in this process.)
pub(super) const SHORTEST: u64 = 512;

/// How long a read waits, as it has to while another process recovers the log after a crash.
const BUSY: Duration = Duration::from_secs(5);
/// More attempts to switch the mode of a new file than processes would start on it at once.
const SWITCHES: usize = 100;
/// More often than a file is replaced while somebody opens it.
const REPLACED: usize = 8;
/// More than there are statements.
const CACHED_STATEMENTS: usize = 128;

/// The connection that writes. Makes the file if it may.
///
/// Whoever puts another file in its place does so alone, but this may wait for that with the file of before in hand, and
/// find the log of the other one beside it: then it begins anew. From the first look on it keeps others from that.
pub(crate) fn main(path: &Path, options: &OpenOptions) -> Result<Connection, OpenError> {
    ensure_file(path, options.create)?;
    for _ in 0..REPLACED {
        let before = identity(path)?;
        let connection = open_main(path, options)?;
        if identity(path)? == before {
            return Ok(connection);
        }
    }
    Err(OpenError::other(
        "the database file was replaced several times while it was opened (a restore?): try again",
    ))
}

/// Which file is there.
fn identity(path: &Path) -> Result<(u64, u64), OpenError> {
    let found = fs::metadata(path).map_err(|error| file_error(path, error))?;
    Ok((found.dev(), found.ino()))
}

fn open_main(path: &Path, options: &OpenOptions) -> Result<Connection, OpenError> {
    let explain = |error| open_error(path, error);
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(explain)?;
    connection
        .busy_timeout(options.lock_wait)
        .map_err(explain)?;
    // Nothing is written before it is known to be ours.
    refuse_foreign(&connection, path)?;
    if connection.is_readonly("main").map_err(explain)? {
        return Err(OpenError::Permission(path.to_owned()));
    }
    if switch_to_log(&connection).map_err(explain)? != "wal" {
        return Err(OpenError::other(
            "the file system of the database cannot share memory between processes",
        ));
    }
    prepare_writer(&connection).map_err(explain)?;
    Ok(connection)
}

/// A file that is not yet in this mode is switched to it for good. SQLite does not wait for a lock here, so this
/// waits where it does, and tries again: another process may be making the same database.
fn switch_to_log(connection: &Connection) -> rusqlite::Result<String> {
    let switch = || connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
    for _ in 1..SWITCHES {
        match switch() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN EXCLUSIVE; ROLLBACK")?;
            }
            other => return other,
        }
    }
    switch()
}

/// The only connection of a database without a file.
pub(super) fn memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    keep_statements(&connection)?;
    prepare_writer(&connection)?;
    Ok(connection)
}

/// A connection that only reads. Its cache is small, since every commit of another connection empties it.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("PRAGMA cache_size = -512; PRAGMA query_only = ON")?;
    Ok(connection)
}

/// What the log is copied back into the file with.
pub(super) fn checkpoints(path: &Path) -> Result<Target, OpenError> {
    let explain = |error| open_error(path, error);
    let connection = checkpoint_connection(path).map_err(explain)?;
    let file = fs::OpenOptions::new().write(true).open(path);
    Ok(Target::new(
        connection,
        file.map_err(|error| file_error(path, error))?,
    ))
}

fn checkpoint_connection(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch(
        "PRAGMA cache_size = -128; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; \
         PRAGMA checkpoint_fullfsync = ON; PRAGMA wal_autocheckpoint = 0",
    )?;
    // It holds no transaction for long, so that being in each other's way is not worth waiting for.
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

pub(super) fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // A connection is used by one thread at a time, and a path is a path and no URI.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    keep_statements(&connection)?;
    connection.execute_batch("PRAGMA trusted_schema = OFF")?;
    Ok(connection)
}

/// Statements are prepared once. Without the stability of plans SQLite does it again whenever other values are
/// bound, to look whether they make for a better plan: a read by key then takes ten times as long.
fn keep_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(|_| ())
}

fn prepare_writer(connection: &Connection) -> rusqlite::Result<()> {
    add_functions(connection)?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA wal_autocheckpoint = 0; \
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768",
    )?;
    // Answers with the new limit, hence not in the batch. A log that grew beyond it is cut when it begins anew.
    connection.query_row("PRAGMA journal_size_limit = 67108864", [], |_| Ok(()))
}

/// What PostgreSQL has and SQLite lacks: `sha256` of bytes.
pub(crate) fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("sha256", 1, flags, |context| {
        let bytes = context.get_raw(0).as_bytes()?;
        Ok(digest(&SHA256, bytes).as_ref().to_vec())
    })
}

fn ensure_file(path: &Path, create: bool) -> Result<(), OpenError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder
        && !folder.is_dir()
    {
        return Err(OpenError::NoDirectory(folder.to_owned()));
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(OpenError::NotADatabase(path.to_owned())),
        // SQLite takes a file of a few bytes for an empty database, and would write over it.
        Ok(found) if (1..SHORTEST).contains(&found.len()) => {
            Err(OpenError::NotADatabase(path.to_owned()))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !create => {
            Err(OpenError::Missing(path.to_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => create_file(path),
        Err(error) => Err(file_error(path, error)),
    }
}

/// SQLite would make it readable for everybody; the files that it makes beside it get the mode of this one.
fn create_file(path: &Path) -> Result<(), OpenError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        // Another process was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(file_error(path, error)),
    }
}

/// A file with tables and without our mark belongs to another program. Reading it also finds what is no database.
fn refuse_foreign(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let explain = |error| open_error(path, error);
    // One look at both: another process may be making the tables.
    let look = connection.unchecked_transaction().map_err(explain)?;
    let id: i32 = look
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(explain)?;
    let tables: i64 = look
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(explain)?;
    look.finish().map_err(explain)?;
    if id == APPLICATION_ID || (id == 0 && tables == 0) {
        Ok(())
    } else {
        Err(OpenError::Foreign(path.display().to_string()))
    }
}
