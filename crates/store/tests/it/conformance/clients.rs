use std::collections::BTreeSet;

use symbolon_domain::refresh::Digest;
use symbolon_domain::{
    AuthMethod, Client, ClientDefinition, ClientId, ClientJwks, ClientOrigin, ClientSecret,
    ClientStatus, ClientType, ConsentPolicy, DisplayName, EndpointUri, Grant, RedirectUri,
    Resource, Role, RoleName, Roles, Scope, SubjectType,
};
use symbolon_store::Error;

use crate::harness::{Place, at, commit, on_every_engine, uuid};

on_every_engine!(
    a_client_is_kept_as_it_is_changed_and_deleted,
    nobody_reads_a_client_as_it_was,
    clients_are_listed_by_id_and_status,
    origins_are_those_of_active_clients,
    a_role_that_a_client_has_stays
);

const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwaaPJgHURo"}]}"#;

fn client(id: &str) -> Client {
    Client {
        id: ClientId::parse(id).unwrap(),
        kind: ClientType::Confidential,
        definition: ClientDefinition::new(
            DisplayName::parse("L\u{e4}den & <Co>").unwrap(),
            ClientType::Confidential,
        ),
        secrets: Vec::new(),
        version: 1,
        created_at: at(5),
        updated_at: at(5),
    }
}

fn full(id: &str) -> Client {
    let uri = |text: &str| RedirectUri::parse(text).unwrap();
    let secret = |number: u16, hint: &str| ClientSecret {
        id: uuid(7, number),
        hint: hint.to_owned(),
        digest: Digest::new([number as u8; 32]),
        created_at: at(7),
    };
    Client {
        definition: ClientDefinition {
            redirect_uris: BTreeSet::from([
                uri("https://a.example/%7Ecb?x=%c3%bc"),
                uri("com.example.app:/cb"),
            ]),
            post_logout_redirect_uris: BTreeSet::from([uri("https://a.example/bye")]),
            origins: BTreeSet::from([ClientOrigin::parse("https://a.example").unwrap()]),
            grants: Grant::ALL.iter().copied().collect(),
            scopes: BTreeSet::from([Scope::parse("orders:read").unwrap()]),
            roles: Roles::parse("admin user").unwrap(),
            resources: BTreeSet::from([Resource::parse("https://api.example/").unwrap()]),
            auth_method: AuthMethod::PrivateKeyJwt,
            jwks: Some(ClientJwks::parse(KEYS).unwrap()),
            jwks_uri: Some(EndpointUri::parse("https://a.example/keys").unwrap()),
            subject_type: SubjectType::Pairwise,
            id_token_alg: Some("EdDSA".parse().unwrap()),
            consent: ConsentPolicy::Trusted,
            require_pushed: true,
            dpop_bound: true,
            backchannel_logout_uri: Some(EndpointUri::parse("https://a.example/out").unwrap()),
            status: ClientStatus::Disabled,
            ..client(id).definition
        },
        secrets: vec![secret(1, "/a/b"), secret(200, "WXYZ")],
        ..client(id)
    }
}

async fn a_client_is_kept_as_it_is_changed_and_deleted(place: &Place) {
    let store = place.open().await;
    let id = ClientId::parse("shop").unwrap();
    assert_eq!(store.find_client(&id).await.unwrap(), None);
    commit!(store, insert_client(&client("shop"))).unwrap();
    let found = store.find_client(&id).await.unwrap();
    assert_eq!(found.as_deref(), Some(&client("shop")));
    let taken = commit!(store, insert_client(&full("shop")));
    assert!(matches!(taken, Err(Error::Conflict("client"))), "{taken:?}");

    commit!(store, update_client(&full("shop"), at(9))).unwrap();
    let stored = store.find_client(&id).await.unwrap().unwrap();
    let expected = Client {
        version: 2,
        updated_at: at(9),
        ..full("shop")
    };
    assert_eq!(*stored, expected);
    for late in [
        commit!(store, update_client(&full("shop"), at(10))),
        commit!(store, delete_client(&full("shop"))),
    ] {
        assert!(matches!(late, Err(Error::Stale)), "{late:?}");
    }
    commit!(store, delete_client(&stored)).unwrap();
    assert_eq!(store.find_client(&id).await.unwrap(), None);
    let holders = store.list_role_clients(&RoleName::ADMIN, 9).await.unwrap();
    assert_eq!(holders, []);
}

/// Also nobody who has just read it.
async fn nobody_reads_a_client_as_it_was(place: &Place) {
    let id = ClientId::parse("shop").unwrap();
    let here = place.open().await;
    let elsewhere = match place.is_shared() {
        true => place.open().await,
        false => here.clone(),
    };
    commit!(here, insert_client(&client("shop"))).unwrap();
    let read = async || here.find_client(&id).await.unwrap();
    for (version, store) in [(1, &elsewhere), (2, &here), (3, &elsewhere)] {
        for _ in 0..2 {
            assert_eq!(read().await.unwrap().version, version);
        }
        let former = Client {
            version,
            ..full("shop")
        };
        commit!(store, update_client(&former, at(9))).unwrap();
    }
    let last = read().await.unwrap();
    assert_eq!(
        (last.version, last.definition.status),
        (4, ClientStatus::Disabled)
    );
    commit!(elsewhere, delete_client(&last)).unwrap();
    assert_eq!(read().await, None);
}

async fn clients_are_listed_by_id_and_status(place: &Place) {
    let store = place.open().await;
    for id in ["b", "A", "a.b", "a"] {
        commit!(store, insert_client(&client(id))).unwrap();
    }
    commit!(store, insert_client(&full("c"))).unwrap();
    let ids = async |status, after: Option<&str>, limit| {
        let after = after.map(|id| ClientId::parse(id).unwrap());
        let found = store.list_clients(status, after.as_ref(), limit).await;
        let ids = found.unwrap().into_iter().map(|one| one.id.to_string());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(None, None, 9).await, ["A", "a", "a.b", "b", "c"]);
    assert_eq!(ids(None, Some("a"), 2).await, ["a.b", "b"]);
    let (active, disabled) = (ClientStatus::Active, ClientStatus::Disabled);
    assert_eq!(ids(Some(active), None, 3).await, ["A", "a", "a.b"]);
    assert_eq!(ids(Some(active), Some("b"), 3).await, [] as [&str; 0]);
    assert_eq!(ids(Some(disabled), Some("A"), 3).await, ["c"]);
}

async fn origins_are_those_of_active_clients(place: &Place) {
    let store = place.open().await;
    commit!(store, insert_client(&client("a"))).unwrap();
    commit!(store, insert_client(&full("b"))).unwrap();
    assert_eq!(store.list_client_origins(9).await.unwrap(), []);
    let origin = |text: &str| ClientOrigin::parse(text).unwrap();
    let origins = BTreeSet::from([origin("https://c.example"), origin("http://127.0.0.1:8080")]);
    let mut page = client("c");
    page.definition.origins.clone_from(&origins);
    commit!(store, insert_client(&page)).unwrap();
    assert_eq!(store.list_client_origins(9).await.unwrap(), [origins]);
}

async fn a_role_that_a_client_has_stays(place: &Place) {
    let store = place.open().await;
    let clerk = Role {
        name: RoleName::parse("clerk").unwrap(),
        description: String::new(),
        permissions: Default::default(),
        includes: Roles::default(),
        builtin: false,
        version: 1,
        created_at: at(1),
        updated_at: at(1),
    };
    commit!(store, insert_role(&clerk)).unwrap();
    let mut robot = client("robot");
    robot.definition.roles = Roles::parse("clerk").unwrap();
    let before = store.role_state().await.unwrap();
    commit!(store, insert_client(&robot)).unwrap();
    let late = commit!(store, require_grants(before));
    assert!(matches!(late, Err(Error::Stale)), "{late:?}");
    let holders = store.list_role_clients(&clerk.name, 9).await.unwrap();
    assert_eq!(holders, [robot.id.clone()]);
    let refused = commit!(store, delete_role(&clerk.name, 1));
    assert!(matches!(refused, Err(Error::Stale)), "{refused:?}");
    robot.definition.roles = Roles::default();
    commit!(store, update_client(&robot, at(2))).unwrap();
    commit!(store, delete_role(&clerk.name, 1)).unwrap();
}
