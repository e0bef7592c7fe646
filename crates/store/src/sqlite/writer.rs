//! Group commit: one thread writes what many tasks wait for in one transaction, so that one sync of the disk
//! serves them all.
//!
//! 1. A task sends its statements and waits. The queue is bounded; when it is full the task is told so.
//! 2. The thread takes everything that waits, up to [`GROUP`], and begins a transaction. If the data was moved elsewhere,
//!    everybody gets back what was to be written.
//! 3. It runs each batch; what is to be decided from stored data is decided here, between the read and the write.
//!    One whose expectation misses, or that breaks a constraint, is undone alone. An error of the database itself
//!    (disk full, damaged, locked) ends the whole group.
//! 4. It commits, and only then answers. If the commit fails everybody gets its error.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, params_from_iter};
use tokio::sync::oneshot;

use super::checkpoint::{Checkpointer, Log, Target};
use super::errors::{error_of, is_fatal};
use super::recent::Recent;
use super::{Main, lock, seal};
use crate::Error;
use crate::statement::{Expect, Statement};

/// How many batches may wait.
const QUEUE: usize = 4096;
/// How many batches share a transaction: enough that the sync is a small part of the time, few enough that the
/// first one does not wait for long.
const GROUP: usize = 256;

/// Reads what a decision needs on the connection that writes, and returns what it decided to write.
pub(super) type Decide = Box<dyn FnOnce(&Connection) -> Result<Vec<Statement>, Error> + Send>;

/// What one task wants written.
enum Work {
    Decided(Vec<Statement>),
    ToDecide(Decide),
}

/// A batch on its way.
struct Job {
    work: Work,
    answer: oneshot::Sender<Outcome>,
}

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum Unwritten {
    Failed(Error),
    /// The data is elsewhere: see `seal`. What was decided beforehand comes back.
    Moved(Vec<Statement>),
}

impl From<Error> for Unwritten {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

type Outcome = Result<u64, Unwritten>;

/// The sending side.
pub(super) struct Writer {
    queue: RwLock<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread. `checkpoints` is for the thread that copies the log back, if there is a file.
    pub(super) fn start(
        main: Main,
        recent: Arc<Recent>,
        checkpoints: Option<Target>,
    ) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let checkpointer = checkpoints.map(Checkpointer::start).transpose()?;
        let thread = thread::Builder::new()
            .name("symbolon-writer".into())
            .spawn(move || run(&jobs, &main, &recent, checkpointer))?;
        Ok(Self {
            queue: RwLock::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs statements in one transaction and returns once it is durable.
    pub(super) async fn write(&self, statements: Vec<Statement>) -> Outcome {
        self.run(Work::Decided(statements)).await
    }

    /// Decides inside the transaction and writes what was decided. This connection is the only one whose page
    /// cache outlives the commits, so that it reads several times faster than the others under load.
    pub(super) async fn decide(&self, decide: Decide) -> Outcome {
        self.run(Work::ToDecide(decide)).await
    }

    async fn run(&self, work: Work) -> Outcome {
        let (answer, answered) = oneshot::channel();
        self.send(Job { work, answer })?;
        // Dropped unanswered: the thread is gone, and nothing will answer later.
        answered.await.unwrap_or_else(|_| Err(gone().into()))
    }

    fn send(&self, job: Job) -> Result<(), Error> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queue.as_ref() else {
            return Err(Error::fault("the store was closed"));
        };
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Disconnected(_) => gone(),
        })
    }

    #[cfg(test)]
    pub(super) fn is_open(&self) -> bool {
        self.queue.read().unwrap().is_some()
    }

    /// Waits until everything that was sent is written and the connection is closed.
    pub(super) async fn close(&self) {
        drop(
            self.queue
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join().is_ok()).await;
            if !joined.unwrap_or(false) {
                tracing::error!("the thread that writes to the database had failed");
            }
        }
    }
}

fn gone() -> Error {
    Error::fault("the thread that writes to the database has failed")
}

fn run(jobs: &Receiver<Job>, main: &Main, recent: &Recent, checkpointer: Option<Checkpointer>) {
    let mut log = Log::new(checkpointer);
    let mut group = Vec::with_capacity(GROUP);
    while let Ok(first) = jobs.recv() {
        group.push(first);
        while group.len() < GROUP
            && let Ok(next) = jobs.try_recv()
        {
            group.push(next);
        }
        let main = lock(main);
        let Some(connection) = main.as_ref() else {
            return;
        };
        write_group(connection, recent, &mut group);
        log.after_group(connection);
    }
    // Ends its thread and its connection, so that this one is the last to go.
    drop(log);
    lock(main).take();
}

/// Steps 2 to 4; leaves the group empty.
fn write_group(connection: &Connection, recent: &Recent, group: &mut Vec<Job>) {
    let (work, answers): (Vec<_>, Vec<_>) =
        group.drain(..).map(|job| (job.work, job.answer)).unzip();
    let committed = run_group(connection, work);
    if committed.is_err() && !connection.is_autocommit() {
        // SQLite has done it already after some errors, hence the question before.
        if let Err(error) = connection.execute_batch("ROLLBACK") {
            tracing::error!(%error, "cannot roll back");
        }
    }
    // Whatever came out: a batch that missed has met a commit of another process.
    recent.forget();
    match committed {
        Ok(outcomes) => {
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // Nobody may be there to hear it.
                let _ = answer.send(outcome);
            }
        }
        Err(error) => {
            tracing::warn!(%error, batches = answers.len(), "a transaction failed");
            for answer in answers {
                let _ = answer.send(Err(shared(&error).into()));
            }
        }
    }
}

/// The same error for everybody.
fn shared(error: &rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::SqliteFailure(code, message) => {
            error_of(rusqlite::Error::SqliteFailure(*code, message.clone()))
        }
        other => Error::fault(other.to_string()),
    }
}

fn run_group(connection: &Connection, group: Vec<Work>) -> rusqlite::Result<Vec<Outcome>> {
    run_simple(connection, "BEGIN IMMEDIATE")?;
    if seal::is_sealed(connection)? {
        run_simple(connection, "ROLLBACK")?;
        return Ok(group.into_iter().map(hand_back).collect());
    }
    let mut outcomes = Vec::with_capacity(group.len());
    for work in group {
        let statements = match work {
            Work::Decided(statements) => Ok(statements),
            Work::ToDecide(decide) => run_decide(connection, decide)?,
        };
        outcomes.push(match statements {
            Ok(statements) => run_batch(connection, &statements)?.map_err(Unwritten::Failed),
            Err(error) => Err(error.into()),
        });
    }
    run_simple(connection, "COMMIT")?;
    Ok(outcomes)
}

/// Whoever decides has kept what it takes to decide elsewhere.
fn hand_back(work: Work) -> Outcome {
    Err(Unwritten::Moved(match work {
        Work::Decided(statements) => statements,
        Work::ToDecide(_) => Vec::new(),
    }))
}

/// Lets a task decide. Its mistakes are its own: a panic must not take the thread from everybody.
fn run_decide(
    connection: &Connection,
    decide: Decide,
) -> rusqlite::Result<Result<Vec<Statement>, Error>> {
    let decided = catch_unwind(AssertUnwindSafe(|| decide(connection)));
    if connection.is_autocommit() {
        // The read met an error at which SQLite ended the transaction: nothing may be written outside of it.
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK);
        return Err(rusqlite::Error::SqliteFailure(code, None));
    }
    Ok(decided.unwrap_or_else(|_| Err(Error::fault("a decision panicked"))))
}

/// How many rows were changed.
type Counted = Result<u64, Error>;

/// Runs a batch and undoes it if it cannot be all of it. `Err` is an error that ends the whole group.
fn run_batch(connection: &Connection, statements: &[Statement]) -> rusqlite::Result<Counted> {
    if let Some(only) = Statement::alone(statements) {
        // Of one statement there is nothing to undo: what missed changed no row, and SQLite undoes what failed.
        return run_statement(connection, only);
    }
    run_simple(connection, "SAVEPOINT batch")?;
    let mut changed = 0;
    for statement in statements {
        match run_statement(connection, statement)? {
            Ok(rows) => changed += rows,
            Err(error) => {
                run_simple(connection, "ROLLBACK TO batch")?;
                run_simple(connection, "RELEASE batch")?;
                return Ok(Err(error));
            }
        }
    }
    run_simple(connection, "RELEASE batch")?;
    Ok(Ok(changed))
}

fn run_statement(connection: &Connection, statement: &Statement) -> rusqlite::Result<Counted> {
    let run = || {
        connection
            .prepare_cached(statement.text)?
            .execute(params_from_iter(&statement.values))
    };
    match run() {
        Ok(rows) if statement.expect.is_met(rows as u64) => Ok(Ok(rows as u64)),
        Ok(0) => Ok(Err(Error::Stale)),
        // More than one row behind a primary key: the texts are wrong. Nothing of it may stay.
        Ok(rows) if statement.expect == Expect::One => {
            Err(rusqlite::Error::StatementChangedRows(rows))
        }
        Ok(_) => Ok(Err(Error::Stale)),
        // SQLite ends the transaction itself after some errors.
        Err(error) if is_fatal(&error) || connection.is_autocommit() => Err(error),
        Err(error) => Ok(Err(error_of(error))),
    }
}

fn run_simple(connection: &Connection, text: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(text)?.execute([]).map(|_| ())
}
