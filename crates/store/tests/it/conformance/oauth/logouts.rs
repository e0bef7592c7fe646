use symbolon_domain::oauth::Authorization;
use symbolon_domain::{
    Client, ClientDefinition, ClientType, DisplayName, EndReason, EndpointUri, Session, SessionId,
    UserId,
};
use symbolon_store::{LogoutRow, Store};

use super::{client, is_stale, scopes, winners};
use crate::harness::{Place, at, commit, on_every_engine, session, session_id, user_id};

on_every_engine!(
    a_session_that_ends_is_told_of_once,
    whoever_wants_to_be_told_is_noted_by_what_ends_the_sessions,
    what_outlives_a_sign_in_is_told_of_its_end,
    what_is_due_is_taken_put_off_and_dropped,
    one_of_many_takes_it,
    clients_have_their_turn,
);

const NO_ROWS: [LogoutRow; 0] = [];

/// A client that is kept here, with or without an address where it is told.
async fn insert_client(store: &Store, id: &str, uri: Option<&str>) {
    let kind = ClientType::Confidential;
    let name = DisplayName::parse("The Shop").unwrap();
    let client = Client {
        id: client(id),
        kind,
        definition: ClientDefinition {
            backchannel_logout_uri: uri.map(|uri| EndpointUri::parse(uri).unwrap()),
            ..ClientDefinition::new(name, kind)
        },
        secrets: Vec::new(),
        version: 1,
        created_at: at(5),
        updated_at: at(5),
    };
    commit!(store, insert_client(&client)).unwrap();
}

/// A session of a client for a user, which ends with the browser's session 100.
async fn insert_session(store: &Store, number: u16, whose: (UserId, &str)) {
    insert_granted(store, number, whose, |_| ()).await;
}

async fn insert_granted(
    store: &Store,
    number: u16,
    (user, id): (UserId, &str),
    change: impl FnOnce(&mut Authorization),
) {
    let session = Session {
        user,
        client_id: id.to_owned(),
        ..session(number, 1)
    };
    let mut granted = Authorization {
        session: session.id,
        user,
        client: client(id),
        scopes: scopes("openid"),
        resources: Vec::new(),
        auth_time: at(9_000),
        browser: Some(session_id(100)),
        agreed_in: None,
        jkt: None,
        claims: None,
        expires_at: session.expires_at,
    };
    change(&mut granted);
    commit!(
        store,
        insert_session(&session),
        insert_authorization(&granted)
    )
    .unwrap();
}

/// Clients `shop` and `web`, which are told, and `quiet`, which is not; sessions 1 to 3 of the first user, of each one, and
/// session 4 of the second user for `shop`.
async fn four_sessions(store: &Store) {
    insert_client(store, "shop", Some("https://shop.example/out")).await;
    insert_client(store, "web", Some("https://web.example/out")).await;
    insert_client(store, "quiet", None).await;
    let (ada, bob) = (user_id(1), user_id(2));
    for (number, whose) in [(ada, "shop"), (ada, "web"), (ada, "quiet"), (bob, "shop")]
        .into_iter()
        .enumerate()
    {
        insert_session(store, number as u16 + 1, whose).await;
    }
}

async fn due(store: &Store, id: &str, now: i64) -> Vec<LogoutRow> {
    let client = client(id);
    let found = store.list_due_logouts(&client, at(now), 100);
    found.await.unwrap()
}

async fn noted(store: &Store, now: i64) -> Vec<SessionId> {
    let mut all = Vec::new();
    for id in store.list_logout_clients(at(now), 100).await.unwrap() {
        let rows = due(store, id.as_str(), now).await;
        all.extend(rows.into_iter().map(|row| row.session));
    }
    all.sort();
    all
}

fn ids(numbers: &[u16]) -> Vec<SessionId> {
    numbers.iter().copied().map(session_id).collect()
}

async fn a_session_that_ends_is_told_of_once(place: &Place) {
    let store = place.open().await;
    four_sessions(&store).await;
    // One that goes on is not told of, and neither is one that ended before.
    commit!(store, insert_session_logout(session_id(1), at(11_000))).unwrap();
    assert_eq!(noted(&store, 20_000).await, ids(&[]));
    let how = EndReason::Revoked;
    commit!(
        store,
        end_session(session_id(1), at(11_000), how),
        insert_session_logout(session_id(1), at(11_001))
    )
    .unwrap();
    assert_eq!(noted(&store, 20_000).await, ids(&[]));
    for _ in 0..2 {
        commit!(store, insert_session_logout(session_id(1), at(11_000))).unwrap();
        assert_eq!(due(&store, "shop", 10_999).await, NO_ROWS);
        let row = LogoutRow {
            session: session_id(1),
            client: client("shop"),
            user: user_id(1),
            created_at: at(11_000),
            due_at: at(11_000),
            attempts: 0,
        };
        assert_eq!(due(&store, "shop", 11_000).await, [row]);
    }
    // Nothing is told of a batch that does not come to pass.
    let again = commit!(
        store,
        end_session(session_id(2), at(12_000), how),
        insert_session_logout(session_id(2), at(12_000)),
        end_session(session_id(1), at(12_000), how)
    );
    assert!(is_stale(&again), "{again:?}");
    assert_eq!(noted(&store, 20_000).await, ids(&[1]));
}

async fn whoever_wants_to_be_told_is_noted_by_what_ends_the_sessions(place: &Place) {
    let store = place.open().await;
    four_sessions(&store).await;
    let document = "https://agent.example/client.json";
    insert_session(&store, 5, (user_id(3), document)).await;
    let gone = (at(11_000), EndReason::Deleted);
    commit!(
        store,
        end_user_sessions(user_id(3), None, gone.0, gone.1),
        insert_user_logouts(user_id(3), gone.0),
        delete_user_sessions(user_id(3)),
        delete_user_authorizations(user_id(3))
    )
    .unwrap();
    let rows = due(&store, document, 11_000).await;
    assert_eq!((rows.len(), rows[0].user), (1, user_id(3)));
    let shop = client("shop");
    let how = (at(12_000), EndReason::Withdrawn);
    commit!(
        store,
        end_client_sessions((user_id(2), &shop), 1, how),
        insert_client_logouts((user_id(2), &shop), how.0)
    )
    .unwrap();
    assert_eq!(noted(&store, 20_000).await, ids(&[4, 5]));
    let how = (at(13_000), EndReason::SignedOut);
    let browser = session_id(100);
    // The one that ended before is not told of again.
    commit!(store, delete_logout(&due(&store, "shop", 20_000).await[0])).unwrap();
    commit!(
        store,
        end_browser_sessions(browser, 3, how),
        insert_browser_logouts(browser, how.0)
    )
    .unwrap();
    assert_eq!(noted(&store, 20_000).await, ids(&[1, 2, 5]));
}

async fn what_outlives_a_sign_in_is_told_of_its_end(place: &Place) {
    let store = place.open().await;
    four_sessions(&store).await;
    let browser = session_id(100);
    let offline = |browser: SessionId| {
        move |granted: &mut Authorization| {
            (granted.browser, granted.agreed_in) = (None, Some(browser));
        }
    };
    let ada = user_id(1);
    insert_granted(&store, 5, (ada, "shop"), offline(browser)).await;
    insert_granted(&store, 6, (ada, "shop"), offline(session_id(101))).await;
    insert_granted(&store, 7, (ada, "quiet"), offline(browser)).await;
    insert_granted(&store, 8, (ada, "web"), offline(browser)).await;
    // One that has ended before is not told of again.
    commit!(
        store,
        end_session(session_id(8), at(11_000), EndReason::Revoked)
    )
    .unwrap();
    let how = (at(12_000), EndReason::SignedOut);
    commit!(
        store,
        end_browser_sessions(browser, 4, how),
        insert_browser_logouts(browser, how.0)
    )
    .unwrap();
    assert_eq!(noted(&store, 20_000).await, ids(&[1, 2, 4, 5]));
    let goes_on = store.find_session(session_id(5)).await.unwrap().unwrap();
    assert_eq!(goes_on.ended, None);
}

async fn what_is_due_is_taken_put_off_and_dropped(place: &Place) {
    let store = place.open().await;
    four_sessions(&store).await;
    for number in [1, 4] {
        let now = at(11_000 + i64::from(number));
        commit!(
            store,
            end_session(session_id(number), now, EndReason::Revoked),
            insert_session_logout(session_id(number), now)
        )
        .unwrap();
    }
    let first = due(&store, "shop", 12_000).await.remove(0);
    commit!(store, claim_logout(&first, at(13_000))).unwrap();
    let claimed = LogoutRow {
        due_at: at(13_000),
        attempts: 1,
        ..first.clone()
    };
    for late in [
        commit!(store, claim_logout(&first, at(13_001))),
        commit!(store, postpone_logout(&first, at(13_001))),
        commit!(store, delete_logout(&first)),
    ] {
        assert!(is_stale(&late), "{late:?}");
    }
    assert_eq!(noted(&store, 12_999).await, ids(&[4]));
    assert_eq!(due(&store, "shop", 13_000).await[1], claimed);
    // One that was not tried after all has cost nothing.
    commit!(store, release_logout(&claimed, at(12_500))).unwrap();
    assert!(is_stale(&commit!(
        store,
        release_logout(&claimed, at(12_600))
    )));
    let released = due(&store, "shop", 12_500).await.remove(1);
    assert_eq!((released.due_at, released.attempts), (at(12_500), 0));
    commit!(store, claim_logout(&released, at(13_000))).unwrap();
    commit!(store, postpone_logout(&claimed, at(20_000))).unwrap();
    // What is in somebody's hands, or was put off already, is let be.
    let shop = client("shop");
    commit!(
        store,
        postpone_client_logouts(&shop, at(13_000), at(15_000))
    )
    .unwrap();
    assert_eq!(noted(&store, 14_999).await, ids(&[]));
    assert_eq!(noted(&store, 19_999).await, ids(&[4]));
    assert_eq!(noted(&store, 20_000).await, ids(&[1, 4]));
    assert_eq!(store.count_waiting_logouts(1).await.unwrap(), 1);
    assert_eq!(store.count_waiting_logouts(9).await.unwrap(), 2);
    let purge = async |id: &str, before, limit| {
        let client = client(id);
        let purged = store.purge_logouts(&client, at(before), limit);
        purged.await.unwrap()
    };
    assert_eq!(purge("web", 99_000, 9).await, 0);
    assert_eq!(purge("shop", 11_000, 9).await, 0);
    assert_eq!(purge("shop", 11_001, 9).await, 1);
    assert_eq!(noted(&store, 99_000).await, ids(&[4]));
    assert_eq!(purge("shop", 99_000, 9).await, 1);
    assert_eq!(store.count_waiting_logouts(9).await.unwrap(), 0);
}

async fn one_of_many_takes_it(place: &Place) {
    let store = place.open().await;
    four_sessions(&store).await;
    commit!(
        store,
        end_session(session_id(1), at(11_000), EndReason::Reused),
        insert_session_logout(session_id(1), at(11_000))
    )
    .unwrap();
    let row = due(&store, "shop", 11_000).await.remove(0);
    let won = winners(|number| {
        let (store, row) = (store.clone(), row.clone());
        async move { commit!(store, claim_logout(&row, at(12_000 + i64::from(number)))) }
    });
    assert_eq!(won.await, 1);
    assert_eq!(due(&store, "shop", 13_000).await[0].attempts, 1);
}

async fn clients_have_their_turn(place: &Place) {
    let store = place.open().await;
    for id in ["a", "b", "c"] {
        insert_client(&store, id, Some("https://a.example/")).await;
    }
    for (number, id) in [(1, "c"), (2, "a"), (3, "b"), (4, "a")] {
        insert_session(&store, number, (user_id(1), id)).await;
        let now = at(11_000 + i64::from(number));
        commit!(
            store,
            end_session(session_id(number), now, EndReason::Revoked),
            insert_session_logout(session_id(number), now)
        )
        .unwrap();
    }
    let listed = async |now, limit| {
        let found = store.list_logout_clients(at(now), limit).await.unwrap();
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        found.join(" ")
    };
    assert_eq!(listed(11_000, 9).await, "");
    assert_eq!(listed(11_003, 9).await, "c a b");
    assert_eq!(listed(12_000, 9).await, "c a b", "each once");
    assert_eq!(listed(12_000, 2).await, "c a");
    assert_eq!(due(&store, "b", 11_002).await, NO_ROWS);
}
