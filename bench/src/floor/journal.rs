//! Rows made durable in groups: one thread drains a channel into one transaction.

use std::{path::PathBuf, str::FromStr, time::Duration};

use anyhow::{Context as _, Result, bail};
use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot};

use crate::clock;

/// Bytes of the row that is written for each request.
const ROW: usize = 200;
/// How many rows there are to update.
const STORED: u64 = 1000;
/// Most rows in one transaction.
const GROUP: usize = 4096;

/// What becomes of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Appended: the cheapest durable write there is.
    Insert,
    /// Written over one of 1,000 rows picked at random by a 16-byte key.
    Update,
}

impl Shape {
    pub const ALL: [Self; 2] = [Self::Insert, Self::Update];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
        }
    }
}

impl FromStr for Shape {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let shape = Self::ALL.into_iter().find(|shape| shape.as_str() == text);
        shape.context("insert or update")
    }
}

struct Write {
    row: [u8; ROW],
    done: oneshot::Sender<()>,
}

/// The handle that handlers hold.
pub struct Journal(mpsc::Sender<Write>);

impl Journal {
    pub fn open(dir: PathBuf, shape: Shape) -> Result<Self> {
        let mut table = Table::open(&dir, shape)?;
        let (sender, mut receiver) = mpsc::channel::<Write>(GROUP);
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let mut group = Vec::with_capacity(GROUP);
                while receiver.blocking_recv_many(&mut group, GROUP) > 0 {
                    let rows = group.iter().map(|write| &write.row);
                    // A failed group answers nobody: dropping `done` is the error.
                    if table.commit(rows).is_err() {
                        group.clear();
                    }
                    for write in group.drain(..) {
                        let _ = write.done.send(());
                    }
                }
            })?;
        Ok(Self(sender))
    }

    /// Returns once the row is on disk.
    pub async fn write(&self, asked: &[u8], signature: &[u8]) -> Result<()> {
        let mut row = [0; ROW];
        for (to, from) in row.iter_mut().zip(signature.iter().chain(asked)) {
            *to = *from;
        }
        let (done, committed) = oneshot::channel();
        if self.0.send(Write { row, done }).await.is_err() {
            bail!("the journal is gone");
        }
        committed.await.context("the row was not committed")
    }
}

/// A table in a file, with the durability that the server has: WAL and `synchronous=FULL`.
struct Table {
    connection: Connection,
    shape: Shape,
    random: u64,
}

impl Table {
    fn open(dir: &std::path::Path, shape: Shape) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let connection = Connection::open(dir.join("floor.db"))?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            bail!("this disk cannot hold a write-ahead log");
        }
        connection.execute_batch(
            "PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS appended (id INTEGER PRIMARY KEY, row BLOB NOT NULL);
             CREATE TABLE IF NOT EXISTS stored (key BLOB PRIMARY KEY, row BLOB NOT NULL);",
        )?;
        let table = Self {
            connection,
            shape,
            random: 1,
        };
        table.fill()?;
        Ok(table)
    }

    fn fill(&self) -> Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        for at in 0..STORED {
            transaction.execute(
                "INSERT OR IGNORE INTO stored (key, row) VALUES (?1, ?2)",
                params![key(at), [0_u8; ROW]],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// One transaction, one sync.
    fn commit<'a>(&mut self, rows: impl Iterator<Item = &'a [u8; ROW]>) -> Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        for row in rows {
            match self.shape {
                Shape::Insert => transaction
                    .prepare_cached("INSERT INTO appended (row) VALUES (?1)")?
                    .execute(params![row])?,
                Shape::Update => {
                    self.random = next(self.random);
                    transaction
                        .prepare_cached("UPDATE stored SET row = ?2 WHERE key = ?1")?
                        .execute(params![key(self.random % STORED), row])?
                }
            };
        }
        Ok(transaction.commit()?)
    }
}

fn key(at: u64) -> [u8; 16] {
    // Spread over the tree as random ids are.
    (u128::from(at) * 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
        .wrapping_mul(0xDA94_2042_E4DD_58B5)
        .to_be_bytes()
}

/// Xorshift: good enough to pick a row.
fn next(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}

/// Rows a second in transactions of `group` rows with nobody waiting: what disk and library can do.
pub fn bare_rows_per_second(
    dir: &std::path::Path,
    shape: Shape,
    group: usize,
    time: Duration,
) -> Result<f64> {
    let mut table = Table::open(dir, shape)?;
    let start = clock::now();
    let mut rows = 0_u64;
    while clock::since(start) < time {
        // No two rows are alike: SQLite skips a page that an update leaves as it was.
        let mut row = [0; ROW];
        for (to, from) in row.iter_mut().zip(rows.to_le_bytes()) {
            *to = from;
        }
        table.commit(std::iter::repeat_n(&row, group))?;
        rows += group as u64;
    }
    Ok(rows as f64 / clock::since(start).as_secs_f64())
}
