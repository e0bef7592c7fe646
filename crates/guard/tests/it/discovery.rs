//! Starting.

use std::time::Duration;

use serde_json::Value;
use symbolon_guard::{Clock, Denied, DiscoverError, Event, FetchError, Guard, Staleness};

use crate::issuer::{
    AUDIENCE, Answer, Issuer, NOW, Script, Then, metadata, snapshot, soon, watched,
};

async fn refused(issuer: &Issuer) -> DiscoverError {
    let builder = issuer.builder().start_timeout(Duration::from_secs(2));
    soon(builder.start()).await.unwrap_err()
}

/// The refusal of a metadata document in which one member is another.
async fn with_member(name: &str, value: Value) -> DiscoverError {
    let issuer = Issuer::start().await;
    let mut document = metadata(&issuer.url);
    document[name] = value;
    *issuer.world.metadata.lock().unwrap() = Answer::json(&document);
    refused(&issuer).await
}

#[tokio::test]
async fn a_guard_starts_with_keys_and_a_snapshot() {
    let issuer = Issuer::start().await;
    let watched = issuer.guard().await;
    assert_eq!(
        watched
            .guard
            .verify(&issuer.token())
            .await
            .unwrap()
            .claims()
            .sub,
        "alice"
    );
    assert_eq!(watched.guard.issuer(), issuer.url);
    assert_eq!(watched.guard.audience(), AUDIENCE);
    let metrics = watched.guard.metrics();
    assert!(metrics.fresh);
    assert_eq!(
        (metrics.snapshots, metrics.key_fetches, metrics.accepted),
        (1, 1, 1)
    );
    assert_eq!(metrics.seconds_since_heard, Some(0.0));
    assert_eq!(issuer.connections(1).await, [None]);
}

#[tokio::test]
async fn the_metadata_must_be_had() {
    for (answer, reason) in [
        (Answer::Redirect, FetchError::Redirected),
        (Answer::Status(404), FetchError::Status(404)),
        (
            Answer::Body(vec![b' '; (1 << 20) + 1]),
            FetchError::TooLarge,
        ),
    ] {
        let issuer = Issuer::start().await;
        *issuer.world.metadata.lock().unwrap() = answer;
        let url = format!("{}/.well-known/oauth-authorization-server", issuer.url);
        assert_eq!(
            refused(&issuer).await,
            DiscoverError::Metadata { url, reason }
        );
    }
    let issuer = Issuer::start().await;
    *issuer.world.metadata.lock().unwrap() = Answer::Body(b"<html>".to_vec());
    let error = refused(&issuer).await.to_string();
    assert!(
        error.contains("metadata") && error.contains("not what it should be"),
        "{error}"
    );
}

#[tokio::test]
async fn an_issuer_that_hangs_does_not_hold_up_the_start() {
    let issuer = Issuer::start().await;
    *issuer.world.metadata.lock().unwrap() = Answer::Hang;
    let step = "asking for the issuer's metadata";
    assert_eq!(refused(&issuer).await, DiscoverError::TimedOut { step });
    *issuer.world.metadata.lock().unwrap() = Answer::json(&metadata(&issuer.url));
    *issuer.world.jwks.lock().unwrap() = Answer::Hang;
    let step = "fetching the issuer's keys";
    assert_eq!(refused(&issuer).await, DiscoverError::TimedOut { step });
}

#[tokio::test]
async fn nobody_answers() {
    let issuer = Guard::discover("http://127.0.0.1:1").audience(AUDIENCE);
    let error = soon(issuer.start()).await.unwrap_err().to_string();
    assert!(
        error.starts_with("the issuer's metadata at http://127.0.0.1:1/.well-known/"),
        "{error}"
    );
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test]
async fn the_metadata_must_be_of_the_issuer_and_name_safe_addresses() {
    let wrong = with_member("issuer", "http://127.0.0.1".into()).await;
    assert!(
        matches!(wrong, DiscoverError::WrongIssuer { .. }),
        "{wrong:?}"
    );
    for (name, value) in [
        ("jwks_uri", "http://auth.example/jwks"),
        ("revocation_stream_uri", "ftp://127.0.0.1/"),
        ("verification_uri", "//auth.example/"),
    ] {
        let error = with_member(name, value.into()).await;
        assert!(
            matches!(error, DiscoverError::Endpoint { name: found, .. } if found == name),
            "{error:?}"
        );
    }
    for name in ["jwks_uri", "revocation_stream_uri"] {
        let error = with_member(name, Value::Null).await;
        assert_eq!(
            error,
            DiscoverError::Endpoint {
                name,
                reason: "is not there"
            }
        );
    }
}

#[tokio::test]
async fn who_would_ask_the_issuer_needs_an_address_for_it() {
    let issuer = Issuer::start().await;
    let mut document = metadata(&issuer.url);
    document["verification_uri"] = Value::Null;
    *issuer.world.metadata.lock().unwrap() = Answer::json(&document);
    let error = soon(issuer.builder().staleness(Staleness::Introspect).start())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            DiscoverError::Endpoint {
                name: "verification_uri",
                ..
            }
        ),
        "{error:?}"
    );
    assert!(soon(issuer.builder().start()).await.is_ok());
}

#[tokio::test]
async fn keys_and_a_snapshot_must_be_had() {
    let issuer = Issuer::start().await;
    *issuer.world.jwks.lock().unwrap() = Answer::Status(503);
    let url = format!("{}/.well-known/jwks.json", issuer.url);
    let reason = FetchError::Status(503);
    assert_eq!(refused(&issuer).await, DiscoverError::Keys { url, reason });

    let fails = |text: &str, then| Script {
        text: text.to_owned(),
        then,
    };
    for (script, reason) in [
        (fails("", Then::Fail), "status 500"),
        (fails("", Then::Stay), "no snapshot came in time"),
        (
            fails("event: snapshot\ndata: {]\n\n", Then::Stay),
            "malformed",
        ),
    ] {
        let issuer = Issuer::with(vec![script]).await;
        let error = refused(&issuer).await.to_string();
        assert!(
            error.contains("/api/revocations/stream") && error.contains(reason),
            "{error}"
        );
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_told() {
    for (builder, name) in [
        (Guard::discover("auth.example").audience("api"), "issuer"),
        (Guard::discover("https://auth.example"), "audience"),
        (
            Guard::discover("https://auth.example")
                .audience("api")
                .leeway(Duration::from_secs(61)),
            "leeway",
        ),
        (
            Guard::discover("https://auth.example")
                .audience("api")
                .leeway(Duration::from_millis(500)),
            "leeway",
        ),
        (
            Guard::discover("https://auth.example")
                .audience("api")
                .staleness_bound(Duration::ZERO),
            "staleness_bound",
        ),
        (
            Guard::discover("https://auth.example")
                .audience("api")
                .resource("orders"),
            "resource",
        ),
        (
            Guard::discover("https://auth.example")
                .audience("api")
                .resource_metadata("https://x/\"y"),
            "resource_metadata",
        ),
    ] {
        let error = builder.start_in_background().unwrap_err();
        assert!(
            matches!(error, DiscoverError::Setting { name: found, .. } if found == name),
            "{name}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_start_in_the_background_answers_503_until_all_is_known() {
    let issuer = Issuer::start().await;
    *issuer.world.metadata.lock().unwrap() = Answer::Status(503);
    let builder = issuer
        .builder()
        .clock(Clock::frozen(NOW))
        .staleness(Staleness::FailOpen);
    let (builder, mut events) = watched(builder);
    let guard = builder.start_in_background().unwrap();
    let token = issuer.token();
    assert_eq!(guard.verify(&token).await.unwrap_err(), Denied::Overloaded);
    assert_eq!(guard.check(&token).unwrap_err(), Denied::Overloaded);
    assert_eq!(guard.check("garbage").unwrap_err(), Denied::Invalid);
    assert!(!guard.metrics().fresh && guard.revision().is_none());

    *issuer.world.metadata.lock().unwrap() = Answer::json(&metadata(&issuer.url));
    while soon(events.recv()).await.unwrap() != (Event::Snapshot { seq: 0 }) {}
    assert!(guard.verify(&token).await.is_ok());
}

#[tokio::test]
async fn the_follower_ends_with_the_last_clone() {
    let issuer = Issuer::with(vec![
        Script {
            text: snapshot("e1", 0, &[]),
            then: Then::Stay,
        },
        Script {
            text: snapshot("e1", 0, &[]),
            then: Then::Stay,
        },
    ])
    .await;
    let mut first = issuer.guard().await;
    let clone = first.guard.clone();
    first.guard = issuer.guard().await.guard;
    drop(clone);
    // The hook lives in the follower: no more can come.
    soon(async { while first.events.recv().await.is_some() {} }).await;
}
