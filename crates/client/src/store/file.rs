//! A file that only its owner may read.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use zeroize::Zeroizing;

use super::{Exclusive, RefreshTokenStore, StoreError, StoreFuture};
use crate::secret::RefreshToken;

/// No token is longer.
const LONGEST: u64 = 4_096;
/// How often the lock is tried.
const EACH: Duration = Duration::from_millis(20);
/// How often at most: for a minute. A refresh is over by then.
const TRIES: u32 = 3_000;

/// Keeps the token in a file of its own, mode 0600, beside which a lock file `….lock` and, for a moment, a new file
/// `….new` are. Processes that share the file take turns.
///
/// A new token is written to the new file, synced, and put in the place of the old one, so that at any moment, a loss of
/// power included, one of the two is there whole. The folder is made, mode 0700, where there is none. The modes are those
/// of Unix; elsewhere the file has the rights that its folder gives it.
#[derive(Clone, Debug)]
pub struct FileStore {
    path: Arc<Path>,
}

impl FileStore {
    /// Keeps the token at `path`. Let each issuer and each account have a file of its own.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into().into(),
        }
    }

    /// Does what may wait for a disk on a thread that may wait.
    fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> StoreFuture<'static, T> {
        let path = Arc::clone(&self.path);
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || {
                work(&path).map_err(|error| StoreError(format!("{}: {error}", path.display())))
            });
            done.await.map_err(StoreError::new)?
        })
    }
}

impl RefreshTokenStore for FileStore {
    fn load(&self) -> StoreFuture<'_, Option<RefreshToken>> {
        self.apart(read)
    }

    fn save<'a>(&'a self, token: &'a RefreshToken) -> StoreFuture<'a, ()> {
        let token = token.clone();
        self.apart(move |path| write(path, &token))
    }

    fn clear(&self) -> StoreFuture<'_, ()> {
        self.apart(|path| {
            removed(path)?;
            sync_folder(path)
        })
    }

    fn exclusive(&self) -> StoreFuture<'_, Exclusive> {
        Box::pin(async {
            let file = self.apart(open_lock).await?;
            for _ in 0..TRIES {
                match file.try_lock() {
                    Ok(()) => return Ok(Box::new(file) as Exclusive),
                    Err(TryLockError::WouldBlock) => tokio::time::sleep(EACH).await,
                    Err(TryLockError::Error(error)) => return Err(StoreError::new(error)),
                }
            }
            Err(StoreError::new("another process does not let go of it"))
        })
    }
}

fn read(path: &Path) -> io::Result<Option<RefreshToken>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize));
    file.take(LONGEST).read_to_string(&mut text)?;
    let token = text.trim_ascii_end();
    Ok((!token.is_empty()).then(|| RefreshToken::new(token)))
}

fn write(path: &Path, token: &RefreshToken) -> io::Result<()> {
    let new = beside(path, ".new")?;
    make_folder(path)?;
    // What a run left that was cut off.
    removed(&new)?;
    let mut options = OpenOptions::new();
    let mut file = for_owner(options.write(true).create_new(true)).open(&new)?;
    let placed = file
        .write_all(token.reveal().as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&new, path));
    if placed.is_err() {
        let _the_first_error_is_told = removed(&new);
    }
    placed?;
    sync_folder(path)
}

fn open_lock(path: &Path) -> io::Result<File> {
    make_folder(path)?;
    let mut options = OpenOptions::new();
    for_owner(options.write(true).create(true).truncate(false)).open(beside(path, ".lock")?)
}

/// That there is none is no error.
fn removed(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn beside(path: &Path, end: &str) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut name = name.to_owned();
    name.push(end);
    Ok(path.with_file_name(name))
}

fn folder(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder(path))
}

fn for_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Only then is what was done to the names of a folder on disk.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(folder(path)) {
        Ok(folder) => folder.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
