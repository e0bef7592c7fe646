//! Connections that read, handed from thread to thread.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::errors::error_of;
use super::{Main, lock, open};
use crate::Error;

/// How long [`Readers::close`] waits for reads that have begun.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a reader comes from.
pub(super) struct Readers {
    source: Source,
    closed: AtomicBool,
}

enum Source {
    File(Pool),
    /// The one connection of a database without a file.
    Shared(Main),
}

/// A stack of idle connections to a file. One that is missing is opened, one too many is dropped, so that nobody waits:
/// how many there can be is bounded by the threads that read.
struct Pool {
    path: PathBuf,
    connections: Mutex<Connections>,
    keep: usize,
    /// Told of each connection that comes back.
    returned: Notify,
}

struct Connections {
    idle: Vec<Connection>,
    lent: usize,
}

/// A connection of the pool, in use.
struct Lent<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
    keep: bool,
}

impl Readers {
    pub(super) fn file(path: &Path) -> Self {
        let keep = thread::available_parallelism().map_or(4, |cores| 2 * cores.get());
        Self::new(Source::File(Pool {
            path: path.to_owned(),
            connections: Mutex::new(Connections {
                idle: Vec::with_capacity(keep),
                lent: 0,
            }),
            keep,
            returned: Notify::new(),
        }))
    }

    pub(super) fn shared(connection: Main) -> Self {
        Self::new(Source::Shared(connection))
    }

    fn new(source: Source) -> Self {
        Self {
            source,
            closed: AtomicBool::new(false),
        }
    }

    /// Runs a read on the calling thread.
    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let closed = || Error::fault("the store was closed");
        match &self.source {
            Source::Shared(main) if !self.closed.load(Ordering::Acquire) => {
                read(lock(main).as_ref().ok_or_else(closed)?)
            }
            Source::Shared(_) => Err(closed()),
            Source::File(pool) => {
                let mut lent = pool.lend();
                // Looked at with the connection in hand: whoever closes waits for it, or is seen here.
                if self.closed.load(Ordering::Acquire) {
                    return Err(closed());
                }
                let connection = lent.open().map_err(error_of)?;
                let outcome = read(connection);
                // One that met a fault is not trusted any further.
                let trusted = !matches!(outcome, Err(Error::Fault(_)));
                lent.keep = trusted && !self.closed.load(Ordering::Acquire);
                outcome
            }
        }
    }

    /// Drops the connections: those in use when they come back, which is waited for. They may only read, and could not
    /// copy the log back if they were the last to go.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        if let Source::File(pool) = &self.source
            && timeout(PATIENCE, pool.all_returned()).await.is_err()
        {
            tracing::warn!("the database is closed while it is still being read");
        }
    }
}

impl Pool {
    fn lend(&self) -> Lent<'_> {
        let mut connections = lock(&self.connections);
        connections.lent += 1;
        Lent {
            pool: self,
            connection: connections.idle.pop(),
            keep: false,
        }
    }

    /// Drops the idle ones, and tells how many are in use.
    fn clear(&self) -> usize {
        let mut connections = lock(&self.connections);
        connections.idle.clear();
        connections.lent
    }

    async fn all_returned(&self) {
        loop {
            let returned = self.returned.notified();
            if self.clear() == 0 {
                return;
            }
            returned.await;
        }
    }
}

impl Lent<'_> {
    /// Without the lock of the pool, since opening takes its time.
    fn open(&mut self) -> rusqlite::Result<&Connection> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            missing => Ok(missing.insert(open::reader(&self.pool.path)?)),
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let kept = self.connection.take().filter(|_| self.keep);
        let mut connections = lock(&self.pool.connections);
        connections.lent -= 1;
        if let Some(connection) = kept
            && connections.idle.len() < self.pool.keep
        {
            connections.idle.push(connection);
        }
        drop(connections);
        self.pool.returned.notify_one();
    }
}
