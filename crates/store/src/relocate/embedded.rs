//! The SQLite file of a move: one connection that writes, seldom and shortly, and one that reads.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, params_from_iter};
use symbolon_domain::Timestamp;

use super::MoveError;
use super::cell::{Cell, Line};
use super::shape::{Table, listed, quoted, tables};
use crate::migrate::Applied;
use crate::sqlite::{open_main, open_reader, schema, seal};
use crate::{DatabaseUrl, OpenOptions, marks};

/// Between two attempts to get the lock. Longer pauses, such as SQLite's own, meet the moments between the commits of
/// a busy server too seldom.
const PAUSE: Duration = Duration::from_micros(500);
/// Attempts to get the lock: some ten seconds.
const ATTEMPTS: i32 = 20_000;

pub(super) struct Embedded {
    // Goes first: the last connection to go copies the log back, which this one may not.
    pub(super) reader: Connection,
    pub(super) writer: Connection,
    pub(super) tables: Vec<Table>,
    pub(super) applied: Vec<Applied>,
    /// For messages, and to be known again.
    pub(super) name: String,
}

impl Embedded {
    /// Opens a file and brings its tables up to date.
    pub(super) fn open(path: &Path, create: bool, now: Timestamp) -> Result<Self, MoveError> {
        let options = OpenOptions {
            create,
            ..OpenOptions::default()
        };
        let mut writer = open_main(path, &options)?;
        let full = path.canonicalize().map_err(MoveError::failed)?;
        let name = full.display().to_string();
        if let Some(left) = seal::destination(&writer)? {
            let to = DatabaseUrl::Postgres(left.url);
            return Err(MoveError::Gone(name, to.to_string()));
        }
        schema::migrate(&writer, &name, now)?;
        writer.busy_handler(Some(wait))?;
        Ok(Self {
            reader: open_reader(path)?,
            tables: tables(&writer)?,
            applied: schema::applied(&writer)?,
            writer,
            name,
        })
    }

    /// Runs reads that see one state of the file.
    pub(super) fn look<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, MoveError>,
    ) -> Result<T, MoveError> {
        let look = self.reader.unchecked_transaction()?;
        let found = read(&look)?;
        look.finish()?;
        Ok(found)
    }

    /// The rows of these keys, as far as there are.
    pub(super) fn by_keys<'a>(
        &self,
        table: &Table,
        keys: impl Iterator<Item = &'a Line>,
    ) -> Result<Vec<Line>, MoveError> {
        let places = listed(1..=table.key.len(), |place| format!("${place}"));
        let (columns, from, key) = (table.column_list(), quoted(&table.name), table.key_list());
        let text = format!("SELECT {columns} FROM {from} WHERE ({key}) = ({places})");
        self.look(|connection| {
            let mut statement = connection.prepare_cached(&text)?;
            let mut lines = Vec::new();
            for key in keys {
                let mut rows = statement.query(params_from_iter(key))?;
                if let Some(row) = rows.next()? {
                    lines.push(read_line(table, row)?);
                }
            }
            Ok(lines)
        })
    }

    pub(super) fn insert(&self, table: &Table, lines: &[Line]) -> Result<(), MoveError> {
        let places = listed(1..=table.columns.len(), |place| format!("${place}"));
        let text = format!("{} VALUES ({places})", table.insert_into());
        let mut statement = self.writer.prepare_cached(&text)?;
        for line in lines {
            statement.execute(params_from_iter(line))?;
        }
        Ok(())
    }

    /// How many rows all tables have: for the progress.
    pub(super) fn rows(&self) -> Result<u64, MoveError> {
        let mut whole = 0;
        for table in &self.tables {
            let text = format!("SELECT count(*) FROM {}", quoted(&table.name));
            let rows: i64 = self.reader.query_row(&text, [], |row| row.get(0))?;
            whole += u64::try_from(rows).unwrap_or_default();
        }
        Ok(whole)
    }

    /// Holds everybody else's writes from here on; `false` if others do not let it.
    pub(super) fn lock(&self) -> Result<bool, MoveError> {
        match self.writer.execute_batch("BEGIN IMMEDIATE") {
            Ok(()) => Ok(true),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn unlock(&self) -> Result<(), MoveError> {
        if self.writer.is_autocommit() {
            return Ok(());
        }
        Ok(self.writer.execute_batch("ROLLBACK")?)
    }
}

/// Rows behind a key, `limit` at most.
pub(super) fn chunk(
    connection: &Connection,
    table: &Table,
    after: Option<&Line>,
    limit: usize,
) -> Result<Chunk, MoveError> {
    let text = table.select_range(after.is_some(), false, Some(limit));
    let mut statement = connection.prepare_cached(&text)?;
    let mut rows = statement.query(params_from_iter(after.into_iter().flatten()))?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines.push(read_line(table, row)?);
    }
    Ok(Chunk::of(table, lines, limit))
}

/// Rows in the order of their keys.
pub(super) struct Chunk {
    pub(super) lines: Vec<Line>,
    /// The last key, if there may be more rows behind it.
    pub(super) more: Option<Line>,
}

impl Chunk {
    /// Of what was read with a limit. Marks of moves are no data.
    pub(super) fn of(table: &Table, mut lines: Vec<Line>, limit: usize) -> Self {
        let more = match lines.last() {
            Some(last) if lines.len() == limit => Some(table.key_of(last)),
            _ => None,
        };
        lines.retain(|line| !is_mark(table, line));
        Self { lines, more }
    }
}

/// Whether a row says something about a move.
pub(super) fn is_mark(table: &Table, line: &[Cell]) -> bool {
    table.name == "settings"
        && matches!(line.first(), Some(Cell::Text(name)) if marks::ALL.contains(&name.as_str()))
}

fn read_line(table: &Table, row: &rusqlite::Row<'_>) -> Result<Line, MoveError> {
    let mut line = Line::with_capacity(table.columns.len());
    for (place, column) in table.columns.iter().enumerate() {
        line.push(Cell::of_sqlite(row.get_ref(place)?, column.kind)?);
    }
    Ok(line)
}

fn wait(attempts: i32) -> bool {
    // Nobody wakes it: it is a pause of the one thread of a command.
    thread::park_timeout(PAUSE);
    attempts < ATTEMPTS
}
