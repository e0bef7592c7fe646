use symbolon_domain::oauth::{Agreement, Consent};
use symbolon_domain::{Resource, UserId};

use super::{client, is_stale, scopes};
use crate::harness::{Place, at, commit, on_every_engine, user_id};

on_every_engine!(
    a_consent_is_kept_in_the_place_of_the_one_before,
    consents_are_listed_by_client,
    consents_are_forgotten,
    a_consent_to_more_than_one_request_can_ask_for,
);

fn api() -> Resource {
    Resource::parse("https://api.example.com/").unwrap()
}

/// What was put, as it is kept.
fn kept(consent: &Consent) -> Option<Consent> {
    Some(Consent {
        version: consent.version + 1,
        ..consent.clone()
    })
}

fn consent(owner: UserId, id: &str) -> Consent {
    Consent {
        user: owner,
        client: client(id),
        agreement: Agreement::default().with(&[api()], &scopes("openid orders:read")),
        version: 0,
        created_at: at(10),
        updated_at: at(10),
    }
}

async fn a_consent_is_kept_in_the_place_of_the_one_before(place: &Place) {
    let store = place.open().await;
    let (owner, shop) = (user_id(1), client("shop"));
    assert_eq!(store.find_consent(owner, &shop).await.unwrap(), None);
    let first = consent(owner, "shop");
    commit!(store, put_consent(&first)).unwrap();
    let found = store.find_consent(owner, &shop).await.unwrap();
    assert_eq!(found, kept(&first));
    let again = commit!(store, put_consent(&first));
    assert!(is_stale(&again), "{again:?}");
    let agreement = first.agreement.with(&[], &scopes("email openid"));
    let second = Consent {
        agreement: agreement.with(&[api()], &scopes("email")),
        version: 1,
        updated_at: at(20),
        ..consent(owner, "shop")
    };
    commit!(store, put_consent(&second)).unwrap();
    let found = store.find_consent(owner, &shop).await.unwrap();
    assert_eq!(found, kept(&second));
    for version in [0, 1, 3] {
        let late = Consent {
            version,
            ..second.clone()
        };
        let late = commit!(store, put_consent(&late));
        assert!(is_stale(&late), "{late:?}");
    }
    let none = Consent {
        agreement: Agreement::default(),
        ..consent(user_id(2), "shop")
    };
    commit!(store, put_consent(&none)).unwrap();
    let found = store.find_consent(user_id(2), &shop).await.unwrap();
    assert_eq!(found, kept(&none));
    let other = store.find_consent(owner, &client("Shop")).await.unwrap();
    assert_eq!(other, None, "ids are compared by bytes");
}

async fn consents_are_listed_by_client(place: &Place) {
    let store = place.open().await;
    let url = "https://app.example.com/client.json";
    for id in ["b", "A", "a.b", url, "a"] {
        commit!(store, put_consent(&consent(user_id(1), id))).unwrap();
    }
    commit!(store, put_consent(&consent(user_id(2), "aa"))).unwrap();
    let ids = async |after: Option<&str>, limit| {
        let after = after.map(client);
        let found = store.list_consents(user_id(1), after.as_ref(), limit);
        let ids = found.await.unwrap().into_iter();
        ids.map(|one| one.client.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, 9).await, ["A", "a", "a.b", "b", url]);
    assert_eq!(ids(None, 2).await, ["A", "a"]);
    assert_eq!(ids(Some("a"), 2).await, ["a.b", "b"]);
    assert_eq!(
        ids(Some("aa"), 9).await,
        ["b", url],
        "one that is not there"
    );
    assert_eq!(ids(Some(url), 9).await, [] as [&str; 0]);
    assert_eq!(store.list_consents(user_id(3), None, 9).await.unwrap(), []);
}

async fn consents_are_forgotten(place: &Place) {
    let store = place.open().await;
    for (owner, id) in [(1, "a"), (1, "b"), (1, "c"), (2, "a"), (2, "b")] {
        commit!(store, put_consent(&consent(user_id(owner), id))).unwrap();
    }
    let ids = async |owner| {
        let found = store.list_consents(user_id(owner), None, 9).await.unwrap();
        let ids = found.into_iter().map(|one| one.client.to_string());
        ids.collect::<Vec<_>>()
    };
    let required = async |owner| {
        let first = kept(&consent(user_id(owner), "a")).unwrap();
        commit!(store, require_consent(&first))
    };
    required(1).await.unwrap();
    let newer = commit!(
        store,
        require_consent(&Consent {
            version: 2,
            ..consent(user_id(1), "a")
        })
    );
    assert!(is_stale(&newer), "{newer:?}");
    commit!(store, delete_consent(user_id(1), &client("a"))).unwrap();
    let none = required(1).await;
    assert!(is_stale(&none), "{none:?}");
    // What was taken back does not come again with what was read before.
    let late = Consent {
        version: 1,
        ..consent(user_id(1), "a")
    };
    let late = commit!(store, put_consent(&late));
    assert!(is_stale(&late), "{late:?}");
    required(2).await.unwrap();
    for id in ["a", "z"] {
        let none = commit!(store, delete_consent(user_id(1), &client(id)));
        assert!(is_stale(&none), "{none:?}");
    }
    assert_eq!(ids(1).await, ["b", "c"]);
    assert_eq!(ids(2).await, ["a", "b"], "of another person");
    commit!(store, delete_client_consents(&client("b"))).unwrap();
    assert_eq!(
        (ids(1).await, ids(2).await),
        (vec!["c".into()], vec!["a".into()])
    );
    commit!(
        store,
        delete_client_consents(&client("b")),
        delete_user_consents(user_id(1))
    )
    .unwrap();
    assert_eq!((ids(1).await, ids(2).await), (vec![], vec!["a".into()]));
    commit!(store, delete_user_consents(user_id(1))).unwrap();
}

/// It grows with each request, and with what the client may ask for.
async fn a_consent_to_more_than_one_request_can_ask_for(place: &Place) {
    let store = place.open().await;
    let mut grown = consent(user_id(1), "shop");
    for number in 0..250 {
        let more = scopes(&format!("orders:{number}"));
        grown.agreement = grown.agreement.with(&[api()], &more);
    }
    commit!(store, put_consent(&grown)).unwrap();
    let found = store.find_consent(grown.user, &grown.client).await.unwrap();
    assert_eq!(found, kept(&grown));
}
