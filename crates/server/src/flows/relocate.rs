//! Moving all data to another database (`docs/upgrade.md`).
//!
//! 1. The store moves it: from SQLite to PostgreSQL beside running servers, which go over by themselves; from PostgreSQL
//!    to SQLite while none runs.
//! 2. A line of the audit log, in the database that the data is in now, says that it was moved and from where; save where the
//!    command could not see the end of the move.

use std::time::Duration;

use symbolon_domain::Timestamp;
use symbolon_domain::audit::AuditKind;
use symbolon_store::{
    DatabaseUrl, MoveError, MoveStep, TableDigest, abandon_move, move_to_postgres, move_to_sqlite,
};

use super::{Origin, audit_id};
use crate::app::{App, StartError, database_url};
use crate::clock::{Clock, Stopwatch};
use crate::config::Config;
use crate::rng::Rng;

/// What was moved.
#[derive(Debug)]
pub struct Moved {
    /// From where, without credentials.
    pub from: String,
    /// To where, without credentials.
    pub to: String,
    /// What each table held.
    pub tables: Vec<TableDigest>,
    /// The longest time for which writes waited.
    pub held: Duration,
}

/// How far a move is.
#[derive(Debug, Clone, Copy)]
pub enum Progress {
    /// Rows that were copied, and how many there were.
    Copied(u64, u64),
    /// Rows that were compared on both sides.
    Compared(u64),
}

/// Moves the data of the configured database to the one at `to`.
///
/// # Errors
/// Why it was not moved, in one sentence; the database is as it was then, save where the sentence says so.
pub async fn relocate(
    config: &Config,
    to: &str,
    (clock, rng): (&Clock, &Rng),
    origin: &Origin,
    watch: &mut dyn FnMut(Progress),
) -> Result<Moved, StartError> {
    let from = database_url(config)?;
    let to_url: DatabaseUrl = to
        .parse()
        .map_err(|error: symbolon_store::OpenError| StartError::new("--to", &error))?;
    let now = clock.now();
    let id = rng.uuid_v7(now);
    let id = id.map_err(|error| StartError::new("random source", &error))?;
    let mut waits = Waits::default();
    let mut on = |step: MoveStep| match step {
        MoveStep::Copied { rows, whole } => watch(Progress::Copied(rows, whole)),
        MoveStep::Compared { rows } => watch(Progress::Compared(rows)),
        step => waits.note(step),
    };
    // Step 1.
    let moved = match (&from, &to_url) {
        (DatabaseUrl::Sqlite(path), DatabaseUrl::Postgres(url)) => {
            move_to_postgres(path, url, (&id.to_string(), now), &mut on).await
        }
        (DatabaseUrl::Postgres(url), DatabaseUrl::Sqlite(path)) => {
            move_to_sqlite(url, path, now, &mut on).await
        }
        _ => {
            return Err(StartError(format!(
                "a move goes from SQLite to PostgreSQL or back, not from {from} to {to_url}"
            )));
        }
    };
    // Step 2.
    let mut told = Ok(());
    if moved.as_ref().err().is_none_or(MoveError::is_moved) {
        let detail = format!("from {from} to {to_url}");
        told = tell(config, (to, detail), (clock, rng), origin).await;
    }
    // What is wrong with the move is said before what is wrong with the audit log.
    let tables = moved.map_err(|error| StartError::new("move", &error))?;
    told.map_err(|error| {
        StartError::new(
            "the data was moved, but the audit log does not say so",
            &error,
        )
    })?;
    Ok(Moved {
        tables,
        from: from.to_string(),
        to: to_url.to_string(),
        held: waits.longest,
    })
}

/// Takes away what an interrupted move has left in the configured database. Whether there was something.
///
/// # Errors
/// A database that cannot be opened, or is no SQLite file.
pub fn abandon(config: &Config, now: Timestamp) -> Result<bool, StartError> {
    match database_url(config)? {
        DatabaseUrl::Sqlite(path) => {
            abandon_move(&path, now).map_err(|error| StartError::new("database", &error))
        }
        other => Err(StartError(format!(
            "nothing is to be taken away in {other}: run an interrupted symbolon migrate --to sqlite:… again, to the same file"
        ))),
    }
}

async fn tell(
    config: &Config,
    (to, detail): (&str, String),
    (clock, rng): (&Clock, &Rng),
    origin: &Origin,
) -> Result<(), StartError> {
    let mut config = config.clone();
    config.database.url = Some(to.to_owned().into());
    let app = App::open_existing(config, clock.clone(), rng.clone()).await?;
    let now = app.clock.now();
    let written = async {
        let mut event = origin.event(AuditKind::DatabaseMoved, now);
        event.detail = Some(detail);
        let mut batch = app.store.batch();
        batch.insert_audit(audit_id(&app, now)?, &event);
        Ok::<_, super::Error>(batch.commit().await?)
    };
    let written = written.await;
    app.close().await;
    written.map_err(|error| StartError::new("audit", &error))
}

/// Measures for how long writes wait.
#[derive(Default)]
struct Waits {
    since: Option<Stopwatch>,
    longest: Duration,
}

impl Waits {
    fn note(&mut self, step: MoveStep) {
        match step {
            MoveStep::Locked => self.since = Some(Stopwatch::start()),
            MoveStep::Unlocked { .. } => {
                let waited = self.since.take().map(|since| since.elapsed());
                self.longest = self.longest.max(waited.unwrap_or_default());
            }
            _ => {}
        }
    }
}
