use symbolon_domain::{EndReason, User};
use symbolon_store::Error;

use crate::harness::{
    Place, at, commit, next, on_every_engine, session, session_id, user, user_id,
};

on_every_engine!(
    all_or_nothing,
    a_batch_is_empty_after_its_commit,
    each_of_many_gets_its_own_answer,
    a_text_with_a_zero_harms_nobody,
    a_caller_that_goes_away_harms_nobody,
);

async fn all_or_nothing(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_user(&user(1), None)).unwrap();
    let taken = User {
        email: user(1).email,
        ..user(3)
    };
    let conflict = commit!(
        store,
        insert_session(&session(1, 1)),
        bump_token_version(user_id(1), 1, at(2)),
        insert_user(&taken, None),
        insert_session(&session(2, 1))
    );
    assert!(
        matches!(conflict, Err(Error::Conflict("email"))),
        "{conflict:?}"
    );
    let stale = commit!(
        store,
        insert_session(&session(1, 1)),
        bump_token_version(user_id(1), 1, at(2)),
        end_session(session_id(3), at(2), EndReason::Logout),
        insert_session(&session(2, 1))
    );
    assert!(matches!(stale, Err(Error::Stale)), "{stale:?}");
    assert_eq!(store.find_user(user_id(1)).await.unwrap().unwrap(), user(1));
    assert_eq!(store.find_session(session_id(1)).await.unwrap(), None);
    assert_eq!(store.find_session(session_id(2)).await.unwrap(), None);
}

async fn a_batch_is_empty_after_its_commit(place: &Place) {
    let store = place.open().await;
    let mut batch = store.batch();
    assert!(batch.is_empty());
    batch.commit().await.unwrap();
    batch.put_setting("a", "1").begin_feed("e");
    assert!(!batch.is_empty());
    batch.commit().await.unwrap();
    assert!(batch.is_empty());
    commit!(store, put_setting("a", "2")).unwrap();
    batch.commit().await.unwrap();
    assert_eq!(store.find_setting("a").await.unwrap().as_deref(), Some("2"));
}

/// Batches of one statement and of several, good ones, stale ones and such that conflict, all at once.
async fn each_of_many_gets_its_own_answer(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_user(&user(0), None)).unwrap();
    let tasks: Vec<_> = (1..=200u16)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let first = session(number, number).refresh;
                match number % 5 {
                    0 => commit!(
                        store,
                        rotate_session(session_id(number), &first, &next(&first, 1), at(1))
                    ),
                    1 => commit!(store, insert_session(&session(number, number))),
                    2 => {
                        let taken = User {
                            email: user(0).email,
                            ..user(number)
                        };
                        commit!(
                            store,
                            insert_session(&session(number, number)),
                            insert_user(&taken, None)
                        )
                    }
                    3 => commit!(
                        store,
                        insert_session(&session(number, number)),
                        end_session(session_id(1_000), at(1), EndReason::Logout)
                    ),
                    _ => commit!(
                        store,
                        insert_session(&session(number, number)),
                        insert_user(&user(number), None)
                    ),
                }
            })
        })
        .collect();
    for (number, task) in (1..=200u16).zip(tasks) {
        let outcome = task.await.unwrap();
        let is_stored = store
            .find_session(session_id(number))
            .await
            .unwrap()
            .is_some();
        let is_right = match number % 5 {
            0 | 3 => matches!(outcome, Err(Error::Stale)) && !is_stored,
            2 => matches!(outcome, Err(Error::Conflict("email"))) && !is_stored,
            _ => outcome.is_ok() && is_stored,
        };
        assert!(is_right, "{number}: {outcome:?}, stored: {is_stored}");
    }
}

/// Whoever parses keeps it out; PostgreSQL refuses it, SQLite keeps it.
async fn a_text_with_a_zero_harms_nobody(place: &Place) {
    let store = place.open().await;
    let outcome = commit!(store, put_setting("a\0b", "c\0d"));
    assert!(
        matches!(outcome, Ok(()) | Err(Error::Fault(_))),
        "{outcome:?}"
    );
    let outcome = commit!(store, put_setting("good", "1"), put_setting("a\0b", "c\0d"));
    let is_stored = store.find_setting("good").await.unwrap().is_some();
    assert_eq!(outcome.is_ok(), is_stored);
    let outcome = store.find_user_by_email("a\0b").await;
    assert!(
        matches!(outcome, Ok(None) | Err(Error::Fault(_))),
        "{outcome:?}"
    );
    commit!(store, put_setting("good", "2")).unwrap();
}

/// As when a client hangs up: whatever becomes of its batch, it is all or nothing, and the next one is served.
async fn a_caller_that_goes_away_harms_nobody(place: &Place) {
    let store = place.open().await;
    for number in 0..40u16 {
        let mut batch = store.batch();
        batch
            .insert_session(&session(number, 1))
            .insert_user(&user(number), None);
        let polls = number % 4;
        let mut commit = Box::pin(batch.commit());
        for _ in 0..polls {
            let once = std::future::poll_fn(|context| {
                std::task::Poll::Ready(commit.as_mut().poll(context))
            });
            if once.await.is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(commit);
    }
    commit!(store, put_setting("after", "x")).unwrap();
    assert_eq!(
        store.find_setting("after").await.unwrap().as_deref(),
        Some("x")
    );
    store.close().await;
    if place.is_shared() {
        let store = place.open().await;
        for number in 0..40 {
            let session = store.find_session(session_id(number)).await.unwrap();
            let user = store.find_user(user_id(number)).await.unwrap();
            assert_eq!(session.is_some(), user.is_some(), "{number}");
        }
    }
}
