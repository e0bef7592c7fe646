//! How far administrators go: SECURITY rows M3 and M4.

use serde_json::{Value, json};
use symbolon::clock::Clock;
use symbolon::flows::actor::Actor;
use symbolon::flows::users::{self, Edit};
use symbolon::flows::{Error, Origin};
use symbolon_domain::{Refusal, RoleName, Roles, UserId, UserStatus};
use symbolon_testkit::Postgres;

use crate::app::{Folder, START, TestApp};
use crate::client::Answer;
use crate::people::{Device, OTHER_PASSWORD, PASSWORD};

async fn send(app: &TestApp, by: &Device, (method, path): (&str, &str), body: &Value) -> Answer {
    let request = app.request(method, &format!("/api/admin{path}"));
    request.bearer(&by.access).json(body).send().await
}

#[tokio::test]
async fn m3_nobody_gives_what_they_do_not_have() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.register("ada").await;
    let desk = app.delegate("desk", "users:read users:write").await;
    let ada = app.login("ada").await;
    app.role(
        &admin,
        &json!({"name": "seller", "permissions": ["orders:write"]}),
    )
    .await;
    app.role(&admin, &json!({"name": "boss", "includes": ["admin"]}))
        .await;
    for (path, roles) in [
        (&ada.user, json!(["admin"])),
        (&desk.user, json!(["desk", "admin"])),
        (&ada.user, json!(["user", "seller"])),
        (&ada.user, json!(["boss"])),
    ] {
        let path = format!("/users/{path}");
        let answer = send(&app, &desk, ("PATCH", &path), &json!({"roles": roles})).await;
        answer.problem(403, "forbidden");
    }
    let new = json!({"email": "eve@example.com", "password": PASSWORD, "roles": ["admin"]});
    send(&app, &desk, ("POST", "/users"), &new)
        .await
        .problem(403, "forbidden");
    // What they have they may give.
    let path = format!("/users/{}", ada.user);
    let roles = json!({"roles": ["user", "desk"]});
    send(&app, &desk, ("PATCH", &path), &roles)
        .await
        .expect(200);
}

#[tokio::test]
async fn m3_nobody_touches_somebody_above() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let all = "users:read users:write sessions:read sessions:write revocations:write";
    let desk = app.delegate("desk", all).await;
    let (user, session) = (
        format!("/users/{}", admin.user),
        format!("/sessions/{}", admin.sid),
    );
    let before = app.stored(&admin).await;
    for (call, body) in [
        (("PATCH", user.as_str()), json!({"status": "disabled"})),
        (("PATCH", &user), json!({"email": "mine@example.com"})),
        (("DELETE", &user), json!({})),
        (
            ("POST", &format!("{user}/password")),
            json!({"password": OTHER_PASSWORD}),
        ),
        (("POST", &format!("{user}/logout")), json!({})),
        (("DELETE", &session), json!({})),
        (
            ("POST", "/revocations"),
            json!({"kind": "user", "id": admin.user}),
        ),
        (
            ("POST", "/revocations"),
            json!({"kind": "user", "id": admin.user, "effect": "stale"}),
        ),
        (
            ("POST", "/revocations"),
            json!({"kind": "session", "id": admin.sid}),
        ),
    ] {
        send(&app, &desk, call, &body)
            .await
            .problem(403, "forbidden");
    }
    assert_eq!(app.stored(&admin).await, before);
    app.assert_signed_in(&admin).await;
    app.login("root").await;
}

#[tokio::test]
async fn m3_a_write_is_judged_by_what_the_actor_may_now() {
    let app = TestApp::start().await;
    let desk = app.delegate("desk", "users:write").await;
    app.register("ada").await;
    let ada = users::find(&app.app, "ada@example.com").await.unwrap();
    let actor = Actor::User(desk.user.parse().unwrap());
    let disable = Edit {
        status: Some(UserStatus::Disabled),
        ..Edit::default()
    };
    // As if the token had been taken for good just before the role was taken away.
    app.give(&desk, "user").await;
    let refused = users::edit(
        &app.app,
        actor,
        (ada.id, &disable, None),
        &Origin::default(),
    )
    .await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::Forbidden))));
    assert_eq!(users::find(&app.app, "ada@example.com").await.unwrap(), ada);
}

#[tokio::test]
async fn m4_the_last_administrator_stays() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let path = format!("/users/{}", admin.user);
    for (method, body) in [
        ("DELETE", json!({})),
        ("PATCH", json!({"status": "disabled"})),
        ("PATCH", json!({"roles": ["user"]})),
    ] {
        send(&app, &admin, (method, &path), &body)
            .await
            .problem(409, "conflict");
    }
    // A disabled one does not count.
    let second = app.person("second", &["admin"]).await;
    let other = format!("/users/{}", second.id);
    send(
        &app,
        &admin,
        ("PATCH", &other),
        &json!({"status": "disabled"}),
    )
    .await
    .expect(200);
    send(&app, &admin, ("DELETE", &path), &json!({}))
        .await
        .problem(409, "conflict");
    send(
        &app,
        &admin,
        ("PATCH", &other),
        &json!({"status": "active"}),
    )
    .await
    .expect(200);
    send(&app, &admin, ("DELETE", &path), &json!({}))
        .await
        .expect(204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m4_two_admins_demote_each_other_on_sqlite() {
    let folder = Folder::new();
    let app = TestApp::in_folder(&folder, Clock::frozen(START), 3).await;
    demote_each_other(&app, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m4_two_admins_demote_each_other_on_postgresql() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let folder = Folder::new();
    let settings = [("database.url", postgres.url())];
    let settings = settings.each_ref().map(|(name, url)| (*name, url.as_str()));
    let app = TestApp::in_folder_with(&folder, Clock::frozen(START), 3, &settings).await;
    demote_each_other(&app, 50).await;
}

/// Whoever is left of the round before and a new one strike each other at once, by taking the role away, by disabling or
/// by deleting: exactly one stays.
async fn demote_each_other(app: &TestApp, rounds: usize) {
    let mut standing = app.person("first", &["admin"]).await.id;
    let nobody = UserId::from_bytes([0; 16]);
    for round in 0..rounds {
        let new = app.person(&format!("new{round}"), &["admin"]).await.id;
        let (first, second) = (
            strike(app, standing, new, round % 3),
            strike(app, new, standing, (round / 3) % 3),
        );
        let outcomes = [first.await.unwrap(), second.await.unwrap()];
        match &outcomes {
            [Ok(()), Err(refused)] | [Err(refused), Ok(())] => assert!(
                matches!(
                    refused,
                    Error::Refused(Refusal::Forbidden | Refusal::Conflict("last_admin"))
                ),
                "round {round}: {refused:?}"
            ),
            both => panic!("round {round}: {both:?}"),
        }
        let left = app.app.store.count_other_admins(nobody).await.unwrap();
        assert_eq!(left, 1, "round {round}");
        if outcomes[1].is_ok() {
            standing = new;
        }
    }
}

fn strike(
    app: &TestApp,
    by: UserId,
    target: UserId,
    how: usize,
) -> tokio::task::JoinHandle<Result<(), Error>> {
    let app = std::sync::Arc::clone(&app.app);
    tokio::spawn(async move {
        let (actor, origin) = (Actor::User(by), Origin::default());
        if how == 2 {
            return users::delete(&app, actor, (target, None), &origin).await;
        }
        let edit = Edit {
            roles: (how == 0).then(|| Roles::new(vec![RoleName::USER])),
            status: (how == 1).then_some(UserStatus::Disabled),
            ..Edit::default()
        };
        let changed = users::edit(&app, actor, (target, &edit, None), &origin).await;
        changed.map(|_| ())
    })
}
