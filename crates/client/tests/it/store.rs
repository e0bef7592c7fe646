//! The file that keeps the refresh token.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use symbolon_client::{FileStore, RefreshToken, RefreshTokenStore as _};

use crate::fake::soon;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let name = format!("symbolon-client-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = entries.map(name).collect();
        names.sort();
        names
            .into_iter()
            .map(|name| name.into_string().unwrap())
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _it_is_a_temporary_one = fs::remove_dir_all(&self.0);
    }
}

async fn loaded(store: &FileStore) -> Option<String> {
    let token = store.load().await.unwrap();
    token.map(|token| token.reveal().to_owned())
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_file_keeps_the_last_token_until_it_is_cleared() {
    let folder = Folder::new();
    let path = folder.0.join("deep").join("session");
    let store = FileStore::new(&path);
    assert_eq!(loaded(&store).await, None);
    store.clear().await.unwrap();
    for token in ["sbr_a_rather_long_one", "sbr_short"] {
        store.save(&RefreshToken::new(token)).await.unwrap();
        assert_eq!(loaded(&store).await.as_deref(), Some(token));
        assert_eq!(loaded(&FileStore::new(&path)).await.as_deref(), Some(token));
    }
    store.clear().await.unwrap();
    store.clear().await.unwrap();
    assert_eq!(loaded(&store).await, None);
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_it_whatever_was_there_before() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let path = folder.0.join("deep").join("session");
    let store = FileStore::new(&path);
    store.save(&RefreshToken::new("one")).await.unwrap();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    for name in [path.clone(), path.with_file_name("session.new")] {
        fs::write(&name, "left by somebody").unwrap();
        fs::set_permissions(&name, fs::Permissions::from_mode(0o644)).unwrap();
    }
    store.save(&RefreshToken::new("two")).await.unwrap();
    assert_eq!(
        (mode(&path), loaded(&store).await.as_deref()),
        (0o600, Some("two"))
    );
}

#[tokio::test]
async fn a_token_that_cannot_be_written_leaves_the_one_before() {
    let folder = Folder::new();
    let path = folder.0.join("session");
    let store = FileStore::new(&path);
    store.save(&RefreshToken::new("one")).await.unwrap();
    // The place of the new file is taken by what cannot be removed.
    fs::create_dir_all(folder.0.join("session.new").join("inside")).unwrap();
    let error = store.save(&RefreshToken::new("two")).await.unwrap_err();
    assert!(!error.to_string().contains("two"), "{error}");
    assert_eq!(loaded(&store).await.as_deref(), Some("one"));
}

#[tokio::test]
async fn those_who_share_a_file_take_turns() {
    let folder = Folder::new();
    let (one, other) = (
        FileStore::new(folder.0.join("session")),
        FileStore::new(folder.0.join("session")),
    );
    let turn = one.exclusive().await.unwrap();
    let mut waiting = tokio::spawn(async move { other.exclusive().await.map(drop) });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(turn);
    soon(&mut waiting).await.unwrap().unwrap();
    assert_eq!(folder.names(), ["session.lock"]);
}
