//! A feed of revocations that only clients read

use serde_json::json;

use super::Place;
use crate::client::Answer;
use crate::revocations::Events;

pub const PATHS: [&str; 2] = ["/api/revocations", "/api/revocations/stream"];

#[tokio::test]
async fn clients_show_their_secret_where_the_feed_is_not_for_everybody() {
    let place = Place::with(&[("feed.access", "clients")]).await;
    let app = &place.app;
    for path in PATHS {
        for request in [
            app.get(path),
            app.get(path).bearer(&place.admin.access),
            app.get(path).header("authorization", "Basic %"),
            app.get(path).basic("web", "wrong"),
            app.get(path).basic("nobody", &place.secret),
            // Public: it has no secret to show.
            app.get(path).basic("shop", ""),
        ] {
            let answer = request.send().await;
            refused_to_client(&answer);
        }
    }
    let list = app.get(PATHS[0]).basic("web", &place.secret).send().await;
    assert_eq!(list.expect(200).json()["entries"], json!([]));
    let mut events = Events::of(app.get(PATHS[1]).basic("web", &place.secret)).await;
    assert_eq!(events.next().await.unwrap().name, "snapshot");
    let beat = || {
        let hub = &app.app.issuance().unwrap().feed;
        hub.heartbeat(app.app.clock.now());
    };
    for _ in 0..3 {
        beat();
        assert_eq!(events.next().await.unwrap().name, "heartbeat");
    }
    // Like one that registered itself.
    let others = json!({"grants": ["authorization_code", "refresh_token"]});
    let changed = app
        .patch("/api/admin/clients/web")
        .bearer(&place.admin.access);
    changed.json(&others).send().await.expect(200);
    let answer = app.get(PATHS[0]).basic("web", &place.secret).send().await;
    refused_to_client(&answer);
    beat();
    assert_ends(&mut events).await;
    let own = json!({"grants": ["client_credentials"]});
    let changed = app
        .patch("/api/admin/clients/web")
        .bearer(&place.admin.access);
    changed.json(&own).send().await.expect(200);
    let list = app.get(PATHS[0]).basic("web", &place.secret).send().await;
    list.expect(200);
    // Two streams of one client, looked up once.
    let mut streams = [
        Events::of(app.get(PATHS[1]).basic("web", &place.secret)).await,
        Events::of(app.get(PATHS[1]).basic("web", &place.secret)).await,
    ];
    let disabled = app
        .patch("/api/admin/clients/web")
        .bearer(&place.admin.access);
    let disabled = disabled.json(&json!({"status": "disabled"})).send().await;
    disabled.expect(200);
    beat();
    for events in &mut streams {
        assert_eq!(events.next().await.unwrap().name, "snapshot");
        assert_ends(events).await;
    }
    let answer = app.get(PATHS[0]).basic("web", &place.secret).send().await;
    refused_to_client(&answer);
}

/// What was sent before may be on its way.
async fn assert_ends(events: &mut Events) {
    for _ in 0..5 {
        if events.next().await.is_none() {
            return;
        }
    }
    panic!("the stream goes on");
}

#[track_caller]
pub fn refused_to_client(answer: &Answer) {
    assert_eq!(answer.expect(401).json()["code"], "invalid_credentials");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Basic "), "{challenge}");
}
