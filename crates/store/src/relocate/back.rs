//! From PostgreSQL to a new SQLite file, while nobody writes.
//!
//! 1. The source says where its data goes, which keeps servers from starting on it; then no other connection to it may be
//!    open: a node that runs would write to a database that is left.
//! 2. The tables of the source are locked against writes for as long as the copy takes.
//! 3. The file is filled in one transaction, and compared with the source by counts and digests.
//! 4. The tables of the source get other names, and the file is committed. What went wrong before takes back step 1; after a crash the same move may be made again.

use std::path::Path;

use rusqlite::Connection;
use symbolon_domain::Timestamp;

use super::embedded::Embedded;
use super::server::{self, Server};
use super::shape::{listed, quoted};
use super::tally::{self, CHUNK, TableDigest};
use super::{MoveError, MoveStep, OnStep};
use crate::postgres::Postgres;
use crate::{DatabaseUrl, OpenOptions};

/// Moves everything from the PostgreSQL database `url`, which nobody else may use meanwhile, to a new SQLite file.
/// Returns what was moved.
///
/// # Errors
/// Why nothing was moved.
pub async fn move_to_sqlite(
    url: &str,
    path: &Path,
    now: Timestamp,
    on: OnStep<'_>,
) -> Result<Vec<TableDigest>, MoveError> {
    // One connection, so that any other is somebody else's.
    let options = OpenOptions {
        connections: 1,
        ..OpenOptions::default()
    };
    let postgres = Postgres::open(url, &options).await?;
    if postgres.applied().await?.is_empty() {
        return Err(MoveError::Nothing(
            DatabaseUrl::Postgres(url.to_owned()).to_string(),
        ));
    }
    let target = Embedded::open(path, true, now)?;
    postgres.migrate(now).await?;
    let applied = postgres.applied().await?;
    let source = Server::of(postgres, url).await?;
    if target.applied != applied {
        return Err(MoveError::Versions(source.name, target.name));
    }
    let there = DatabaseUrl::Sqlite(target.name.clone().into()).to_string();
    let used = is_used(&target.reader)?;
    match source.moved_to().await? {
        // An interrupted move into this very file brought nothing.
        Some(former) if former != there || used => {
            return Err(MoveError::Gone(source.name, former));
        }
        None if used => return Err(MoveError::NotEmpty(target.name)),
        _ => {}
    }
    // Step 1.
    source.leave_for(&there).await?;
    let moved = match refuse_others(&source).await {
        Ok(()) => fill(&source, &target, on).await,
        Err(error) => Err(error),
    };
    if moved.is_err() {
        source.stay().await?;
    }
    moved
}

/// Steps 2 to 4.
async fn fill(
    source: &Server,
    target: &Embedded,
    on: OnStep<'_>,
) -> Result<Vec<TableDigest>, MoveError> {
    let names = listed(target.tables.iter(), |table| quoted(&table.name));
    let lock = format!("BEGIN; LOCK TABLE {names} IN SHARE MODE");
    source.client.batch_execute(&lock).await?;
    on(MoveStep::Locked);
    let there = tally::of_server(&source.client, &target.tables).await?;
    let whole = there.iter().map(|table| table.rows).sum();
    target.writer.execute_batch("BEGIN IMMEDIATE")?;
    let mut rows = 0;
    for table in &target.tables {
        // What the steps have put into it.
        let empty = format!("DELETE FROM {}", quoted(&table.name));
        target.writer.execute_batch(&empty)?;
        let mut after = None;
        loop {
            let chunk = server::chunk(&source.client, table, after.as_ref(), CHUNK).await?;
            target.insert(table, &chunk.lines)?;
            rows += chunk.lines.len() as u64;
            on(MoveStep::Copied { rows, whole });
            after = chunk.more;
            if after.is_none() {
                break;
            }
        }
    }
    let here = tally::of_embedded(&target.writer, &target.tables).await?;
    if let Some(table) = tally::difference(&here, &there) {
        return Err(MoveError::Differs(table));
    }
    // A node that was cut off, and comes back now, finds nothing to write to.
    source.put_aside(&target.tables).await?;
    target.writer.execute_batch("COMMIT")?;
    // Without it the tables keep their names, and what step 1 said still holds.
    if let Err(error) = source.client.batch_execute("COMMIT").await {
        tracing::warn!(%error, "the data is in the file, but the tables of PostgreSQL keep their names: see that no node runs on them");
    }
    on(MoveStep::Unlocked { sealed: true });
    Ok(here)
}

/// Step 1. Of other roles' connections some servers do not say what they are.
async fn refuse_others(source: &Server) -> Result<(), MoveError> {
    let text = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND (backend_type IS NULL OR backend_type = 'client backend') AND pid <> pg_backend_pid()";
    let row = source.client.query_one(text, &[]).await?;
    match row.try_get(0)? {
        0 => Ok(()),
        others => Err(MoveError::InUse(source.name.clone(), others)),
    }
}

/// Whether anything was ever kept in a file.
fn is_used(connection: &Connection) -> Result<bool, MoveError> {
    let text = "SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM settings) \
                OR EXISTS (SELECT 1 FROM keys) OR EXISTS (SELECT 1 FROM audit)";
    Ok(connection.query_row(text, [], |row| row.get(0))?)
}
