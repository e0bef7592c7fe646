//! What only shows from inside: a full disk, a thread that died, a queue that is full, a long log.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::{env, fs, process};

use symbolon_domain::Timestamp;

use super::*;
use crate::statement::Expect;

/// A database in a folder that goes with the value.
struct Place {
    folder: PathBuf,
}

impl Place {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("symbolon-store-unit-{}-{name}", process::id()));
        fs::create_dir(&folder).unwrap();
        Self { folder }
    }

    fn open(&self) -> Sqlite {
        let sqlite = Sqlite::open(&self.folder.join("s.db"), &OpenOptions::default()).unwrap();
        sqlite.migrate(Timestamp::from_millis(1)).unwrap();
        sqlite
    }

    fn size(&self, name: &str) -> u64 {
        fs::metadata(self.folder.join(name)).unwrap().len()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn put(name: &str, value: String) -> Vec<Statement> {
    let text = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    vec![Statement {
        text,
        values: vec![name.to_owned().into(), value.into()],
        expect: Expect::One,
    }]
}

fn value_of(sqlite: &Sqlite, name: &str) -> Option<String> {
    let text = "SELECT value FROM settings WHERE name = $1";
    sqlite
        .find(text, &[name.to_owned().into()], |row| row.text(0))
        .unwrap()
}

fn pragma(sqlite: &Sqlite, text: &str) -> i64 {
    lock(&sqlite.main)
        .as_ref()
        .unwrap()
        .query_row(text, [], |row| row.get(0))
        .unwrap()
}

#[tokio::test]
async fn a_full_disk_is_a_fault_and_passes() {
    let place = Place::new("full");
    let sqlite = place.open();
    sqlite.write(put("before", "x".into())).await.unwrap();
    let pages = pragma(&sqlite, "PRAGMA page_count");
    pragma(&sqlite, &format!("PRAGMA max_page_count = {pages}"));

    let (big, beside) = tokio::join!(
        sqlite.write(put("big", "x".repeat(100_000))),
        sqlite.write(
            put("other", "y".repeat(100_000))
                .into_iter()
                .chain(put("third", "z".into()))
                .collect()
        ),
    );
    assert!(
        matches!(big, Err(Unwritten::Failed(Error::Fault(_)))),
        "{big:?}"
    );
    assert!(
        matches!(beside, Err(Unwritten::Failed(Error::Fault(_)))),
        "{beside:?}"
    );
    for name in ["big", "other", "third"] {
        assert_eq!(value_of(&sqlite, name), None);
    }
    assert_eq!(value_of(&sqlite, "before").as_deref(), Some("x"));

    pragma(&sqlite, "PRAGMA max_page_count = 1000000");
    sqlite.write(put("big", "x".repeat(100_000))).await.unwrap();
    assert_eq!(
        value_of(&sqlite, "big").map(|value| value.len()),
        Some(100_000)
    );
}

#[tokio::test]
async fn a_dead_writer_is_a_fault_and_no_wait() {
    let place = Place::new("dead");
    let sqlite = place.open();
    // Without its connection the thread ends.
    drop(lock(&sqlite.main).take());
    for _ in 0..3 {
        let outcome = sqlite.write(put("a", "b".into())).await;
        assert!(
            matches!(outcome, Err(Unwritten::Failed(Error::Fault(_)))),
            "{outcome:?}"
        );
    }
    sqlite.close().await;
}

#[tokio::test]
async fn a_full_queue_is_busy_and_nothing_is_lost() {
    let place = Place::new("queue");
    let sqlite = place.open();
    // As a slow disk does.
    let held = lock(&sqlite.main);
    let mut waiting = Vec::new();
    loop {
        let number = waiting.len();
        let mut write = Box::pin(sqlite.write(put(&number.to_string(), "x".into())));
        match write.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => waiting.push(write),
            Poll::Ready(refused) => {
                assert!(
                    matches!(refused, Err(Unwritten::Failed(Error::Busy))),
                    "{refused:?}"
                );
                break;
            }
        }
        assert!(number < 10_000, "there is a limit");
    }
    let accepted = waiting.len();
    assert!(accepted >= 4_096, "{accepted}");
    drop(held);
    for write in waiting {
        write.await.unwrap();
    }
    let stored = sqlite
        .find("SELECT count(*) FROM settings", &[], |row| row.int(0))
        .unwrap();
    assert_eq!(stored, Some(i64::try_from(accepted).unwrap()));
}

#[tokio::test]
async fn closing_writes_what_waits() {
    let place = Place::new("closing");
    let sqlite = place.open();
    let held = lock(&sqlite.main);
    let mut write = pin!(sqlite.write(put("a", "b".into())));
    assert!(
        write
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    drop(held);
    sqlite.close().await;
    write.await.unwrap();
    assert!(
        !place.folder.join("s.db-wal").exists(),
        "copied back and removed"
    );
    assert_eq!(value_of(&place.open(), "a").as_deref(), Some("b"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_short_under_load() {
    let place = Place::new("log");
    let sqlite = place.open();
    let megabyte = "x".repeat(1 << 20);
    let mut longest = 0;
    for round in 0..256 {
        sqlite
            .write(put("a", format!("{round}{megabyte}")))
            .await
            .unwrap();
        longest = longest.max(place.size("s.db-wal"));
    }
    // 256 MiB went through it.
    assert!(longest < 160 << 20, "{longest}");
    let value = value_of(&sqlite, "a").unwrap();
    assert!(value.starts_with("255x"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_holds_nobody_up() {
    let place = Place::new("reader");
    let sqlite = place.open();
    sqlite.write(put("a", "old".into())).await.unwrap();
    let reader = open::reader(&place.folder.join("s.db")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let seen = || {
        reader.query_row("SELECT value FROM settings WHERE name = 'a'", [], |row| {
            row.get::<_, String>(0)
        })
    };
    assert_eq!(seen().unwrap(), "old");
    let filling = "x".repeat(1 << 20);
    for round in 0..96 {
        sqlite
            .write(put("b", format!("{round}{filling}")))
            .await
            .unwrap();
    }
    sqlite.write(put("a", "new".into())).await.unwrap();
    assert_eq!(seen().unwrap(), "old", "its snapshot is intact");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(seen().unwrap(), "new");
    let long = place.size("s.db-wal");
    for round in 0..96 {
        sqlite
            .write(put("b", format!("{round}{filling}")))
            .await
            .unwrap();
    }
    assert!(
        place.size("s.db-wal") < long + (96 << 20),
        "the log begins anew once the reader is gone"
    );
}

#[test]
fn connections_are_set_as_promised() {
    let place = Place::new("settings");
    let sqlite = place.open();
    assert_eq!(pragma(&sqlite, "PRAGMA synchronous"), 2, "FULL");
    assert_eq!(
        pragma(&sqlite, "PRAGMA application_id"),
        i64::from(open::APPLICATION_ID)
    );
    let mode = lock(&sqlite.main)
        .as_ref()
        .unwrap()
        .query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0));
    assert_eq!(mode.unwrap(), "wal");
    let refused = sqlite.readers.with(|connection| {
        Ok(connection
            .execute("DELETE FROM settings", [])
            .map_err(|error| error.sqlite_error_code()))
    });
    assert_eq!(refused.unwrap(), Err(Some(rusqlite::ErrorCode::ReadOnly)));
}

/// Without stable plans SQLite prepares a join again for each value that is bound.
#[test]
fn statements_are_prepared_once() {
    let place = Place::new("prepared");
    let sqlite = place.open();
    let prepared_again = |connection: &Connection| {
        for (name, text) in crate::tables::all() {
            let Ok(mut statement) = connection.prepare(text) else {
                continue;
            };
            for value in 0..4 {
                let values = vec![Value::Digest([value; 32]); statement.parameter_count()];
                // Whatever comes out: the values fit few of them.
                let _ = statement
                    .query(params_from_iter(values))
                    .map(|mut rows| rows.next().map(drop));
            }
            let again = statement.get_status(rusqlite::StatementStatus::RePrepare);
            assert_eq!(again, 0, "{name}");
        }
        Ok(())
    };
    sqlite.readers.with(prepared_again).unwrap();
    let main = lock(&sqlite.main);
    main.as_ref().unwrap().execute_batch("BEGIN").unwrap();
    prepared_again(main.as_ref().unwrap()).unwrap();
}

#[tokio::test]
async fn closing_waits_for_reads_that_have_begun() {
    let place = Place::new("reading");
    let sqlite = place.open();
    sqlite.write(put("name", "value".into())).await.unwrap();
    let mut closing = Box::pin(sqlite.close());
    let mut context = Context::from_waker(Waker::noop());
    let during = sqlite.readers.with(|connection| {
        assert!(closing.as_mut().poll(&mut context).is_pending());
        // The one that writes, which must be the last to go, goes on.
        assert!(sqlite.writer.is_open());
        Ok(
            connection.query_row("SELECT count(*) FROM settings", [], |row| {
                row.get::<_, i64>(0)
            }),
        )
    });
    assert!(during.unwrap().unwrap() > 0);
    closing.await;
    assert!(!place.folder.join("s.db-wal").exists());
    assert!(sqlite.readers.with(|_| Ok(())).is_err());
}

/// Also of another process's, and where the database is named by a link.
#[tokio::test]
async fn the_index_of_the_log_tells_of_each_commit() {
    let place = Place::new("index");
    let one = place.open();
    std::os::unix::fs::symlink("s.db", place.folder.join("link.db")).unwrap();
    let two = Sqlite::open(&place.folder.join("link.db"), &OpenOptions::default()).unwrap();
    let header = |sqlite: &Sqlite| sqlite.index.as_ref().unwrap().header().unwrap();
    for round in 0..50 {
        let before = header(&one);
        let writer = if round % 2 == 0 { &two } else { &one };
        writer.write(put("name", round.to_string())).await.unwrap();
        let after = header(&one);
        assert_ne!(after, before);
        assert_eq!(value_of(&two, "name"), Some(round.to_string()));
        assert_eq!((header(&one), header(&two)), (after, after));
    }
    let told = one.moment();
    assert!(told.is_some());
    assert_eq!(one.moment(), told);
    one.close().await;
    assert_ne!(one.moment(), told);
}

#[test]
fn an_index_that_is_not_understood_tells_nothing() {
    let place = Place::new("foreign-index");
    let file = place.folder.join("s.db");
    fs::write(&file, "").unwrap();
    assert!(Index::of(&file).is_err());
    let version = 3_007_000_u32.to_ne_bytes();
    let told = |version: &[u8], filled: u8, length: usize| {
        let mut bytes = version.to_vec();
        bytes.extend([0, 0, 0, 0, 7, 0, 0, 0, filled]);
        bytes.resize(length, 0);
        fs::write(place.folder.join("s.db-shm"), bytes).unwrap();
        Index::of(&file).unwrap().header().is_some()
    };
    assert!(told(&version, 1, 48));
    assert!(!told(&version, 0, 48));
    assert!(!told(&[9, 9, 9, 9], 1, 48));
    assert!(!told(&version, 1, 47));
}
