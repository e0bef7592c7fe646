use symbolon_domain::refresh::Digest;
use symbolon_store::{Error, SetupToken};

use crate::harness::{Place, admin, at, commit, on_every_engine, user};

on_every_engine!(a_token_is_taken_once, p10_one_of_many_makes_the_admin);

fn token(byte: u8) -> SetupToken {
    SetupToken {
        digest: Digest::new([byte; 32]),
        expires_at: at(5_000),
    }
}

async fn a_token_is_taken_once(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.find_setup_token().await.unwrap(), None);
    commit!(store, put_setup_token(&token(1))).unwrap();
    commit!(store, put_setup_token(&token(2))).unwrap();
    assert_eq!(store.find_setup_token().await.unwrap(), Some(token(2)));
    for (digest, now) in [(token(1).digest, 4_999), (token(2).digest, 5_000)] {
        let refused = commit!(store, take_setup_token(digest, at(now)));
        assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
    }
    commit!(store, take_setup_token(token(2).digest, at(4_999))).unwrap();
    let again = commit!(store, take_setup_token(token(2).digest, at(4_999)));
    assert!(matches!(again, Err(Error::Stale)), "{again:?}");
    commit!(store, put_setup_token(&token(3))).unwrap();
    commit!(store, delete_setup_token()).unwrap();
    commit!(store, delete_setup_token()).unwrap();
    assert_eq!(store.find_setup_token().await.unwrap(), None);
}

async fn p10_one_of_many_makes_the_admin(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_user(&user(99), None)).unwrap();
    commit!(store, put_setup_token(&token(1))).unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let digest = token(1).digest;
                commit!(
                    store,
                    take_setup_token(digest, at(1)),
                    require_no_admin(),
                    insert_user(&admin(number), None)
                )
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => made += 1,
            Err(Error::Stale) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(store.count_other_admins(user(99).id).await.unwrap(), 1);
    let refused = commit!(store, require_no_admin(), insert_user(&admin(50), None));
    assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
}
