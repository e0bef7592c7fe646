//! Values and rows, in the one form that both engines share.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use symbolon_domain::{SessionId, Timestamp, UserId};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::Error;

/// What is bound to a `$n`.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Word(&'static str),
    Text(String),
    Id([u8; 16]),
    Digest([u8; 32]),
    Bytes(Vec<u8>),
}

macro_rules! value_from {
    ($($type:ty => |$value:ident| $made:expr,)+) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
            }
        })+
    };
}

value_from! {
    bool => |value| Self::Bool(value),
    i64 => |value| Self::Int(value),
    u8 => |value| Self::Int(value.into()),
    // Stored as the signed number of the same bits; never compared by order.
    u64 => |value| Self::Int(value.cast_signed()),
    Timestamp => |value| Self::Int(value.millis()),
    Duration => |value| Self::Int(i64::try_from(value.as_millis()).unwrap_or(i64::MAX)),
    &'static str => |value| Self::Word(value),
    String => |value| Self::Text(value),
    UserId => |value| Self::Id(*value.as_bytes()),
    SessionId => |value| Self::Id(*value.as_bytes()),
    uuid::Uuid => |value| Self::Id(*value.as_bytes()),
    [u8; 16] => |value| Self::Id(value),
    [u8; 32] => |value| Self::Digest(value),
    Vec<u8> => |value| Self::Bytes(value),
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(value) => ValueRef::Integer((*value).into()),
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Word(value) => ValueRef::Text(value.as_bytes()),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Id(value) => ValueRef::Blob(value),
            Self::Digest(value) => ValueRef::Blob(value),
            Self::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Bool(value) => value.to_sql_checked(ty, out),
            Self::Int(value) => value.to_sql_checked(ty, out),
            Self::Word(value) => value.to_sql_checked(ty, out),
            Self::Text(value) => value.to_sql_checked(ty, out),
            Self::Id(value) => value.as_slice().to_sql_checked(ty, out),
            Self::Digest(value) => value.as_slice().to_sql_checked(ty, out),
            Self::Bytes(value) => value.to_sql_checked(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::BOOL | Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

/// One row of an answer, of either engine. Columns count from 0.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

macro_rules! read {
    ($row:expr, $column:expr, $type:ty) => {
        match $row {
            Row::Sqlite(row) => row.get::<_, $type>($column).map_err(Error::fault),
            Row::Postgres(row) => row.try_get::<_, $type>($column).map_err(Error::fault),
        }
    };
}

impl Row<'_> {
    pub(crate) fn bool(&self, column: usize) -> Result<bool, Error> {
        read!(self, column, bool)
    }

    pub(crate) fn int(&self, column: usize) -> Result<i64, Error> {
        read!(self, column, i64)
    }

    pub(crate) fn int_or_none(&self, column: usize) -> Result<Option<i64>, Error> {
        read!(self, column, Option<i64>)
    }

    pub(crate) fn time(&self, column: usize) -> Result<Timestamp, Error> {
        self.int(column).map(Timestamp::from_millis)
    }

    pub(crate) fn time_or_none(&self, column: usize) -> Result<Option<Timestamp>, Error> {
        Ok(self.int_or_none(column)?.map(Timestamp::from_millis))
    }

    pub(crate) fn text(&self, column: usize) -> Result<String, Error> {
        read!(self, column, String)
    }

    pub(crate) fn text_or_none(&self, column: usize) -> Result<Option<String>, Error> {
        read!(self, column, Option<String>)
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<Vec<u8>, Error> {
        self.with_bytes(column, |bytes| Ok(bytes.to_vec()))
    }

    /// Bytes of a fixed number: ids, keys, digests.
    pub(crate) fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], Error> {
        self.with_bytes(column, |bytes| bytes.try_into().map_err(Error::fault))
    }

    pub(crate) fn array_or_none<const N: usize>(
        &self,
        column: usize,
    ) -> Result<Option<[u8; N]>, Error> {
        let is_null = match self {
            Row::Sqlite(row) => row.get_ref(column).map_err(Error::fault)? == ValueRef::Null,
            Row::Postgres(row) => row
                .try_get::<_, Option<&[u8]>>(column)
                .map_err(Error::fault)?
                .is_none(),
        };
        if is_null {
            Ok(None)
        } else {
            self.array(column).map(Some)
        }
    }

    /// A text that has to be one of ours; what is in the way of reading it is a fault.
    pub(crate) fn parsed<T, E>(
        &self,
        column: usize,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Error>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        match self {
            Row::Sqlite(row) => {
                let text = row
                    .get_ref(column)
                    .map_err(Error::fault)?
                    .as_str()
                    .map_err(Error::fault)?;
                parse(text).map_err(Error::fault)
            }
            Row::Postgres(row) => {
                parse(row.try_get(column).map_err(Error::fault)?).map_err(Error::fault)
            }
        }
    }

    /// The same for a text that may be missing.
    pub(crate) fn parsed_or_none<T, E>(
        &self,
        column: usize,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Error>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let is_null = match self {
            Row::Sqlite(row) => row.get_ref(column).map_err(Error::fault)? == ValueRef::Null,
            Row::Postgres(row) => row
                .try_get::<_, Option<&str>>(column)
                .map_err(Error::fault)?
                .is_none(),
        };
        if is_null {
            Ok(None)
        } else {
            self.parsed(column, parse).map(Some)
        }
    }

    fn with_bytes<T>(
        &self,
        column: usize,
        read: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self {
            Row::Sqlite(row) => {
                let value = row.get_ref(column).map_err(Error::fault)?;
                read(value.as_blob().map_err(Error::fault)?)
            }
            Row::Postgres(row) => read(row.try_get(column).map_err(Error::fault)?),
        }
    }
}
