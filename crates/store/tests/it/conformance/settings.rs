use crate::harness::{Place, at, commit, on_every_engine};

on_every_engine!(settings_are_kept, the_store_answers);

async fn settings_are_kept(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.find_setting("issuer").await.unwrap(), None);
    commit!(store, insert_setting_once("issuer", "first")).unwrap();
    commit!(store, insert_setting_once("issuer", "second")).unwrap();
    assert_eq!(
        store.find_setting("issuer").await.unwrap().as_deref(),
        Some("first")
    );
    commit!(store, put_setting("issuer", ""), put_setting("other", "x")).unwrap();
    assert_eq!(
        store.find_setting("issuer").await.unwrap().as_deref(),
        Some("")
    );
    assert_eq!(store.find_setting("ISSUER").await.unwrap(), None);
}

async fn the_store_answers(place: &Place) {
    let store = place.open().await;
    store.ping().await.unwrap();
    let version = store.schema_version().await.unwrap();
    store.migrate(at(2)).await.unwrap();
    assert_eq!(store.schema_version().await.unwrap(), version);
    assert!(
        !format!("{store:?}").contains("symbolon-"),
        "no path and no URL"
    );
    store.close().await;
    store.close().await;
    assert!(store.ping().await.is_err());
    let refused = commit!(store, put_setting("a", "b"));
    assert!(
        matches!(refused, Err(symbolon_store::Error::Fault(_))),
        "{refused:?}"
    );
}
