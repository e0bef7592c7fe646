use symbolon_domain::{Email, User, Username};
use symbolon_store::Error;

use crate::harness::{Place, commit, on_every_engine, user, user_id};

on_every_engine!(
    credentials_are_listed_in_pages,
    what_is_taken_is_named,
    progress_is_compared_and_set,
);

async fn credentials_are_listed_in_pages(place: &Place) {
    let store = place.open().await;
    commit!(
        store,
        insert_user(&user(1), Some("$one")),
        insert_user(&user(2), None),
        insert_user(&user(3), Some("$three"))
    )
    .unwrap();
    let first = store.list_credentials(2, None).await.unwrap();
    let hashes: Vec<_> = first
        .iter()
        .map(|one| one.password_hash.as_deref())
        .collect();
    assert_eq!(hashes, [Some("$one"), None]);
    let rest = store
        .list_credentials(2, Some(first[1].user.id))
        .await
        .unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].user, user(3));
    assert_eq!(
        store.list_credentials(2, Some(user_id(3))).await.unwrap(),
        []
    );
}

async fn what_is_taken_is_named(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_user(&user(1), None)).unwrap();
    let other = |id, email: &str, username: Option<&str>| User {
        email: Email::parse(email).unwrap(),
        username: username.map(|name| Username::parse(name).unwrap()),
        ..user(id)
    };
    for (candidate, taken) in [
        (other(1, "new@example.com", None), Some("id")),
        (other(2, "uSER1@example.com", None), Some("email")),
        (other(2, "new@example.com", Some("USER1")), Some("username")),
        (other(2, "new@example.com", Some("user2")), None),
        (other(2, "new@example.com", None), None),
    ] {
        assert_eq!(store.find_taken(&candidate).await.unwrap(), taken);
    }
}

async fn progress_is_compared_and_set(place: &Place) {
    let store = place.open().await;
    let before = store.feed().await.unwrap();
    commit!(store, begin_progress("import:1", "a")).unwrap();
    commit!(store, advance_progress("import:1", "a", "b")).unwrap();
    assert_eq!(
        store.find_setting("import:1").await.unwrap().as_deref(),
        Some("b")
    );
    // Somebody else has gone on: what belongs to the step is not written either.
    let late = commit!(
        store,
        insert_user(&user(1), None),
        advance_progress("import:1", "a", "c")
    );
    assert!(matches!(late, Err(Error::Stale)), "{late:?}");
    assert_eq!(store.find_user(user_id(1)).await.unwrap(), None);
    let late = commit!(store, end_progress("import:1", "a"));
    assert!(matches!(late, Err(Error::Stale)), "{late:?}");
    commit!(store, begin_progress("import:1", "d")).unwrap();
    commit!(store, end_progress("import:1", "d")).unwrap();
    assert_eq!(store.find_setting("import:1").await.unwrap(), None);
    assert_eq!(
        store.feed().await.unwrap(),
        before,
        "nobody loads settings again"
    );
}
