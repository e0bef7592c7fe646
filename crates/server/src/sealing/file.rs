//! Files that only their owner may read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::MasterKeyError;

/// No key file is longer than this.
const LIMIT: u64 = 1024;

/// Reads a file, having looked at who else could.
pub(super) fn read_private(path: &Path) -> Result<Zeroizing<String>, MasterKeyError> {
    let io = |source| MasterKeyError::Io {
        path: path.to_owned(),
        action: "read",
        source,
    };
    let file = File::open(path).map_err(io)?;
    let meta = file.metadata().map_err(io)?;
    if !meta.is_file() {
        return Err(io(io::Error::other("it is not a regular file")));
    }
    if others_may_read(&meta) {
        return Err(MasterKeyError::Exposed {
            path: path.to_owned(),
        });
    }
    let mut text = Zeroizing::new(String::with_capacity(128));
    file.take(LIMIT).read_to_string(&mut text).map_err(io)?;
    Ok(text)
}

/// Makes a file that was not there, whole or not at all: a draft beside it, on the disk before it gets its name.
pub(super) fn create_private(
    path: &Path,
    draft: &str,
    contents: &[u8],
) -> Result<(), MasterKeyError> {
    let io = |source| MasterKeyError::Io {
        path: path.to_owned(),
        action: "written",
        source,
    };
    let draft = path.with_extension(format!("draft-{draft}"));
    let written = write_private(&draft, contents).and_then(|()| std::fs::hard_link(&draft, path));
    let removed = std::fs::remove_file(&draft);
    match written {
        // Some network file systems have no links: there the file is made in place.
        Err(error) if no_links(&error) => write_private(path, contents).map_err(io)?,
        other => other.and(removed).map_err(io)?,
    }
    sync_folder(path).map_err(io)
}

/// Makes a file that only its owner may read, and waits until it is on the disk.
fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

fn no_links(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
    )
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn others_may_read(meta: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn others_may_read(_meta: &std::fs::Metadata) -> bool {
    false
}
