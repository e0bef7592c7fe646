//! Backups of the embedded database: made while a server runs, and brought back while none does.
//!
//! Backup:
//! 1. A draft beside the file that is wanted, for its owner only from the first byte, gets a copy of one moment.
//! 2. The copy has no epoch of the feed: whoever starts on it, in whatever folder, begins another one, so that guards notice.
//! 3. It is read through, counted, synced, and only then gets its name, which nobody else had.
//!
//! Restore:
//! 1. The file is copied to a draft beside the database; nothing else touches it.
//! 2. The draft must be a whole database of ours, of a version that is known, and be opened by the master key of the folder
//!    or the setting.
//! 3. Its feed begins another epoch, which the audit log tells.
//! 4. Nobody may use the database that is there: every process that does holds a lock on it (POSIX), so that one on all of
//!    it is got by who is alone.
//! 5. What was there keeps its contents under another name, its log along with it, and the draft takes its place in one step.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};
use symbolon_domain::Timestamp;
use symbolon_store::{
    Contents, DatabaseUrl, OpenError, copy_database, examine, fold_log, require_here,
};

use super::{Error, Origin, revocations};
use crate::app::{App, FEED_MARK, MASTER_FILE, StartError, database_url, make_folder};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::Causes;
use crate::rng::Rng;
use crate::secret::Secret;

/// Files that belong to a database, by what their names end with.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why there is no backup, or none was restored: a word for programs and a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct BackupError {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}

/// A backup.
pub struct Made {
    /// What is in it.
    pub contents: Contents,
    /// Its length.
    pub bytes: u64,
    /// Where the key is without which it is worth nothing; none where that is a setting.
    pub master_key: Option<PathBuf>,
}

/// What was brought back.
pub struct Restored {
    /// Where it is now.
    pub database: PathBuf,
    /// What is in it.
    pub contents: Contents,
    /// What the database that was there is called now; none where there was none.
    pub kept: Option<PathBuf>,
}

/// Writes a backup of the embedded database into `file`, which must not be there.
///
/// # Errors
/// What is in the way, in one sentence; nothing stays then.
pub fn back_up(config: &Config, file: &Path, clock: &Clock) -> Result<Made, BackupError> {
    let database = embedded(config)?;
    if file.symlink_metadata().is_ok() {
        return Err(exists(file));
    }
    let draft = Draft::create(with(file, ".part"))?;
    let contents = copy_database(&database, &draft.0, clock.now()).map_err(unusable)?;
    let whole = File::open(&draft.0).and_then(|file| {
        file.sync_all()?;
        Ok(file.metadata()?.len())
    });
    let bytes = whole.map_err(|error| unwritable(&draft.0, &error))?;
    draft.take_name(file)?;
    let folder_key = config.server.data.join(MASTER_FILE);
    Ok(Made {
        contents,
        bytes,
        master_key: config.server.master_key.is_none().then_some(folder_key),
    })
}

/// Puts a backup in the place of the embedded database.
///
/// # Errors
/// What is in the way, in one sentence; the database is as it was then.
pub async fn restore(
    config: &Config,
    file: &Path,
    (clock, rng): (Clock, Rng),
    origin: &Origin,
) -> Result<Restored, BackupError> {
    let database = embedded(config)?;
    // Before anything is made, and again where it counts.
    drop(alone(&database)?);
    // Servers may be running that have gone over to where its data is.
    require_here(&database).map_err(unusable)?;
    let from = File::open(file).map_err(|error| unreadable(file, &error))?;
    if fs::metadata(with(file, "-wal")).is_ok_and(|log| log.len() > 0) {
        let detail = format!(
            "{} has a log beside it, so that it is a database and not all of it: make a backup with `symbolon backup`",
            file.display()
        );
        return Err(said("unfinished", detail));
    }
    let _folder = NewFolder::make(&config.server.data)?;
    let draft = Draft::create(with(&database, ".restoring"))?;
    draft.fill(from, file)?;
    let contents = examine(&draft.0, file, clock.now()).map_err(|error| of_backup(file, error))?;
    let now = clock.now();
    begin_epoch(config, &draft.0, (clock, rng), origin).await?;
    fold_log(&draft.0).map_err(|error| of_backup(file, error))?;
    draft.sync()?;
    if database.exists() {
        // What cannot be read is kept as it is.
        let _kept = fold_log(&database);
    }
    let held = alone(&database)?;
    let kept = set_aside(&database, held.is_some(), now)?;
    fs::rename(&draft.0, &database).map_err(|error| unwritable(&database, &error))?;
    sync_folder(&database)?;
    // It knows how far the other database was published; the new epoch begins anew.
    let _none_left = fs::remove_file(config.server.data.join(FEED_MARK));
    Ok(Restored {
        database,
        contents,
        kept,
    })
}

/// The file of the embedded database.
fn embedded(config: &Config) -> Result<PathBuf, BackupError> {
    match database_url(config)? {
        // The names of its log follow from where it is, and not from a link to it.
        DatabaseUrl::Sqlite(path) => Ok(fs::canonicalize(&path).unwrap_or(path)),
        DatabaseUrl::SqliteMemory => {
            let detail = "a database in memory has no backup";
            Err(said("not_embedded", detail))
        }
        DatabaseUrl::Postgres(_) => {
            let detail = "this command is for the embedded database: use pg_dump or pg_basebackup for PostgreSQL, \
                          and see docs/backup.md for what to do after a restore";
            Err(said("not_embedded", detail))
        }
    }
}

/// Steps 2 and 3 of a restore, on the draft.
async fn begin_epoch(
    config: &Config,
    draft: &Path,
    (clock, rng): (Clock, Rng),
    origin: &Origin,
) -> Result<(), BackupError> {
    let mut config = config.clone();
    config.database.url = Some(Secret::new(format!("sqlite:{}", draft.display())));
    let app = App::open_existing(config, clock, rng).await?;
    let begun = async {
        app.known_master().await?;
        revocations::renew(&app, origin).await?;
        Ok::<_, BackupError>(())
    };
    let begun = begun.await;
    app.close().await;
    begun
}

/// Step 4 of a restore: holds the database for as long as the answer is kept; none where there is no database. No other
/// descriptor of the file may be closed meanwhile, since the lock would go with it.
fn alone(database: &Path) -> Result<Option<File>, BackupError> {
    let file = match File::options().read(true).write(true).open(database) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unwritable(database, &error)),
    };
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => {
            let detail = format!(
                "{} is in use: stop the server and every command that uses it first",
                database.display()
            );
            Err(said("in_use", detail))
        }
        Err(error) => Err(unwritable(database, &io::Error::from(error))),
    }
}

/// Gives the database that is there a second name, under which it stays when the first one is taken from it. A log goes
/// along, also one without a database: what is in it must not get into another one.
fn set_aside(
    database: &Path,
    is_there: bool,
    now: Timestamp,
) -> Result<Option<PathBuf>, BackupError> {
    let time = crate::rfc3339::text(now);
    let digits = time.chars().filter(char::is_ascii_alphanumeric);
    let time: String = digits.take("20260101T000000".len()).collect();
    let kept = with(database, &format!(".before-restore-{time}Z"));
    if is_there {
        let named = fs::hard_link(database, &kept).or_else(|error| match error.kind() {
            // Some file systems have no links.
            io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied => {
                fs::rename(database, &kept)
            }
            _ => Err(error),
        });
        named.map_err(|error| unwritable(&kept, &error))?;
    }
    for end in BESIDE {
        match fs::rename(with(database, end), with(&kept, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(unwritable(&kept, &error));
            }
            _ => {}
        }
    }
    Ok(is_there.then_some(kept))
}

/// A folder that is made if there is none, with those that it is in, from the inmost on. Dropped while nothing is in it, they
/// are gone again.
struct NewFolder<'a>(Vec<&'a Path>);

impl<'a> NewFolder<'a> {
    fn make(path: &'a Path) -> Result<Self, BackupError> {
        let missing = path.ancestors().take_while(|folder| {
            // What has no name is where this process stands.
            !folder.as_os_str().is_empty() && !folder.exists()
        });
        let missing = missing.collect();
        make_folder(path)?;
        Ok(Self(missing))
    }
}

impl Drop for NewFolder<'_> {
    fn drop(&mut self) {
        // From the first on that is not empty they are kept.
        let _gone = self.0.iter().try_for_each(fs::remove_dir);
    }
}

/// A file that is being made. Dropped before it has its name, nothing stays of it.
struct Draft(PathBuf);

impl Draft {
    fn create(path: PathBuf) -> Result<Self, BackupError> {
        let made = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match made {
            Ok(_) => Ok(Self(path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let detail = format!(
                    "{} is there: the same is being done by another process, or was cut off; then delete it",
                    path.display()
                );
                Err(said("exists", detail))
            }
            Err(error) => Err(unwritable(&path, &error)),
        }
    }

    fn fill(&self, mut from: File, name: &Path) -> Result<(), BackupError> {
        let mut to = OpenOptions::new()
            .write(true)
            .open(&self.0)
            .map_err(|error| unwritable(&self.0, &error))?;
        io::copy(&mut from, &mut to).map_err(|error| unreadable(name, &error))?;
        Ok(())
    }

    fn sync(&self) -> Result<(), BackupError> {
        let synced = File::open(&self.0).and_then(|file| file.sync_all());
        synced.map_err(|error| unwritable(&self.0, &error))
    }

    /// Gives it a name that nobody has.
    fn take_name(self, name: &Path) -> Result<(), BackupError> {
        match fs::hard_link(&self.0, name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists(name)),
            // Some file systems have no links.
            Err(_) if name.symlink_metadata().is_err() => {
                fs::rename(&self.0, name).map_err(|error| unwritable(name, &error))?;
            }
            Err(error) => return Err(unwritable(name, &error)),
        }
        // The second name goes, now or never: it is no draft of anything any more.
        let _gone = fs::remove_file(&self.0);
        sync_folder(name)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for path in BESIDE.map(|end| with(&self.0, end)) {
            let _gone = fs::remove_file(path);
        }
        let _gone = fs::remove_file(&self.0);
    }
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// A name is there after a crash once its folder is on the disk.
fn sync_folder(path: &Path) -> Result<(), BackupError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| unwritable(folder, &error))
}

fn said(code: &'static str, detail: impl Into<String>) -> BackupError {
    let detail = detail.into();
    BackupError { code, detail }
}

fn exists(file: &Path) -> BackupError {
    let detail = format!(
        "{} is there already: nothing is written over",
        file.display()
    );
    said("exists", detail)
}

fn unwritable(path: &Path, error: &io::Error) -> BackupError {
    said(
        "io",
        format!("{} cannot be written: {error}", path.display()),
    )
}

fn unreadable(path: &Path, error: &io::Error) -> BackupError {
    said("io", format!("{} cannot be read: {error}", path.display()))
}

fn unusable(error: OpenError) -> BackupError {
    said("database", Causes(&error).to_string())
}

fn of_backup(file: &Path, error: OpenError) -> BackupError {
    match error {
        OpenError::Corrupt(_) => {
            let detail = format!("{} is damaged or not all of it is there", file.display());
            said("damaged", detail)
        }
        OpenError::Other(error) => said("database", format!("{}: {error}", file.display())),
        other => unusable(other),
    }
}

impl From<StartError> for BackupError {
    fn from(error: StartError) -> Self {
        said("database", error.0)
    }
}

impl From<Error> for BackupError {
    fn from(error: Error) -> Self {
        said("fault", Causes(&error).to_string())
    }
}
