//! How far the feed was published, kept in the data folder beside the database. A database that does not know that
//! point any more was restored from a backup: its feed begins another epoch, so that guards do not go on from where
//! the lost one was. Nor does one that has given the number to another revocation.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use symbolon_domain::revocation::Entry;
use symbolon_token::{encoding, feed_key};

use super::{Place, Point};

/// A digest of all that the feed says of a revocation: another one of the same number has another.
type Digest = [u8; 16];

/// That of this revocation. Marks hold it: it must stay as it is.
#[must_use]
pub fn digest(entry: &Entry) -> Digest {
    let (kind, effect) = (entry.kind.as_str(), entry.effect.as_str());
    let key = encoding::encode(&entry.key);
    let number = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    let (below, before) = (number(entry.below), number(entry.before));
    let (seq, until) = (entry.seq, entry.until_s);
    let text = format!("{seq} {kind} {key} {effect} {below} {before} {until}");
    feed_key("mark 1", &text)
}

/// The file that remembers the feed's point. One for a process.
pub struct Mark {
    path: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// What the file says, as far as this process knows.
    written: String,
    /// The number of the last revocation that was seen, and its digest.
    last: Option<(i64, Digest)>,
}

/// What was published last, as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// How far.
    pub point: Point,
    /// The digest of the revocation of that number, where that was known.
    pub last: Option<Digest>,
}

impl Mark {
    /// The mark in `path`; none for a database that does not outlive the process.
    #[must_use]
    pub fn new(path: Option<PathBuf>) -> Self {
        Self {
            path,
            known: Mutex::default(),
        }
    }

    /// Whether it outlives the process.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.path.is_some()
    }

    /// What was kept last. What cannot be read is nothing.
    #[must_use]
    pub fn read(&self) -> Option<Marked> {
        let text = fs::read_to_string(self.path.as_ref()?).ok()?;
        let (point, last) = match text.trim_end().split_once(' ') {
            Some((point, last)) => (point, encoding::decode_exact(last.as_bytes()).ok()),
            None => (text.trim_end(), None),
        };
        let point = point.parse().ok()?;
        Some(Marked { point, last })
    }

    /// Notes the revocation that was seen last.
    pub fn saw(&self, entry: &Entry) {
        self.known().last = Some((entry.seq, digest(entry)));
    }

    /// Goes on at this point: if it is what was kept, with the digest that was, though the revocation may be purged by now.
    pub fn resume(&self, epoch: &str, seq: i64) {
        let is_here = |kept: &Marked| kept.point.epoch == epoch && kept.point.seq == seq;
        let kept = self.read().filter(is_here).and_then(|kept| kept.last);
        let mut known = self.known();
        let is_known = known.last.is_some_and(|(number, _)| number == seq);
        if let (Some(digest), false) = (kept, is_known) {
            known.last = Some((seq, digest));
        }
    }

    /// Whether another revocation is known under this number.
    #[must_use]
    pub fn contradicts(&self, entry: &Entry) -> bool {
        let last = self.known().last;
        last.is_some_and(|(seq, known)| seq == entry.seq && known != digest(entry))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps how far the feed was published: `EPOCH:SEQ`, and in base64url the digest of the revocation of that number. Losing
    /// it costs only the notice of a restored backup, so that a failure is logged and no more.
    pub fn keep(&self, place: &Place) {
        let Some(path) = &self.path else {
            return;
        };
        let mut known = self.known();
        let mut point = place.to_string();
        if let Some((_, last)) = known.last.filter(|(seq, _)| *seq == place.seq()) {
            point.push(' ');
            encoding::encode_to(&last, &mut point);
        }
        if known.written == point || !path.parent().is_some_and(Path::is_dir) {
            return;
        }
        // Renamed, so that no half of it is ever read.
        let part = path.with_extension("part");
        let kept = write(&part, &point).and_then(|()| fs::rename(&part, path));
        if let Err(error) = kept {
            let path = path.display();
            tracing::warn!(%error, %path, "how far the feed was published cannot be kept: a restored backup may not be noticed");
        }
        known.written = point;
    }
}

/// Like every file in the data folder: for its owner only.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}
