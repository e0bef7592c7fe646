use symbolon_store::{Creation, Error};

use crate::harness::{Place, at, commit, on_every_engine, user};

on_every_engine!(a_key_makes_one_thing, old_keys_are_purged);

const FIRST: Creation = Creation {
    request: [7; 32],
    made: [1; 16],
};

async fn a_key_makes_one_thing(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.find_creation([9; 32]).await.unwrap(), None);
    commit!(store, insert_creation([9; 32], &FIRST, at(1))).unwrap();
    assert_eq!(store.find_creation([9; 32]).await.unwrap(), Some(FIRST));
    let second = Creation {
        made: [2; 16],
        ..FIRST
    };
    // What it was to make is not made either.
    let twice = commit!(
        store,
        insert_user(&user(2), None),
        insert_creation([9; 32], &second, at(2))
    );
    assert!(
        matches!(twice, Err(Error::Conflict("creation"))),
        "{twice:?}"
    );
    assert_eq!(store.find_user(user(2).id).await.unwrap(), None);
    assert_eq!(store.find_creation([9; 32]).await.unwrap(), Some(FIRST));
}

async fn old_keys_are_purged(place: &Place) {
    let store = place.open().await;
    for number in 1..=3 {
        let moment = at(i64::from(number) * 10);
        commit!(store, insert_creation([number; 32], &FIRST, moment)).unwrap();
    }
    assert_eq!(store.purge_creations(at(20), 1).await.unwrap(), 1);
    assert_eq!(store.purge_creations(at(20), 5).await.unwrap(), 1);
    assert_eq!(store.find_creation([2; 32]).await.unwrap(), None);
    assert_eq!(store.find_creation([3; 32]).await.unwrap(), Some(FIRST));
}
