//! What waits at the same moment goes to the server together.
//!
//! A refresh is a point read and a write of one row. Each by itself would cost the server two exchanges, four wake-ups and a
//! sync of its log; so both wait in a queue, for as long as the exchange before them takes. A lane takes all that waits there and
//! sends it on one connection at once:
//!
//! - reads as one statement over an array of ids; those without a value as one, whose answer all of them get;
//! - rotations as one statement over an array for each value, which tells the ids that it has changed: whose is not among them
//!   has missed its row;
//! - other writes of one row one behind the other, as one transaction. They have nothing to do with each other: one that
//!   misses its row is told so, and the others go on.
//!
//! The log is synced once for all. If a statement *fails*, nothing of its group was written, and each is tried again alone:
//! also where somebody holds one of the rows for longer than a moment, so that one row does not hold up the others. Writes
//! are put in the order of the ids of their rows, so that groups do not wait for each other crosswise.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, RwLock, Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tokio_postgres::types::ToSql;

use super::errors::{Failure, pool_error};
use super::open::Target;
use super::write::{self, Commit, together};
use super::{bound, give_back, open, within};
use crate::statement::Statement;
use crate::tables::sessions::of_many;
use crate::value::{Row, Value};
use crate::{Error, OpenError, OpenOptions};

/// Groups under way at a time, of each kind: while one waits for the log, the next is worked on.
const LANES: usize = 2;
/// The most of one group.
const GROUP: usize = 128;
/// What may wait; beyond it the store is busy.
const QUEUE: usize = 4096;
/// Writes of failed groups that are under way by themselves.
const ALONE: usize = 256;
/// How long a group waits for a row that somebody else holds.
const LOCK_WAIT: Duration = Duration::from_millis(100);
/// How long anybody waits for an answer: for a connection and an exchange.
const PATIENCE: Duration = Duration::from_secs(12);

type Answer<T> = oneshot::Sender<Result<T, Error>>;
type Id = [u8; 16];
/// The row of a point read, which several may have asked for.
type Found = Option<Arc<tokio_postgres::Row>>;

/// A point read that waits.
struct Read {
    many: &'static str,
    id: Id,
    answer: Answer<Found>,
}

/// A read of the one row that there is, which waits.
struct Shared {
    text: &'static str,
    answer: Answer<Found>,
}

/// A write of one row that waits.
struct Write {
    statement: Statement,
    answer: Answer<u64>,
}

/// Where groups go, and those of them that go alone.
#[derive(Clone)]
struct Ways {
    grouped: Pool,
    alone: Pool,
    places: Arc<Semaphore>,
    /// Held for reading by what is under way: whoever closes the database waits for it.
    running: Arc<RwLock<()>>,
}

/// The queues. The lanes end when they are dropped.
pub(super) struct Lanes {
    reads: mpsc::Sender<Read>,
    shared: mpsc::Sender<Shared>,
    rotations: mpsc::Sender<Write>,
    writes: mpsc::Sender<Write>,
    pool: Pool,
}

impl Lanes {
    /// Lanes of up to `connections` connections of their own.
    pub(super) fn start(
        target: Target,
        connections: usize,
        (alone, running): (&Pool, &Arc<RwLock<()>>),
    ) -> Result<Self, OpenError> {
        let options = OpenOptions {
            connections,
            lock_wait: LOCK_WAIT,
            ..OpenOptions::default()
        };
        let ways = Ways {
            grouped: open::pool(target, &options)?,
            alone: alone.clone(),
            places: Arc::new(Semaphore::new(ALONE)),
            running: Arc::clone(running),
        };
        Ok(Self {
            reads: start(&ways, read_group),
            shared: start(&ways, share_group),
            rotations: start(&ways, rotate_group),
            writes: start(&ways, write_group),
            pool: ways.grouped,
        })
    }

    /// Refuses what still waits for a connection.
    pub(super) fn close(&self) {
        self.pool.close();
    }

    /// The first row of a statement without values. It is asked after this is called, once for all who wait.
    pub(super) async fn read_shared(&self, text: &'static str) -> Result<Found, Error> {
        ask(&self.shared, |answer| Shared { text, answer }).await
    }

    /// The row of an id; none where the text cannot be asked for many.
    pub(super) async fn read(
        &self,
        text: &'static str,
        values: &[Value],
    ) -> Option<Result<Found, Error>> {
        let (Some(many), [Value::Id(id)]) = (of_many(text), values) else {
            return None;
        };
        let id = *id;
        Some(ask(&self.reads, |answer| Read { many, id, answer }).await)
    }

    /// A statement by itself. Once it is on its way it is written even if the caller stops waiting.
    pub(super) async fn write(&self, statement: Statement) -> Result<u64, Error> {
        let queue = match of_many(statement.text) {
            Some(_) => &self.rotations,
            None => &self.writes,
        };
        ask(queue, |answer| Write { statement, answer }).await
    }
}

async fn ask<J, T>(queue: &mpsc::Sender<J>, job: impl FnOnce(Answer<T>) -> J) -> Result<T, Error> {
    let (answer, answered) = oneshot::channel();
    queue.try_send(job(answer)).map_err(|error| match error {
        TrySendError::Full(_) => Error::Busy,
        TrySendError::Closed(_) => Error::fault("a lane to PostgreSQL has failed"),
    })?;
    match timeout(PATIENCE, answered).await {
        Ok(answered) => answered.map_err(Error::fault)?,
        Err(_) => Err(Error::Busy),
    }
}

/// What waits in a queue.
trait Job: Send + 'static {
    /// Whether its caller has gone, tired of waiting.
    fn is_given_up(&self) -> bool;
}

impl Job for Read {
    fn is_given_up(&self) -> bool {
        self.answer.is_closed()
    }
}

impl Job for Shared {
    fn is_given_up(&self) -> bool {
        self.answer.is_closed()
    }
}

impl Job for Write {
    fn is_given_up(&self) -> bool {
        self.answer.is_closed()
    }
}

fn start<J, F>(ways: &Ways, run: fn(Ways, Vec<J>) -> F) -> mpsc::Sender<J>
where
    J: Job,
    F: Future<Output = ()> + Send + 'static,
{
    let (queue, waiting) = mpsc::channel(QUEUE);
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..LANES {
        let (ways, waiting) = (ways.clone(), Arc::clone(&waiting));
        tokio::spawn(async move {
            loop {
                let mut group = Vec::new();
                if waiting.lock().await.recv_many(&mut group, GROUP).await == 0 {
                    return;
                }
                group.retain(|job: &J| !job.is_given_up());
                if group.is_empty() {
                    continue;
                }
                let held = ways.running.read().await;
                run(ways.clone(), group).await;
                drop(held);
            }
        });
    }
    queue
}

/// Runs one exchange of a group on a connection of its own.
async fn on<T>(
    ways: &Ways,
    exchange: impl AsyncFnOnce(&Object) -> Result<T, Failure>,
) -> Result<Result<T, Failure>, Error> {
    let client = ways.grouped.get().await.map_err(pool_error)?;
    let outcome = within(exchange(&client)).await;
    give_back(client, &outcome);
    Ok(outcome)
}

async fn read_group(ways: Ways, mut group: Vec<Read>) {
    while let Some(first) = group.first() {
        // There is one text so far.
        let many = first.many;
        let (these, others) = group.into_iter().partition(|read| read.many == many);
        group = others;
        read_many(&ways, many, these).await;
    }
}

async fn read_many(ways: &Ways, many: &'static str, group: Vec<Read>) {
    let mut ids: Vec<Value> = group.iter().map(|read| Value::Id(read.id)).collect();
    ids.sort_unstable_by_key(id_of_value);
    ids.dedup_by_key(|id| id_of_value(id));
    let found = on(ways, async |client| {
        let prepared = client.prepare_cached(many).await?;
        Ok(client.query(&prepared, &[&ids]).await?)
    });
    let rows = found
        .await
        .and_then(|rows| rows.map_err(Failure::into_error))
        .and_then(by_id);
    let answers = group.into_iter().map(|read| (read.id, read.answer));
    match rows {
        Ok(rows) => {
            for (id, answer) in answers {
                // Whoever asked may have gone.
                let _ = answer.send(Ok(rows.get(&id).map(Arc::clone)));
            }
        }
        Err(error) => refuse(answers.map(|(_, answer)| answer), error),
    }
}

async fn share_group(ways: Ways, mut group: Vec<Shared>) {
    while let Some(first) = group.first() {
        let text = first.text;
        let (these, others): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|read| read.text == text);
        group = others;
        let answers = these.into_iter().map(|read| read.answer);
        let found = on(&ways, async |client| {
            let prepared = client.prepare_cached(text).await?;
            Ok(client.query(&prepared, &[]).await?)
        });
        match found
            .await
            .and_then(|rows| rows.map_err(Failure::into_error))
        {
            Ok(rows) => {
                let row = rows.into_iter().next().map(Arc::new);
                for answer in answers {
                    let _ = answer.send(Ok(row.clone()));
                }
            }
            Err(error) => refuse(answers, error),
        }
    }
}

/// Rows by the id in their first column.
fn by_id(rows: Vec<tokio_postgres::Row>) -> Result<HashMap<Id, Arc<tokio_postgres::Row>>, Error> {
    let keyed = rows.into_iter().map(|row| {
        let id = Row::Postgres(&row).array(0)?;
        Ok((id, Arc::new(row)))
    });
    keyed.collect()
}

async fn rotate_group(ways: Ways, mut group: Vec<Write>) {
    group.sort_by_key(|write| id_of(&write.statement));
    // Of two that are decided for one row only one can be right: the other reads it again.
    let mut last = None;
    let (group, late): (Vec<_>, Vec<_>) = group.into_iter().partition(|write| {
        let id = id_of(&write.statement);
        id != std::mem::replace(&mut last, id)
    });
    for write in late {
        let _ = write.answer.send(Err(Error::Stale));
    }
    let (statements, answers): (Vec<_>, Vec<_>) = taken_apart(group);
    let changed = on(&ways, async |client| rotate(client, &statements).await);
    let changed = match changed.await {
        Ok(Ok(changed)) => changed,
        Ok(Err(failure)) if failure.spoils_connection() => {
            return refuse(answers, failure.into_error());
        }
        Ok(Err(_)) => return each_alone(&ways, statements, answers).await,
        Err(error) => return refuse(answers, error),
    };
    for (statement, answer) in statements.iter().zip(answers) {
        let is_changed = id_of(statement).is_some_and(|id| changed.contains_key(&id));
        let _ = answer.send(is_changed.then_some(1).ok_or(Error::Stale));
    }
}

async fn rotate(
    client: &Object,
    statements: &[Statement],
) -> Result<HashMap<Id, Arc<tokio_postgres::Row>>, Failure> {
    let Some((first, many)) = statements
        .first()
        .and_then(|one| Some((one, of_many(one.text)?)))
    else {
        return Ok(HashMap::new());
    };
    let columns: Vec<Vec<&Value>> = (0..first.values.len())
        .map(|at| {
            statements
                .iter()
                .filter_map(|one| one.values.get(at))
                .collect()
        })
        .collect();
    let columns: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|column| column as _).collect();
    let prepared = client.prepare_cached(many).await?;
    let rows = client.query(&prepared, &columns).await?;
    // An id that cannot be read counts as not changed: its caller reads again.
    Ok(by_id(rows).unwrap_or_default())
}

async fn write_group(ways: Ways, mut group: Vec<Write>) {
    group.sort_by_key(|write| id_of(&write.statement));
    let (statements, answers) = taken_apart(group);
    let counts = match on(&ways, async |client| run_writes(client, &statements).await).await {
        Ok(Ok(Some(counts))) => counts,
        Ok(Ok(None)) => return each_alone(&ways, statements, answers).await,
        Ok(Err(failure)) => return refuse(answers, failure.into_error()),
        Err(error) => return refuse(answers, error),
    };
    for ((statement, answer), changed) in statements.iter().zip(answers).zip(counts) {
        let _ = answer.send(match statement.expect.is_met(changed) {
            true => Ok(changed),
            false => Err(Error::Stale),
        });
    }
}

fn taken_apart(group: Vec<Write>) -> (Vec<Statement>, Vec<Answer<u64>>) {
    group
        .into_iter()
        .map(|write| (write.statement, write.answer))
        .unzip()
}

/// How many rows each changed, once that is durable; nothing where all of it is void.
async fn run_writes(
    client: &Object,
    statements: &[Statement],
) -> Result<Option<Vec<u64>>, Failure> {
    type Sent<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>;
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
    let answers = together(sent).await;
    // Without a `BEGIN` each was committed by itself; without the server's word nobody knows. The connection goes.
    let is_unknown = |answer: &Result<u64, tokio_postgres::Error>| {
        answer
            .as_ref()
            .is_err_and(|error| error.as_db_error().is_none())
    };
    if is_group && answers.first().is_some_and(Result::is_err) || answers.iter().any(is_unknown) {
        return Err(Failure::Silent);
    }
    let counts: Result<Vec<u64>, _> = answers.into_iter().collect();
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

/// Nobody waits for them but their callers, so that one which waits for a row does not hold up a lane; save where so many
/// wait that the queue is to grow instead.
async fn each_alone(ways: &Ways, statements: Vec<Statement>, answers: Vec<Answer<u64>>) {
    for (statement, answer) in statements.into_iter().zip(answers) {
        // Never closed: were it, the write would go uncounted, not undone.
        let place = Arc::clone(&ways.places).acquire_owned().await;
        // Whoever closes the database waits for this lane, and must not be waited for.
        let Ok(running) = Arc::clone(&ways.running).try_read_owned() else {
            let _ = answer.send(Err(Error::Busy));
            continue;
        };
        let pool = ways.alone.clone();
        tokio::spawn(async move {
            let _ = answer.send(write::attempt(&pool, &[statement], Commit::Quietly).await);
            drop((place, running));
        });
    }
}

/// The row that is written.
fn id_of(statement: &Statement) -> Option<Id> {
    statement.values.iter().find_map(id_of_value)
}

fn id_of_value(value: &Value) -> Option<Id> {
    match value {
        Value::Id(id) => Some(*id),
        _ => None,
    }
}

/// All of them hear the same.
fn refuse<T>(answers: impl IntoIterator<Item = Answer<T>>, error: Error) {
    let fault = match &error {
        Error::Fault(source) => Some(source.to_string()),
        _ => None,
    };
    for answer in answers {
        let _ = answer.send(Err(fault.clone().map_or(Error::Busy, Error::fault)));
    }
}
