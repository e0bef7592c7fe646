//! The way back: from PostgreSQL to a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use symbolon_store::{
    Error, MoveError, MoveStep, OpenError, TableDigest, move_to_postgres, move_to_sqlite,
};
use symbolon_testkit::Postgres;

use super::{MANY, Moves, rows, run_on, try_open};
use crate::harness::{Place, at, commit, open, session_id, user};

/// Breaks all other connections to a database.
const CUT: &str = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

impl Moves {
    /// The way back.
    async fn back_to(
        &self,
        path: &Path,
        on: &mut dyn FnMut(MoveStep),
    ) -> Result<Vec<TableDigest>, MoveError> {
        // The server may still see a connection that was closed.
        for _ in 0..1_000 {
            let ended = move_to_sqlite(&self.to, path, at(3), on).await;
            if !matches!(ended, Err(MoveError::InUse(..) | MoveError::UnderWay(_))) {
                return ended;
            }
        }
        panic!("somebody else is connected");
    }
}

/// At once or not at all.
fn begin_to_write(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.execute_batch("BEGIN IMMEDIATE")
}

/// Stops half-way on the way back.
async fn stop_half_way(moves: &Moves, path: &Path) {
    let (stop, is_stopped) = tokio::sync::oneshot::channel();
    let mut stop = Some(stop);
    let mut on = |step: MoveStep| {
        if matches!(step, MoveStep::Locked)
            && let Some(stop) = stop.take()
        {
            stop.send(()).unwrap();
        }
    };
    tokio::select! {
        biased;
        stopped = is_stopped => stopped.unwrap(),
        ended = moves.back_to(path, &mut on) => panic!("not stopped: {ended:?}"),
    }
}

/// Cut off once the file is committed and PostgreSQL is not; and what is written before it goes on is found.
async fn cut_off_when_whole(moves: &Moves, path: &Path) {
    let mut on = |step: MoveStep| {
        if matches!(step, MoveStep::Compared { .. }) {
            Postgres::shared().unwrap().run(&moves.to, CUT);
        }
    };
    let cut = moves.back_to(path, &mut on).await.unwrap_err();
    assert!(matches!(cut, MoveError::Unfinished(_)), "{cut:?}");
    run_on(path, "INSERT INTO settings (name, value) VALUES ('b', 'c')");
    let refused = moves.back_to(path, &mut |_| {}).await.unwrap_err();
    assert!(
        matches!(&refused, MoveError::Both(_, _, table) if table == "settings"),
        "{refused:?}"
    );
    let refused = try_open(&moves.to).await.unwrap_err();
    assert!(matches!(refused, OpenError::Leaving(..)), "{refused:?}");
    run_on(path, "DELETE FROM settings WHERE name = 'b'");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_and_back_again() {
    let Some(moves) = Moves::new() else { return };
    moves.filled().await.close().await;
    let there = moves.run(&mut |_| {}).await.unwrap();
    let back = Place::file();
    let path = PathBuf::from(back.url.strip_prefix("sqlite:").unwrap());
    let user_of_it = open(&moves.to).await;
    let refused = move_to_sqlite(&moves.to, &path, at(3), &mut |_| {}).await;
    assert!(
        matches!(refused, Err(MoveError::InUse(_, 1..))),
        "{refused:?}"
    );
    user_of_it.close().await;
    // A node whose connections break now, and that comes back later.
    let cut_off = open(&moves.to).await;
    cut_off.ping().await.unwrap();
    Postgres::shared().unwrap().run(&moves.to, CUT);
    let refused = moves.back_to(&moves.path, &mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, MoveError::Gone(..)), "{refused:?}");
    // Nobody is sent to a file in which there is nothing.
    stop_half_way(&moves, &path).await;
    let refused = try_open(&moves.to).await.unwrap_err();
    assert!(matches!(refused, OpenError::Leaving(..)), "{refused:?}");
    let other = path.with_extension("other");
    let refused = moves.back_to(&other, &mut |_| {}).await.unwrap_err();
    assert!(
        matches!(refused, MoveError::Open(OpenError::Leaving(..))),
        "{refused:?}"
    );
    cut_off_when_whole(&moves, &path).await;
    let mut refused = 0;
    let mut on = |step: MoveStep| {
        if matches!(step, MoveStep::Locked) {
            refused += i32::from(begin_to_write(&path).is_err());
        }
    };
    assert_eq!(moves.back_to(&path, &mut on).await.unwrap(), there);
    assert_eq!(refused, 1, "nobody else writes into the file meanwhile");
    let refused = try_open(&moves.to).await.unwrap_err();
    assert!(matches!(refused, OpenError::Left(..)), "{refused:?}");
    for path in [path.clone(), path.with_extension("new")] {
        let again = moves.back_to(&path, &mut |_| {}).await.unwrap_err();
        assert!(matches!(again, MoveError::Gone(..)), "{again:?}");
    }
    for _ in 0..3 {
        let lost = commit!(cut_off, insert_user(&user(MANY), None));
        assert!(matches!(lost, Err(Error::Busy)), "{lost:?}");
    }
    let store = back.open().await;
    assert!(store.find_session(session_id(3)).await.unwrap().is_some());
    commit!(store, insert_user(&user(MANY), None)).unwrap();
    store.close().await;
    let again = Postgres::shared().unwrap().url();
    let moved = move_to_postgres(&path, &again, ("id", at(4)), &mut |_| {})
        .await
        .unwrap();
    assert_eq!(rows(&moved, "users"), u64::from(MANY) + 1);
}
