//! What waits at the same moment goes to the server together.
//!
//! A refresh is a point read and a write of one row. Each on a connection of its own would cost the server two exchanges,
//! two wake-ups and a sync of its log; so both wait, for as long as the exchange before them takes, in a queue. A lane takes
//! all that waits there and sends it on one connection at once:
//!
//! - reads one behind the other, each for itself;
//! - writes as one transaction, whose commit syncs the log once for all of them. They have nothing to do with each other: one
//!   that misses its row is told so, and the others go on. If one *fails*, the transaction is void, and each is tried again
//!   alone.
//!
//! Rows are locked in the order of their ids, so that no two groups wait for each other.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use deadpool_postgres::{Object, Pool};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::errors::{Failure, pool_error};
use super::write::{self, Commit, together};
use super::{bound, give_back, within};
use crate::Error;
use crate::statement::Statement;
use crate::value::Value;

/// Groups under way at a time, of each kind: while one waits for the log, the next is worked on.
const LANES: usize = 2;
/// The most of one group.
const GROUP: usize = 128;
/// What may wait; beyond it the store is busy.
const QUEUE: usize = 4096;

type Answer<T> = oneshot::Sender<Result<T, Error>>;
type Rows = Vec<tokio_postgres::Row>;

/// A point read that waits.
struct Read {
    text: &'static str,
    values: Vec<Value>,
    answer: Answer<Rows>,
}

/// A write of one row that waits.
struct Write {
    statement: Statement,
    answer: Answer<u64>,
}

/// The queues. The lanes end when they are dropped.
pub(super) struct Lanes {
    reads: mpsc::Sender<Read>,
    writes: mpsc::Sender<Write>,
}

impl Lanes {
    pub(super) fn start(pool: &Pool) -> Self {
        Self {
            reads: start(pool, read_group),
            writes: start(pool, write_group),
        }
    }

    pub(super) async fn read(&self, text: &'static str, values: Vec<Value>) -> Result<Rows, Error> {
        ask(&self.reads, |answer| Read {
            text,
            values,
            answer,
        })
        .await
    }

    /// A statement by itself. It is written even if the caller stops waiting.
    pub(super) async fn write(&self, statement: Statement) -> Result<u64, Error> {
        ask(&self.writes, |answer| Write { statement, answer }).await
    }
}

async fn ask<J, T>(queue: &mpsc::Sender<J>, job: impl FnOnce(Answer<T>) -> J) -> Result<T, Error> {
    let (answer, answered) = oneshot::channel();
    queue.try_send(job(answer)).map_err(|error| match error {
        TrySendError::Full(_) => Error::Busy,
        TrySendError::Closed(_) => Error::fault("a lane to PostgreSQL has failed"),
    })?;
    answered.await.map_err(Error::fault)?
}

fn start<J, F>(pool: &Pool, run: fn(Pool, Vec<J>) -> F) -> mpsc::Sender<J>
where
    J: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (queue, waiting) = mpsc::channel(QUEUE);
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..LANES {
        let (pool, waiting) = (pool.clone(), Arc::clone(&waiting));
        tokio::spawn(async move {
            loop {
                let mut group = Vec::new();
                if waiting.lock().await.recv_many(&mut group, GROUP).await == 0 {
                    return;
                }
                run(pool.clone(), group).await;
            }
        });
    }
    queue
}

async fn read_group(pool: Pool, group: Vec<Read>) {
    let (asked, answers): (Vec<_>, Vec<_>) = group
        .into_iter()
        .map(|read| ((read.text, read.values), read.answer))
        .unzip();
    let client = match pool.get().await.map_err(pool_error) {
        Ok(client) => client,
        Err(error) => return refuse(answers, error),
    };
    let outcome = within(run_reads(&client, &asked)).await;
    give_back(client, &outcome);
    match outcome {
        Ok(outcomes) => {
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // Whoever asked may have gone.
                let _ = answer.send(outcome.map_err(|error| Failure::Said(error).into_error()));
            }
        }
        Err(failure) => refuse(answers, failure.into_error()),
    }
}

type Told<T> = Result<T, tokio_postgres::Error>;

async fn run_reads(
    client: &Object,
    asked: &[(&'static str, Vec<Value>)],
) -> Result<Vec<Told<Rows>>, Failure> {
    let mut sent = Vec::with_capacity(asked.len());
    for (text, values) in asked {
        let prepared = client.prepare_cached(text).await?;
        sent.push(Box::pin(async move {
            client.query(&prepared, &bound(values)).await
        }));
    }
    let outcomes = together(sent).await;
    spoilt(outcomes)
}

/// The answers, unless one says that the connection is of no use any more.
fn spoilt<T>(outcomes: Vec<Told<T>>) -> Result<Vec<Told<T>>, Failure> {
    let mut good = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        match outcome.map_err(Failure::Said) {
            Err(failure) if failure.spoils_connection() => return Err(failure),
            Err(Failure::Said(error)) => good.push(Err(error)),
            Err(failure) => return Err(failure),
            Ok(value) => good.push(Ok(value)),
        }
    }
    Ok(good)
}

async fn write_group(pool: Pool, mut group: Vec<Write>) {
    group.sort_by_key(|write| id_of(&write.statement));
    let (statements, answers): (Vec<_>, Vec<_>) = group
        .into_iter()
        .map(|write| (write.statement, write.answer))
        .unzip();
    let client = match pool.get().await.map_err(pool_error) {
        Ok(client) => client,
        Err(error) => return refuse(answers, error),
    };
    let outcome = within(run_writes(&client, &statements)).await;
    give_back(client, &outcome);
    let counts = match outcome {
        Ok(counts) => counts,
        Err(failure) => return refuse(answers, failure.into_error()),
    };
    let Some(counts) = counts else {
        for (statement, answer) in statements.into_iter().zip(answers) {
            let pool = pool.clone();
            tokio::spawn(async move {
                let _ = answer.send(write::attempt(&pool, &[statement], Commit::Quietly).await);
            });
        }
        return;
    };
    for ((statement, answer), changed) in statements.iter().zip(answers).zip(counts) {
        let _ = answer.send(match statement.expect.is_met(changed) {
            true => Ok(changed),
            false => Err(Error::Stale),
        });
    }
}

/// How many rows each changed, once that is durable; nothing where all of it is void.
async fn run_writes(
    client: &Object,
    statements: &[Statement],
) -> Result<Option<Vec<u64>>, Failure> {
    type Sent<'a> = Pin<Box<dyn Future<Output = Told<u64>> + Send + 'a>>;
    let mut sent: Vec<Sent<'_>> = Vec::with_capacity(statements.len() + 2);
    // One is a transaction by itself.
    let is_group = statements.len() > 1;
    let word = |text| Box::pin(async move { client.batch_execute(text).await.map(|()| 0) });
    if is_group {
        sent.push(word("BEGIN"));
    }
    for statement in statements {
        let prepared = client.prepare_cached(statement.text).await?;
        sent.push(Box::pin(async move {
            client.execute(&prepared, &bound(&statement.values)).await
        }));
    }
    if is_group {
        // Of a void transaction it is a rollback.
        sent.push(word("COMMIT"));
    }
    let counts: Result<Vec<u64>, _> = together(sent).await.into_iter().collect();
    match counts.map_err(Failure::Said) {
        Ok(mut counts) => {
            if is_group {
                counts.pop();
                counts.remove(0);
            }
            Ok(Some(counts))
        }
        // The first is the reason: those behind it only say that there is one.
        Err(failure) if failure.spoils_connection() => Err(failure),
        Err(_) => Ok(None),
    }
}

/// The row that is written.
fn id_of(statement: &Statement) -> Option<[u8; 16]> {
    statement.values.iter().find_map(|value| match value {
        Value::Id(id) => Some(*id),
        _ => None,
    })
}

fn refuse<T>(answers: Vec<Answer<T>>, error: Error) {
    let mut error = Some(error);
    for answer in answers {
        let _ = answer.send(Err(error.take().unwrap_or(Error::Busy)));
    }
}
