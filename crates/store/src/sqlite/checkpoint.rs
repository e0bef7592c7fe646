//! Copying the log (WAL) back into the file without holding up commits.
//!
//! SQLite would do it inside the commit that happens to make the log too long, and everybody would wait for
//! the copying and for another sync. Here
//!
//! 1. the writer looks at the log now and then, and beyond [`COPY`] pages wakes a thread with a connection of its
//!    own, which copies beside the writer (`PASSIVE` waits for nobody and nobody for it) and syncs the file, which
//!    SQLite leaves to whoever copies the last page;
//! 2. that alone would never end under load, for the log begins anew only when all of it is copied and the writer
//!    goes on adding. So beyond [`RESET`] pages the thread goes over the log until little is left, and the writer
//!    copies that itself between two transactions. The next one then begins the log anew, unless someone still
//!    reads from it, in which case it is tried again.
//!
//! Nothing here waits for readers, so one that stays for hours lets the log grow and slows nobody down. When the
//! log begins anew, `journal_size_limit` cuts it.

use std::error::Error;
use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

/// Pages that are worth copying back: 16 MiB.
const COPY: i64 = 4_000;
/// Pages after which the log should begin anew: 32 MiB. Each round costs two more syncs, so that many sessions want it
/// long; but a commit that makes the file longer waits for the disk several times as long as one that writes over
/// what was there, so that a young process wants it short.
const RESET: i64 = 8_000;
/// Pages that the writer can copy in a few milliseconds.
const REST: i64 = 500;
/// How often the thread goes over the log before the writer takes what is left, be it more than that.
const ROUNDS: usize = 6;
/// How many groups pass between two looks at the log. Each writes a page at least.
const GROUPS: u32 = 8;

/// The thread that copies.
pub(super) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Set when little is left to copy.
    nearly_done: Arc<AtomicBool>,
}

impl Checkpointer {
    pub(super) fn start(target: Target) -> io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let nearly_done = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&nearly_done);
        let thread = thread::Builder::new()
            .name("symbolon-checkpoint".into())
            .spawn(move || copy_when_woken(&target, &woken, &done))?;
        Ok(Self {
            wake: Some(wake),
            thread: Some(thread),
            nearly_done,
        })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that copies the log back had failed");
        }
    }
}

fn copy_when_woken(target: &Target, woken: &Receiver<()>, nearly_done: &AtomicBool) {
    while woken.recv().is_ok() {
        if let Err(error) = target.copy_most() {
            // The writer meets the same trouble, if it stays, and says so to whoever waits.
            tracing::warn!(%error, "cannot copy the log back into the database");
        }
        nearly_done.store(true, Ordering::Release);
    }
}

/// What the thread copies to.
pub(super) struct Target {
    connection: Connection,
    /// Never closed: when a process closes any descriptor of a file it loses its locks on it (POSIX), and the
    /// writer's would be among them.
    file: ManuallyDrop<File>,
}

impl Target {
    /// A target from two ways of access to the same file.
    pub(super) fn new(connection: Connection, file: File) -> Self {
        Self {
            connection,
            file: ManuallyDrop::new(file),
        }
    }

    fn copy_most(&self) -> Result<(), Box<dyn Error>> {
        for _ in 0..ROUNDS {
            copy(&self.connection)?;
            self.file.sync_data()?;
            let length = length(&self.connection)?;
            if length.rest() <= REST || length.pages <= RESET {
                break;
            }
        }
        Ok(())
    }
}

/// The log as the writer sees it.
pub(super) struct Log {
    checkpointer: Option<Checkpointer>,
    groups: u32,
}

impl Log {
    /// `None` for a database that has no log.
    pub(super) fn new(checkpointer: Option<Checkpointer>) -> Self {
        Self {
            checkpointer,
            groups: 0,
        }
    }

    /// To be called by the writer, outside a transaction.
    pub(super) fn after_group(&mut self, connection: &Connection) {
        let Some(checkpointer) = &self.checkpointer else {
            return;
        };
        self.groups += 1;
        let nearly_done = checkpointer.nearly_done.swap(false, Ordering::AcqRel);
        if self.groups < GROUPS && !nearly_done {
            return;
        }
        self.groups = 0;
        let Ok(length) = length(connection) else {
            return;
        };
        if length.pages > RESET && nearly_done {
            if let Err(error) = copy(connection) {
                tracing::warn!(%error, "cannot copy the log back into the database");
            }
        } else if length.rest() > COPY || length.pages > RESET {
            // Full: it has been woken and has not slept since.
            let _ = checkpointer.wake.as_ref().map(|wake| wake.try_send(()));
        }
    }
}

struct Length {
    pages: i64,
    copied: i64,
}

impl Length {
    fn rest(&self) -> i64 {
        self.pages - self.copied
    }
}

/// How long the log is, and how much of it is in the file already.
fn length(connection: &Connection) -> rusqlite::Result<Length> {
    let mut statement = connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
    statement.query_row([], |row| {
        Ok(Length {
            pages: row.get(1)?,
            copied: row.get(2)?,
        })
    })
}

fn copy(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?
        .query_row([], |_| Ok(()))
}
