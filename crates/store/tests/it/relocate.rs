//! The move of all data to another engine, beside stores that are in use.

mod back;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use symbolon_domain::SessionId;
use symbolon_store::{
    DatabaseUrl, Error, MoveError, MoveStep, OpenError, OpenOptions, Store, TableDigest,
    abandon_move, move_to_postgres,
};
use symbolon_testkit::Postgres;

use crate::harness::{Place, at, commit, open, session, user, user_id, uuid};

/// More rows than are read at once.
const MANY: u16 = 2_300;

struct Moves {
    from: Place,
    path: PathBuf,
    to: String,
}

impl Moves {
    fn new() -> Option<Self> {
        let from = Place::file();
        let path = PathBuf::from(from.url.strip_prefix("sqlite:").unwrap());
        let to = Postgres::shared()?.url();
        Some(Self { from, path, to })
    }

    /// Users with a session each.
    async fn filled(&self) -> Store {
        let store = self.from.open().await;
        for numbers in (0..MANY).collect::<Vec<_>>().chunks(500) {
            let mut batch = store.batch();
            for number in numbers {
                batch.insert_user(&user(*number), Some("hash"));
                batch.insert_session(&session(*number, *number));
            }
            batch.commit().await.unwrap();
        }
        commit!(store, begin_feed("EPOCH"), put_setting("a", "b")).unwrap();
        store
    }

    async fn run(&self, on: &mut dyn FnMut(MoveStep)) -> Result<Vec<TableDigest>, MoveError> {
        move_to_postgres(&self.path, &self.to, ("id", at(2)), on).await
    }

    fn meddle(&self, sql: &str) {
        run_on(&self.path, sql);
    }

    fn read(&self, sql: &str) -> i64 {
        let connection = Connection::open(&self.path).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn triggers(&self) -> i64 {
        self.read("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' OR name LIKE 'move%'")
    }
}

fn run_on(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

async fn try_open(url: &str) -> Result<Store, OpenError> {
    let url: DatabaseUrl = url.parse().unwrap();
    Store::open(&url, &OpenOptions::default()).await
}

fn rows(digests: &[TableDigest], table: &str) -> u64 {
    digests
        .iter()
        .find(|digest| digest.table == table)
        .unwrap()
        .rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_use_goes_over_and_loses_nothing() {
    let Some(moves) = Moves::new() else { return };
    let store = moves.filled().await;
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4u16)
        .map(|writer| {
            let (store, done) = (store.clone(), Arc::clone(&done));
            tokio::spawn(write_until(store, writer, done))
        })
        .collect();
    let mut sealed = 0;
    let mut on = |step: MoveStep| sealed += i32::from(step == MoveStep::Unlocked { sealed: true });
    let moved = moves.run(&mut on).await;
    // Some of each after the move.
    done.store(true, Ordering::Release);
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    assert_eq!(rows(&moved.unwrap(), "users"), u64::from(MANY));
    assert_eq!(
        (sealed, format!("{store:?}")),
        (1, "Store(\"PostgreSQL\")".into())
    );
    let there = open(&moves.to).await;
    for (id, live) in written {
        let found = there.find_session(id).await.unwrap();
        assert_eq!(found.is_some_and(|session| session.ended.is_none()), live);
    }
    // The setting and the feed went along.
    assert_eq!(there.find_setting("a").await.unwrap().as_deref(), Some("b"));
    assert_eq!(there.feed().await.unwrap().epoch, "EPOCH");
    let refused = Connection::open(&moves.path)
        .unwrap()
        .execute("DELETE FROM sessions", [])
        .unwrap_err();
    assert!(refused.to_string().contains("symbolon: moved"), "{refused}");
}

/// Makes sessions and ends every other one, until it is told to stop, and some more: which live.
async fn write_until(store: Store, writer: u16, done: Arc<AtomicBool>) -> Vec<(SessionId, bool)> {
    let (mut written, mut more) = (Vec::new(), 20);
    for number in 0..u16::MAX {
        let mut made = session(0, writer);
        made.id = SessionId::new(uuid(50_000 + i64::from(writer), number));
        commit!(store, insert_session(&made)).unwrap();
        let live = number % 2 == 0;
        if !live {
            let ended = (at(20_000), symbolon_domain::EndReason::Logout);
            commit!(store, end_session(made.id, ended.0, ended.1)).unwrap();
        }
        // What was answered is read, wherever.
        let found = store.find_session(made.id).await.unwrap().unwrap();
        assert_eq!(found.ended.is_none(), live);
        written.push((made.id, live));
        if done.load(Ordering::Acquire) {
            more -= 1;
            if more == 0 {
                break;
            }
        }
    }
    written
}

/// A process that only looks for changes goes over as well, and so does one that opens the file later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_looks_or_comes_later_goes_over() {
    let Some(moves) = Moves::new() else { return };
    let store = moves.filled().await;
    let mut watch = symbolon_store::Watch::default();
    assert!(store.changed(&mut watch).await.unwrap());
    let before = watch.feed().unwrap().clone();
    moves.run(&mut |_| {}).await.unwrap();
    let there = open(&moves.to).await;
    commit!(there, put_setting("a", "c")).unwrap();
    assert!(store.changed(&mut watch).await.unwrap());
    assert_eq!(watch.feed().unwrap().epoch, before.epoch);
    assert_eq!(store.find_setting("a").await.unwrap().as_deref(), Some("c"));
    let later = moves.from.open().await;
    assert_eq!(later.find_setting("a").await.unwrap().as_deref(), Some("c"));
    let decided = later
        .batch()
        .replace_setting("a", Some("c"), Some("d"))
        .commit()
        .await;
    decided.unwrap();
    assert_eq!(there.find_setting("a").await.unwrap().as_deref(), Some("d"));
}

/// What is unique goes from row to row while it is copied, rows come and go, keys change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_under_the_copy() {
    let Some(moves) = Moves::new() else { return };
    let store = moves.filled().await;
    let server = Postgres::shared().unwrap();
    let mut steps = 0;
    let mut on = |step: MoveStep| {
        let MoveStep::Copied { .. } = step else {
            return;
        };
        steps += 1;
        // The address is with a user who is about to be copied, whoever had it when the others were.
        let copied = server.run(&moves.to, "SELECT count(*) FROM users");
        moves.meddle(&format!(
            "UPDATE users SET email_key = 'x{steps}' WHERE email_key = 'shared'; \
             UPDATE users SET email_key = 'shared' WHERE id = (SELECT id FROM users ORDER BY id LIMIT 1 OFFSET min({copied} + 50, 2100)); \
             DELETE FROM users WHERE id = (SELECT id FROM users ORDER BY id LIMIT 1 OFFSET {steps}); \
             DELETE FROM sessions WHERE id = (SELECT id FROM sessions ORDER BY id DESC LIMIT 1); \
             UPDATE settings SET name = 'n{steps}' WHERE name LIKE 'n%' OR name = 'a'; \
             UPDATE user_roles SET role = 'r{steps}' WHERE user_id = (SELECT max(id) FROM users)"
        ));
    };
    let moved = moves.run(&mut on).await.unwrap();
    assert!(steps > 20, "{steps}");
    assert_eq!(rows(&moved, "users"), u64::from(MANY) - steps);
    assert_eq!(rows(&moved, "sessions"), u64::from(MANY) - steps);
    let there = open(&moves.to).await;
    let last = format!("n{steps}");
    assert_eq!(
        there.find_setting(&last).await.unwrap().as_deref(),
        Some("b")
    );
    assert_eq!(there.find_setting("a").await.unwrap(), None);
    store.close().await;
}

/// More changes than are brought over at once, and an address that passes from a later row to an earlier one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unique_passes_between_chunks_of_a_round() {
    let Some(moves) = Moves::new() else { return };
    let store = moves.filled().await;
    let mut on = |step: MoveStep| {
        let row =
            |offset: u16| format!("(SELECT id FROM users ORDER BY id LIMIT 1 OFFSET {offset})");
        if matches!(step, MoveStep::Copied { rows, whole } if rows == whole) {
            moves.meddle(&format!(
                "UPDATE users SET updated_at = updated_at + 1; \
                 UPDATE users SET email_key = email_key || '-gone' WHERE id = {later}; \
                 UPDATE users SET email_key = (SELECT replace(email_key, '-gone', '') FROM users WHERE id = {later}) WHERE id = {earlier}",
                later = row(2_100),
                earlier = row(1_100)
            ));
        }
    };
    let moved = moves.run(&mut on).await.unwrap();
    assert_eq!(rows(&moved, "users"), u64::from(MANY));
    store.close().await;
}

/// The target is nobody's before the file is sealed; from then on it is for whoever comes from there, and they open it to all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_target_is_complete_once_the_source_is_sealed() {
    let Some(moves) = Moves::new() else { return };
    let store = moves.filled().await;
    let server = Postgres::shared().unwrap();
    let marks = "SELECT name FROM settings WHERE name LIKE 'mov%'";
    let mut locked = 0;
    let mut on = |step: MoveStep| {
        if step == MoveStep::Locked {
            locked += 1;
            assert_eq!(server.run(&moves.to, marks), "moving_from");
        }
    };
    moves.run(&mut on).await.unwrap();
    assert!(locked > 0);
    assert_eq!(server.run(&moves.to, marks), "");
    // As if the command had died as soon as the file was sealed.
    let file = Connection::open(&moves.path).unwrap();
    let mark = "SELECT value FROM settings WHERE name = 'moving_from'";
    let mark: String = file.query_row(mark, [], |row| row.get(0)).unwrap();
    server.run(
        &moves.to,
        &format!("INSERT INTO settings VALUES ('moving_from', '{mark} of another')"),
    );
    let refused = try_open(&moves.to).await.unwrap_err();
    assert!(matches!(refused, OpenError::Filling(_)), "{refused:?}");
    // Who fills it is somebody else.
    let waits = commit!(store, insert_user(&user(MANY), None));
    assert!(matches!(waits, Err(Error::Busy)), "{waits:?}");
    assert!(matches!(store.ping().await, Err(Error::Busy)));
    server.run(
        &moves.to,
        &format!("UPDATE settings SET value = '{mark}' WHERE name = 'moving_from'"),
    );
    commit!(store, insert_user(&user(MANY), None)).unwrap();
    assert_eq!(server.run(&moves.to, marks), "");
    try_open(&moves.to).await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_was_interrupted() {
    let Some(moves) = Moves::new() else { return };
    let store = moves.filled().await;
    interrupt(&moves).await;
    assert!(moves.triggers() > 50);
    commit!(store, insert_user(&user(MANY), None)).unwrap();
    let refused = try_open(&moves.to).await.unwrap_err();
    assert!(matches!(refused, OpenError::Filling(_)), "{refused:?}");
    assert!(abandon_move(&moves.path, at(2)).unwrap());
    assert!(!abandon_move(&moves.path, at(2)).unwrap());
    assert_eq!(moves.triggers(), 0);
    interrupt(&moves).await;
    // Another source must not take the place of this one.
    let mut other = Moves::new().unwrap();
    other.filled().await;
    other.to.clone_from(&moves.to);
    let refused = other.run(&mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, MoveError::NotEmpty(_)), "{refused:?}");
    let moved = moves.run(&mut |_| {}).await.unwrap();
    assert_eq!(rows(&moved, "users"), u64::from(MANY) + 1);
    assert_eq!(
        moves.read("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'move\\_%' ESCAPE '\\'"),
        0
    );
}

/// Stops half-way through the copy, as a signal that cannot be caught does.
async fn interrupt(moves: &Moves) {
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let mut stop = Some(stop);
    let mut on = |step: MoveStep| {
        if matches!(step, MoveStep::Copied { rows, .. } if rows > 1_000)
            && let Some(stop) = stop.take()
        {
            stop.send(()).unwrap();
        }
    };
    tokio::select! {
        biased;
        _ = stopped => {}
        ended = moves.run(&mut on) => panic!("it came to its end: {ended:?}"),
    }
}

/// Whatever comes in between, a move that has failed leaves the source as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_fails() {
    let Some(moves) = Moves::new() else { return };
    let store = moves.filled().await;
    let server = Postgres::shared().unwrap();
    let mut on = |step: MoveStep| {
        // Somebody writes to the target: only the comparison can tell.
        if matches!(step, MoveStep::CaughtUp { .. }) {
            server.run(
                &moves.to,
                "UPDATE users SET email = 'x' WHERE username_key = 'user7'",
            );
        }
    };
    let refused = moves.run(&mut on).await.unwrap_err();
    assert!(
        matches!(&refused, MoveError::Differs(table) if table == "users"),
        "{refused:?}"
    );
    assert_eq!(moves.triggers(), 0);
    let mut on = |step: MoveStep| {
        if matches!(step, MoveStep::Compared { .. }) {
            moves.meddle("UPDATE move_mark SET id = 'another'");
        }
    };
    let refused = moves.run(&mut on).await.unwrap_err();
    assert!(matches!(refused, MoveError::Overtaken(_)), "{refused:?}");
    assert!(moves.triggers() > 50, "those of another move");
    commit!(store, insert_user(&user(MANY), None)).unwrap();
    assert_eq!(format!("{store:?}"), "Store(\"SQLite\")");
    moves.run(&mut |_| {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn databases_that_are_not_moved_into() {
    let Some(moves) = Moves::new() else { return };
    moves.filled().await.close().await;
    let used = open(&moves.to).await;
    commit!(used, insert_user(&user(1), None)).unwrap();
    let refused = moves.run(&mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, MoveError::NotEmpty(_)), "{refused:?}");
    assert_eq!(moves.triggers(), 0);
    assert!(used.find_user(user_id(1)).await.unwrap().is_some());
    let empty = Postgres::shared().unwrap().url();
    open(&empty).await.close().await;
    move_to_postgres(&moves.path, &empty, ("id", at(2)), &mut |_| {})
        .await
        .unwrap();
    let again = move_to_postgres(&moves.path, &empty, ("id", at(2)), &mut |_| {}).await;
    let again = again.unwrap_err();
    assert!(matches!(again, MoveError::Gone(..)), "{again:?}");
    let server = Postgres::shared().unwrap();
    server.run(&empty, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    let refused = try_open(&moves.from.url).await.unwrap_err();
    assert!(matches!(refused, OpenError::Vanished(_)), "{refused:?}");
}
