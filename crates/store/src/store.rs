use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use symbolon_domain::Timestamp;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::migrate::{Applied, MIGRATIONS, PendingStep, plan};
use crate::postgres::{Origin, Postgres};
use crate::sqlite::seal::Destination;
use crate::sqlite::{Moment, Recent, Sqlite, Unwritten};
use crate::statement::{Expect, Statement};
use crate::tables::feed::Feed;
use crate::value::{Row, Value};
use crate::{Batch, DatabaseUrl, Error, OpenError};

/// How often a decision is taken again because somebody else wrote in between. Each round loses to a commit that
/// was made, so that the last one is hardly ever reached.
const ROUNDS: usize = 16;
/// How soon to look for what another process wrote to the same file: a look costs about a microsecond.
const LOOK: Duration = Duration::from_millis(10);

/// How long a write waits for another one that goes over to where the data was moved.
const FOLLOW: Duration = Duration::from_secs(2);

/// How a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOptions {
    /// Whether a file that is not there is made (mode 0600). PostgreSQL's databases are never made.
    pub create: bool,
    /// The most connections to PostgreSQL at a time, two at least: half of them, eight at most, for what goes in groups.
    pub connections: usize,
    /// How long a write waits for another process that holds what it needs; then it is [`Error::Busy`].
    pub lock_wait: Duration,
}

impl Default for OpenOptions {
    /// Makes a missing file; 16 connections; 5 seconds.
    fn default() -> Self {
        Self {
            create: true,
            connections: 16,
            lock_wait: Duration::from_secs(5),
        }
    }
}

/// What [`Store::changed`] saw last. A new one has seen nothing.
#[derive(Debug, Default)]
pub struct Watch {
    pub(crate) version: Option<i64>,
    pub(crate) feed: Option<Feed>,
}

impl Watch {
    /// Where the feed stood when it was looked at last; nothing before the first time.
    pub fn feed(&self) -> Option<&Feed> {
        self.feed.as_ref()
    }
}

/// An open database. Cloning it is cheap and gives the same one.
///
/// It may move while it is open (`crate::relocate`): then the next write, or the next look for changes, goes over to
/// where the data is.
#[derive(Clone)]
pub struct Store {
    place: Arc<Place>,
}

struct Place {
    engine: ArcSwap<Engine>,
    options: OpenOptions,
    /// Held by who goes over to another database.
    turn: Mutex<()>,
}

/// The one place that tells the engines apart.
#[derive(Clone)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Engine {
    async fn postgres(
        url: &str,
        options: &OpenOptions,
        from: Origin<'_>,
    ) -> Result<Arc<Postgres>, OpenError> {
        let postgres = Postgres::open(url, options).await?;
        postgres.arrive(from).await?;
        Ok(Arc::new(postgres))
    }

    /// A file, or where its data was moved to.
    async fn file(path: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        let sqlite = Sqlite::open(path, options)?;
        match sqlite.destination() {
            Ok(None) => Ok(Self::Sqlite(Arc::new(sqlite))),
            Ok(Some(Destination { url, mark })) => {
                sqlite.close().await;
                let postgres = Self::postgres(&url, options, Origin::SealedFile(&mark)).await?;
                warn_of_move(&url);
                Ok(Self::Postgres(postgres))
            }
            Err(error) => {
                sqlite.close().await;
                Err(OpenError::other(error))
            }
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = match self.engine() {
            Engine::Sqlite(_) => "SQLite",
            Engine::Postgres(_) => "PostgreSQL",
        };
        f.debug_tuple("Store").field(&engine).finish()
    }
}

impl Store {
    /// Opens a database. Its tables may be missing or old: see [`Store::migrate`]. Where the data of a SQLite file was
    /// moved elsewhere, it is opened there, and a warning says so.
    ///
    /// # Errors
    /// One sentence that says what is wrong. Existing data is untouched then.
    pub async fn open(url: &DatabaseUrl, options: &OpenOptions) -> Result<Self, OpenError> {
        let engine = match url {
            DatabaseUrl::Sqlite(path) => Engine::file(path, options).await?,
            DatabaseUrl::SqliteMemory => Engine::Sqlite(Arc::new(Sqlite::memory()?)),
            DatabaseUrl::Postgres(text) => {
                Engine::Postgres(Engine::postgres(text, options, Origin::Url).await?)
            }
        };
        Ok(Self {
            place: Arc::new(Place {
                engine: ArcSwap::from_pointee(engine),
                options: *options,
                turn: Mutex::default(),
            }),
        })
    }

    /// The database as it is reached now.
    fn engine(&self) -> Engine {
        Engine::clone(&self.place.engine.load())
    }

    /// Goes over to where the data of `left` was moved. Who still reads from there finishes; its file is let go of by
    /// the last of them.
    async fn follow(&self, left: &Sqlite) -> Result<Arc<Postgres>, Error> {
        // One at a time, and nobody waits behind all the others for a server that does not answer.
        let turn = timeout(FOLLOW, self.place.turn.lock()).await;
        let _turn = turn.map_err(|_| Error::Busy)?;
        if let Engine::Postgres(postgres) = self.engine() {
            return Ok(postgres);
        }
        let found = left.destination()?;
        let Destination { url, mark } =
            found.ok_or_else(|| Error::fault("the data was moved, and it is not said where"))?;
        let from = Origin::SealedFile(&mark);
        let postgres = Engine::postgres(&url, &self.place.options, from).await;
        let postgres = postgres.map_err(|error| {
            tracing::warn!(%error, "cannot go over to where the data was moved; trying again");
            Error::Busy
        })?;
        let engine = Engine::Postgres(Arc::clone(&postgres));
        self.place.engine.store(Arc::new(engine));
        warn_of_move(&url);
        Ok(postgres)
    }

    /// Brings the tables up to date, one process at a time; `now` is written beside what was applied.
    ///
    /// # Errors
    /// [`OpenError::Newer`], [`OpenError::Changed`], [`OpenError::Foreign`], or what is in the way of writing;
    /// the tables are as before then.
    pub async fn migrate(&self, now: Timestamp) -> Result<(), OpenError> {
        match self.engine() {
            Engine::Sqlite(sqlite) => sqlite.migrate(now),
            Engine::Postgres(postgres) => postgres.migrate(now).await,
        }
    }

    /// The steps that [`Store::migrate`] would take, in their order. Changes nothing.
    ///
    /// # Errors
    /// [`OpenError::Newer`], [`OpenError::Changed`], [`OpenError::Server`] and [`OpenError::Other`].
    pub async fn pending_steps(&self) -> Result<Vec<PendingStep>, OpenError> {
        plan(MIGRATIONS, &self.applied().await?)
    }

    /// The number of the last migration that was applied; 0 before the first.
    ///
    /// # Errors
    /// [`OpenError::Server`] and [`OpenError::Other`].
    pub async fn schema_version(&self) -> Result<i64, OpenError> {
        let applied = self.applied().await?;
        Ok(applied
            .iter()
            .map(|migration| migration.number)
            .max()
            .unwrap_or(0))
    }

    async fn applied(&self) -> Result<Vec<Applied>, OpenError> {
        match self.engine() {
            Engine::Sqlite(sqlite) => sqlite.applied(),
            Engine::Postgres(postgres) => postgres.applied().await,
        }
    }

    /// An empty batch.
    pub fn batch(&self) -> Batch {
        Batch::new(self.clone())
    }

    /// Whether the database answers, and takes writes if its data was moved there.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn ping(&self) -> Result<(), Error> {
        self.follow_move().await?;
        self.feed().await.map(|_| ())
    }

    /// How many bytes the database takes.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn size(&self) -> Result<i64, Error> {
        let found = match self.engine() {
            Engine::Sqlite(sqlite) => sqlite.find(
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
                &[],
                |row| row.int(0),
            ),
            Engine::Postgres(postgres) => {
                let text = "SELECT pg_database_size(current_database())";
                postgres.find(text, &[], |row| row.int(0)).await
            }
        };
        Ok(found?.unwrap_or_default())
    }

    /// Waits until another process may have committed what [`Store::changed`] tells of. Never, where that is not told: look
    /// again after [`Store::pause`] in any case.
    pub async fn signalled(&self) {
        match self.engine() {
            Engine::Sqlite(_) => std::future::pending().await,
            Engine::Postgres(postgres) => postgres.signalled().await,
        }
    }

    /// Whether the database is a file of this machine, or none, that one server has for itself.
    pub fn is_embedded(&self) -> bool {
        matches!(self.engine(), Engine::Sqlite(_))
    }

    /// What time it is for the database, where that is another machine: what several nodes can agree on. No statement
    /// uses it.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn time(&self) -> Result<Option<Timestamp>, Error> {
        match self.engine() {
            Engine::Sqlite(_) => Ok(None),
            Engine::Postgres(postgres) => {
                let text = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
                postgres.find(text, &[], |row| row.time(0)).await
            }
        }
    }

    /// How long it may be until [`Store::changed`] is asked again.
    pub fn pause(&self) -> Duration {
        match self.engine() {
            Engine::Sqlite(_) => LOOK,
            Engine::Postgres(postgres) => postgres.pause(),
        }
    }

    /// Finishes what was committed, then lets go of files and connections. Later calls are [`Error::Fault`].
    pub async fn close(&self) {
        match self.engine() {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close().await,
        }
    }

    /// The first row of an answer.
    pub(crate) async fn find<T>(
        &self,
        text: &'static str,
        values: &[Value],
        read: impl Fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        // The engine is not cloned for a read of the file: its counter would go from core to core.
        let postgres = match &**self.place.engine.load() {
            Engine::Sqlite(sqlite) => return sqlite.find(text, values, read),
            Engine::Postgres(postgres) => Arc::clone(postgres),
        };
        postgres.find(text, values, read).await
    }

    /// Reads the first row of an answer, lets `decide` say what to write, and writes it, as if nobody else wrote
    /// in between: on SQLite in one transaction; on PostgreSQL the statements must be compare-and-set on what
    /// was read, and a miss reads and decides again.
    pub(crate) async fn decide<T: Send + 'static, R: Send + 'static>(
        &self,
        (text, values): (&'static str, Vec<Value>),
        read: fn(&Row<'_>) -> Result<T, Error>,
        decide: impl Fn(Option<T>) -> (Vec<Statement>, R) + Send + Sync + 'static,
    ) -> Result<R, Error> {
        let decide = Arc::new(decide);
        let postgres = match self.engine() {
            Engine::Sqlite(sqlite) => {
                let ours = Arc::clone(&decide);
                match sqlite.decide((text, values.clone()), read, ours).await {
                    Ok(outcome) => return Ok(outcome),
                    Err(Unwritten::Failed(error)) => return Err(error),
                    Err(Unwritten::Moved(_)) => self.follow(&sqlite).await?,
                }
            }
            Engine::Postgres(postgres) => postgres,
        };
        for _ in 0..ROUNDS {
            let (statements, outcome) = decide(postgres.find_often(text, &values, read).await?);
            if statements.is_empty() {
                return Ok(outcome);
            }
            match postgres.write(statements).await {
                Err(Error::Stale) => {}
                written => return written.map(|_| outcome),
            }
        }
        Err(Error::Stale)
    }

    /// All rows of an answer, of which there are at most `limit`; 0 if they are known to be few.
    pub(crate) async fn list<T: Send + 'static>(
        &self,
        text: &'static str,
        values: Vec<Value>,
        limit: u32,
        read: fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match self.engine() {
            Engine::Sqlite(sqlite) => sqlite.list(text, values, limit, read).await,
            Engine::Postgres(postgres) => postgres.list(text, &values, read).await,
        }
    }

    pub(crate) async fn count(&self, text: &'static str, values: &[Value]) -> Result<u32, Error> {
        let count = self
            .find(text, values, |row| row.int(0))
            .await?
            .unwrap_or(0);
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Runs statements in one transaction, and returns how many rows they changed once that is durable.
    pub(crate) async fn write(&self, statements: Vec<Statement>) -> Result<u64, Error> {
        let sqlite = match self.engine() {
            Engine::Sqlite(sqlite) => sqlite,
            Engine::Postgres(postgres) => return postgres.write(statements).await,
        };
        match sqlite.write(statements).await {
            Ok(rows) => Ok(rows),
            Err(Unwritten::Failed(error)) => Err(error),
            Err(Unwritten::Moved(statements)) => {
                self.follow(&sqlite).await?.write(statements).await
            }
        }
    }

    pub(crate) async fn purge(&self, text: &'static str, values: Vec<Value>) -> Result<u64, Error> {
        self.write(vec![Statement {
            text,
            values,
            expect: Expect::Any,
        }])
        .await
    }

    /// Asks the users and clients that were read since the last commit, where they are kept: on an embedded database, whose every
    /// change is noticed.
    pub(crate) fn with_recent<T>(&self, ask: impl FnOnce(&Recent) -> T) -> Option<T> {
        match &**self.place.engine.load() {
            Engine::Sqlite(sqlite) => Some(ask(sqlite.recent())),
            Engine::Postgres(_) => None,
        }
    }

    /// What the database is now, where clients that were read since the last commit are kept.
    pub(crate) fn moment(&self) -> Option<Moment> {
        match &**self.place.engine.load() {
            Engine::Sqlite(sqlite) => sqlite.moment(),
            Engine::Postgres(_) => None,
        }
    }

    /// A number that is another one after every commit, where that is cheaper to read than the feed.
    pub(crate) fn data_version(&self) -> Result<Option<i64>, Error> {
        match &**self.place.engine.load() {
            Engine::Sqlite(sqlite) => sqlite.data_version(),
            Engine::Postgres(_) => Ok(None),
        }
    }

    /// Goes over to where the data is now, if it was moved.
    pub(crate) async fn follow_move(&self) -> Result<(), Error> {
        match self.engine() {
            Engine::Sqlite(sqlite) if sqlite.destination()?.is_some() => {
                self.follow(&sqlite).await.map(|_| ())
            }
            _ => Ok(()),
        }
    }
}

fn warn_of_move(url: &str) {
    let to = DatabaseUrl::Postgres(url.to_owned());
    tracing::warn!(
        %to,
        "the data was moved to another database: set database.url to it, with its credentials, before the next start"
    );
}
