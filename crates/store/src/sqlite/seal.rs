//! A file whose data is elsewhere: what says so, and keeps everybody from writing to it.
//!
//! 1. The number in the header (`user_version`), which the writer looks at within each transaction: it costs no more than
//!    the page that is read anyway.
//! 2. The setting `moved_to`: where to. It is the whole URL with its credentials, in a file that only its owner may read.
//!    Beside it `moving_from`, as the target has it until the move is complete: by that one knows the other again.
//! 3. Triggers that refuse every write: for programs that look at neither. (House rule: no triggers. These are there only
//!    where nothing is to be written any more.)

use rusqlite::{Connection, params};

use crate::marks::{MOVED_TO, MOVING_FROM};

/// The header's number of a file that was moved. It is 0 in others.
const MOVED: i32 = 1;

/// Whether the data is elsewhere.
pub(crate) fn is_sealed(connection: &Connection) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached("PRAGMA user_version")?;
    let version: i32 = statement.query_row([], |row| row.get(0))?;
    Ok(version == MOVED)
}

/// Where the data of a file was moved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// With its credentials.
    pub(crate) url: String,
    /// What the target says of itself until the move is complete.
    pub(crate) mark: String,
}

/// Where the data was moved to.
pub(crate) fn destination(connection: &Connection) -> rusqlite::Result<Option<Destination>> {
    if !is_sealed(connection)? {
        return Ok(None);
    }
    // A file that says that it was left, and not to where, is an error.
    let text = "SELECT value, coalesce((SELECT value FROM settings WHERE name = $1), '') FROM settings \
                WHERE name = $2";
    let found = connection.query_row(text, [MOVING_FROM, MOVED_TO], |row| {
        Ok(Destination {
            url: row.get(0)?,
            mark: row.get(1)?,
        })
    });
    found.map(Some)
}

/// Says where the data is and refuses writes from here on. To be called within a transaction.
pub(crate) fn seal<'a>(
    connection: &Connection,
    tables: impl Iterator<Item = &'a str>,
    to: &Destination,
) -> rusqlite::Result<()> {
    for (name, value) in [(MOVED_TO, &to.url), (MOVING_FROM, &to.mark)] {
        connection.execute(
            "INSERT INTO settings (name, value) VALUES ($1, $2)",
            params![name, value],
        )?;
    }
    for table in tables {
        for event in ["INSERT", "UPDATE", "DELETE"] {
            connection.execute_batch(&format!(
                "CREATE TRIGGER \"moved_{event}_{table}\" BEFORE {event} ON \"{table}\" \
                 BEGIN SELECT RAISE(ABORT, 'symbolon: moved'); END"
            ))?;
        }
    }
    connection.pragma_update(None, "user_version", MOVED)
}
