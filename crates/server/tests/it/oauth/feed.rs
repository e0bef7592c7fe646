//! A feed of revocations that only clients read

use serde_json::json;

use super::Place;
use crate::client::{Answer, Request};
use crate::revocations::Events;

const PATHS: [&str; 2] = ["/api/revocations", "/api/revocations/stream"];

fn shown(request: Request, id: &str, secret: &str) -> Request {
    let text = base64_simd::STANDARD.encode_to_string(format!("{id}:{secret}"));
    request.header("authorization", &format!("Basic {text}"))
}

#[tokio::test]
async fn clients_show_their_secret_where_the_feed_is_not_for_everybody() {
    let place = Place::with(&[("feed.access", "clients")]).await;
    let app = &place.app;
    for path in PATHS {
        for request in [
            app.get(path),
            app.get(path).bearer(&place.admin.access),
            app.get(path).header("authorization", "Basic %"),
            shown(app.get(path), "web", "wrong"),
            shown(app.get(path), "nobody", &place.secret),
            // Public: it has no secret to show.
            shown(app.get(path), "shop", ""),
        ] {
            let answer = request.send().await;
            refused_to_client(&answer);
        }
    }
    let list = shown(app.get(PATHS[0]), "web", &place.secret).send().await;
    assert_eq!(list.expect(200).json()["entries"], json!([]));
    let mut events = Events::of(shown(app.get(PATHS[1]), "web", &place.secret)).await;
    assert_eq!(events.next().await.unwrap().name, "snapshot");
    // Like one that registered itself.
    let others = json!({"grants": ["authorization_code", "refresh_token"]});
    let changed = app
        .patch("/api/admin/clients/web")
        .bearer(&place.admin.access);
    changed.json(&others).send().await.expect(200);
    let answer = shown(app.get(PATHS[0]), "web", &place.secret).send().await;
    refused_to_client(&answer);
    let own = json!({"grants": ["client_credentials"]});
    let changed = app
        .patch("/api/admin/clients/web")
        .bearer(&place.admin.access);
    changed.json(&own).send().await.expect(200);
    let list = shown(app.get(PATHS[0]), "web", &place.secret).send().await;
    list.expect(200);
    let disabled = app
        .patch("/api/admin/clients/web")
        .bearer(&place.admin.access);
    let disabled = disabled.json(&json!({"status": "disabled"})).send().await;
    disabled.expect(200);
    let answer = shown(app.get(PATHS[0]), "web", &place.secret).send().await;
    refused_to_client(&answer);
}

#[track_caller]
fn refused_to_client(answer: &Answer) {
    assert_eq!(answer.expect(401).json()["code"], "invalid_credentials");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Basic "), "{challenge}");
}
