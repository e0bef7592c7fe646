use std::time::Duration;

use symbolon_domain::{EndReason, Ended, Session};
use symbolon_store::{Error, Store};

use crate::harness::{Place, at, commit, on_every_engine, session, session_id, user_id};

on_every_engine!(
    live_sessions_are_listed,
    the_domain_judges_the_same,
    an_ending_is_compared_and_set,
    sessions_of_a_user_are_ended,
    others_are_ended_by_number,
    expired_sessions_are_purged_in_bites,
);

/// Made one after the other; the fourth of another user, the fifth ended.
async fn five_sessions(store: &Store) {
    for number in 1..=5u16 {
        let made = at(10_000 + i64::from(number));
        let mut one = Session {
            created_at: made,
            last_used_at: made,
            ..session(number, 1)
        };
        one.user = user_id(if number == 4 { 2 } else { 1 });
        one.ended = (number == 5).then_some(Ended {
            at: made,
            reason: EndReason::Logout,
        });
        commit!(store, insert_session(&one)).unwrap();
    }
}

async fn live_sessions_are_listed(place: &Place) {
    let store = place.open().await;
    five_sessions(&store).await;
    let live = async |now, limit| -> Vec<_> {
        let found = store
            .list_sessions(user_id(1), at(now), limit)
            .await
            .unwrap();
        found.iter().map(|session| session.id).collect()
    };
    let ids = |numbers: &[u16]| {
        numbers
            .iter()
            .map(|number| session_id(*number))
            .collect::<Vec<_>>()
    };
    assert_eq!(live(10_010, 1_000).await, ids(&[3, 2, 1]));
    assert_eq!(live(10_010, 2).await, ids(&[3, 2]));
    assert_eq!(
        store
            .count_live_sessions(user_id(1), at(10_010))
            .await
            .unwrap(),
        3
    );
    // As the domain judges: over at the very moment.
    assert_eq!(live(15_001, 9).await, ids(&[3, 2]));
    assert_eq!(live(15_003, 9).await, ids(&[]));
    assert_eq!(
        store
            .count_live_sessions(user_id(1), at(15_003))
            .await
            .unwrap(),
        0
    );
    let over = Session {
        idle_ttl: Duration::from_hours(1),
        expires_at: at(20_000),
        ..session(6, 3)
    };
    commit!(store, insert_session(&over)).unwrap();
    assert_eq!(
        store
            .count_live_sessions(user_id(3), at(19_999))
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .count_live_sessions(user_id(3), at(20_000))
            .await
            .unwrap(),
        0
    );
}

async fn the_domain_judges_the_same(place: &Place) {
    let store = place.open().await;
    five_sessions(&store).await;
    for now in [10_010, 15_000, 15_001, 15_002, 15_003] {
        let alive = async |number| {
            let found = store
                .find_session(session_id(number))
                .await
                .unwrap()
                .unwrap();
            found.user == user_id(1) && found.life(at(now)) == symbolon_domain::Life::Live
        };
        let mut expected = Vec::new();
        for number in [5, 4, 3, 2, 1] {
            if alive(number).await {
                expected.push(session_id(number));
            }
        }
        let listed = store.list_sessions(user_id(1), at(now), 9).await.unwrap();
        let listed: Vec<_> = listed.iter().map(|session| session.id).collect();
        assert_eq!(listed, expected, "at {now}");
    }
}

/// Three sessions of one user and one of another.
async fn four_sessions(store: &Store) {
    for number in 1..=4 {
        let owner = if number == 4 { 2 } else { 1 };
        commit!(store, insert_session(&session(number, owner))).unwrap();
    }
}

async fn ending_of(store: &Store, number: u16) -> Option<(i64, EndReason)> {
    let found = store.find_session(session_id(number)).await.unwrap();
    found
        .unwrap()
        .ended
        .map(|ended| (ended.at.millis(), ended.reason))
}

async fn an_ending_is_compared_and_set(place: &Place) {
    let store = place.open().await;
    four_sessions(&store).await;
    commit!(store, end_session(session_id(1), at(11), EndReason::Logout)).unwrap();
    for number in [1, 9] {
        let refused = commit!(
            store,
            end_session(session_id(number), at(12), EndReason::Revoked)
        );
        assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
    }
    assert_eq!(ending_of(&store, 1).await, Some((11, EndReason::Logout)));
    assert_eq!(ending_of(&store, 2).await, None);
}

async fn sessions_of_a_user_are_ended(place: &Place) {
    let store = place.open().await;
    four_sessions(&store).await;
    let (owner, kept) = (user_id(1), session_id(2));
    commit!(store, end_session(session_id(1), at(11), EndReason::Logout)).unwrap();
    commit!(
        store,
        end_user_sessions(owner, Some(kept), at(13), EndReason::LogoutAll)
    )
    .unwrap();
    assert_eq!(
        ending_of(&store, 1).await,
        Some((11, EndReason::Logout)),
        "the first ending stands"
    );
    assert_eq!(ending_of(&store, 2).await, None);
    assert_eq!(ending_of(&store, 3).await, Some((13, EndReason::LogoutAll)));
    commit!(
        store,
        end_user_sessions(owner, None, at(14), EndReason::Disabled)
    )
    .unwrap();
    assert_eq!(ending_of(&store, 2).await, Some((14, EndReason::Disabled)));
    assert_eq!(ending_of(&store, 4).await, None, "of another user");
    // There is none left, which is good as well.
    commit!(
        store,
        end_user_sessions(owner, None, at(15), EndReason::Disabled)
    )
    .unwrap();

    commit!(store, delete_user_sessions(owner)).unwrap();
    assert_eq!(store.find_session(session_id(1)).await.unwrap(), None);
    assert_eq!(ending_of(&store, 4).await, None);
}

async fn others_are_ended_by_number(place: &Place) {
    let store = place.open().await;
    for number in 1..=4 {
        commit!(store, insert_session(&session(number, 1))).unwrap();
    }
    let long_ago = Session {
        last_used_at: at(1),
        ..session(5, 1)
    };
    commit!(
        store,
        insert_session(&long_ago),
        end_session(session_id(4), at(10), EndReason::Logout)
    )
    .unwrap();
    let moment = (at(10_500), EndReason::PasswordChanged);
    for number in [1, 3] {
        let refused = commit!(
            store,
            end_other_sessions(user_id(1), session_id(1), number, moment)
        );
        assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
        assert_eq!(
            store
                .count_live_sessions(user_id(1), moment.0)
                .await
                .unwrap(),
            3,
            "nothing was ended"
        );
    }
    commit!(
        store,
        end_other_sessions(user_id(1), session_id(1), 2, moment)
    )
    .unwrap();
    let left = store.list_sessions(user_id(1), moment.0, 9).await.unwrap();
    assert_eq!(left, [session(1, 1)]);
    commit!(
        store,
        end_other_sessions(user_id(1), session_id(1), 0, moment)
    )
    .unwrap();
}

async fn expired_sessions_are_purged_in_bites(place: &Place) {
    let store = place.open().await;
    for number in 1..=10 {
        let over = Session {
            expires_at: at(i64::from(number) * 1_000),
            ..session(number, 1)
        };
        commit!(store, insert_session(&over)).unwrap();
    }
    assert_eq!(store.purge_sessions(at(999), 100).await.unwrap(), 0);
    assert_eq!(store.purge_sessions(at(7_000), 3).await.unwrap(), 3);
    assert!(
        store.find_session(session_id(3)).await.unwrap().is_none(),
        "the oldest first"
    );
    assert!(store.find_session(session_id(4)).await.unwrap().is_some());
    assert_eq!(store.purge_sessions(at(7_000), 100).await.unwrap(), 4);
    assert!(store.find_session(session_id(7)).await.unwrap().is_none());
    assert!(store.find_session(session_id(8)).await.unwrap().is_some());
    assert_eq!(store.purge_sessions(at(7_000), 100).await.unwrap(), 0);
}
