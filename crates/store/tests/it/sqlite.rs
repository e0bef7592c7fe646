//! The embedded engine as it meets the world: files of all kinds, other processes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use symbolon_domain::{EndReason, Session};
use symbolon_store::{
    Contents, DatabaseUrl, Error, OpenError, OpenOptions, Store, Watch, copy_database, examine,
};

use crate::harness::{Folder, Place, at, commit, next, open, session, session_id, user, user_id};

async fn try_open(path: &Path) -> Result<Store, OpenError> {
    Store::open(
        &DatabaseUrl::Sqlite(path.to_owned()),
        &OpenOptions::default(),
    )
    .await
}

async fn refusal(path: &Path) -> OpenError {
    let before = fs::read(path).ok();
    let refused = match try_open(path).await {
        Err(refused) => refused,
        Ok(store) => store.migrate(at(1)).await.unwrap_err(),
    };
    assert_eq!(fs::read(path).ok(), before, "existing data is untouched");
    let sentence = refused.to_string();
    assert!(
        sentence.contains(path.file_name().unwrap().to_str().unwrap()),
        "{sentence}"
    );
    refused
}

#[tokio::test]
async fn a_file_that_is_no_database() {
    let folder = Folder::new();
    for (name, content) in [
        ("text.db", b"Dear diary, ".repeat(500)),
        ("short.db", b"x".to_vec()),
    ] {
        fs::write(folder.file(name), content).unwrap();
        let refused = refusal(&folder.file(name)).await;
        assert!(matches!(refused, OpenError::NotADatabase(_)), "{refused:?}");
    }
    fs::create_dir(folder.file("folder.db")).unwrap();
    let refused = try_open(&folder.file("folder.db")).await.unwrap_err();
    assert!(matches!(refused, OpenError::NotADatabase(_)), "{refused:?}");
}

#[tokio::test]
async fn a_damaged_database() {
    let folder = Folder::new();
    let path = folder.file("s.db");
    let store = open(&format!("sqlite:{}", path.display())).await;
    store.close().await;
    let mut bytes = fs::read(&path).unwrap();
    // The first page's tree of tables, behind the header that says it is a database.
    bytes[100..4096].fill(0xee);
    fs::write(&path, bytes).unwrap();
    let refused = refusal(&path).await;
    assert!(matches!(refused, OpenError::Corrupt(_)), "{refused:?}");
}

#[tokio::test]
async fn damage_found_later_is_a_fault() {
    let folder = Folder::new();
    let path = folder.file("s.db");
    let url = format!("sqlite:{}", path.display());
    let store = open(&url).await;
    commit!(store, insert_user(&user(1), None)).unwrap();
    store.close().await;
    let users = "SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'users' AND rootpage > 0";
    let connection = Connection::open(&path).unwrap();
    let mut statement = connection.prepare(users).unwrap();
    let pages = statement.query_map([], |row| row.get::<_, u32>(0)).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    for page in pages.map(|page| page.unwrap() as usize) {
        bytes[(page - 1) * 4096..page * 4096].fill(0xee);
    }
    drop(statement);
    drop(connection);
    fs::write(&path, bytes).unwrap();
    let store = try_open(&path).await.unwrap();
    let found = store.find_user(user_id(1)).await;
    assert!(matches!(found, Err(Error::Fault(_))), "{found:?}");
    let written = commit!(store, insert_user(&user(2), None));
    assert!(matches!(written, Err(Error::Fault(_))), "{written:?}");
}

#[tokio::test]
async fn a_database_of_another_program() {
    let folder = Folder::new();
    let path = folder.file("theirs.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE users (id); PRAGMA user_version = 3")
        .unwrap();
    let refused = refusal(&path).await;
    assert!(matches!(refused, OpenError::Foreign(_)), "{refused:?}");
    assert!(!folder.file("theirs.db-wal").exists());

    let path = folder.file("marked.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA application_id = 7")
        .unwrap();
    assert!(matches!(refusal(&path).await, OpenError::Foreign(_)));
}

#[tokio::test]
async fn a_missing_file_or_folder() {
    let folder = Folder::new();
    let path = folder.file("s.db");
    let url = DatabaseUrl::Sqlite(path.clone());
    let existing = OpenOptions {
        create: false,
        ..OpenOptions::default()
    };
    let refused = Store::open(&url, &existing).await.unwrap_err();
    assert!(matches!(refused, OpenError::Missing(_)), "{refused:?}");
    assert!(!path.exists());
    let refused = try_open(&folder.file("none/s.db")).await.unwrap_err();
    assert!(matches!(refused, OpenError::NoDirectory(_)), "{refused:?}");
    assert!(!folder.file("none").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let store = open(&format!("sqlite:{}", folder.file("s.db").display())).await;
    commit!(store, put_setting("a", "b")).unwrap();
    for name in ["s.db", "s.db-wal", "s.db-shm"] {
        let mode = fs::metadata(folder.file(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn odd_names_of_files() {
    let folder = Folder::new();
    for name in ["a b.db", "ü%20.db", "file:x.db", "#1.db"] {
        let store = try_open(&folder.file(name)).await.unwrap();
        store.migrate(at(1)).await.unwrap();
        commit!(store, put_setting("a", "b")).unwrap();
        assert!(folder.file(name).exists(), "{name}");
    }
}

#[tokio::test]
async fn another_process_that_holds_the_lock() {
    let folder = Folder::new();
    let path = folder.file("s.db");
    let options = OpenOptions {
        lock_wait: Duration::from_millis(20),
        ..OpenOptions::default()
    };
    let store = Store::open(&DatabaseUrl::Sqlite(path.clone()), &options)
        .await
        .unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.migrate(at(1)).await.unwrap_err();
    assert!(matches!(refused, OpenError::Locked(_)), "{refused:?}");
    other.execute_batch("COMMIT").unwrap();
    store.migrate(at(1)).await.unwrap();

    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let single = commit!(store, put_setting("a", "b"));
    let several = commit!(
        store,
        insert_user(&user(1), None),
        insert_session(&session(1, 1))
    );
    assert!(
        matches!((&single, &several), (Err(Error::Busy), Err(Error::Busy))),
        "{single:?} {several:?}"
    );
    assert_eq!(store.find_setting("a").await.unwrap(), None, "reads go on");
    other.execute_batch("COMMIT").unwrap();
    commit!(store, put_setting("a", "b")).unwrap();
}

#[tokio::test]
async fn a_file_held_exclusively() {
    let folder = Folder::new();
    let path = folder.file("s.db");
    open(&format!("sqlite:{}", path.display()))
        .await
        .close()
        .await;
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT")
        .unwrap();
    let options = OpenOptions {
        lock_wait: Duration::from_millis(20),
        ..OpenOptions::default()
    };
    let refused = Store::open(&DatabaseUrl::Sqlite(path), &options)
        .await
        .unwrap_err();
    assert!(matches!(refused, OpenError::Locked(_)), "{refused:?}");
}

#[tokio::test]
async fn two_processes_see_each_other() {
    let place = Place::file();
    let (one, two) = (place.open().await, place.open().await);
    commit!(
        one,
        insert_user(&user(1), None),
        insert_session(&session(1, 1))
    )
    .unwrap();
    assert_eq!(two.find_user(user_id(1)).await.unwrap().unwrap(), user(1));
    commit!(two, end_session(session_id(1), at(5), EndReason::Revoked)).unwrap();
    let state = session(1, 1).refresh;
    let refused = commit!(
        one,
        rotate_session(session_id(1), &state, &next(&state, 6), at(6))
    );
    assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
    one.close().await;
    commit!(two, bump_token_version(user_id(1), 1, at(7))).unwrap();
}

/// Users that were just read are kept: never past a commit that was answered here, and past one of another process
/// only until somebody asks for changes or a batch misses.
#[tokio::test]
async fn users_are_kept_until_the_next_commit() {
    let place = Place::file();
    let (one, two) = (place.open().await, place.open().await);
    let mut watch = Watch::default();
    commit!(one, insert_user(&user(1), None)).unwrap();
    let version = async |store: &Store| store.find_user(user_id(1)).await.unwrap().unwrap().version;
    assert_eq!(version(&one).await, 1);
    one.changed(&mut watch).await.unwrap();
    for expected in 2..10 {
        commit!(one, bump_token_version(user_id(1), expected - 1, at(5))).unwrap();
        assert_eq!(version(&one).await, expected);
    }
    commit!(two, bump_token_version(user_id(1), 9, at(6))).unwrap();
    one.changed(&mut watch).await.unwrap();
    assert_eq!(version(&one).await, 10);
    commit!(two, bump_token_version(user_id(1), 10, at(7))).unwrap();
    let missed = commit!(one, bump_token_version(user_id(1), 10, at(8)));
    assert!(matches!(missed, Err(Error::Stale)), "{missed:?}");
    assert_eq!(version(&one).await, 11);
    commit!(one, delete_user(user_id(1), 11)).unwrap();
    assert!(one.find_user(user_id(1)).await.unwrap().is_none());
}

/// CONTRACT section 4: O(1) rows for a session, however often it is refreshed; and its bytes do not grow.
#[tokio::test]
async fn a_session_does_not_grow() {
    let place = Place::file();
    let store = place.open().await;
    for number in 1..=50 {
        commit!(store, insert_session(&session(number, 1))).unwrap();
    }
    let pages = |place: &Place| {
        let path = place.url.strip_prefix("sqlite:").unwrap();
        let connection = Connection::open(path).unwrap();
        connection
            .query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    // Every field at the length it will have.
    let late = symbolon_domain::refresh::RefreshState {
        generation: 1 << 40,
        late_generation: Some(1 << 40),
        ..session(1, 1).refresh
    };
    let mut state = late;
    commit!(
        store,
        rotate_session(session_id(1), &session(1, 1).refresh, &state, at(1 << 41))
    )
    .unwrap();
    let before = pages(&place);
    for hundred in 0..100 {
        let mut batch = store.batch();
        for round in 1..=100 {
            let now = (1 << 41) + 100 * hundred + round;
            let following = next(&state, now);
            batch.rotate_session(session_id(1), &state, &following, at(now));
            state = following;
        }
        batch.commit().await.unwrap();
    }
    assert_eq!(pages(&place), before);
    let found = store.find_session(session_id(1)).await.unwrap().unwrap();
    let expected = Session {
        refresh: state,
        last_used_at: at((1 << 41) + 10_000),
        ..session(1, 1)
    };
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_copy_has_all_that_is_committed_and_no_epoch() {
    let folder = Folder::new();
    let (from, to) = (folder.file("s.db"), folder.file("copy.db"));
    let store = open(&format!("sqlite:{}", from.display())).await;
    let mut batch = store.batch();
    batch.insert_user(&user(1), None);
    batch.begin_feed("first");
    batch.commit().await.unwrap();
    fs::write(&to, "").unwrap();
    let copied = copy_database(&from, &to, at(1)).unwrap();
    let expected = Contents {
        users: 1,
        sessions: 0,
    };
    assert_eq!(copied, expected);
    assert_eq!(examine(&to, &to, at(1)).unwrap(), expected);
    commit!(store, insert_user(&user(2), None)).unwrap();
    let copy = open(&format!("sqlite:{}", to.display())).await;
    assert!(copy.find_user(user_id(1)).await.unwrap().is_some());
    assert!(copy.find_user(user_id(2)).await.unwrap().is_none());
    assert_eq!(copy.feed().await.unwrap().epoch, "");
    assert_eq!(store.feed().await.unwrap().epoch, "first");
    // Never into a file with something in it.
    assert!(copy_database(&from, &to, at(1)).is_err());
}

/// As a backup is brought back: whoever waits for the file meanwhile is not to take the former one for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_replaced_while_it_is_opened() {
    let folder = Folder::new();
    let (path, other) = (folder.file("s.db"), folder.file("other.db"));
    for (path, number) in [(&path, 1), (&other, 2)] {
        let store = open(&format!("sqlite:{}", path.display())).await;
        commit!(store, insert_user(&user(number), None)).unwrap();
        store.close().await;
    }
    let alone = Connection::open(&path).unwrap();
    alone
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        .unwrap();
    let held = opened(&path);
    let waiting = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Handle::current();
            runtime.block_on(try_open(&path)).unwrap()
        })
    };
    while opened(&path) == held {
        std::thread::yield_now();
    }
    fs::rename(&path, folder.file("former.db")).unwrap();
    fs::rename(&other, &path).unwrap();
    alone.execute_batch("ROLLBACK").unwrap();
    drop(alone);
    let store = waiting.await.unwrap();
    assert_eq!(store.find_user(user_id(1)).await.unwrap(), None);
    assert!(store.find_user(user_id(2)).await.unwrap().is_some());
    store.close().await;
}

/// How often this process has a file open.
fn opened(path: &Path) -> usize {
    let all = fs::read_dir("/proc/self/fd").unwrap();
    let links = all.filter_map(|one| fs::read_link(one.ok()?.path()).ok());
    links.filter(|link| link == path).count()
}
