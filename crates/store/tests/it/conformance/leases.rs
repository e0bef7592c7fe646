use symbolon_store::{Error, Lease};

use crate::harness::{Place, commit, on_every_engine};

on_every_engine!(a_lease_passes_from_one_to_another);

async fn a_lease_passes_from_one_to_another(place: &Place) {
    let store = place.open().await;
    let other = store.clone();
    let lease = |holder: u8, beat| Lease {
        holder: [holder; 16],
        beat,
    };
    assert_eq!(store.find_lease("mail").await.unwrap(), None);
    commit!(store, replace_lease("mail", None, &lease(1, 0))).unwrap();
    // Of two who saw none, one has it.
    let lost = commit!(other, replace_lease("mail", None, &lease(2, 0)));
    assert!(matches!(lost, Err(Error::Stale)), "{lost:?}");
    commit!(
        store,
        replace_lease("mail", Some(&lease(1, 0)), &lease(1, 1))
    )
    .unwrap();
    // And whoever saw it before it was renewed does not get it.
    let lost = commit!(
        other,
        replace_lease("mail", Some(&lease(1, 0)), &lease(2, 1))
    );
    assert!(matches!(lost, Err(Error::Stale)), "{lost:?}");
    assert_eq!(other.find_lease("mail").await.unwrap(), Some(lease(1, 1)));
    assert_eq!(other.find_lease("purge").await.unwrap(), None);
    commit!(other, release_lease("mail", [2; 16])).unwrap();
    assert_eq!(other.find_lease("mail").await.unwrap(), Some(lease(1, 1)));
    commit!(store, release_lease("mail", [1; 16])).unwrap();
    assert_eq!(other.find_lease("mail").await.unwrap(), None);
}
