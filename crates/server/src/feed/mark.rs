//! How far the feed was published, kept in the data folder beside the database. A database that does not know that
//! point any more was restored from a backup: its feed begins another epoch, so that guards do not go on from where
//! the lost one was.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Place, Point};

/// The file that remembers the feed's point. One for a process.
pub struct Mark {
    path: Option<PathBuf>,
    /// What the file says, as far as this process knows.
    written: Mutex<String>,
}

impl Mark {
    /// The mark in `path`; none for a database that does not outlive the process.
    #[must_use]
    pub fn new(path: Option<PathBuf>) -> Self {
        Self {
            path,
            written: Mutex::default(),
        }
    }

    /// The point that was kept last. What cannot be read is no point.
    #[must_use]
    pub fn read(&self) -> Option<Point> {
        fs::read_to_string(self.path.as_ref()?)
            .ok()?
            .trim_end()
            .parse()
            .ok()
    }

    /// Keeps the point. Losing it costs only the notice of a restored backup, so that a failure is logged and no more.
    pub fn keep(&self, place: &Place) {
        let Some(path) = &self.path else {
            return;
        };
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let point = place.to_string();
        if *written == point || !path.parent().is_some_and(Path::is_dir) {
            return;
        }
        // Renamed, so that no half of it is ever read.
        let part = path.with_extension("part");
        let kept = write(&part, &point).and_then(|()| fs::rename(&part, path));
        if let Err(error) = kept {
            tracing::warn!(%error, "the feed's mark cannot be written");
        }
        *written = point;
    }
}

/// Like every file in the data folder: for its owner only.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}
