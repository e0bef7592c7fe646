//! From SQLite to PostgreSQL, beside servers that go on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use deadpool_postgres::Object;
use symbolon_domain::Timestamp;
use tokio::time::timeout;

use super::cell::Line;
use super::embedded::Embedded;
use super::server::{Server, is_taken};
use super::shape::Table;
use super::tally::{self, CHUNK, TableDigest};
use super::{MoveError, MoveStep, OnStep, capture, embedded};
use crate::sqlite::seal::{self, Destination};

/// Rounds that may follow each other before the cut-over is tried.
const ROUNDS: usize = 12;
/// Noted rows that are few enough for the cut-over.
const FEW: usize = 2000;
/// How often the cut-over is tried.
const ATTEMPTS: usize = 8;
/// How long the last round may take. Writers wait five seconds.
const HELD: Duration = Duration::from_secs(2);

/// Moves everything from a SQLite file, which servers may be using, to the PostgreSQL database `url`. `id` is the name
/// of this move, which no other has. Returns what was moved.
///
/// # Errors
/// Why nothing was moved; save [`MoveError::DiffersSince`] and [`MoveError::Since`], which are of the comparison that follows
/// the cut-over: the data is in PostgreSQL then.
pub async fn move_to_postgres(
    path: &Path,
    url: &str,
    (id, now): (&str, Timestamp),
    on: OnStep<'_>,
) -> Result<Vec<TableDigest>, MoveError> {
    let source = Embedded::open(path, false, now)?;
    let target = Server::connect(url, 6).await?;
    let origin = origin(&source)?;
    if !target.is_free_for(&origin).await? {
        return Err(MoveError::NotEmpty(target.name));
    }
    target.postgres.migrate(now).await?;
    if target.postgres.applied().await? != source.applied {
        return Err(MoveError::Versions(source.name, target.name));
    }
    // Step 1.
    target.prepare(&source.tables, &origin).await?;
    let mut away = Away {
        source,
        target,
        applied: 0,
        id,
        to: Destination {
            url: url.to_owned(),
            mark: origin,
        },
    };
    let snapshot = away.run(on).await;
    if snapshot.is_err() {
        away.give_up().await;
    }
    let compared = away.compare_all(&snapshot?).await;
    compared.map_err(|error| match error {
        MoveError::Differs(table) => MoveError::DiffersSince(table),
        other => MoveError::Since(Box::new(other)),
    })
}

/// By what a target knows the source again.
fn origin(source: &Embedded) -> Result<String, MoveError> {
    let text = "SELECT epoch FROM feed WHERE id = 1";
    let epoch: String = source.reader.query_row(text, [], |row| row.get(0))?;
    Ok(format!("{epoch} {}", source.name))
}

struct Away<'a> {
    source: Embedded,
    target: Server,
    /// The number of the last noted change that was brought over.
    applied: i64,
    id: &'a str,
    to: Destination,
}

impl Away<'_> {
    /// Steps 2 to 6. Returns a connection that sees the target as it was at the cut-over.
    async fn run(&mut self, on: OnStep<'_>) -> Result<Object, MoveError> {
        if !self.source.lock()? {
            return Err(MoveError::TooBusy);
        }
        capture::begin(&self.source.writer, &self.source.tables, self.id)?;
        self.source.writer.execute_batch("COMMIT")?;
        self.copy(on).await?;
        self.catch_up(on).await?;
        self.compare(on).await?;
        for _ in 0..ATTEMPTS {
            self.catch_up(on).await?;
            if let Some(snapshot) = self.cut_over(on).await? {
                return Ok(snapshot);
            }
        }
        Err(MoveError::TooBusy)
    }

    /// Leaves the source as it was. What cannot be taken away now is taken away by the next move.
    async fn give_up(&self) {
        let ended = self.source.unlock().and_then(|()| {
            // Not what another move notes.
            let ours = capture::found(&self.source.writer)?.as_deref() == Some(self.id);
            if ours && self.source.lock()? {
                capture::end(&self.source.writer)?;
                self.source.writer.execute_batch("COMMIT")?;
            }
            Ok(())
        });
        if let Err(error) = ended {
            tracing::warn!(%error, "what notes changes is left behind");
        }
    }

    /// Step 3.
    async fn copy(&self, on: OnStep<'_>) -> Result<(), MoveError> {
        let (mut rows, whole) = (0, self.source.rows()?);
        for table in &self.source.tables {
            let mut after = None;
            loop {
                let chunk = embedded::chunk(&self.source.reader, table, after.as_ref(), CHUNK)?;
                self.put(table, &chunk.lines, self.applied).await?;
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

    /// Puts rows that were read from the source in one look.
    ///
    /// What must be unique may still be held by a row that has changed in the source since it was brought over. Its key
    /// was noted behind `applied`, and it will be brought over again: until then it can go.
    async fn put(&self, table: &Table, lines: &[Line], applied: i64) -> Result<(), MoveError> {
        match self.target.put(table, lines).await {
            Err(error) if is_taken(&error) => {
                let stale = self.noted_of(table, applied)?;
                self.target.delete(table, &stale).await?;
                self.target.put(table, lines).await
            }
            other => other,
        }
    }

    /// The keys of a table that were noted behind `applied`: they are still to be brought over.
    fn noted_of(&self, table: &Table, applied: i64) -> Result<Vec<Line>, MoveError> {
        let (source, span) = (&self.source, (applied, i64::MAX));
        let mut noted = capture::noted(&source.reader, &source.tables, span)?;
        let place = source.tables.iter().position(|known| known == table);
        let keys = place.and_then(|place| noted.remove(&place));
        Ok(keys.unwrap_or_default().into_iter().collect())
    }

    /// Step 4.
    async fn catch_up(&mut self, on: OnStep<'_>) -> Result<(), MoveError> {
        for _ in 0..ROUNDS {
            let rows = self.round(false).await?;
            on(MoveStep::CaughtUp { rows: rows as u64 });
            if rows <= FEW {
                break;
            }
        }
        Ok(())
    }

    /// Brings over what was noted and was not yet brought over: how many rows. `compared` reads them back.
    async fn round(&mut self, compared: bool) -> Result<usize, MoveError> {
        let source = &self.source;
        let upto = capture::last(&source.reader)?;
        let noted = capture::noted(&source.reader, &source.tables, (self.applied, upto))?;
        let mut rows = 0;
        for (place, keys) in noted {
            let table = &source.tables[place];
            let keys: Vec<_> = keys.into_iter().collect();
            // All of them first: what is unique may pass from a row of one chunk to a row of another.
            for keys in keys.chunks(CHUNK) {
                self.target.delete(table, keys).await?;
            }
            for keys in keys.chunks(CHUNK) {
                rows += keys.len();
                let lines = source.by_keys(table, keys.iter())?;
                let live = by_key(table, lines);
                let lines: Vec<_> = live.values().cloned().collect();
                self.put(table, &lines, upto).await?;
                if compared && by_key(table, self.target.by_keys(table, keys).await?) != live {
                    return Err(MoveError::Differs(table.name.clone()));
                }
            }
        }
        self.applied = upto;
        Ok(rows)
    }

    /// Step 5.
    async fn compare(&self, on: OnStep<'_>) -> Result<(), MoveError> {
        let mut rows = 0;
        for table in &self.source.tables {
            let mut after: Option<Line> = None;
            loop {
                let chunk = embedded::chunk(&self.source.reader, table, after.as_ref(), CHUNK)?;
                let range = (after.as_ref(), chunk.more.as_ref());
                let there = by_key(table, self.target.range(table, range.0, range.1).await?);
                rows += chunk.lines.len() as u64;
                let here = by_key(table, chunk.lines);
                if here != there {
                    self.excuse(table, &here, &there)?;
                }
                on(MoveStep::Compared { rows });
                after = chunk.more;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Asks of each row that differs whether it has changed since it was brought over.
    fn excuse(
        &self,
        table: &Table,
        here: &BTreeMap<Line, Line>,
        there: &BTreeMap<Line, Line>,
    ) -> Result<(), MoveError> {
        let noted = self.noted_of(table, self.applied)?;
        let keys = here.keys().chain(there.keys());
        let mut wrong = keys.filter(|key| here.get(*key) != there.get(*key));
        match wrong.any(|key| !noted.contains(key)) {
            true => Err(MoveError::Differs(table.name.clone())),
            false => Ok(()),
        }
    }

    /// Step 6. Nothing, and nothing has happened, if it would take too long.
    async fn cut_over(&mut self, on: OnStep<'_>) -> Result<Option<Object>, MoveError> {
        let snapshot = self.target.postgres.client().await?;
        if !self.source.lock()? {
            return Ok(None);
        }
        on(MoveStep::Locked);
        let outcome = match timeout(HELD, self.last_round(&snapshot)).await {
            Ok(Ok(true)) => self.seal().map(|()| Some(snapshot)),
            Ok(Err(error)) => Err(error),
            Ok(Ok(false)) | Err(_) => Ok(None),
        };
        let sealed = matches!(outcome, Ok(Some(_)));
        if !sealed {
            self.source.unlock()?;
        } else if let Err(error) = self.target.complete().await {
            tracing::warn!(
                %error,
                "PostgreSQL is not told that the move is complete: start once with the former database.url, which tells it"
            );
        }
        on(MoveStep::Unlocked { sealed });
        outcome
    }

    /// Whether it was small enough. `snapshot` sees the target as it is then.
    async fn last_round(&mut self, snapshot: &Object) -> Result<bool, MoveError> {
        let source = &self.source;
        if capture::found(&source.reader)?.as_deref() != Some(self.id) {
            return Err(MoveError::Overtaken(source.name.clone()));
        }
        let noted = capture::noted(&source.reader, &source.tables, (self.applied, i64::MAX))?;
        if noted.values().map(BTreeSet::len).sum::<usize>() > FEW {
            return Ok(false);
        }
        self.round(true).await?;
        // The first query is what it sees from then on. An attempt before may have left it in a transaction.
        snapshot
            .batch_execute(
                "ROLLBACK; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
                 BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1 FROM feed",
            )
            .await?;
        Ok(true)
    }

    /// Step 8. `snapshot` sees the target as it was at the cut-over, and nobody writes to the source any more.
    async fn compare_all(&self, snapshot: &Object) -> Result<Vec<TableDigest>, MoveError> {
        let there = tally::of_server(snapshot, &self.source.tables).await?;
        let here = tally::of_embedded(&self.source.reader, &self.source.tables).await?;
        match tally::difference(&here, &there) {
            None => Ok(here),
            Some(table) => Err(MoveError::Differs(table)),
        }
    }

    fn seal(&self) -> Result<(), MoveError> {
        let writer = &self.source.writer;
        // It will hold the password of the target.
        for ending in ["", "-wal", "-shm"] {
            let path = format!("{}{ending}", self.source.name);
            fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(MoveError::failed)?;
        }
        capture::end(writer)?;
        let names = self.source.tables.iter().map(|table| table.name.as_str());
        seal::seal(writer, names, &self.to)?;
        Ok(writer.execute_batch("COMMIT")?)
    }
}

fn by_key(table: &Table, lines: Vec<Line>) -> BTreeMap<Line, Line> {
    let keyed = lines.into_iter().map(|line| (table.key_of(&line), line));
    keyed.collect()
}
