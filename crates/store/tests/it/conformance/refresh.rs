//! Decisions that are taken between the read and the write.

use symbolon_domain::{EndReason, Session, User};
use symbolon_store::Error;

use crate::harness::{
    Place, at, commit, next, on_every_engine, session, session_id, user, user_id,
};

on_every_engine!(
    what_was_decided_is_stored,
    a_decision_may_be_to_write_nothing,
    decisions_follow_each_other,
    a_decision_sees_no_half_of_a_batch,
    a_decision_that_panics_harms_nobody,
);

async fn what_was_decided_is_stored(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        insert_user(&user(1), None),
        insert_session(&session(1, 1))
    )
    .unwrap();
    let following = next(&session(1, 1).refresh, 11_000);
    let decide = move |found: Option<(Session, User, i64)>| {
        assert_eq!(found, Some((session(1, 1), user(1), 0)));
        (Some(following), "rotated")
    };
    let outcome = store.update_refresh(session_id(1), at(12_000), decide);
    assert_eq!(outcome.await.unwrap(), "rotated");
    let expected = Session {
        refresh: following,
        last_used_at: at(12_000),
        ..session(1, 1)
    };
    let found = store.find_session(session_id(1)).await.unwrap();
    assert_eq!(found, Some(expected));
}

async fn a_decision_may_be_to_write_nothing(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        insert_session(&session(1, 1)),
        insert_session(&session(2, 2)),
        insert_user(&user(2), None)
    )
    .unwrap();
    for (number, is_there) in [(1, false), (2, true), (3, false)] {
        let decide = |found: Option<(Session, User, i64)>| (None, found.is_some());
        let found = store.update_refresh(session_id(number), at(12_000), decide);
        assert_eq!(found.await.unwrap(), is_there, "{number}");
    }
    // Without anything to replace, nothing is stored.
    let decide = |_| (Some(next(&session(1, 1).refresh, 1)), ());
    let unknown = store.update_refresh(session_id(3), at(1), decide);
    unknown.await.unwrap();
    let found = store.find_session(session_id(2)).await.unwrap();
    assert_eq!(found, Some(session(2, 2)));
}

/// Each on what the one before it left, whoever else writes.
async fn decisions_follow_each_other(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        insert_user(&user(1), None),
        insert_session(&session(1, 1))
    )
    .unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut given = Vec::new();
                while given.len() < 5 {
                    let decide = |found: Option<(Session, User, i64)>| {
                        let following = next(&found.unwrap().0.refresh, 11_000);
                        (Some(following), following.generation)
                    };
                    let outcome = store.update_refresh(session_id(1), at(11_000), decide);
                    match outcome.await {
                        Ok(generation) => given.push(generation),
                        Err(Error::Stale) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
                given
            })
        })
        .collect();
    let mut given = Vec::new();
    for task in tasks {
        given.extend(task.await.unwrap());
    }
    given.sort_unstable();
    assert_eq!(given, (1..=40).collect::<Vec<_>>(), "none twice");
    let found = store.find_session(session_id(1)).await.unwrap().unwrap();
    assert_eq!(found.refresh.generation, 40);
}

/// On SQLite it shares a transaction with others, of which some are undone.
async fn a_decision_sees_no_half_of_a_batch(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        insert_user(&user(1), None),
        insert_session(&session(1, 1))
    )
    .unwrap();
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let undone = commit!(
                    store,
                    end_session(session_id(1), at(11_000), EndReason::Logout),
                    delete_user(user_id(9), 1)
                );
                assert!(matches!(undone, Err(Error::Stale)), "{undone:?}");
            })
        })
        .collect();
    for _ in 0..40 {
        let decide = |found: Option<(Session, User, i64)>| (None, found.unwrap().0.ended);
        let ended = store.update_refresh(session_id(1), at(12_000), decide);
        assert_eq!(ended.await.unwrap(), None);
    }
    for task in tasks {
        task.await.unwrap();
    }
}

async fn a_decision_that_panics_harms_nobody(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        insert_user(&user(1), None),
        insert_session(&session(1, 1))
    )
    .unwrap();
    let clumsy = store.clone();
    let panicked = tokio::spawn(async move {
        let decide = |_: Option<(Session, User, i64)>| -> (_, ()) { panic!("on purpose") };
        clumsy.update_refresh(session_id(1), at(1), decide).await
    });
    assert!(!matches!(panicked.await, Ok(Ok(()))));
    commit!(store, put_setting("after", "x")).unwrap();
    let found = store.find_session(session_id(1)).await.unwrap();
    assert_eq!(found, Some(session(1, 1)));
}
