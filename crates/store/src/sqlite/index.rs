//! Whether anybody has committed, read from the index of the log, which every process that has the database open shares.
//!
//! Each commit changes its header (SQLite, "WAL-mode File Format", section 2.1). To look at that takes a tenth of
//! `PRAGMA data_version`, which takes and gives back a lock. A header is only compared: the same one twice means
//! that no commit was finished in between, and one that was caught half written is like no other.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::Connection;

use super::errors::{file_error, open_error};
use crate::OpenError;

/// Its length in bytes.
const HEADER: usize = 48;
/// The version of the format, of which there has been one.
const VERSION: [u8; 4] = 3_007_000_u32.to_ne_bytes();
/// Where it says whether it is filled.
const FILLED: usize = 12;

/// The header, which counts commits, and has the length of the log, its salts and a sum of it all.
pub(crate) type Header = [u8; HEADER];

/// An open index.
pub(super) struct Index {
    /// Never closed: when a process closes any descriptor of a file it loses its locks on it (POSIX), and those by
    /// which SQLite holds the log are on this one.
    file: ManuallyDrop<File>,
}

impl Index {
    /// Of the database at `path`, which `connection` reads from so that there is an index.
    pub(super) fn open(connection: &Connection, path: &Path) -> Result<Self, OpenError> {
        connection
            .query_row("PRAGMA schema_version", [], |_| Ok(()))
            .map_err(|error| open_error(path, error))?;
        Self::of(path).map_err(|error| file_error(path, error))
    }

    pub(super) fn of(path: &Path) -> io::Result<Self> {
        // Where the file itself is: beside a link there is no log.
        let mut index = path.canonicalize()?.into_os_string();
        index.push("-shm");
        Ok(Self {
            file: ManuallyDrop::new(File::open(index)?),
        })
    }

    /// Nothing where it cannot be told.
    pub(super) fn header(&self) -> Option<Header> {
        let mut header = [0; HEADER];
        self.file.read_exact_at(&mut header, 0).ok()?;
        (header.starts_with(&VERSION) && header[FILLED] != 0).then_some(header)
    }
}
