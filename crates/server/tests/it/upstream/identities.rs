//! `/api/user/identities`

use serde_json::{Value, json};
use symbolon::flows::Origin;
use symbolon::flows::login::{Manner, login_known};
use symbolon_domain::audit::AuditKind;
use symbolon_domain::upstream::Arrival;
use symbolon_domain::{SignInMethod, Transport, User};

use super::linking::id;
use super::{OPEN, World, refused};
use crate::client::Answer;
use crate::people::{OTHER_PASSWORD, PASSWORD};

const PATH: &str = "/api/user/identities";

impl World {
    async fn identities(&self, access: &str) -> Vec<Value> {
        let answer = self.app.get(PATH).bearer(access).send().await;
        let body = answer.expect(200).json();
        body["items"].as_array().unwrap().clone()
    }

    async fn unlink(&self, access: &str, identity: &Value, body: Option<Value>) -> Answer {
        let name = identity["id"].as_str().unwrap();
        let request = self.app.delete(&format!("{PATH}/{name}")).bearer(access);
        match body {
            Some(body) => request.json(&body).send().await,
            None => request.send().await,
        }
    }

    /// An access token of somebody who may have no password.
    async fn access(&self, user: User) -> String {
        let manner = Manner {
            remember: false,
            device: None,
            transport: Transport::Body,
            method: SignInMethod::Upstream,
            identity: None,
        };
        let origin = Origin::default();
        let signed_in = login_known(&self.app.app, user, &manner, &origin);
        signed_in.await.unwrap().access.token
    }
}

#[tokio::test]
async fn an_identity_is_taken_away_with_the_password() {
    let world = World::of(&[OPEN]).await;
    world.app.register("alice").await;
    let alice = world.app.login("alice").await;
    let eve = world.app.other_user().await;
    let issuer = world.web.url("");
    world.link(id(&alice), &issuer, "alice").await;
    world.app.wait(60);
    world.sign_in(|_| {}).await.unwrap();
    let found = world.identities(&alice.access).await;
    assert_eq!(
        found,
        [json!({
            "id": found[0]["id"], "provider": "acme", "issuer": issuer, "subject": "alice",
            "createdAt": "2026-09-21T14:13:20.5Z", "lastUsedAt": "2026-09-21T14:14:20.5Z"
        })]
    );
    assert_eq!(world.identities(&eve.access).await, [json!(null); 0]);
    let with = |password: &str| Some(json!({ "password": password }));
    let unlink = async |access: &str, body| world.unlink(access, &found[0], body).await;
    let missing = unlink(&alice.access, None).await;
    missing.problem(422, "validation_failed");
    assert_eq!(missing.json()["errors"][0]["pointer"], "/password");
    let wrong = unlink(&alice.access, with(OTHER_PASSWORD)).await;
    wrong.problem(403, "wrong_password");
    let foreign = unlink(&eve.access, with(PASSWORD)).await;
    foreign.problem(404, "not_found");
    unlink(&alice.access, with(PASSWORD)).await.expect(204);
    let again = unlink(&alice.access, with(PASSWORD)).await;
    again.problem(404, "not_found");
    world.app.assert_signed_in(&alice).await;
    let lines = world.app.audit(AuditKind::IdentityUnlinked).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].actor, Some(id(&alice)));
    // It is nobody's.
    assert_eq!(refused(world.sign_in(|_| {}).await), Arrival::Taken);
}

#[tokio::test]
async fn the_last_way_in_stays() {
    let world = World::of(&[OPEN]).await;
    let user = world.sign_in(|_| {}).await.unwrap().user;
    let access = world.access(user.clone()).await;
    let found = world.identities(&access).await;
    let last = world.unlink(&access, &found[0], None).await;
    last.problem(409, "conflict");
    let detail = last.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("no password"), "{detail}");
    world.link(user.id, "https://gone.example.com", "7").await;
    let found = world.identities(&access).await;
    let gone = &found[1];
    assert_eq!(gone["provider"], Value::Null, "it is not configured");
    world.unlink(&access, gone, None).await.expect(204);
    world.link(user.id, "https://gone.example.com", "7").await;
    world.unlink(&access, &found[0], None).await.expect(204);
    let last = world.unlink(&access, gone, None).await;
    last.problem(409, "conflict");
}

/// Two who each count on what the other takes away.
#[tokio::test]
async fn x2_of_two_ways_in_that_go_at_once_one_stays() {
    let world = World::of(&[OPEN]).await;
    let user = world.sign_in(|_| {}).await.unwrap().user;
    let access = world.access(user.clone()).await;
    world.link(user.id, "https://gone.example.com", "7").await;
    let found = world.identities(&access).await;
    let (first, second) = tokio::join!(
        world.unlink(&access, &found[0], None),
        world.unlink(&access, &found[1], None)
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    assert_eq!(world.identities(&access).await.len(), 1);
}
