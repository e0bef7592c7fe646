use symbolon_store::{CodeRow, Error, PushedRow};

use super::{client, digest, is_stale, winners};
use crate::harness::{Place, at, commit, on_every_engine, session, session_id, user_id};

on_every_engine!(
    a6_a_code_is_used_once,
    a8_of_twenty_that_use_a_code_one_wins,
    a9_an_expired_code_is_worth_nothing,
    a10_a_code_of_one_kind_is_none_of_another,
    a17_a_pushed_request_is_used_once,
    b5_what_was_shown_is_not_shown_again,
    what_has_expired_is_purged_in_bites,
    codes_go_with_their_user,
);

/// A code of `shop` for the first user, good until 60,000.
fn code(number: u8) -> CodeRow {
    CodeRow {
        digest: digest(number),
        client: client("shop"),
        user: user_id(1),
        request: "{\"scopes\":\"openid\",\"nonce\":\"\u{fc}\\u0000\"}".into(),
        session: None,
        expires_at: at(60_000),
    }
}

fn pushed(number: u8) -> PushedRow {
    PushedRow {
        digest: digest(number),
        client: client("https://app.example.com/client.json"),
        request: "scope=openid&state=%C3%BC".into(),
        expires_at: at(60_000),
    }
}

async fn a6_a_code_is_used_once(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.find_code(digest(1)).await.unwrap(), None);
    commit!(store, insert_code(&code(1)), insert_code(&code(2))).unwrap();
    assert_eq!(store.find_code(digest(1)).await.unwrap(), Some(code(1)));
    let again = commit!(store, insert_code(&code(1)));
    assert!(matches!(again, Err(Error::Conflict("code"))), "{again:?}");

    let now = at(1_000);
    commit!(
        store,
        take_code(digest(1), session_id(1), now),
        insert_session(&session(1, 1))
    )
    .unwrap();
    let again = commit!(
        store,
        take_code(digest(1), session_id(2), now),
        insert_session(&session(2, 1))
    );
    assert!(is_stale(&again), "{again:?}");
    let made = store.find_session(session_id(2)).await.unwrap();
    assert_eq!(made, None, "the session went with it");
    let used = CodeRow {
        session: Some(session_id(1)),
        ..code(1)
    };
    assert_eq!(
        store.find_code(digest(1)).await.unwrap(),
        Some(used),
        "it tells which session has to end"
    );
    assert_eq!(store.find_code(digest(2)).await.unwrap(), Some(code(2)));
    let unknown = commit!(store, take_code(digest(9), session_id(1), now));
    assert!(is_stale(&unknown), "{unknown:?}");
}

async fn a8_of_twenty_that_use_a_code_one_wins(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_code(&code(1))).unwrap();
    let won = winners(|number| {
        let store = store.clone();
        async move {
            commit!(
                store,
                take_code(digest(1), session_id(number), at(1_000)),
                insert_session(&session(number, 1))
            )
        }
    });
    assert_eq!(won.await, 1);
    let found = store.find_code(digest(1)).await.unwrap().unwrap();
    let sessions = store.page_sessions(None, None, None, 99).await.unwrap();
    let sessions: Vec<_> = sessions.iter().map(|session| session.id).collect();
    assert_eq!(sessions, [found.session.unwrap()]);
}

async fn a9_an_expired_code_is_worth_nothing(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_code(&code(1))).unwrap();
    for now in [60_000, 60_001, 61_000] {
        let late = commit!(store, take_code(digest(1), session_id(1), at(now)));
        assert!(is_stale(&late), "{late:?}");
    }
    assert_eq!(store.find_code(digest(1)).await.unwrap(), Some(code(1)));
    commit!(store, take_code(digest(1), session_id(1), at(59_999))).unwrap();
}

async fn a10_a_code_of_one_kind_is_none_of_another(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        insert_code(&code(1)),
        insert_pushed(&pushed(2)),
        insert_replay(digest(3), at(60_000))
    )
    .unwrap();
    for number in [2, 3] {
        assert_eq!(store.find_code(digest(number)).await.unwrap(), None);
        let refused = commit!(store, take_code(digest(number), session_id(1), at(1)));
        assert!(is_stale(&refused), "{refused:?}");
    }
    for number in [1, 3] {
        assert_eq!(store.find_pushed(digest(number)).await.unwrap(), None);
        let refused = commit!(store, take_pushed(digest(number)));
        assert!(is_stale(&refused), "{refused:?}");
    }
    for number in [1, 2, 3] {
        assert_eq!(store.find_device(digest(number)).await.unwrap(), None);
        let refused = commit!(store, take_device(digest(number), session_id(1), at(1)));
        assert!(is_stale(&refused), "{refused:?}");
    }
}

async fn a17_a_pushed_request_is_used_once(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.find_pushed(digest(1)).await.unwrap(), None);
    commit!(store, insert_pushed(&pushed(1)), insert_pushed(&pushed(2))).unwrap();
    assert_eq!(store.find_pushed(digest(1)).await.unwrap(), Some(pushed(1)));
    let again = commit!(store, insert_pushed(&pushed(1)));
    assert!(
        matches!(again, Err(Error::Conflict("pushed_request"))),
        "{again:?}"
    );
    let won = winners(|_| {
        let store = store.clone();
        async move { commit!(store, take_pushed(digest(1))) }
    });
    assert_eq!(won.await, 1);
    assert_eq!(store.find_pushed(digest(1)).await.unwrap(), None);
    assert_eq!(store.find_pushed(digest(2)).await.unwrap(), Some(pushed(2)));
}

async fn b5_what_was_shown_is_not_shown_again(place: &Place) {
    let store = place.open().await;
    let won = winners(|number| {
        let store = store.clone();
        async move {
            commit!(
                store,
                insert_replay(digest(1), at(i64::from(number) * 1_000))
            )
        }
    });
    assert_eq!(won.await, 1);
    let again = commit!(
        store,
        insert_session(&session(1, 1)),
        insert_replay(digest(1), at(90_000))
    );
    assert!(is_stale(&again), "{again:?}");
    assert_eq!(store.find_session(session_id(1)).await.unwrap(), None);
    commit!(store, insert_replay(digest(2), at(90_000))).unwrap();
    assert_eq!(store.purge_replays(at(20_000), 9).await.unwrap(), 1);
    commit!(store, insert_replay(digest(1), at(90_000))).unwrap();
}

async fn what_has_expired_is_purged_in_bites(place: &Place) {
    let store = place.open().await;
    for number in 1..=10 {
        let expires_at = at(i64::from(number) * 1_000);
        let (mut code, mut pushed) = (code(number), pushed(number));
        (code.expires_at, pushed.expires_at) = (expires_at, expires_at);
        commit!(
            store,
            insert_code(&code),
            insert_pushed(&pushed),
            insert_replay(digest(number), expires_at)
        )
        .unwrap();
    }
    for (before, limit, expected) in [(999, 9, 0), (7_000, 3, 3), (7_000, 9, 4), (7_000, 9, 0)] {
        let before = at(before);
        assert_eq!(store.purge_codes(before, limit).await.unwrap(), expected);
        assert_eq!(store.purge_pushed(before, limit).await.unwrap(), expected);
        assert_eq!(store.purge_replays(before, limit).await.unwrap(), expected);
        if (limit, expected) == (3, 3) {
            let first = store.find_code(digest(3)).await.unwrap();
            assert_eq!(first, None, "the oldest first");
            assert!(store.find_code(digest(4)).await.unwrap().is_some());
        }
    }
    assert_eq!(store.find_code(digest(7)).await.unwrap(), None);
    assert_eq!(store.find_pushed(digest(7)).await.unwrap(), None);
    assert!(store.find_code(digest(8)).await.unwrap().is_some());
    assert!(store.find_pushed(digest(8)).await.unwrap().is_some());
    let shown = commit!(store, insert_replay(digest(8), at(1)));
    assert!(is_stale(&shown), "{shown:?}");
}

async fn codes_go_with_their_user(place: &Place) {
    let store = place.open().await;
    let other = CodeRow {
        user: user_id(2),
        ..code(3)
    };
    commit!(
        store,
        insert_code(&code(1)),
        insert_code(&code(2)),
        insert_code(&other),
        take_code(digest(2), session_id(1), at(1))
    )
    .unwrap();
    commit!(store, delete_user_codes(user_id(1))).unwrap();
    assert_eq!(store.find_code(digest(1)).await.unwrap(), None);
    assert_eq!(store.find_code(digest(2)).await.unwrap(), None);
    assert_eq!(store.find_code(digest(3)).await.unwrap(), Some(other));
    commit!(store, delete_user_codes(user_id(1))).unwrap();
}
