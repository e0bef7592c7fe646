use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use symbolon_domain::revocation::{Effect, Entry, Revocation, Subject};
use symbolon_store::{Error, Watch};
use tokio::time::timeout;

use crate::harness::{Place, at, commit, on_every_engine, session, session_id, user, user_id};

on_every_engine!(
    revocations_are_numbered,
    a_batch_that_fails_leaves_no_revocation,
    numbers_appear_in_their_order,
    dead_revocations_are_purged_in_bites,
    the_epoch_begins_once,
    a_watch_sees_what_changes,
    others_are_told_to_look,
);

/// How long a signal is waited for that must come.
const PATIENCE: Duration = Duration::from_secs(10);

fn of_session(number: u16) -> Revocation {
    Revocation {
        subject: Subject::Session(session_id(number)),
        effect: Effect::Revoked,
        until: at(90_500),
    }
}

async fn revocations_are_numbered(place: &Place) {
    let store = place.open().await;
    let revocations = [
        of_session(1),
        Revocation {
            subject: Subject::User {
                id: user_id(1),
                below: i64::MAX,
            },
            effect: Effect::Stale,
            until: at(1_000),
        },
        Revocation {
            subject: Subject::Token("jti".into()),
            ..of_session(1)
        },
        Revocation {
            subject: Subject::Client {
                id: "shop".into(),
                before_s: 77,
            },
            ..of_session(1)
        },
        Revocation {
            subject: Subject::Key("kid".into()),
            ..of_session(1)
        },
        Revocation {
            subject: Subject::All { before_s: 0 },
            ..of_session(1)
        },
    ];
    commit!(store, insert_revocation(&revocations[0])).unwrap();
    let mut batch = store.batch();
    for revocation in &revocations[1..] {
        batch.insert_revocation(revocation);
    }
    batch.commit().await.unwrap();
    let expected: Vec<Entry> = (1..)
        .zip(&revocations)
        .map(|(seq, revocation)| revocation.entry(seq))
        .collect();
    assert_eq!(store.list_revocations(0, 1_000).await.unwrap(), expected);
    assert_eq!(store.list_revocations(4, 9).await.unwrap(), expected[4..]);
    assert_eq!(store.list_revocations(1, 2).await.unwrap(), expected[1..3]);
    assert_eq!(store.list_revocations(6, 9).await.unwrap(), []);
    let mut latest = expected.clone();
    latest.reverse();
    let found = store.list_latest_revocations(i64::MAX, 1_000).await;
    assert_eq!(found.unwrap(), latest);
    let found = store.list_latest_revocations(5, 2).await;
    assert_eq!(found.unwrap(), latest[2..4]);
    assert_eq!(store.feed().await.unwrap().seq, 6);
}

async fn a_batch_that_fails_leaves_no_revocation(place: &Place) {
    let store = place.open().await;
    let reason = symbolon_domain::EndReason::Logout;
    let stale = commit!(
        store,
        insert_revocation(&of_session(1)),
        end_session(session_id(1), at(1), reason)
    );
    assert!(matches!(stale, Err(Error::Stale)));
    assert_eq!(store.list_revocations(0, 9).await.unwrap(), []);
    commit!(store, insert_session(&session(1, 1))).unwrap();
    commit!(
        store,
        insert_revocation(&of_session(1)),
        end_session(session_id(1), at(1), reason)
    )
    .unwrap();
    assert_eq!(
        store.list_revocations(0, 9).await.unwrap(),
        [of_session(1).entry(1)]
    );
}

/// CONTRACT 3.4: no guard ever skips an entry, whatever is committed late.
async fn numbers_appear_in_their_order(place: &Place) {
    let store = place.open().await;
    let writers: Vec<_> = (0..16u16)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for round in 0..10 {
                    // Of unlike length, so that transactions overlap.
                    let mut batch = store.batch();
                    for filler in 0..writer % 4 {
                        batch.put_setting(&format!("{writer}-{filler}"), "x");
                    }
                    batch.insert_revocation(&of_session(writer * 10 + round));
                    batch.commit().await.unwrap();
                }
            })
        })
        .collect();
    let done = Arc::new(AtomicBool::new(false));
    let follower = {
        let (store, done) = (store.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                let was_done = done.load(Ordering::SeqCst);
                let since = seen.last().map_or(0, |entry: &Entry| entry.seq);
                seen.extend(store.list_revocations(since, 7).await.unwrap());
                if was_done && seen.len() >= 160 {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let seen: Vec<i64> = follower
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.seq)
        .collect();
    assert_eq!(seen, (1..=160).collect::<Vec<_>>());
}

async fn dead_revocations_are_purged_in_bites(place: &Place) {
    let store = place.open().await;
    for number in 1..=6 {
        let revocation = Revocation {
            until: at(i64::from(number) * 1_000),
            ..of_session(number)
        };
        commit!(store, insert_revocation(&revocation)).unwrap();
    }
    assert_eq!(store.purge_revocations(0, 9).await.unwrap(), 0);
    assert_eq!(store.purge_revocations(4, 3).await.unwrap(), 3);
    assert_eq!(store.purge_revocations(4, 3).await.unwrap(), 1);
    let left: Vec<i64> = store
        .list_revocations(0, 9)
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.seq)
        .collect();
    assert_eq!(left, [5, 6]);
    assert_eq!(store.purge_revocations(9, 9).await.unwrap(), 2);
    commit!(store, insert_revocation(&of_session(9))).unwrap();
    assert_eq!(
        store.list_revocations(0, 9).await.unwrap()[0].seq,
        7,
        "numbers are not given twice"
    );
}

async fn the_epoch_begins_once(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.feed().await.unwrap().epoch, "");
    commit!(store, begin_feed("first")).unwrap();
    commit!(store, begin_feed("second")).unwrap();
    assert_eq!(store.feed().await.unwrap().epoch, "first");
    commit!(store, renew_feed("third")).unwrap();
    assert_eq!(store.feed().await.unwrap().epoch, "third");
}

async fn a_watch_sees_what_changes(place: &Place) {
    let store = place.open().await;
    // Another process, where there can be one.
    let other = if place.is_shared() {
        place.open().await
    } else {
        store.clone()
    };
    let mut watch = Watch::default();
    assert!(store.changed(&mut watch).await.unwrap(), "the first time");
    assert!(!store.changed(&mut watch).await.unwrap());

    commit!(
        other,
        insert_user(&user(1), None),
        insert_session(&session(1, 1))
    )
    .unwrap();
    assert!(
        !store.changed(&mut watch).await.unwrap(),
        "nothing that is held in memory"
    );
    for writer in [&store, &other] {
        commit!(writer, insert_revocation(&of_session(1))).unwrap();
        assert!(store.changed(&mut watch).await.unwrap());
        assert!(!store.changed(&mut watch).await.unwrap());
        commit!(writer, put_setting("issuer", "x")).unwrap();
        assert!(store.changed(&mut watch).await.unwrap());
        commit!(writer, renew_feed("again")).unwrap();
        assert!(store.changed(&mut watch).await.unwrap());
        assert!(!store.changed(&mut watch).await.unwrap());
    }
    let mut second = Watch::default();
    assert!(
        store.changed(&mut second).await.unwrap(),
        "each watch for itself"
    );
    assert!(!store.changed(&mut watch).await.unwrap());
}

async fn others_are_told_to_look(place: &Place) {
    let (writer, reader) = (place.open().await, place.open().await);
    let mut watch = Watch::default();
    assert!(reader.changed(&mut watch).await.unwrap());
    assert_eq!(reader.pause(), Duration::from_millis(10));
    let time = reader.time().await.unwrap();
    assert_eq!(time.is_none(), reader.is_embedded());
    assert!(time.is_none_or(|time| time > at(1_700_000_000_000)));
    if reader.is_embedded() {
        // Looking is so cheap there that nobody needs to be told.
        let told = timeout(Duration::ZERO, reader.signalled()).await;
        return assert!(told.is_err());
    }
    // Listening has begun once it has heard itself.
    while reader.pause() == Duration::from_millis(10) {
        timeout(PATIENCE, reader.signalled()).await.unwrap();
    }
    commit!(writer, insert_revocation(&of_session(1))).unwrap();
    while !reader.changed(&mut watch).await.unwrap() {
        timeout(PATIENCE, reader.signalled()).await.unwrap();
    }
    commit!(writer, put_setting("name", "value")).unwrap();
    while !reader.changed(&mut watch).await.unwrap() {
        timeout(PATIENCE, reader.signalled()).await.unwrap();
    }
}
