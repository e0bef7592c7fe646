//! How much there is, and a digest of it: what both sides of a move must agree on.

use aws_lc_rs::digest::{Context, SHA256};
use deadpool_postgres::Object;
use rusqlite::Connection;

use super::cell::Line;
use super::embedded::Chunk;
use super::shape::Table;
use super::{MoveError, embedded, server};

/// Rows that are read at once.
pub(super) const CHUNK: usize = 1000;

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDigest {
    /// Its name.
    pub table: String,
    /// How many rows there are.
    pub rows: u64,
    /// The SHA-256 over all values of all rows in the order of their keys.
    pub digest: [u8; 32],
}

/// Adds up rows.
struct Tally {
    rows: u64,
    digest: Context,
}

impl Tally {
    fn new() -> Self {
        Self {
            rows: 0,
            digest: Context::new(&SHA256),
        }
    }

    fn add(&mut self, lines: &[Line]) {
        for line in lines {
            self.rows += 1;
            line.iter().for_each(|cell| cell.hash(&mut self.digest));
        }
    }

    fn finish(self, table: &Table) -> Result<TableDigest, MoveError> {
        let digest = self.digest.finish();
        Ok(TableDigest {
            table: table.name.clone(),
            rows: self.rows,
            digest: digest.as_ref().try_into().map_err(MoveError::failed)?,
        })
    }
}

/// Of a file that nobody writes to.
pub(super) async fn of_embedded(
    connection: &Connection,
    tables: &[Table],
) -> Result<Vec<TableDigest>, MoveError> {
    of(tables, async |table, after| {
        embedded::chunk(connection, table, after, CHUNK)
    })
    .await
}

/// Of what a connection sees, which does not change.
pub(super) async fn of_server(
    client: &Object,
    tables: &[Table],
) -> Result<Vec<TableDigest>, MoveError> {
    of(tables, async |table, after| {
        server::chunk(client, table, after, CHUNK).await
    })
    .await
}

async fn of(
    tables: &[Table],
    chunk: impl AsyncFn(&Table, Option<&Line>) -> Result<Chunk, MoveError>,
) -> Result<Vec<TableDigest>, MoveError> {
    let mut digests = Vec::new();
    for table in tables {
        let (mut tally, mut after) = (Tally::new(), None);
        loop {
            let chunk = chunk(table, after.as_ref()).await?;
            tally.add(&chunk.lines);
            after = chunk.more;
            if after.is_none() {
                break;
            }
        }
        digests.push(tally.finish(table)?);
    }
    Ok(digests)
}

/// The first table that is not the same.
pub(super) fn difference(one: &[TableDigest], other: &[TableDigest]) -> Option<String> {
    let mut pairs = one.iter().zip(other);
    let differs = pairs.find(|(one, other)| one != other);
    differs.map(|(one, _)| one.table.clone())
}
