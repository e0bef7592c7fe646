use symbolon_domain::{RoleName, Roles};

use crate::harness::{Place, at, commit, on_every_engine, user, user_id};

on_every_engine!(
    settings_are_kept,
    built_in_roles_are_there,
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

async fn built_in_roles_are_there(place: &Place) {
    let store = place.open().await;
    let roles = store.list_roles().await.unwrap();
    let names: Vec<_> = roles.iter().map(|role| role.name.clone()).collect();
    assert_eq!(names, [RoleName::ADMIN, RoleName::USER]);
    assert_eq!(roles[0].permissions, ["*"]);
    assert_eq!(roles[1].permissions, [] as [&str; 0]);
    assert!(
        roles
            .iter()
            .all(|role| role.builtin && role.created_at == at(0) && !role.description.is_empty())
    );

    commit!(store, insert_user(&user(1), None)).unwrap();
    commit!(
        store,
        update_roles(user_id(1), 1, &Roles::parse("admin").unwrap(), at(2))
    )
    .unwrap();
    assert_eq!(store.count_other_admins(user_id(2)).await.unwrap(), 1);
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
