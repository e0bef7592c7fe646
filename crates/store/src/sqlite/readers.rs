//! Connections that read, handed from thread to thread.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rusqlite::Connection;

use super::errors::error_of;
use super::{Main, lock, open};
use crate::Error;

/// Where a reader comes from.
pub(super) struct Readers {
    source: Source,
    closed: AtomicBool,
}

enum Source {
    /// A stack of idle connections to a file. One that is missing is opened, one too many is dropped, so that
    /// nobody waits: how many there can be is bounded by the threads that read.
    File {
        path: PathBuf,
        idle: Mutex<Vec<Connection>>,
        keep: usize,
    },
    /// The one connection of a database without a file.
    Shared(Main),
}

impl Readers {
    pub(super) fn file(path: &Path) -> Self {
        let keep = thread::available_parallelism().map_or(4, |cores| 2 * cores.get());
        let idle = Mutex::new(Vec::with_capacity(keep));
        Self {
            source: Source::File {
                path: path.to_owned(),
                idle,
                keep,
            },
            closed: AtomicBool::new(false),
        }
    }

    pub(super) fn shared(connection: Main) -> Self {
        Self {
            source: Source::Shared(connection),
            closed: AtomicBool::new(false),
        }
    }

    /// Runs a read on the calling thread.
    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::fault("the store was closed"));
        }
        match &self.source {
            Source::Shared(main) => match lock(main).as_ref() {
                Some(connection) => read(connection),
                None => Err(Error::fault("the store was closed")),
            },
            Source::File { path, idle, keep } => {
                // A statement of its own: the lock must not be held while a connection is opened or used.
                let waiting = lock(idle).pop();
                let connection = match waiting {
                    Some(connection) => connection,
                    None => open::reader(path).map_err(error_of)?,
                };
                let outcome = read(&connection);
                // One that met a fault is not trusted any further.
                if !matches!(outcome, Err(Error::Fault(_))) {
                    let mut idle = lock(idle);
                    if idle.len() < *keep && !self.closed.load(Ordering::Acquire) {
                        idle.push(connection);
                    }
                }
                outcome
            }
        }
    }

    /// Drops the idle connections; those in use follow when they come back.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        if let Source::File { idle, .. } = &self.source {
            lock(idle).clear();
        }
    }
}
