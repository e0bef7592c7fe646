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
    // Like one that registered itself.
    let others = json!({"grants": ["authorization_code", "refresh_token"]});
    let changed = app
        .patch("/api/admin/clients/web")
        .bearer(&place.admin.access);
    changed.json(&others).send().await.expect(200);
    let answer = app.get(PATHS[0]).basic("web", &place.secret).send().await;
    refused_to_client(&answer);
    let own = json!({"grants": ["client_credentials"]});
    let changed = app
        .patch("/api/admin/clients/web")
        .bearer(&place.admin.access);
    changed.json(&own).send().await.expect(200);
    let list = app.get(PATHS[0]).basic("web", &place.secret).send().await;
    list.expect(200);
    let disabled = app
        .patch("/api/admin/clients/web")
        .bearer(&place.admin.access);
    let disabled = disabled.json(&json!({"status": "disabled"})).send().await;
    disabled.expect(200);
    let answer = app.get(PATHS[0]).basic("web", &place.secret).send().await;
    refused_to_client(&answer);
}

#[tokio::test]
async fn streams_of_a_client_that_is_changed_end_with_a_heartbeat() {
    let place = Place::with(&[("feed.access", "clients")]).await;
    for change in ["name", "secret", "deleted", "again"] {
        let (id, secret) = guard(&place, change).await;
        // Two of one client, which is looked up once.
        let mut streams = [
            open(&place, change, &secret).await,
            open(&place, change, &secret).await,
        ];
        for events in &mut streams {
            // It goes on as long as nothing is changed.
            for _ in 0..3 {
                beat(&place);
                assert_eq!(events.next().await.unwrap().name, "heartbeat");
            }
        }
        let client = format!("/api/admin/clients/{change}");
        let request = match change {
            "name" => place.app.patch(&client).json(&json!({"name": "Other"})),
            "secret" => place.app.delete(&format!("{client}/secrets/{id}")),
            _ => place.app.delete(&client),
        };
        let changed = request.bearer(&place.admin.access).send().await;
        assert!(
            [200, 204].contains(&changed.status),
            "{change}: {changed:?}"
        );
        if change == "again" {
            // With the same id, and the version that it had.
            guard(&place, change).await;
        }
        beat(&place);
        for events in &mut streams {
            assert_ends(events).await;
        }
    }
}

/// A new client that may read the feed, and the id and the text of its secret.
async fn guard(place: &Place, id: &str) -> (String, String) {
    let client = json!({"id": id, "type": "confidential", "name": "Guard", "grants": ["client_credentials"]});
    place.app.oauth_client(&place.admin, &client).await;
    place.app.client_secret(&place.admin, id).await
}

async fn open(place: &Place, id: &str, secret: &str) -> Events {
    let mut events = Events::of(place.app.get(PATHS[1]).basic(id, secret)).await;
    assert_eq!(events.next().await.unwrap().name, "snapshot");
    events
}

fn beat(place: &Place) {
    let hub = &place.app.app.issuance().unwrap().feed;
    hub.heartbeat(place.app.app.clock.now());
}

/// What was sent before may be on its way.
async fn assert_ends(events: &mut Events) {
    for _ in 0..20 {
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
