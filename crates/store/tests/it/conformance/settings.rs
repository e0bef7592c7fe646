use symbolon_store::Error;

use crate::harness::{Place, at, commit, on_every_engine};

on_every_engine!(
    settings_are_kept,
    a_setting_is_replaced_only_as_it_was_read,
    the_store_answers
);

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

async fn a_setting_is_replaced_only_as_it_was_read(place: &Place) {
    let store = place.open().await;
    let reloads = store.feed().await.unwrap().reloads;
    commit!(store, put_setting("set", "x"), put_setting("set;", "y")).unwrap();
    commit!(store, replace_setting("set:a", None, Some("1"))).unwrap();
    commit!(store, replace_setting("set:b", None, Some("2"))).unwrap();
    commit!(store, replace_setting("set:b", Some("2"), Some("3"))).unwrap();
    assert_eq!(store.feed().await.unwrap().reloads, reloads + 4);
    let listed = async || store.list_settings("set:").await.unwrap();
    let kept = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(listed().await, [kept("set:a", "1"), kept("set:b", "3")]);
    let taken = commit!(store, replace_setting("set:a", None, Some("9")));
    assert!(
        matches!(taken, Err(Error::Conflict("setting"))),
        "{taken:?}"
    );
    for late in [
        commit!(store, replace_setting("set:b", Some("2"), Some("9"))),
        commit!(store, replace_setting("set:b", Some("2"), None)),
        commit!(store, replace_setting("set:c", Some("2"), None)),
    ] {
        assert!(matches!(late, Err(Error::Stale)), "{late:?}");
    }
    commit!(store, replace_setting("set:a", Some("1"), None)).unwrap();
    commit!(store, replace_setting("set:a", None, None)).unwrap();
    assert_eq!(listed().await, [kept("set:b", "3")]);
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
    assert!(matches!(refused, Err(Error::Fault(_))), "{refused:?}");
}
