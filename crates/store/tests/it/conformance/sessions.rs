use std::time::Duration;

use symbolon_domain::refresh::{Digest, RefreshState};
use symbolon_domain::{EndReason, Ended, Session, Transport};
use symbolon_store::Error;

use crate::harness::{Place, at, commit, next, on_every_engine, session, session_id, user};

on_every_engine!(
    what_is_inserted_is_found,
    a_refresh_finds_session_and_user,
    a_rotation_replaces_the_state,
    a_rotation_is_compared_and_set,
    one_of_many_rotations_wins,
    addresses_of_sessions_are_remembered,
    a_use_is_noted_until_the_end,
    a_session_must_be_live,
);

async fn what_is_inserted_is_found(place: &Place) {
    let store = place.open().await;
    let full = Session {
        refresh: RefreshState {
            generation: u64::MAX,
            digest: Digest::new(std::array::from_fn(|place| place as u8)),
            key: 255,
            rotated_at: at(-5),
            late_generation: Some(u64::MAX - 1),
        },
        client_id: "shop".into(),
        idle_ttl: Duration::from_millis(604_800_001),
        persistent: false,
        transport: Transport::Body,
        device: Some("Zoë's ☎".into()),
        user_agent: Some("x".repeat(1_000)),
        address: Some("2001:db8::1".into()),
        ended: Some(Ended {
            at: at(11_000),
            reason: EndReason::Reused,
        }),
        ..session(1, 1)
    };
    commit!(store, insert_session(&full), insert_session(&session(2, 1))).unwrap();
    assert_eq!(store.find_session(full.id).await.unwrap().unwrap(), full);
    assert_eq!(
        store.find_session(session_id(2)).await.unwrap().unwrap(),
        session(2, 1)
    );
    assert_eq!(store.find_session(session_id(3)).await.unwrap(), None);
    assert!(matches!(
        commit!(store, insert_session(&full)),
        Err(Error::Conflict("session_id"))
    ));
}

async fn a_refresh_finds_session_and_user(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        insert_user(&user(1), None),
        insert_session(&session(1, 1)),
        insert_session(&session(2, 2))
    )
    .unwrap();
    assert_eq!(
        store.find_refresh(session_id(1)).await.unwrap(),
        Some((session(1, 1), user(1)))
    );
    assert_eq!(
        store.find_refresh(session_id(2)).await.unwrap(),
        None,
        "its user is gone"
    );
    assert_eq!(store.find_refresh(session_id(3)).await.unwrap(), None);
}

async fn a_rotation_replaces_the_state(place: &Place) {
    let store = place.open().await;
    let id = session_id(1);
    let first = session(1, 1).refresh;
    commit!(
        store,
        insert_session(&session(1, 1)),
        insert_session(&session(2, 1))
    )
    .unwrap();

    let second = next(&first, 11_000);
    commit!(store, rotate_session(id, &first, &second, at(11_000))).unwrap();
    let late = RefreshState {
        late_generation: Some(0),
        ..second
    };
    commit!(store, rotate_session(id, &second, &late, at(12_000))).unwrap();
    let third = next(&late, 13_000);
    commit!(store, rotate_session(id, &late, &third, at(13_000))).unwrap();
    let found = store.find_session(id).await.unwrap().unwrap();
    assert_eq!(
        found,
        Session {
            refresh: third,
            last_used_at: at(13_000),
            ..session(1, 1)
        }
    );
}

async fn a_rotation_is_compared_and_set(place: &Place) {
    let store = place.open().await;
    let id = session_id(1);
    let (first, stored) = (session(1, 1).refresh, rotated());
    commit!(
        store,
        insert_session(&session(1, 1)),
        insert_session(&session(2, 1))
    )
    .unwrap();
    commit!(store, rotate_session(id, &first, &stored, at(11_000))).unwrap();
    let found = store.find_session(id).await.unwrap().unwrap();

    for wrong in [
        first,
        RefreshState {
            generation: 3,
            ..stored
        },
        RefreshState {
            digest: Digest::new([1; 32]),
            ..stored
        },
        RefreshState {
            late_generation: None,
            ..stored
        },
        RefreshState {
            late_generation: Some(3),
            ..stored
        },
    ] {
        let refused = commit!(
            store,
            rotate_session(id, &wrong, &next(&wrong, 14_000), at(14_000))
        );
        assert!(
            matches!(refused, Err(Error::Stale)),
            "{wrong:?}: {refused:?}"
        );
    }
    let unknown = commit!(
        store,
        rotate_session(session_id(9), &stored, &next(&stored, 1), at(1))
    );
    assert!(matches!(unknown, Err(Error::Stale)));
    assert_eq!(store.find_session(id).await.unwrap().unwrap(), found);
    assert_eq!(
        store.find_session(session_id(2)).await.unwrap().unwrap(),
        session(2, 1),
        "a bystander"
    );

    commit!(store, end_session(id, at(15_000), EndReason::Logout)).unwrap();
    let ended = commit!(
        store,
        rotate_session(id, &stored, &next(&stored, 16_000), at(16_000))
    );
    assert!(matches!(ended, Err(Error::Stale)), "{ended:?}");
}

/// A state with something in every field.
fn rotated() -> RefreshState {
    RefreshState {
        generation: 5,
        digest: Digest::new([5; 32]),
        key: 2,
        rotated_at: at(11_000),
        late_generation: Some(4),
    }
}

async fn one_of_many_rotations_wins(place: &Place) {
    let store = place.open().await;
    let id = session_id(1);
    commit!(store, insert_session(&session(1, 1))).unwrap();
    let mut state = session(1, 1).refresh;
    for round in 0..5 {
        let following = next(&state, 11_000 + round);
        let tasks: Vec<_> = (0..32)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    commit!(store, rotate_session(id, &state, &following, at(11_000)))
                })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => won += 1,
                Err(Error::Stale) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(won, 1);
        state = following;
        assert_eq!(
            store.find_session(id).await.unwrap().unwrap().refresh,
            state
        );
    }
}

async fn addresses_of_sessions_are_remembered(place: &Place) {
    let store = place.open().await;
    let from = |number, owner, address: &str| Session {
        address: Some(address.into()),
        ..session(number, owner)
    };
    commit!(
        store,
        insert_session(&from(1, 1, "192.0.2.1")),
        insert_session(&from(2, 1, "192.0.2.1")),
        insert_session(&from(3, 1, "2001:db8::1")),
        insert_session(&session(4, 1)),
        insert_session(&from(5, 2, "192.0.2.5")),
        end_session(session_id(3), at(12_000), EndReason::Logout)
    )
    .unwrap();
    let known = async |since| {
        let owner = session(1, 1).user;
        let mut known = store
            .list_session_addresses(owner, at(since))
            .await
            .unwrap();
        known.sort_unstable();
        known.dedup();
        known
    };
    assert_eq!(known(9_999).await, ["192.0.2.1", "2001:db8::1"]);
    assert_eq!(known(10_000).await, ["2001:db8::1"], "it ended later");
    assert_eq!(known(12_000).await, [] as [&str; 0]);
    let devices = store.list_devices(session(1, 1).user).await.unwrap();
    let from = |address: &str| {
        devices
            .iter()
            .any(|device| device.1.as_deref() == Some(address))
    };
    assert!(from("192.0.2.1") && from("2001:db8::1"), "{devices:?}");
    assert_eq!(store.list_devices(session(9, 9).user).await.unwrap(), []);
}

async fn a_use_is_noted_until_the_end(place: &Place) {
    let store = place.open().await;
    let id = session_id(1);
    commit!(
        store,
        insert_session(&session(1, 1)),
        insert_session(&session(2, 1)),
        touch_session(id, at(12_000))
    )
    .unwrap();
    let used = Session {
        last_used_at: at(12_000),
        ..session(1, 1)
    };
    let found = store.find_session(id).await.unwrap();
    assert_eq!(found, Some(used), "the rest is as it was");
    let other = store.find_session(session_id(2)).await.unwrap();
    assert_eq!(other, Some(session(2, 1)), "a bystander");
    commit!(
        store,
        end_session(id, at(13_000), EndReason::Logout),
        touch_session(id, at(14_000)),
        touch_session(session_id(9), at(14_000))
    )
    .unwrap();
    let ended = store.find_session(id).await.unwrap().unwrap();
    assert_eq!(ended.last_used_at, at(12_000));
}

async fn a_session_must_be_live(place: &Place) {
    let store = place.open().await;
    let live = session(1, 1);
    commit!(
        store,
        insert_session(&live),
        insert_session(&session(2, 1)),
        end_session(session_id(2), at(13_000), EndReason::Logout)
    )
    .unwrap();
    let required = async |number, now| {
        let required = commit!(store, require_live_session(session_id(number), now));
        assert!(matches!(required, Ok(()) | Err(Error::Stale)));
        required.is_ok()
    };
    let last = live.expires_at.minus(Duration::from_millis(1));
    assert!(required(1, at(13_000)).await && required(1, last).await);
    assert!(!required(1, live.expires_at).await, "it is over");
    assert!(!required(2, at(13_000)).await && !required(3, at(13_000)).await);
    let found = store.find_session(live.id).await.unwrap();
    assert_eq!(found, Some(live), "nothing changed");
}
