use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

const JWT_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";

fn asked(pairs: &[(&str, &str)]) -> Result<Exchange, OAuthError> {
    exchange(&web(), &read(pairs).unwrap(), &subject(), ("web", at(9)))
}

/// May ask for `openid`, `email`, `offline_access` and `orders:read`, at three resources.
fn web() -> Client {
    Client {
        id: ClientId::parse("web").unwrap(),
        ..client(ClientType::Confidential, &[CALLBACK])
    }
}

fn subject() -> Subject<'static> {
    Subject {
        issued_to: "shop",
        scope: "openid offline_access orders:read orders:write",
        audience: vec!["orders", "https://login.example"],
        expires_at: at(5),
        actors: vec!["edge"],
    }
}

#[test]
fn an_exchange_gives_no_more_than_both_have() {
    let plain = asked(&[]).unwrap();
    assert_eq!(plain.scopes.to_string(), "openid orders:read");
    assert_eq!(plain.targets, [Resource::parse("orders").unwrap()]);
    assert_eq!(plain.expires_at, at(5));
    assert_eq!(plain.actors, ["web", "edge"]);
    let narrow = asked(&[("scope", "openid")]).unwrap();
    assert_eq!(narrow.scopes.to_string(), "openid");
    for more in [
        "openid orders:write",
        "openid email",
        "offline_access",
        "x",
        "*",
    ] {
        assert_eq!(said(&asked(&[("scope", more)])), "invalid_scope", "{more}");
    }
    let short = exchange(&web(), &read(&[]).unwrap(), &subject(), ("web", at(4)));
    assert_eq!(short.unwrap().expires_at, at(4));
}

#[test]
fn a19_the_target_is_a_resource_of_the_client() {
    for (pairs, told) in [
        (&[("resource", "https://api.example.com/")][..], "good"),
        (&[("audience", "https://api.example.com/")], "good"),
        (&[("audience", "orders"), ("audience", "orders")], "good"),
        (&[("resource", "orders")], "invalid_target"),
        (&[("resource", "https://other.example/")], "invalid_target"),
        (&[("audience", "https://other.example/")], "invalid_target"),
        (
            &[("audience", "orders"), ("audience", "x")],
            "invalid_target",
        ),
        (&[("audience", "https://login.example")], "invalid_target"),
    ] {
        assert_eq!(said(&asked(pairs)), told, "{pairs:?}");
    }
    let both = [("audience", "orders"), ("resource", "urn:example:api")];
    let targets = asked(&both).unwrap().targets;
    let targets: Vec<_> = targets.iter().map(Resource::as_str).collect();
    assert_eq!(targets, ["urn:example:api", "orders"]);
}

#[test]
fn a19_what_it_is_for_follows_from_the_token_or_is_named() {
    let client = web();
    let of = |issued_to, audience: &[&'static str]| {
        let subject = Subject {
            issued_to,
            audience: audience.to_vec(),
            ..subject()
        };
        let parameters = Parameters::default();
        exchange(&client, &parameters, &subject, ("web", at(9)))
    };
    assert_eq!(
        said(&of("shop", &["https://login.example"])),
        "invalid_target"
    );
    assert_eq!(said(&of("shop", &[])), "invalid_target");
    // One of its own is for whom it was.
    let own = of("web", &["https://login.example"]).unwrap();
    assert_eq!(own.targets[0].as_str(), "https://login.example");
}

#[test]
fn a21_which_tokens_concern_a_client() {
    let client = web();
    for (issued_to, audience, expected) in [
        ("web", &["https://login.example"][..], true),
        ("shop", &["orders"], true),
        ("shop", &["x", "https://api.example.com/"], true),
        ("shop", &["https://api.example.com"], false),
        ("shop", &["https://login.example"], false),
        ("shop", &["web"], false),
        ("we", &[], false),
    ] {
        let concerns = concerns(&client, issued_to, audience.iter().copied());
        assert_eq!(concerns, expected, "{issued_to} {audience:?}");
    }
}

#[test]
fn what_is_exchanged_for_what() {
    let usual = [
        ("subject_token", "s"),
        ("subject_token_type", ACCESS_TOKEN_TYPE),
    ];
    let with = |more: &[(&str, &str)]| {
        let kept = usual
            .iter()
            .filter(|(name, _)| more.iter().all(|one| one.0 != *name));
        let all: Vec<_> = kept.chain(more).copied().collect();
        let read = read(&all).unwrap();
        ExchangeRequest::read(&read).map(|read| read.actor_token.map(str::to_owned))
    };
    let id_token = "urn:ietf:params:oauth:token-type:id_token";
    for more in [
        &[][..],
        &[("subject_token_type", JWT_TYPE)],
        &[("requested_token_type", ACCESS_TOKEN_TYPE)],
    ] {
        assert_eq!(with(more), Ok(None), "{more:?}");
    }
    let actor = [("actor_token", "a"), ("actor_token_type", JWT_TYPE)];
    assert_eq!(with(&actor), Ok(Some("a".to_owned())));
    for more in [
        &[("subject_token", "")][..],
        &[("subject_token_type", "")],
        &[("subject_token_type", id_token)],
        &[("subject_token_type", "access_token")],
        &[("requested_token_type", JWT_TYPE)],
        &[("requested_token_type", id_token)],
        &[("actor_token", "a")],
        &[("actor_token", "a"), ("actor_token_type", id_token)],
        &[("actor_token_type", ACCESS_TOKEN_TYPE)],
    ] {
        assert_eq!(said(&with(more)), "invalid_request", "{more:?}");
    }
}

const SCOPES: [&str; 6] = [
    "openid",
    "email",
    OFFLINE_ACCESS,
    "orders:read",
    "orders:write",
    "*",
];
const PLACES: [&str; 5] = [
    "orders",
    "urn:example:api",
    "https://api.example.com/",
    "https://login.example",
    "x y",
];

proptest! {
    /// Whatever is asked with whichever token: the scopes are of both, the targets are the client's, nothing lives longer,
    /// and who acted stays on the list behind who acts now.
    #[test]
    fn a21_an_exchange_only_ever_narrows(
        scope in prop::option::of(subsequence(&SCOPES[..5], 0..=5)),
        held in subsequence(&SCOPES[..], 0..=6),
        audience in subsequence(&PLACES[..], 0..=5),
        named in prop::collection::vec((select(&["audience", "resource"][..]), select(&PLACES[..])), 0..4),
        issued_to in select(&["web", "shop"][..]),
        (exp, actor_exp) in (0..100_i64, 0..100_i64),
        actors in prop::collection::vec("[a-c]", 0..10),
    ) {
        let client = web();
        let (scope, held) = (scope.map(|words| words.join(" ")), held.join(" "));
        let mut pairs = named.clone();
        pairs.extend(scope.as_deref().map(|scope| ("scope", scope)));
        let subject = Subject {
            issued_to,
            scope: &held,
            audience: audience.clone(),
            expires_at: at(exp),
            actors: actors.iter().map(String::as_str).collect(),
        };
        let given = exchange(&client, &read(&pairs).unwrap(), &subject, ("web", at(actor_exp)));
        let Ok(given) = given else { return Ok(()) };
        for scope in given.scopes.iter() {
            prop_assert!(client.definition.scopes.contains(scope));
            prop_assert!(held.split(' ').any(|one| one == scope.as_str()));
            prop_assert_ne!(scope.as_str(), OFFLINE_ACCESS);
        }
        prop_assert!(!given.targets.is_empty());
        for target in &given.targets {
            let inherited = named.is_empty() && issued_to == "web" && audience.contains(&target.as_str());
            prop_assert!(client.definition.resources.contains(target) || inherited);
        }
        prop_assert_eq!(given.expires_at, at(exp.min(actor_exp)));
        prop_assert!(given.actors.len() <= MOST_ACTORS);
        prop_assert_eq!(&given.actors[0], "web");
        prop_assert_eq!(&given.actors[1..], &actors[..]);
    }
}
