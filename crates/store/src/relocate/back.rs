//! From PostgreSQL to a new SQLite file, while nobody writes.
//!
//! 1. The source says where its data goes, which keeps servers from starting on it; then no other connection to it may be
//!    open: a node that runs would write to a database that is left.
//! 2. The tables of the source are locked against writes for as long as the copy takes.
//! 3. The file is filled in one transaction, and compared with the source by counts and digests.
//! 4. The tables of the source get other names: the file is committed, then the names. What went wrong before takes back step 1;
//!    after a crash the same move may be made again. Where only the file was committed, it is compared, and the names are given.

use std::path::Path;

use rusqlite::Connection;
use symbolon_domain::Timestamp;

use super::embedded::Embedded;
use super::server::{self, Server};
use super::shape::{listed, quoted};
use super::tally::{self, CHUNK, TableDigest};
use super::{MoveError, MoveStep, OnStep};
use crate::postgres::Postgres;
use crate::{DatabaseUrl, OpenError, OpenOptions};

/// Moves everything from the PostgreSQL database `url`, which nobody else may use meanwhile, to a new SQLite file.
/// Returns what was moved.
///
/// # Errors
/// Why nothing was moved; [`MoveError::Unfinished`] and [`MoveError::Both`] say what is in the file nevertheless.
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
    let name = DatabaseUrl::Postgres(url.to_owned()).to_string();
    if postgres.applied().await?.is_empty() {
        return Err(MoveError::Nothing(name));
    }
    if let Some(former) = server::left_for(&postgres).await? {
        return Err(MoveError::Gone(name, former));
    }
    let target = Embedded::open(path, true, now)?;
    postgres.migrate(now).await?;
    let applied = postgres.applied().await?;
    let source = Server::of(postgres, url).await?;
    if target.applied != applied {
        return Err(MoveError::Versions(source.name, target.name));
    }
    let there = DatabaseUrl::Sqlite(target.name.clone().into()).to_string();
    // Held to the end: what is seen now stays so, and no other move into it is at its commit.
    if !target.lock()? {
        return Err(MoveError::UnderWay(target.name));
    }
    let used = is_used(&target.writer)?;
    // An interrupted move into this very file has committed all of it, or nothing.
    let is_filled = match source.moved_to().await? {
        Some(former) if former != there => {
            return Err(OpenError::Leaving(source.name, former).into());
        }
        None if used => return Err(MoveError::NotEmpty(target.name)),
        _ => used,
    };
    // Step 1.
    source.leave_for(&there).await?;
    let moved = match refuse_others(&source).await {
        Ok(()) => hand_over(&source, &target, is_filled, on).await,
        Err(error) => Err(error),
    };
    match moved {
        Err(MoveError::Differs(table)) if is_filled => {
            Err(MoveError::Both(source.name, target.name, table))
        }
        Err(error) if !is_filled && !matches!(error, MoveError::Unfinished(_)) => {
            source.stay().await?;
            Err(error)
        }
        moved => moved,
    }
}

/// Steps 2 to 4.
async fn hand_over(
    source: &Server,
    target: &Embedded,
    is_filled: bool,
    on: OnStep<'_>,
) -> Result<Vec<TableDigest>, MoveError> {
    let names = listed(target.tables.iter(), |table| quoted(&table.name));
    let lock = format!("BEGIN; LOCK TABLE {names} IN SHARE MODE");
    source.client.batch_execute(&lock).await?;
    on(MoveStep::Locked);
    let there = tally::of_server(&source.client, &target.tables).await?;
    let whole = there.iter().map(|table| table.rows).sum();
    if !is_filled {
        fill(source, target, whole, on).await?;
    }
    let here = tally::of_embedded(&target.writer, &target.tables).await?;
    if let Some(table) = tally::difference(&here, &there) {
        return Err(MoveError::Differs(table));
    }
    // A node that was cut off, and comes back now, finds nothing to write to.
    source.put_aside(&target.tables).await?;
    on(MoveStep::Compared { rows: whole });
    target.writer.execute_batch("COMMIT")?;
    let named = source.client.batch_execute("COMMIT").await;
    named.map_err(|error| MoveError::Unfinished(Box::new(error.into())))?;
    on(MoveStep::Unlocked { sealed: true });
    Ok(here)
}

/// Step 3, of `whole` rows.
async fn fill(
    source: &Server,
    target: &Embedded,
    whole: u64,
    on: OnStep<'_>,
) -> Result<(), MoveError> {
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
    Ok(())
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
