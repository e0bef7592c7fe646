//! `GET /.well-known/jwks.json`

use std::time::Duration;

use symbolon::flows::actor::Actor;
use symbolon::flows::keys;

use crate::app::TestApp;
use crate::people::header;

/// Members of private and symmetric keys (RFC 7518 section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

async fn kids(app: &TestApp) -> Vec<String> {
    let set = app
        .get("/.well-known/jwks.json")
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(set.as_object().unwrap().len(), 1);
    let keys = set["keys"].as_array().unwrap();
    for key in keys {
        let members = key.as_object().unwrap();
        assert!(
            PRIVATE.iter().all(|name| !members.contains_key(*name)),
            "{key}"
        );
        assert_eq!(
            (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
            (
                &"EC".into(),
                &"P-256".into(),
                &"ES256".into(),
                &"sig".into()
            )
        );
        assert_eq!(members.len(), 7, "{key}");
    }
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_key_set_may_be_cached_and_read_by_anybody() {
    let app = TestApp::start().await;
    let answer = app.get("/.well-known/jwks.json").send().await;
    answer.expect(200);
    assert_eq!(
        answer.header("content-type"),
        Some("application/jwk-set+json")
    );
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(
        answer.header("cross-origin-resource-policy"),
        Some("cross-origin")
    );
    let tag = answer.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'));
    let again = app
        .get("/.well-known/jwks.json")
        .header("if-none-match", &tag)
        .send()
        .await;
    assert_eq!(
        (again.expect(304).body.len(), again.header("etag")),
        (0, Some(&*tag))
    );
    app.get("/.well-known/jwks.json")
        .header("if-none-match", "\"other\"")
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn k7_a_new_key_is_published_before_it_signs_and_an_old_one_until_its_tokens_are_dead() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let old = header(&device.access)["kid"].as_str().unwrap().to_owned();
    assert_eq!(kids(&app).await, [old.as_str()]);
    let tag = app
        .get("/.well-known/jwks.json")
        .send()
        .await
        .header("etag")
        .unwrap()
        .to_owned();

    let issuance = app.app.issuance().unwrap();
    let new = keys::rotate(
        &app.app,
        Actor::Operator,
        &issuance.master,
        false,
        &Default::default(),
    )
    .await
    .unwrap()
    .kid;
    keys::reload(&app.app).await.unwrap();
    let both = kids(&app).await;
    assert!(
        both.len() == 2 && both.contains(&old) && both.contains(&new),
        "{both:?}"
    );
    assert_ne!(
        app.get("/.well-known/jwks.json")
            .send()
            .await
            .header("etag"),
        Some(&*tag)
    );

    app.clock
        .advance(keys::PUBLISH_LEAD - Duration::from_secs(1));
    let device = app.refreshed(&device).await;
    assert_eq!(
        header(&device.access)["kid"],
        old,
        "it is known for longer than anybody caches before it signs"
    );
    app.wait(1);
    let next = app.refreshed(&device).await;
    assert_eq!(header(&next.access)["kid"], new);
    app.wait(898);
    app.profile(&device.access).await.expect(200);
    assert!(kids(&app).await.contains(&old));
    app.wait(3600);
    assert_eq!(kids(&app).await, [new]);
}

#[tokio::test]
async fn the_longest_life_that_another_node_gives_tokens_is_not_forgotten() {
    let app = TestApp::start().await;
    let name = "longest_access_ttl_ms";
    let mut batch = app.app.store.batch();
    batch.put_setting(name, "3600000").commit().await.unwrap();
    // A node with a shorter one, that had looked before.
    app.app.open_keys(Some(app.address)).await.unwrap();
    let kept = app.app.store.find_setting(name).await.unwrap();
    assert_eq!(kept.as_deref(), Some("3600000"));
    // What is revoked here is remembered for as long as the other node's tokens can live.
    keys::reload(&app.app).await.unwrap();
    let device = app.user().await;
    app.post("/api/logout")
        .bearer(&device.access)
        .send()
        .await
        .expect(204);
    let entries = app.app.store.list_revocations(0, 10).await.unwrap();
    assert_eq!(
        entries[0].until_s,
        app.clock.now().seconds_ceil() + 3600 + 60
    );
}

#[tokio::test]
async fn metadata_tells_where_things_are() {
    let app = TestApp::start().await;
    let found = app
        .get("/.well-known/oauth-authorization-server")
        .send()
        .await;
    let issuer = format!("http://{}", app.address);
    let expected = serde_json::json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "revocation_feed_uri": format!("{issuer}/api/revocations"),
        "revocation_stream_uri": format!("{issuer}/api/revocations/stream"),
        "verification_uri": format!("{issuer}/api/verify"),
    });
    let told = found.expect(200).json();
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&told[name], value, "{name}");
    }
    assert_eq!(
        found.header("cross-origin-resource-policy"),
        Some("cross-origin")
    );
    // RFC 8414 section 3.1: an issuer's path comes behind the well-known part.
    let app = TestApp::with(&[("server.issuer", "https://example.com/auth/a")]).await;
    let path = "/.well-known/oauth-authorization-server";
    let raw = |path: String| async move {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        app.raw(request.as_bytes()).await
    };
    let found = raw(format!("{path}/auth/a")).await;
    assert_eq!(
        found.expect(200).json()["issuer"],
        "https://example.com/auth/a"
    );
}

#[tokio::test]
async fn nobody_elses_metadata_is_told() {
    let app = TestApp::with(&[("server.issuer", "https://example.com/auth/a")]).await;
    let request = b"GET /.well-known/oauth-authorization-server/auth/b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    app.raw(request).await.problem(404, "not_found");
}
