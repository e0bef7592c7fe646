use symbolon_domain::UserId;
use symbolon_domain::upstream::{ForeignIdentity, IdentityLink};
use symbolon_store::Error;

use crate::harness::{Place, at, commit, on_every_engine, user};

on_every_engine!(
    an_identity_is_of_one_user_until_it_is_taken_away,
    identities_go_with_their_user
);

fn link(subject: &str, user: UserId) -> IdentityLink {
    IdentityLink {
        identity: ForeignIdentity::new("https://login.example.com", subject).unwrap(),
        user,
        created_at: at(5),
        last_used_at: at(5),
    }
}

async fn an_identity_is_of_one_user_until_it_is_taken_away(place: &Place) {
    let store = place.open().await;
    let (ada, eve) = (user(1), user(2));
    let (first, second) = (link("A", ada.id), link("a", ada.id));
    assert_eq!(
        store.find_upstream_identity(&first.identity).await.unwrap(),
        None
    );
    commit!(
        store,
        insert_upstream_identity(&second),
        insert_upstream_identity(&first)
    )
    .unwrap();
    let taken = commit!(store, insert_upstream_identity(&link("a", eve.id)));
    assert!(
        matches!(taken, Err(Error::Conflict("upstream_identity"))),
        "{taken:?}"
    );
    commit!(store, touch_upstream_identity(&first.identity, at(9))).unwrap();
    let first = IdentityLink {
        last_used_at: at(9),
        ..first
    };
    let found = store.find_upstream_identity(&first.identity).await.unwrap();
    assert_eq!(found, Some(first.clone()));
    let listed = store.list_upstream_identities(ada.id, 9).await.unwrap();
    assert_eq!(listed, [first.clone(), second.clone()]);
    assert_eq!(
        store.list_upstream_identities(ada.id, 1).await.unwrap(),
        std::slice::from_ref(&first)
    );
    for foreign in [
        commit!(store, delete_upstream_identity(&first.identity, eve.id)),
        commit!(store, require_upstream_identity(&first.identity, eve.id)),
    ] {
        assert!(matches!(foreign, Err(Error::Stale)), "{foreign:?}");
    }
    commit!(
        store,
        delete_upstream_identity(&first.identity, ada.id),
        require_upstream_identity(&second.identity, ada.id)
    )
    .unwrap();
    // Two who each count on what the other takes away: one of them comes too late.
    let late = commit!(
        store,
        require_upstream_identity(&first.identity, ada.id),
        delete_upstream_identity(&second.identity, ada.id)
    );
    assert!(matches!(late, Err(Error::Stale)), "{late:?}");
    assert_eq!(
        store.list_upstream_identities(ada.id, 9).await.unwrap(),
        [second]
    );
    commit!(store, delete_upstream_identities(ada.id)).unwrap();
    assert_eq!(store.list_upstream_identities(ada.id, 9).await.unwrap(), []);
}

async fn identities_go_with_their_user(place: &Place) {
    let store = place.open().await;
    let ada = user(1);
    commit!(
        store,
        insert_user(&ada, None),
        insert_upstream_identity(&link("a", ada.id))
    )
    .unwrap();
    commit!(store, delete_user(ada.id, ada.version)).unwrap();
    assert_eq!(store.list_upstream_identities(ada.id, 9).await.unwrap(), []);
}
