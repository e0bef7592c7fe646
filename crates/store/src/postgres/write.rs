//! Running a batch on PostgreSQL.
//!
//! A batch of one statement is a transaction by itself: one exchange. Of more, `BEGIN` goes ahead, then all
//! statements travel together and are answered together, then the counts are judged and `COMMIT` or `ROLLBACK`
//! follows: three exchanges, however long the batch is. (`BEGIN` could travel with the statements, but if it were
//! cancelled alone they would be committed one by one.)
//!
//! Under READ COMMITTED an `UPDATE … WHERE version = …` that waited for another transaction judges the row again
//! as that one left it, so compare-and-set needs no stricter isolation.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use deadpool_postgres::{Object, Pool};
use tokio::sync::RwLock;
use tokio_postgres::types::ToSql;

use super::errors::{Failure, pool_error};
use super::signals::NOTIFY_AND_COMMIT;
use super::{bound, give_back, within};
use crate::Error;
use crate::statement::Statement;

/// How often two transactions may be in each other's way before it is the caller's turn to try again.
pub(super) const ATTEMPTS: usize = 3;

/// How a batch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commit {
    Quietly,
    /// Other processes are to look at what it changed.
    Notifies,
}

impl Commit {
    fn text(self) -> &'static str {
        match self {
            Self::Quietly => "COMMIT",
            Self::Notifies => NOTIFY_AND_COMMIT,
        }
    }
}

/// Runs statements in one transaction, and returns how many rows they changed.
pub(super) async fn write(
    pool: &Pool,
    running: &Arc<RwLock<()>>,
    statements: Vec<Statement>,
    commit: Commit,
) -> Result<u64, Error> {
    if Statement::alone(&statements).is_some() && commit == Commit::Quietly {
        return attempt(pool, &statements, commit).await;
    }
    // On a task of its own: a caller that is dropped half-way (its client hung up) must not give a connection
    // back to the pool in the middle of a transaction.
    let pool = pool.clone();
    let running = Arc::clone(running).read_owned().await;
    let run = async move {
        let outcome = attempt(&pool, &statements, commit).await;
        drop(running);
        outcome
    };
    tokio::spawn(run).await.map_err(Error::fault)?
}

pub(super) async fn attempt(
    pool: &Pool,
    statements: &[Statement],
    commit: Commit,
) -> Result<u64, Error> {
    let mut attempts = 1;
    loop {
        let client = pool.get().await.map_err(pool_error)?;
        let outcome = match Statement::alone(statements) {
            Some(only) if commit == Commit::Quietly => within(single(&client, only)).await,
            _ => within(transaction(&client, statements, commit)).await,
        };
        give_back(client, &outcome);
        match outcome {
            Ok(changed) => return Ok(changed),
            Err(failure) if failure.is_collision() && attempts < ATTEMPTS => attempts += 1,
            Err(failure) => return Err(failure.into_error()),
        }
    }
}

async fn single(client: &Object, statement: &Statement) -> Result<u64, Failure> {
    let prepared = client.prepare_cached(statement.text).await?;
    let changed = client.execute(&prepared, &bound(&statement.values)).await?;
    if statement.expect.is_met(changed) {
        Ok(changed)
    } else {
        Err(Failure::Stale)
    }
}

async fn transaction(
    client: &Object,
    statements: &[Statement],
    commit: Commit,
) -> Result<u64, Failure> {
    let mut prepared = Vec::with_capacity(statements.len());
    for statement in statements {
        prepared.push(client.prepare_cached(statement.text).await?);
    }
    client.batch_execute("BEGIN").await?;
    let run = async {
        let changed = run_all(client, statements, &prepared).await?;
        client.batch_execute(commit.text()).await?;
        Ok::<_, Failure>(changed)
    };
    match run.await {
        Err(failure) if !failure.spoils_connection() => {
            // Not known to be rolled back: the connection must go, which does it. (Of a transaction that is over already it is
            // a warning of the server's.)
            client
                .batch_execute("ROLLBACK")
                .await
                .map_err(|_| Failure::Silent)?;
            Err(failure)
        }
        outcome => outcome,
    }
}

/// Sends all statements at once and judges their answers in order: after the first that failed the others only
/// say that one has.
async fn run_all(
    client: &Object,
    statements: &[Statement],
    prepared: &[tokio_postgres::Statement],
) -> Result<u64, Failure> {
    let values: Vec<Vec<&(dyn ToSql + Sync)>> =
        statements.iter().map(|one| bound(&one.values)).collect();
    let sent = prepared
        .iter()
        .zip(&values)
        .map(|(prepared, values)| Box::pin(client.execute(prepared, values)));
    let answers = together(sent.collect()).await;
    let mut total = 0;
    for (statement, answer) in statements.iter().zip(answers) {
        let changed = answer?;
        if !statement.expect.is_met(changed) {
            return Err(Failure::Stale);
        }
        total += changed;
    }
    Ok(total)
}

/// Runs futures side by side. Each is polled in order, and the driver sends a statement at its first poll, so
/// that they arrive in that order.
pub(super) async fn together<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut waiting = false;
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none() {
                match Pin::new(future).poll(context) {
                    Poll::Ready(value) => *output = Some(value),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
