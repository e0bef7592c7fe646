//! What the tables look like: read from the database, so that a new table moves without a word here.

use rusqlite::Connection;

use super::MoveError;
use super::capture::OWN_TABLES;
use super::cell::{Cell, Kind, Line};

/// A table that moves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The places of the primary key's columns, in its order.
    pub(super) key: Vec<usize>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Table {
    /// The key of one of its rows.
    pub(super) fn key_of(&self, line: &[Cell]) -> Line {
        self.key.iter().map(|place| line[*place].clone()).collect()
    }

    pub(super) fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().map(|place| &self.columns[*place])
    }

    /// `"a", "b"`: every column.
    pub(super) fn column_list(&self) -> String {
        listed(self.columns.iter(), |column| quoted(&column.name))
    }

    /// `"a", "b"`: the columns of the key.
    pub(super) fn key_list(&self) -> String {
        listed(self.key_columns(), |column| quoted(&column.name))
    }

    /// `INSERT INTO … (…)`.
    pub(super) fn insert_into(&self) -> String {
        format!(
            "INSERT INTO {} ({})",
            quoted(&self.name),
            self.column_list()
        )
    }

    /// The rows behind a key, up to another one, in the order of keys. Binds come in that order.
    pub(super) fn select_range(&self, after: bool, upto: bool, limit: Option<usize>) -> String {
        let mut text = format!("SELECT {} FROM {}", self.column_list(), quoted(&self.name));
        let mut bound = 0;
        for (wanted, sign) in [(after, ">"), (upto, "<=")] {
            if wanted {
                let word = if bound == 0 { "WHERE" } else { "AND" };
                let binds: Vec<_> = (1..=self.key.len())
                    .map(|place| format!("${}", bound + place))
                    .collect();
                let (keys, binds) = (self.key_list(), binds.join(", "));
                text.push_str(&format!(" {word} ({keys}) {sign} ({binds})"));
                bound += self.key.len();
            }
        }
        text.push_str(&format!(" ORDER BY {}", self.key_list()));
        if let Some(limit) = limit {
            text.push_str(&format!(" LIMIT {limit}"));
        }
        text
    }
}

/// Names come from our own migrations; some are words of SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// What `write` makes of each, with commas.
pub(super) fn listed<T>(items: impl Iterator<Item = T>, write: impl Fn(T) -> String) -> String {
    items.map(write).collect::<Vec<_>>().join(", ")
}

/// Every table that moves, by name.
pub(super) fn tables(connection: &Connection) -> Result<Vec<Table>, MoveError> {
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let names: Vec<_> = names.collect::<Result<_, _>>()?;
    names
        .into_iter()
        .filter(|name| !OWN_TABLES.contains(&name.as_str()))
        .map(|name| table(connection, name))
        .collect()
}

fn table(connection: &Connection, name: String) -> Result<Table, MoveError> {
    let mut statement =
        connection.prepare("SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid")?;
    let mut rows = statement.query([&name])?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let declared: String = row.get(1)?;
        let kind = Kind::declared(&declared)
            .ok_or_else(|| MoveError::failed(format!("{name} has a column of type {declared}")))?;
        let place: i64 = row.get(2)?;
        if place > 0 {
            key.push((place, columns.len()));
        }
        columns.push(Column {
            name: row.get(0)?,
            kind,
        });
    }
    key.sort_unstable();
    if key.is_empty() {
        return Err(MoveError::failed(format!("{name} has no primary key")));
    }
    Ok(Table {
        name,
        columns,
        key: key.into_iter().map(|(_, place)| place).collect(),
    })
}
