use symbolon_domain::oauth::{Authorization, Scopes};
use symbolon_domain::{EndReason, Resource, Session, SessionId};
use symbolon_store::{Error, Store};

use super::{client, scopes};
use crate::harness::{Place, at, commit, on_every_engine, session, session_id, user_id};

on_every_engine!(
    an_authorization_is_kept_as_it_is,
    live_sessions_that_end_with_a_browser,
    live_sessions_of_a_client_for_a_user,
    sessions_end_by_browser_and_by_client,
    authorizations_move_to_another_browser,
    authorizations_are_purged_and_go_with_their_user,
);

const NO_SESSIONS: [SessionId; 0] = [];

/// What session `number` of the first user may do: it ends with the browser's session 100.
fn authorization(number: u16) -> Authorization {
    Authorization {
        session: session_id(number),
        user: user_id(1),
        client: client("shop"),
        scopes: scopes("offline_access openid"),
        resources: ["https://api.example.com/", "urn:example:api"]
            .map(|text| Resource::parse(text).unwrap())
            .into(),
        auth_time: at(9_000),
        browser: Some(session_id(100)),
        agreed_in: None,
        jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into()),
        claims: Some("{\"userinfo\":{\"email\":null}}".into()),
        expires_at: at(100_000),
    }
}

/// Sessions with what they may do.
async fn insert(store: &Store, all: &[Authorization]) {
    for granted in all {
        let session = Session {
            id: granted.session,
            user: granted.user,
            client_id: granted.client.to_string(),
            expires_at: granted.expires_at,
            ..session(1, 1)
        };
        commit!(
            store,
            insert_session(&session),
            insert_authorization(granted)
        )
        .unwrap();
    }
}

async fn an_authorization_is_kept_as_it_is(place: &Place) {
    let store = place.open().await;
    let none = store.find_authorization(session_id(1)).await.unwrap();
    assert_eq!(none, None);
    let bare = Authorization {
        scopes: Scopes::default(),
        resources: Vec::new(),
        browser: None,
        agreed_in: Some(session_id(101)),
        jkt: None,
        claims: None,
        ..authorization(2)
    };
    for granted in [authorization(1), bare] {
        commit!(store, insert_authorization(&granted)).unwrap();
        let found = store.find_authorization(granted.session).await.unwrap();
        assert_eq!(found, Some(granted));
    }
    let again = commit!(store, insert_authorization(&authorization(1)));
    assert!(
        matches!(again, Err(Error::Conflict("authorization"))),
        "{again:?}"
    );
}

async fn live_sessions_that_end_with_a_browser(place: &Place) {
    let store = place.open().await;
    let other = Authorization {
        browser: Some(session_id(101)),
        ..authorization(2)
    };
    let offline = Authorization {
        browser: None,
        ..authorization(3)
    };
    let short = Authorization {
        expires_at: at(20_000),
        ..authorization(4)
    };
    let live = [authorization(6), authorization(5), authorization(1)];
    insert(&store, &[other, offline, short]).await;
    insert(&store, &live).await;
    let listed = async |browser, now, limit| {
        let browser = session_id(browser);
        let found = store.list_browser_authorizations(browser, at(now), limit);
        found.await.unwrap()
    };
    let ids = |numbers: &[u16]| numbers.iter().copied().map(session_id).collect::<Vec<_>>();
    assert_eq!(listed(100, 10_001, 9).await, ids(&[1, 4, 5, 6]));
    assert_eq!(listed(100, 10_001, 2).await, ids(&[1, 4]));
    assert_eq!(listed(100, 20_000, 9).await, ids(&[1, 5, 6]), "it is over");
    assert_eq!(listed(101, 10_001, 9).await, ids(&[2]));
    commit!(
        store,
        end_session(session_id(5), at(11_000), EndReason::Revoked)
    )
    .unwrap();
    assert_eq!(listed(100, 11_000, 9).await, ids(&[1, 4, 6]));
    assert_eq!(listed(102, 11_000, 9).await, NO_SESSIONS);
    let kept = store.find_authorization(session_id(5)).await.unwrap();
    assert_eq!(kept, Some(authorization(5)), "what it could do is known");
}

async fn live_sessions_of_a_client_for_a_user(place: &Place) {
    let store = place.open().await;
    let of = |number, owner, id: &str| Authorization {
        user: user_id(owner),
        client: client(id),
        ..authorization(number)
    };
    let short = Authorization {
        expires_at: at(20_000),
        ..authorization(4)
    };
    insert(
        &store,
        &[of(1, 1, "shop"), of(2, 1, "Shop"), of(3, 2, "shop")],
    )
    .await;
    insert(&store, &[short, of(5, 1, "shop")]).await;
    let listed = async |owner, id: &str, now, limit| {
        let client = client(id);
        let whose = (user_id(owner), &client);
        let found = store.list_client_authorizations(whose, at(now), limit);
        found.await.unwrap()
    };
    let ids = |numbers: &[u16]| numbers.iter().copied().map(session_id).collect::<Vec<_>>();
    assert_eq!(listed(1, "shop", 10_001, 9).await, ids(&[1, 4, 5]));
    assert_eq!(listed(1, "shop", 10_001, 2).await, ids(&[1, 4]));
    assert_eq!(listed(1, "Shop", 10_001, 9).await, ids(&[2]));
    assert_eq!(listed(2, "shop", 10_001, 9).await, ids(&[3]));
    assert_eq!(listed(2, "Shop", 10_001, 9).await, NO_SESSIONS);
    commit!(
        store,
        end_session(session_id(1), at(11_000), EndReason::Withdrawn)
    )
    .unwrap();
    assert_eq!(listed(1, "shop", 20_000, 9).await, ids(&[5]));
}

async fn sessions_end_by_browser_and_by_client(place: &Place) {
    let store = place.open().await;
    let offline = Authorization {
        browser: None,
        ..authorization(3)
    };
    let foreign = Authorization {
        user: user_id(2),
        browser: Some(session_id(101)),
        ..authorization(4)
    };
    let short = Authorization {
        expires_at: at(10_500),
        ..authorization(5)
    };
    insert(&store, &[authorization(1), authorization(2)]).await;
    insert(&store, &[offline, foreign, short]).await;
    let of_browser = async |count, now| {
        let how = (at(now), EndReason::SignedOut);
        commit!(store, end_browser_sessions(session_id(100), count, how))
    };
    let of_client = async |count, now| {
        let how = (at(now), EndReason::Withdrawn);
        let shop = client("shop");
        commit!(store, end_client_sessions((user_id(1), &shop), count, how))
    };
    let ended = async |number| {
        let found = store.find_session(session_id(number)).await.unwrap();
        let ended = found.unwrap().ended;
        ended.map(|ended| (ended.at, ended.reason))
    };
    for wrong in [1, 3] {
        let none = of_browser(wrong, 11_000).await;
        assert!(matches!(none, Err(Error::Stale)), "{none:?}");
        assert_eq!(ended(1).await, None, "nothing of it is kept");
    }
    of_browser(2, 11_000).await.unwrap();
    of_browser(0, 11_001).await.unwrap();
    for number in [1, 2] {
        let how = (at(11_000), EndReason::SignedOut);
        assert_eq!(ended(number).await, Some(how));
    }
    let none = of_client(2, 12_000).await;
    assert!(matches!(none, Err(Error::Stale)), "{none:?}");
    of_client(1, 12_000).await.unwrap();
    let how = (at(12_000), EndReason::Withdrawn);
    assert_eq!(ended(3).await, Some(how));
    assert_eq!((ended(4).await, ended(5).await), (None, None), "bystanders");
}

async fn authorizations_move_to_another_browser(place: &Place) {
    let store = place.open().await;
    let offline = |number, browser| Authorization {
        browser: None,
        agreed_in: Some(session_id(browser)),
        ..authorization(number)
    };
    let other = Authorization {
        browser: Some(session_id(101)),
        ..authorization(3)
    };
    insert(&store, &[authorization(1), offline(2, 100), other.clone()]).await;
    insert(&store, &[offline(4, 101)]).await;
    commit!(store, move_authorizations(session_id(100), session_id(102))).unwrap();
    let moved = Authorization {
        browser: Some(session_id(102)),
        ..authorization(1)
    };
    for expected in [moved, offline(2, 102), other, offline(4, 101)] {
        let found = store.find_authorization(expected.session).await.unwrap();
        assert_eq!(found, Some(expected));
    }
    // There is none left, which is good as well.
    commit!(store, move_authorizations(session_id(100), session_id(102))).unwrap();
}

async fn authorizations_are_purged_and_go_with_their_user(place: &Place) {
    let store = place.open().await;
    for number in 1..=6 {
        let granted = Authorization {
            expires_at: at(i64::from(number) * 1_000),
            user: user_id(if number == 6 { 2 } else { 1 }),
            ..authorization(number)
        };
        commit!(store, insert_authorization(&granted)).unwrap();
    }
    let is_kept = async |number| {
        let found = store.find_authorization(session_id(number)).await.unwrap();
        found.is_some()
    };
    assert_eq!(store.purge_authorizations(at(999), 9).await.unwrap(), 0);
    assert_eq!(store.purge_authorizations(at(3_000), 2).await.unwrap(), 2);
    assert!(!is_kept(2).await && is_kept(3).await, "the oldest first");
    assert_eq!(store.purge_authorizations(at(3_000), 9).await.unwrap(), 1);
    assert!(!is_kept(3).await && is_kept(4).await);
    commit!(store, delete_user_authorizations(user_id(1))).unwrap();
    assert!(!is_kept(4).await && !is_kept(5).await && is_kept(6).await);
    commit!(store, delete_user_authorizations(user_id(1))).unwrap();
    let client = store
        .find_authorization(session_id(6))
        .await
        .unwrap()
        .unwrap()
        .client;
    commit!(store, delete_client_authorizations(&client)).unwrap();
    assert!(!is_kept(6).await);
}
