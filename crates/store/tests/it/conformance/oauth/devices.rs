use std::time::Duration;

use symbolon_domain::oauth::{DeviceState, UserCode};
use symbolon_domain::{SessionId, Timestamp, UserId};
use symbolon_store::{DeviceRow, Error, Store};

use super::{client, digest, is_stale, winners};
use crate::harness::{Place, at, commit, on_every_engine, session, session_id, user_id};

on_every_engine!(
    a_device_waits_under_a_code_of_its_own,
    a_device_is_decided_upon_while_it_waits,
    one_of_twenty_decisions_counts,
    a_device_that_was_refused_gets_nothing,
    a20_each_question_is_noted_once,
    a20_an_agreement_is_used_once,
    devices_that_have_expired_are_purged_in_bites,
    devices_go_with_who_decided,
);

const PAUSE: Duration = Duration::from_secs(5);
const USER_CODES: [&str; 6] = [
    "BCDFGHJK", "BCDFGHJL", "BCDFGHJM", "BCDFGHJN", "BCDFGHJP", "BCDFGHJQ",
];

/// A device that waits until 60,000.
fn device(number: u8) -> DeviceRow {
    DeviceRow {
        digest: digest(number),
        user_code: UserCode::parse(USER_CODES[usize::from(number)]).unwrap(),
        client: client("tv"),
        request: "{\"scopes\":\"openid\"}".into(),
        state: DeviceState::Pending,
        auth_time: None,
        browser: None,
        polled_at: None,
        pause: PAUSE,
        expires_at: at(60_000),
    }
}

/// The same after the first user agreed.
fn approved(number: u8) -> DeviceRow {
    DeviceRow {
        state: DeviceState::Approved(user_id(1)),
        auth_time: Some(at(900)),
        browser: Some(session_id(7)),
        request: SHOWN.into(),
        ..device(number)
    }
}

/// What the person was shown of it.
const SHOWN: &str = "{\"scopes\":\"\"}";

/// That the first user agrees.
fn agreement() -> Option<(UserId, Timestamp, SessionId, &'static str)> {
    Some((user_id(1), at(900), session_id(7), SHOWN))
}

async fn found(store: &Store, number: u8) -> Option<DeviceRow> {
    store.find_device(digest(number)).await.unwrap()
}

async fn a_device_waits_under_a_code_of_its_own(place: &Place) {
    let store = place.open().await;
    let code = device(1).user_code;
    assert_eq!(found(&store, 1).await, None);
    let by_code = store.find_device_by_user_code(&code).await.unwrap();
    assert_eq!(by_code, None);
    commit!(store, insert_device(&device(1)), insert_device(&device(2))).unwrap();
    assert_eq!(found(&store, 1).await, Some(device(1)));
    let by_code = store.find_device_by_user_code(&code).await.unwrap();
    assert_eq!(by_code, Some(device(1)));

    let same_code = DeviceRow {
        user_code: code,
        ..device(3)
    };
    let taken = commit!(store, insert_device(&same_code));
    assert!(
        matches!(taken, Err(Error::Conflict("user_code"))),
        "{taken:?}"
    );
    assert_eq!(found(&store, 3).await, None);
    let same_digest = DeviceRow {
        digest: digest(1),
        ..device(3)
    };
    let taken = commit!(store, insert_device(&same_digest));
    assert!(
        matches!(taken, Err(Error::Conflict("device_code"))),
        "{taken:?}"
    );
}

async fn a_device_is_decided_upon_while_it_waits(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_device(&device(1)), insert_device(&device(2))).unwrap();
    for now in [60_000, 61_000] {
        let late = commit!(store, decide_device(digest(1), agreement(), at(now)));
        assert!(is_stale(&late), "{late:?}");
    }
    assert_eq!(found(&store, 1).await, Some(device(1)));
    commit!(store, decide_device(digest(1), agreement(), at(59_999))).unwrap();
    assert_eq!(found(&store, 1).await, Some(approved(1)));
    let another = Some((user_id(2), at(950), session_id(8), SHOWN));
    for decision in [agreement(), another, None] {
        let again = commit!(store, decide_device(digest(1), decision, at(1_000)));
        assert!(is_stale(&again), "{again:?}");
    }
    assert_eq!(
        found(&store, 1).await,
        Some(approved(1)),
        "the first counts"
    );
    assert_eq!(found(&store, 2).await, Some(device(2)), "a bystander");
    let unknown = commit!(store, decide_device(digest(9), agreement(), at(1_000)));
    assert!(is_stale(&unknown), "{unknown:?}");
}

async fn one_of_twenty_decisions_counts(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_device(&device(1))).unwrap();
    let won = winners(|number| {
        let store = store.clone();
        let decision = (number % 2 == 0).then(|| (user_id(number), at(900), session_id(7), SHOWN));
        async move { commit!(store, decide_device(digest(1), decision, at(1_000))) }
    });
    assert_eq!(won.await, 1);
    let state = found(&store, 1).await.unwrap().state;
    assert!(
        matches!(state, DeviceState::Approved(_) | DeviceState::Denied),
        "{state:?}"
    );
}

async fn a_device_that_was_refused_gets_nothing(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_device(&device(1))).unwrap();
    let early = commit!(store, take_device(digest(1), session_id(1), at(1_000)));
    assert!(is_stale(&early), "nobody has decided: {early:?}");
    commit!(store, decide_device(digest(1), None, at(1_000))).unwrap();
    let denied = DeviceRow {
        state: DeviceState::Denied,
        ..device(1)
    };
    assert_eq!(found(&store, 1).await, Some(denied.clone()));
    let refused = commit!(store, take_device(digest(1), session_id(1), at(1_000)));
    assert!(is_stale(&refused), "{refused:?}");
    let again = commit!(store, decide_device(digest(1), agreement(), at(1_000)));
    assert!(is_stale(&again), "{again:?}");
    assert_eq!(found(&store, 1).await, Some(denied));
}

async fn a20_each_question_is_noted_once(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_device(&device(1)), insert_device(&device(2))).unwrap();
    let won = winners(|_| {
        let store = store.clone();
        async move { commit!(store, poll_device(&device(1), at(1_000), PAUSE)) }
    });
    assert_eq!(won.await, 1);
    let first = found(&store, 1).await.unwrap();
    let expected = DeviceRow {
        polled_at: Some(at(1_000)),
        ..device(1)
    };
    assert_eq!(first, expected);
    commit!(store, poll_device(&first, at(2_000), PAUSE * 2)).unwrap();
    for old in [device(1), first] {
        let late = commit!(store, poll_device(&old, at(3_000), PAUSE));
        assert!(is_stale(&late), "{late:?}");
    }
    let slower = DeviceRow {
        polled_at: Some(at(2_000)),
        pause: PAUSE * 2,
        ..device(1)
    };
    assert_eq!(found(&store, 1).await, Some(slower.clone()));
    commit!(store, decide_device(digest(1), agreement(), at(3_000))).unwrap();
    let decided = DeviceRow {
        polled_at: slower.polled_at,
        pause: slower.pause,
        ..approved(1)
    };
    assert_eq!(found(&store, 1).await, Some(decided), "the pause stays");
    assert_eq!(found(&store, 2).await, Some(device(2)), "a bystander");
}

async fn a20_an_agreement_is_used_once(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        insert_device(&device(1)),
        insert_device(&device(2)),
        decide_device(digest(1), agreement(), at(1_000)),
        decide_device(digest(2), agreement(), at(1_000))
    )
    .unwrap();
    let late = commit!(store, take_device(digest(1), session_id(1), at(60_000)));
    assert!(is_stale(&late), "{late:?}");
    let won = winners(|number| {
        let store = store.clone();
        async move {
            commit!(
                store,
                take_device(digest(1), session_id(number), at(59_999)),
                insert_session(&session(number, 1))
            )
        }
    });
    assert_eq!(won.await, 1);
    let sessions = store.page_sessions(None, None, None, 99).await.unwrap();
    assert_eq!(sessions.len(), 1, "the others left nothing");
    let used = DeviceRow {
        state: DeviceState::Used,
        ..approved(1)
    };
    assert_eq!(found(&store, 1).await, Some(used));
    assert_eq!(found(&store, 2).await, Some(approved(2)), "a bystander");
    let again = commit!(store, decide_device(digest(1), agreement(), at(1_000)));
    assert!(is_stale(&again), "{again:?}");
}

async fn devices_that_have_expired_are_purged_in_bites(place: &Place) {
    let store = place.open().await;
    for number in 0..=5 {
        let waiting = DeviceRow {
            expires_at: at(i64::from(number) * 1_000),
            ..device(number)
        };
        commit!(store, insert_device(&waiting)).unwrap();
    }
    assert_eq!(store.purge_devices(at(-1), 9).await.unwrap(), 0);
    assert_eq!(store.purge_devices(at(4_000), 2).await.unwrap(), 2);
    assert_eq!(found(&store, 1).await, None, "the oldest first");
    assert!(found(&store, 2).await.is_some());
    assert_eq!(store.purge_devices(at(4_000), 9).await.unwrap(), 3);
    assert!(found(&store, 5).await.is_some());
    commit!(store, insert_device(&device(1))).unwrap();
}

async fn devices_go_with_who_decided(place: &Place) {
    let store = place.open().await;
    let another = Some((user_id(2), at(950), session_id(8), SHOWN));
    for number in 1..=4 {
        commit!(store, insert_device(&device(number))).unwrap();
    }
    commit!(
        store,
        decide_device(digest(1), agreement(), at(1_000)),
        decide_device(digest(2), agreement(), at(1_000)),
        decide_device(digest(3), another, at(1_000)),
        take_device(digest(2), session_id(1), at(1_000))
    )
    .unwrap();
    commit!(store, delete_user_devices(user_id(1))).unwrap();
    for (number, kept) in [(1, false), (2, false), (3, true), (4, true)] {
        assert_eq!(found(&store, number).await.is_some(), kept, "{number}");
    }
    commit!(store, delete_user_devices(user_id(1))).unwrap();
}
