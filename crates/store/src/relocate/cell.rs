//! Values on their way: what a column holds, the same in both engines.

use aws_lc_rs::digest::Context;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::ToSql;

use super::MoveError;

/// The types of columns (there are no others: see the migrations).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Bool,
    Bytes,
}

impl Kind {
    pub(super) fn declared(text: &str) -> Option<Self> {
        match text {
            "TEXT" => Some(Self::Text),
            "BIGINT" => Some(Self::Int),
            "BOOLEAN" => Some(Self::Bool),
            "BLOB" => Some(Self::Bytes),
            _ => None,
        }
    }

    /// What PostgreSQL calls an array of them.
    pub(super) fn array(self) -> &'static str {
        match self {
            Self::Text => "text[]",
            Self::Int => "bigint[]",
            Self::Bool => "boolean[]",
            Self::Bytes => "bytea[]",
        }
    }
}

/// One value. The order is that of both engines: numbers by size, texts and bytes byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row, or a key: its values in the order of the columns.
pub(super) type Line = Vec<Cell>;

impl Cell {
    pub(super) fn of_sqlite(value: ValueRef<'_>, kind: Kind) -> Result<Self, MoveError> {
        match (value, kind) {
            (ValueRef::Null, _) => Ok(Self::Null),
            (ValueRef::Integer(number), Kind::Bool) => Ok(Self::Bool(number != 0)),
            (ValueRef::Integer(number), Kind::Int) => Ok(Self::Int(number)),
            (ValueRef::Blob(bytes), Kind::Bytes) => Ok(Self::Bytes(bytes.to_vec())),
            (ValueRef::Text(_), Kind::Text) => {
                let text = value.as_str().map_err(MoveError::failed)?;
                Ok(Self::Text(text.to_owned()))
            }
            (value, kind) => Err(MoveError::failed(format!(
                "a column of {kind:?} holds {}",
                value.data_type()
            ))),
        }
    }

    pub(super) fn of_postgres(
        row: &tokio_postgres::Row,
        column: usize,
        kind: Kind,
    ) -> Result<Self, MoveError> {
        Ok(match kind {
            Kind::Text => row.try_get::<_, Option<String>>(column)?.map(Self::Text),
            Kind::Int => row.try_get::<_, Option<i64>>(column)?.map(Self::Int),
            Kind::Bool => row.try_get::<_, Option<bool>>(column)?.map(Self::Bool),
            Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(column)?.map(Self::Bytes),
        }
        .unwrap_or(Self::Null))
    }

    /// Adds it to a digest, so that no two rows read the same: kind, length, bytes.
    pub(super) fn hash(&self, digest: &mut Context) {
        let mut part = |kind: u8, bytes: &[u8]| {
            digest.update(&[kind]);
            digest.update(&(bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        };
        match self {
            Self::Null => part(0, &[]),
            Self::Bool(value) => part(1, &[u8::from(*value)]),
            Self::Int(number) => part(2, &number.to_be_bytes()),
            Self::Text(text) => part(3, text.as_bytes()),
            Self::Bytes(bytes) => part(4, bytes),
        }
    }
}

impl rusqlite::ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(value) => ValueRef::Integer((*value).into()),
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A value to bind on PostgreSQL.
pub(super) type Bound<'a> = Box<dyn ToSql + Sync + 'a>;

/// One value.
pub(super) fn bound(cell: &Cell) -> Bound<'_> {
    match cell {
        Cell::Null => Box::new(None::<i64>),
        Cell::Bool(value) => Box::new(*value),
        Cell::Int(number) => Box::new(*number),
        Cell::Text(text) => Box::new(text.as_str()),
        Cell::Bytes(bytes) => Box::new(bytes.as_slice()),
    }
}

/// A column of many rows as one array.
pub(super) fn bound_column(lines: &[Line], place: usize, kind: Kind) -> Bound<'_> {
    let cells = lines.iter().map(move |line| &line[place]);
    macro_rules! array {
        ($of:path, $value:ident => $taken:expr) => {
            Box::new(
                cells
                    .map(|cell| match cell {
                        $of($value) => Some($taken),
                        _ => None,
                    })
                    .collect::<Vec<_>>(),
            )
        };
    }
    match kind {
        Kind::Text => array!(Cell::Text, text => text.as_str()),
        Kind::Int => array!(Cell::Int, number => *number),
        Kind::Bool => array!(Cell::Bool, value => *value),
        Kind::Bytes => array!(Cell::Bytes, bytes => bytes.as_slice()),
    }
}
