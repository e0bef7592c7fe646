//! What is changed in the SQLite file while it is copied: triggers note the keys of the changed rows, whichever process
//! writes. (House rule: no triggers. These are there during a move and at no other time.)

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension};

use super::MoveError;
use super::cell::{Cell, Line};
use super::shape::{Table, listed, quoted};

/// The keys that were noted, one row for each change.
const LOG: &str = "move_log";
/// One row: the move that notes.
const MARK: &str = "move_mark";
/// Tables that are not data, and do not move.
pub(super) const OWN_TABLES: &[&str] = &["schema_migrations", LOG, MARK];
/// What the names of the triggers begin with.
const TRIGGER: &str = "move_notes_";
/// More columns than any primary key has.
const KEY_COLUMNS: usize = 2;

/// The keys of changed rows, by the place of their table in the list of tables.
pub(super) type Noted = BTreeMap<usize, BTreeSet<Line>>;

/// Begins to note changes, under the name of this move, within a transaction. What a former move has left behind goes.
pub(super) fn begin(connection: &Connection, tables: &[Table], id: &str) -> Result<(), MoveError> {
    end(connection)?;
    connection.execute_batch(&format!(
        "CREATE TABLE {LOG} (n INTEGER PRIMARY KEY, tab TEXT NOT NULL, k0, k1); \
         CREATE TABLE {MARK} (id TEXT NOT NULL)"
    ))?;
    connection.execute(&format!("INSERT INTO {MARK} (id) VALUES ($1)"), [id])?;
    for table in tables {
        connection.execute_batch(&triggers(table)?)?;
    }
    Ok(())
}

/// Notes no longer. Nothing happens where nothing was noted.
pub(crate) fn end(connection: &Connection) -> Result<(), MoveError> {
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND substr(name, 1, $1) = $2",
    )?;
    let names = statement.query_map((TRIGGER.len() as i64, TRIGGER), |row| {
        row.get::<_, String>(0)
    })?;
    for name in names.collect::<Result<Vec<_>, _>>()? {
        connection.execute_batch(&format!("DROP TRIGGER {}", quoted(&name)))?;
    }
    connection.execute_batch(&format!(
        "DROP TABLE IF EXISTS {LOG}; DROP TABLE IF EXISTS {MARK}"
    ))?;
    Ok(())
}

/// Whether changes are noted, or were when a move was interrupted: the name of that move.
pub(super) fn found(connection: &Connection) -> Result<Option<String>, MoveError> {
    let exists = "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = $1";
    if !connection.query_row(exists, [MARK], |row| row.get::<_, bool>(0))? {
        return Ok(None);
    }
    let text = format!("SELECT id FROM {MARK}");
    let id = connection.query_row(&text, [], |row| row.get(0));
    Ok(id.optional()?)
}

/// The number of the last change.
pub(super) fn last(connection: &Connection) -> Result<i64, MoveError> {
    let text = format!("SELECT coalesce(max(n), 0) FROM {LOG}");
    Ok(connection.query_row(&text, [], |row| row.get(0))?)
}

/// The keys that were noted after change `after`, up to change `upto`.
pub(super) fn noted(
    connection: &Connection,
    tables: &[Table],
    (after, upto): (i64, i64),
) -> Result<Noted, MoveError> {
    let text = format!("SELECT tab, k0, k1 FROM {LOG} WHERE n > $1 AND n <= $2");
    let mut statement = connection.prepare_cached(&text)?;
    let mut rows = statement.query((after, upto))?;
    let mut noted = Noted::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let Some(place) = tables.iter().position(|table| table.name == name) else {
            return Err(MoveError::failed(format!("a change of {name} was noted")));
        };
        let mut key = Line::new();
        for (column, part) in tables[place].key_columns().enumerate() {
            key.push(Cell::of_sqlite(row.get_ref(column + 1)?, part.kind)?);
        }
        noted.entry(place).or_default().insert(key);
    }
    Ok(noted)
}

/// Behind each insertion and deletion, and behind an update twice if it changed the key.
fn triggers(table: &Table) -> Result<String, MoveError> {
    let columns: Vec<_> = table
        .key_columns()
        .map(|column| quoted(&column.name))
        .collect();
    if columns.len() > KEY_COLUMNS {
        return Err(MoveError::failed(format!(
            "the key of {} is too wide",
            table.name
        )));
    }
    let (on, tab) = (quoted(&table.name), &table.name);
    let targets = listed(0..columns.len(), |place| format!("k{place}"));
    let note = |row: &str| {
        let values = listed(columns.iter(), |column| format!("{row}.{column}"));
        format!("INSERT INTO {LOG} (tab, {targets}) SELECT '{tab}', {values}")
    };
    let moved: Vec<_> = columns
        .iter()
        .map(|column| format!("OLD.{column} IS NOT NEW.{column}"))
        .collect();
    let (new, old, moved) = (note("NEW"), note("OLD"), moved.join(" OR "));
    Ok([
        ("INSERT", new.clone()),
        ("UPDATE", format!("{new}; {old} WHERE {moved}")),
        ("DELETE", old.clone()),
    ]
    .map(|(event, body)| {
        format!("CREATE TRIGGER {TRIGGER}{event}_{tab} AFTER {event} ON {on} BEGIN {body}; END;")
    })
    .join("\n"))
}
