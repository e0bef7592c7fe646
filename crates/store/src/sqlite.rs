//! The embedded engine: one thread that writes, a few connections that read, one that copies the log back.

pub(crate) mod backup;
mod checkpoint;
mod errors;
mod index;
mod open;
mod readers;
mod recent;
pub(crate) mod schema;
pub(crate) mod seal;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, params_from_iter};
use symbolon_domain::Timestamp;
use tokio::sync::{Semaphore, oneshot};

use crate::migrate::Applied;
use crate::statement::Statement;
use crate::value::{Row, Value};
use crate::{Error, OpenError, OpenOptions};
use errors::error_of;
use index::Index;
#[cfg(test)]
pub(crate) use open::add_functions;
pub(crate) use open::{main as open_main, reader as open_reader};
use readers::Readers;
pub(crate) use recent::{Moment, Recent};
pub(crate) use writer::Unwritten;
use writer::Writer;

/// Longer answers than this are read on a thread that may block.
const INLINE_ROWS: u32 = 100;
/// How many such reads run at a time; each has a connection and a thread.
const SCANS: usize = 4;

/// The connection that writes. It is held for as long as a transaction runs, and gone once the store is closed.
type Main = Arc<Mutex<Option<Connection>>>;

/// An open SQLite database.
pub(crate) struct Sqlite {
    readers: Arc<Readers>,
    writer: Writer,
    /// Its `PRAGMA data_version` tells of others' commits, and each connection counts for itself.
    watcher: Mutex<Option<Connection>>,
    /// Nothing without a file.
    index: Option<Index>,
    recent: Arc<Recent>,
    main: Main,
    scans: Arc<Semaphore>,
    name: String,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        let main = open::main(path, options)?;
        let explain = |error| errors::open_error(path, error);
        let index = Index::open(&main, path)?;
        let main = Arc::new(Mutex::new(Some(main)));
        let checkpoints = open::checkpoints(path)?;
        let watcher = open::reader(path).map_err(explain)?;
        let recent = Arc::new(Recent::new());
        Ok(Self {
            readers: Arc::new(Readers::file(path)),
            writer: Writer::start(Arc::clone(&main), Arc::clone(&recent), Some(checkpoints))
                .map_err(OpenError::other)?,
            watcher: Mutex::new(Some(watcher)),
            index: Some(index),
            recent,
            main,
            scans: Arc::new(Semaphore::new(SCANS)),
            name: path.display().to_string(),
        })
    }

    /// A database without a file. SQLite shares one between connections only with table locks that fail reads
    /// beside a writer, so there is one connection, and reads wait their turn.
    pub(crate) fn memory() -> Result<Self, OpenError> {
        let main = Arc::new(Mutex::new(Some(open::memory().map_err(OpenError::other)?)));
        let recent = Arc::new(Recent::new());
        Ok(Self {
            readers: Arc::new(Readers::shared(Arc::clone(&main))),
            writer: Writer::start(Arc::clone(&main), Arc::clone(&recent), None)
                .map_err(OpenError::other)?,
            watcher: Mutex::new(None),
            index: None,
            recent,
            main,
            scans: Arc::new(Semaphore::new(SCANS)),
            name: ":memory:".to_owned(),
        })
    }

    pub(crate) fn migrate(&self, now: Timestamp) -> Result<(), OpenError> {
        schema::migrate(
            lock(&self.main).as_ref().ok_or_else(closed)?,
            &self.name,
            now,
        )
    }

    pub(crate) fn applied(&self) -> Result<Vec<Applied>, OpenError> {
        let main = lock(&self.main);
        let connection = main.as_ref().ok_or_else(closed)?;
        schema::applied(connection)
            .map_err(|error| errors::open_error(Path::new(&self.name), error))
    }

    pub(crate) fn find<T>(
        &self,
        text: &'static str,
        values: &[Value],
        read: impl Fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        // On the calling thread: a point read takes less time than handing it to another one.
        self.readers
            .with(|connection| first_row(connection, text, values, read))
    }

    /// Reads the first row of an answer, decides, and writes what was decided, in one transaction.
    pub(crate) async fn decide<T: Send + 'static, R: Send + 'static>(
        &self,
        (text, values): (&'static str, Vec<Value>),
        read: fn(&Row<'_>) -> Result<T, Error>,
        decide: Arc<impl Fn(Option<T>) -> (Vec<Statement>, R) + Send + Sync + 'static>,
    ) -> Result<R, Unwritten> {
        let (put, mut decided) = oneshot::channel();
        let load = move |connection: &Connection| {
            let (statements, outcome) = decide(first_row(connection, text, &values, read)?);
            // The receiver waits for the commit; when it has given up, nobody needs the outcome.
            let _ = put.send(outcome);
            Ok(statements)
        };
        self.writer.decide(Box::new(load)).await?;
        decided
            .try_recv()
            .map_err(|error| Unwritten::Failed(Error::fault(error)))
    }

    pub(crate) async fn list<T: Send + 'static>(
        &self,
        text: &'static str,
        values: Vec<Value>,
        limit: u32,
        read: fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        if limit <= INLINE_ROWS {
            return self
                .readers
                .with(|connection| all_rows(connection, text, &values, read));
        }
        let _permit = self.scans.acquire().await.map_err(Error::fault)?;
        let readers = Arc::clone(&self.readers);
        let scan = move || readers.with(|connection| all_rows(connection, text, &values, read));
        tokio::task::spawn_blocking(scan)
            .await
            .map_err(Error::fault)?
    }

    pub(crate) async fn write(&self, statements: Vec<Statement>) -> Result<u64, Unwritten> {
        self.writer.write(statements).await
    }

    /// The URL of the database that the data was moved to, if it was.
    pub(crate) fn destination(&self) -> Result<Option<seal::Destination>, Error> {
        self.readers
            .with(|connection| seal::destination(connection).map_err(error_of))
    }

    pub(crate) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// `None` without a file: nobody else writes, and the own connection does not count its own commits.
    pub(crate) fn data_version(&self) -> Result<Option<i64>, Error> {
        let watcher = lock(&self.watcher);
        watcher
            .as_ref()
            .map(data_version)
            .transpose()
            .map_err(error_of)
    }

    /// What the database is now; nothing where it does not say.
    pub(crate) fn moment(&self) -> Option<Moment> {
        let commits = self.recent.commits();
        let header = match &self.index {
            Some(index) => Some(index.header()?),
            // Nobody else writes.
            None => None,
        };
        Some(Moment { commits, header })
    }

    pub(crate) async fn close(&self) {
        lock(&self.watcher).take();
        self.readers.close().await;
        // What was just read is not to outlive it either.
        self.recent.forget();
        // Last, since the last connection to go copies the log back and removes it.
        self.writer.close().await;
    }
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}

fn closed() -> OpenError {
    OpenError::other("the store was closed")
}

fn first_row<T>(
    connection: &Connection,
    text: &'static str,
    values: &[Value],
    read: impl Fn(&Row<'_>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let mut statement = connection.prepare_cached(text).map_err(error_of)?;
    let mut rows = statement
        .query(params_from_iter(values))
        .map_err(error_of)?;
    match rows.next().map_err(error_of)? {
        Some(row) => read(&Row::Sqlite(row)).map(Some),
        None => Ok(None),
    }
}

fn all_rows<T>(
    connection: &Connection,
    text: &'static str,
    values: &[Value],
    read: fn(&Row<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut statement = connection.prepare_cached(text).map_err(error_of)?;
    let mut rows = statement
        .query(params_from_iter(values))
        .map_err(error_of)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(error_of)? {
        found.push(read(&Row::Sqlite(row))?);
    }
    Ok(found)
}

/// A panic elsewhere leaves connections as good as before: SQLite keeps its own state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
