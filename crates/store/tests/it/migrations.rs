//! Which schemas are worked with.

use rusqlite::Connection;
use symbolon_domain::{ClientDefinition, ClientId, ClientType, DisplayName, Scope};
use symbolon_store::{DatabaseUrl, OpenError, OpenOptions, Store};
use symbolon_testkit::Postgres;

use crate::harness::{Place, at, commit};

async fn unmigrated(url: &str) -> Store {
    Store::open(
        &url.parse::<DatabaseUrl>().unwrap(),
        &OpenOptions::default(),
    )
    .await
    .unwrap()
}

/// Runs SQL behind the store's back.
fn meddle(place: &Place, sql: &str) {
    match place.url.strip_prefix("sqlite:") {
        Some(path) => Connection::open(path).unwrap().execute_batch(sql).unwrap(),
        None => drop(Postgres::shared().unwrap().run(&place.url, sql)),
    }
}

fn places() -> Vec<Place> {
    [Some(Place::file()), Place::postgres()]
        .into_iter()
        .flatten()
        .collect()
}

/// The number of the last step.
const LATEST: i64 = 13;

#[tokio::test]
async fn from_empty_and_again() {
    for place in places() {
        let store = unmigrated(&place.url).await;
        assert_eq!(store.schema_version().await.unwrap(), 0);
        assert!(store.ping().await.is_err(), "no tables yet");
        store.migrate(at(1)).await.unwrap();
        assert_eq!(store.schema_version().await.unwrap(), LATEST);
        commit!(store, put_setting("a", "b")).unwrap();
        store.migrate(at(2)).await.unwrap();
        let again = place.open().await;
        assert_eq!(again.find_setting("a").await.unwrap().as_deref(), Some("b"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_at_once() {
    for place in places() {
        let mut tasks = Vec::new();
        for _ in 0..6 {
            let store = unmigrated(&place.url).await;
            tasks.push(tokio::spawn(async move { store.migrate(at(1)).await }));
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(place.open().await.list_roles().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_newer_schema_that_shuts_us_out() {
    for place in places() {
        place.open().await.close().await;
        meddle(
            &place,
            "INSERT INTO schema_migrations VALUES (1007, 'drop', 'x', 1007, 5)",
        );
        let refused = unmigrated(&place.url)
            .await
            .migrate(at(2))
            .await
            .unwrap_err();
        assert!(
            matches!(
                refused,
                OpenError::Newer {
                    found: 1007,
                    known: LATEST
                }
            ),
            "{refused:?}"
        );
        assert!(refused.to_string().contains("newer version"), "{refused}");
    }
}

/// SECURITY X8: an old and a new program side by side, and a way back.
#[tokio::test]
async fn a_newer_schema_that_only_adds() {
    for place in places() {
        place.open().await.close().await;
        meddle(
            &place,
            "INSERT INTO schema_migrations VALUES (1002, 'add', 'x', 1, 5); ALTER TABLE users ADD COLUMN shoe_size TEXT",
        );
        let store = place.open().await;
        assert_eq!(store.schema_version().await.unwrap(), 1002);
        commit!(store, insert_user(&crate::harness::user(1), None)).unwrap();
        assert!(
            store
                .find_user(crate::harness::user_id(1))
                .await
                .unwrap()
                .is_some()
        );
    }
}

/// The step `client_metadata` adds columns to clients that were there.
#[tokio::test]
async fn a_client_of_before_is_what_it_was() {
    for place in places() {
        place.open().await.close().await;
        for kind in ["public", "confidential"] {
            let values = format!("'{kind}', 'Shop', '{kind}', '', '', '', '', 'openid', '', ''");
            meddle(
                &place,
                &format!(
                    "INSERT INTO clients (id, name, kind, redirect_uris, post_logout_redirect_uris, origins, grants, \
                     scopes, roles, resources, status, secrets, version, created_at, updated_at) \
                     VALUES ({values}, 'active', '', 1, 5, 5)"
                ),
            );
        }
        let store = place.open().await;
        for kind in ClientType::ALL {
            let id = ClientId::parse(kind.as_str()).unwrap();
            let found = store.find_client(&id).await.unwrap().unwrap();
            let name = DisplayName::parse("Shop").unwrap();
            let mut expected = ClientDefinition::new(name, *kind);
            expected.scopes.insert(Scope::parse("openid").unwrap());
            assert_eq!(found.definition, expected);
        }
    }
}

#[tokio::test]
async fn a_step_that_was_changed() {
    for place in places() {
        place.open().await.close().await;
        meddle(
            &place,
            "UPDATE schema_migrations SET digest = 'other' WHERE number = 1",
        );
        let refused = unmigrated(&place.url)
            .await
            .migrate(at(2))
            .await
            .unwrap_err();
        assert!(
            matches!(&refused, OpenError::Changed { number: 1, name } if name == "initial"),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_step_that_fails_leaves_nothing() {
    let Some(place) = Place::postgres() else {
        return;
    };
    // The last table is taken, so that the first ones are made and unmade.
    meddle(&place, "CREATE TABLE settings (a TEXT)");
    let store = unmigrated(&place.url).await;
    let refused = store.migrate(at(1)).await.unwrap_err();
    assert!(matches!(refused, OpenError::Foreign(_)), "{refused:?}");
    assert_eq!(store.schema_version().await.unwrap(), 0);
    meddle(&place, "DROP TABLE settings");
    store.migrate(at(1)).await.unwrap();
}
