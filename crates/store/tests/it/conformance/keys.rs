use symbolon_store::{Error, KeyRow, KeyState};

use crate::harness::{Place, at, commit, on_every_engine};

on_every_engine!(
    keys_are_listed_by_age,
    one_key_is_current,
    retiring_and_withdrawing_are_compared_and_set,
    two_nodes_make_one_key,
);

fn key(kid: &str, created: i64) -> KeyRow {
    KeyRow {
        kid: kid.into(),
        purpose: "sign".into(),
        algorithm: "ES256".into(),
        number: 0,
        public_jwk: Some("{}".into()),
        sealed: vec![0, 255, 128],
        state: KeyState::Live,
        created_at: at(created),
        activate_at: at(created + 1),
        retire_at: None,
        expires_at: None,
    }
}

async fn keys_are_listed_by_age(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.list_keys().await.unwrap(), []);
    let other = KeyRow {
        purpose: "refresh".into(),
        algorithm: "HMAC-SHA256".into(),
        number: 255,
        public_jwk: None,
        sealed: Vec::new(),
        retire_at: Some(at(9)),
        expires_at: Some(at(10)),
        ..key("a", 5)
    };
    commit!(store, insert_key(&key("b", 7)), insert_key(&other)).unwrap();
    assert_eq!(store.list_keys().await.unwrap(), [other, key("b", 7)]);
    assert!(matches!(
        commit!(store, insert_key(&key("b", 8))),
        Err(Error::Conflict("kid" | "current_key"))
    ));
}

async fn one_key_is_current(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_key(&key("a", 1))).unwrap();
    assert!(matches!(
        commit!(store, insert_key(&key("b", 2))),
        Err(Error::Conflict("current_key"))
    ));
    // Of another algorithm or purpose there may be one too, and a rotation retires the old one first.
    let hmac = KeyRow {
        algorithm: "HS256".into(),
        ..key("c", 2)
    };
    let mac = KeyRow {
        purpose: "mac".into(),
        ..key("d", 2)
    };
    commit!(store, insert_key(&hmac), insert_key(&mac)).unwrap();
    commit!(
        store,
        retire_key("a", at(10), at(20)),
        insert_key(&key("b", 2))
    )
    .unwrap();
    commit!(store, withdraw_key("b", at(11)), insert_key(&key("e", 11))).unwrap();
}

async fn retiring_and_withdrawing_are_compared_and_set(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_key(&key("a", 1))).unwrap();
    commit!(store, retire_key("a", at(10), at(20))).unwrap();
    let retired = KeyRow {
        retire_at: Some(at(10)),
        expires_at: Some(at(20)),
        ..key("a", 1)
    };
    assert_eq!(
        store.list_keys().await.unwrap(),
        std::slice::from_ref(&retired)
    );
    assert!(matches!(
        commit!(store, retire_key("a", at(11), at(21))),
        Err(Error::Stale)
    ));
    assert!(matches!(
        commit!(store, retire_key("x", at(11), at(21))),
        Err(Error::Stale)
    ));

    commit!(
        store,
        insert_key(&key("b", 2)),
        withdraw_key("a", at(15)),
        withdraw_key("b", at(16))
    )
    .unwrap();
    let withdrawn = KeyRow {
        state: KeyState::Withdrawn,
        expires_at: Some(at(15)),
        ..retired
    };
    let both = [
        withdrawn,
        KeyRow {
            state: KeyState::Withdrawn,
            retire_at: Some(at(16)),
            expires_at: Some(at(16)),
            ..key("b", 2)
        },
    ];
    assert_eq!(store.list_keys().await.unwrap(), both);
    assert!(matches!(
        commit!(store, withdraw_key("a", at(17))),
        Err(Error::Stale)
    ));
    assert!(matches!(
        commit!(store, retire_key("b", at(17), at(18))),
        Err(Error::Stale)
    ));
}

async fn two_nodes_make_one_key(place: &Place) {
    let store = place.open().await;
    let tasks: Vec<_> = (0..8)
        .map(|node| {
            let store = store.clone();
            tokio::spawn(async move { commit!(store, insert_key(&key(&node.to_string(), 1))) })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => made += 1,
            Err(Error::Conflict("current_key")) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((made, store.list_keys().await.unwrap().len()), (1, 1));
}
