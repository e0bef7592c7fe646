//! The PostgreSQL engine: a pool of connections for batches, lanes for what travels in groups, one connection that listens.

mod errors;
mod lanes;
mod open;
mod schema;
mod signals;
mod tls;
mod write;

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use symbolon_domain::Timestamp;
use tokio::sync::RwLock;
use tokio_postgres::types::ToSql;

use crate::migrate::Applied;
use crate::statement::{Expect, Statement};
use crate::tables::feed::is_signal;
use crate::value::{Row, Value};
use crate::{DatabaseUrl, Error, OpenError, OpenOptions};
use errors::{Failure, pool_error};
use lanes::Lanes;
use open::Target;
use signals::Signals;
use write::Commit;

/// How long one exchange may take before the connection is given up. Longer than the server's own limits (see
/// `open`), so that it is for networks that swallow everything.
const EXCHANGE: Duration = Duration::from_secs(10);

/// How soon to look for what others have committed: where that is all that tells of it, and beside notifications.
const LOOK: Duration = Duration::from_millis(10);
const LOOK_BESIDE: Duration = Duration::from_millis(50);

/// The most connections of the lanes: as many as groups that can be under way.
const MOST_GROUPED: usize = 8;

/// How somebody came to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin<'a> {
    /// By its URL.
    Url,
    /// By the file whose data was moved there, which had this mark: that move is complete.
    SealedFile(&'a str),
}

/// An open PostgreSQL database.
pub(crate) struct Postgres {
    pool: Pool,
    lanes: Lanes,
    /// Hosts and database, for messages.
    name: String,
    target: Target,
    /// Whether the server has notifications.
    notifies: bool,
    /// Listens once somebody asks.
    signals: OnceLock<Signals>,
    /// Held for reading by each transaction on a task of its own.
    running: Arc<RwLock<()>>,
}

/// Whether a URL says how to connect. Connects to nothing.
pub(crate) fn check(url: &str) -> Result<(), OpenError> {
    open::target(url).map(drop)
}

impl Postgres {
    pub(crate) async fn open(url: &str, options: &OpenOptions) -> Result<Self, OpenError> {
        let name = DatabaseUrl::Postgres(url.to_owned()).to_string();
        let target = open::target(url)?;
        let grouped = (options.connections / 2).clamp(1, MOST_GROUPED);
        let pool = open::pool(
            target.clone(),
            &OpenOptions {
                connections: options.connections.saturating_sub(grouped).max(1),
                ..*options
            },
        )?;
        let notifies = open::try_out(&pool, &name).await?;
        let running = Arc::default();
        Ok(Self {
            lanes: Lanes::start(target.clone(), grouped, (&pool, &running))?,
            pool,
            name,
            target,
            notifies,
            signals: OnceLock::new(),
            running,
        })
    }

    /// Refuses a database that a move fills, or has left.
    pub(crate) async fn arrive(&self, from: Origin<'_>) -> Result<(), OpenError> {
        schema::arrive(&self.pool, &self.name, from).await
    }

    pub(crate) async fn migrate(&self, now: Timestamp) -> Result<(), OpenError> {
        schema::migrate(&self.pool, &self.name, now).await
    }

    pub(crate) async fn applied(&self) -> Result<Vec<Applied>, OpenError> {
        schema::applied(&self.pool, &self.name).await
    }

    pub(crate) async fn find<T>(
        &self,
        text: &'static str,
        values: &[Value],
        read: impl Fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        if values.is_empty() {
            let row = self.lanes.read_shared(text).await?;
            return row.map(|row| read(&Row::Postgres(&row))).transpose();
        }
        let rows = self.query(text, values).await?;
        rows.first()
            .map(|row| read(&Row::Postgres(row)))
            .transpose()
    }

    /// The same beside many others that ask for other rows.
    pub(crate) async fn find_often<T>(
        &self,
        text: &'static str,
        values: &[Value],
        read: impl Fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.lanes.read(text, values).await {
            Some(found) => found?.map(|row| read(&Row::Postgres(&row))).transpose(),
            None => self.find(text, values, read).await,
        }
    }

    pub(crate) async fn list<T>(
        &self,
        text: &'static str,
        values: &[Value],
        read: fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let rows = self.query(text, values).await?;
        rows.iter().map(|row| read(&Row::Postgres(row))).collect()
    }

    pub(crate) async fn write(&self, mut statements: Vec<Statement>) -> Result<u64, Error> {
        let commit = match self.notifies && statements.iter().any(is_signal) {
            true => Commit::Notifies,
            false => Commit::Quietly,
        };
        if let [
            Statement {
                expect: Expect::One,
                ..
            },
        ] = statements[..]
            && commit == Commit::Quietly
            && let Some(only) = statements.pop()
        {
            return self.lanes.write(only).await;
        }
        write::write(&self.pool, &self.running, statements, commit).await
    }

    /// Waits until another process may have committed something that is to be looked at.
    pub(crate) async fn signalled(&self) {
        match self.notifies {
            true => self.listening().next().await,
            false => std::future::pending().await,
        }
    }

    /// How long it may be until the next look.
    pub(crate) fn pause(&self) -> Duration {
        match self.signals.get().is_some_and(Signals::are_heard) {
            true => LOOK_BESIDE,
            false => LOOK,
        }
    }

    fn listening(&self) -> &Signals {
        self.signals
            .get_or_init(|| Signals::start(self.target.clone()))
    }

    /// A connection for what runs no statements of ours: a move.
    pub(crate) async fn client(&self) -> Result<Object, OpenError> {
        let client = self.pool.get().await;
        client.map_err(|error| open::refused(&self.name, &error))
    }

    pub(crate) async fn close(&self) {
        // Whoever still waits for a connection is refused; who has one goes on to the end.
        self.pool.close();
        self.lanes.close();
        drop(self.running.write().await);
    }

    async fn query(
        &self,
        text: &'static str,
        values: &[Value],
    ) -> Result<Vec<tokio_postgres::Row>, Error> {
        let run = async |client: &Object| {
            let statement = client.prepare_cached(text).await?;
            client.query(&statement, &bound(values)).await
        };
        let mut attempts = 1;
        loop {
            let client = self.pool.get().await.map_err(pool_error)?;
            let outcome = within(run(&client)).await;
            give_back(client, &outcome);
            match outcome {
                // Reads collide too, on servers that judge transactions by their order.
                Err(failure) if failure.is_collision() && attempts < write::ATTEMPTS => {
                    attempts += 1;
                }
                outcome => return outcome.map_err(Failure::into_error),
            }
        }
    }
}

fn bound(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect()
}

/// Waits for an answer, but not for ever.
async fn within<T, E: Into<Failure>>(
    exchange: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(EXCHANGE, exchange).await {
        Ok(outcome) => outcome.map_err(E::into),
        Err(_) => Err(Failure::Silent),
    }
}

/// Puts a connection back into the pool, unless what happened on it is a reason to close it.
fn give_back<T>(client: Object, outcome: &Result<T, Failure>) {
    if matches!(outcome, Err(failure) if failure.spoils_connection()) {
        drop(Object::take(client));
    }
}
