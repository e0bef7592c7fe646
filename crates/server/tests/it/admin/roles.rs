//! `/api/admin/roles`

use serde_json::{Value, json};
use symbolon_domain::audit::AuditKind;
use symbolon_domain::{Email, RoleName, Roles, User, UserId};
use symbolon_store::Announcement;

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::{Device, claims};

const ROLES: &str = "/api/admin/roles";

async fn patch(app: &TestApp, by: &Device, role: &str, change: &Value) -> Answer {
    let request = app.patch(&format!("{ROLES}/{role}")).bearer(&by.access);
    request.json(change).send().await
}

/// Somebody with these roles, signed in.
async fn holder(app: &TestApp, name: &str, roles: &str) -> Device {
    app.register(name).await;
    let device = app.login(name).await;
    app.give(&device, roles).await;
    app.refreshed(&device).await
}

fn scope(device: &Device) -> String {
    claims(&device.access)["scope"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_role_is_made_shown_changed_replaced_and_deleted() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let made = app
        .role(&admin, &json!({"name": "clerk", "description": "Takes orders", "permissions": ["orders:read"]}))
        .await;
    assert_eq!(made.header("location"), Some("/api/admin/roles/clerk"));
    assert_eq!(made.header("etag"), Some("\"1\""));
    let path = format!("{ROLES}/clerk");
    let shown = app.get(&path).bearer(&admin.access).send().await;
    assert_eq!(shown.expect(200).json(), made.json());
    let cached = app
        .get(&path)
        .bearer(&admin.access)
        .header("if-none-match", "\"1\"");
    assert!(cached.send().await.expect(304).body.is_empty());

    let change = json!({"permissions": ["orders:write", "orders:read"], "includes": ["user"]});
    let changed = patch(&app, &admin, "clerk", &change).await;
    assert_eq!(changed.expect(200).header("etag"), Some("\"2\""));
    let body = changed.json();
    assert_eq!(body["permissions"], json!(["orders:read", "orders:write"]));
    assert_eq!(body["description"], "Takes orders");

    app.get(&path)
        .bearer(&admin.access)
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn a_role_is_replaced_and_deleted_in_the_version_that_was_seen() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.role(
        &admin,
        &json!({"name": "clerk", "permissions": ["orders:read"]}),
    )
    .await;
    let path = format!("{ROLES}/clerk");
    let change = json!({"permissions": ["orders:write", "orders:read"], "includes": ["user"]});
    patch(&app, &admin, "clerk", &change).await.expect(200);
    let whole = json!({"description": "", "permissions": [], "includes": []});
    let put = |tag: &str| {
        app.request("PUT", &path)
            .bearer(&admin.access)
            .header("if-match", tag)
            .json(&whole)
    };
    put("\"1\"")
        .send()
        .await
        .problem(412, "precondition_failed");
    let replaced = put("\"2\"").send().await;
    assert_eq!(replaced.expect(200).json()["permissions"], json!([]));
    let list = app
        .get(ROLES)
        .bearer(&admin.access)
        .send()
        .await
        .expect(200)
        .json();
    let names: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["name"].clone())
        .collect();
    assert_eq!(names, ["admin", "clerk", "user"]);

    app.delete(&path)
        .bearer(&admin.access)
        .send()
        .await
        .expect(204);
    app.get(&path)
        .bearer(&admin.access)
        .send()
        .await
        .problem(404, "not_found");
    assert_told(&app, &admin).await;
}

/// What the audit log says of the changes above.
async fn assert_told(app: &TestApp, admin: &Device) {
    for (kind, details) in [
        (
            AuditKind::RoleCreated,
            ["clerk: permissions [orders:read], includes []"].as_slice(),
        ),
        (
            AuditKind::RoleChanged,
            &[
                "clerk: permissions [], includes []",
                "clerk: permissions [orders:read orders:write], includes [user]",
            ],
        ),
        (AuditKind::RoleDeleted, &["clerk"]),
    ] {
        let rows = app.audit(kind).await;
        let mut found: Vec<_> = rows
            .iter()
            .map(|row| row.detail.as_deref().unwrap())
            .collect();
        found.sort_unstable();
        assert_eq!(found, details);
        assert!(
            rows.iter()
                .all(|row| row.actor.map(|id| id.to_string()).as_deref() == Some(&*admin.user))
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.role(&admin, &json!({"name": "clerk"})).await;
    app.role(&admin, &json!({"name": "boss", "includes": ["clerk"]}))
        .await;
    for (body, pointer, code) in [
        (json!({}), "/name", "required"),
        (json!({"name": "Clerk"}), "/name", "role_malformed"),
        (
            json!({"name": "x", "permissions": ["orders:read", "all"]}),
            "/permissions/1",
            "permission_malformed",
        ),
        (
            json!({"name": "x", "includes": ["nobody"]}),
            "/includes",
            "role_unknown",
        ),
        (
            json!({"name": "x", "includes": ["x"]}),
            "/includes",
            "role_unknown",
        ),
        (
            json!({"name": "x", "description": "a\nb"}),
            "/description",
            "description_malformed",
        ),
        (
            json!({"name": "x", "builtin": true}),
            "/builtin",
            "unknown_field",
        ),
    ] {
        let answer = app
            .post(ROLES)
            .bearer(&admin.access)
            .json(&body)
            .send()
            .await;
        answer.problem(422, "validation_failed");
        let error = &answer.json()["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!(pointer), &json!(code)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn cycles_repeats_and_what_is_built_in_are_refused() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.role(&admin, &json!({"name": "clerk"})).await;
    app.role(&admin, &json!({"name": "boss", "includes": ["clerk"]}))
        .await;
    let cycle = patch(&app, &admin, "clerk", &json!({"includes": ["boss"]})).await;
    assert_eq!(cycle.json()["errors"][0]["code"], "role_cycle");
    let twice = app
        .post(ROLES)
        .bearer(&admin.access)
        .json(&json!({"name": "clerk"}))
        .send()
        .await;
    twice.problem(409, "conflict");
    for builtin in ["admin", "user"] {
        patch(&app, &admin, builtin, &json!({"permissions": ["a:b"]}))
            .await
            .problem(403, "forbidden");
        let gone = app
            .delete(&format!("{ROLES}/{builtin}"))
            .bearer(&admin.access)
            .send()
            .await;
        gone.problem(403, "forbidden");
    }
    for unknown in ["nobody", "No%20Role", "..%2Fusers"] {
        patch(&app, &admin, unknown, &json!({}))
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_role_in_use_stays() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.role(&admin, &json!({"name": "clerk"})).await;
    app.role(&admin, &json!({"name": "boss", "includes": ["clerk"]}))
        .await;
    holder(&app, "ada", "boss user").await;
    for role in ["clerk", "boss"] {
        let refused = app
            .delete(&format!("{ROLES}/{role}"))
            .bearer(&admin.access)
            .send()
            .await;
        refused.problem(409, "conflict");
        assert_eq!(refused.json()["detail"], "The role is still in use.");
    }
}

/// SECURITY M8, and CONTRACT 3.5 `token_stale`: at once, whether the role is held itself or through another one.
#[tokio::test]
async fn m8_a_changed_role_counts_at_once_for_whoever_has_it() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.role(
        &admin,
        &json!({"name": "clerk", "permissions": ["orders:read"]}),
    )
    .await;
    app.role(
        &admin,
        &json!({"name": "boss", "permissions": ["staff:read"], "includes": ["clerk"]}),
    )
    .await;
    let boss = holder(&app, "ada", "boss").await;
    let other = app.other_user().await;
    assert_eq!(scope(&boss), "openid profile email orders:read staff:read");
    assert_eq!(claims(&boss.access)["roles"], json!(["boss", "clerk"]));
    assert_eq!(scope(&other), "openid profile email");

    patch(
        &app,
        &admin,
        "clerk",
        &json!({"permissions": ["orders:write"]}),
    )
    .await
    .expect(200);
    app.profile(&boss.access).await.problem(401, "token_stale");
    app.profile(&other.access).await.expect(200);
    let boss = app.refreshed(&boss).await;
    assert_eq!(scope(&boss), "openid profile email orders:write staff:read");
    app.profile(&boss.access).await.expect(200);

    // What is for people only outdates nobody.
    patch(
        &app,
        &admin,
        "clerk",
        &json!({"description": "Takes orders"}),
    )
    .await
    .expect(200);
    app.profile(&boss.access).await.expect(200);
}

/// A user straight into the store: hundreds of passwords would take long.
async fn many_holders(app: &TestApp, count: u16, role: &str) {
    let mut batch = app.app.store.batch();
    let now = app.clock.now();
    for number in 0..count {
        batch.insert_user(
            &User {
                id: UserId::new(app.app.rng.uuid_v7(now).unwrap()),
                email: Email::parse(&format!("holder{number}@example.com")).unwrap(),
                username: None,
                name: None,
                roles: Roles::parse(role).unwrap(),
                status: symbolon_domain::UserStatus::Active,
                email_verified: false,
                token_version: 1,
                version: 1,
                created_at: now,
                updated_at: now,
            },
            None,
        );
    }
    batch.commit().await.unwrap();
}

#[tokio::test]
async fn m8_a_changed_role_of_many_outdates_what_was_issued_until_then() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.role(
        &admin,
        &json!({"name": "clerk", "permissions": ["orders:read"]}),
    )
    .await;
    many_holders(&app, 300, "clerk").await;
    let clerk = holder(&app, "ada", "clerk").await;
    patch(&app, &admin, "clerk", &json!({"permissions": []}))
        .await
        .expect(200);
    app.profile(&clerk.access).await.problem(401, "token_stale");
    let state = app.app.store.role_state().await.unwrap();
    assert_eq!(state.announced, state.revision);
    app.wait(1);
    let clerk = app.refreshed(&clerk).await;
    app.profile(&clerk.access).await.expect(200);
    assert_eq!(scope(&clerk), "openid profile email");
}

#[tokio::test]
async fn what_a_dead_process_left_unsaid_is_said_by_whoever_follows() {
    let app = TestApp::start().await;
    let ada = app.user().await;
    let mut batch = app.app.store.batch();
    batch.raise_roles(0, Announcement::Due);
    batch.commit().await.unwrap();
    let stale = async { app.profile(&ada.access).await.status == 401 };
    let mut told = stale.await;
    for _ in 0..10_000 {
        if told {
            break;
        }
        tokio::task::yield_now().await;
        told = app.profile(&ada.access).await.status == 401;
    }
    app.profile(&ada.access).await.problem(401, "token_stale");
}

/// SECURITY M3: a delegate who manages roles.
#[tokio::test]
async fn m3_nobody_puts_into_a_role_what_they_do_not_have() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let roles = ["roles:read", "roles:write", "orders:read"];
    app.role(&admin, &json!({"name": "keeper", "permissions": roles}))
        .await;
    app.role(&admin, &json!({"name": "vip"})).await;
    app.role(
        &admin,
        &json!({"name": "boss", "permissions": ["staff:write"]}),
    )
    .await;
    let keeper = holder(&app, "ada", "keeper").await;
    for beyond in [
        json!({"name": "x", "permissions": ["orders:write"]}),
        json!({"name": "x", "permissions": ["*"]}),
        json!({"name": "x", "includes": ["admin"]}),
        json!({"name": "x", "includes": ["boss"]}),
        json!({"name": "x", "includes": ["vip"]}),
    ] {
        let answer = app
            .post(ROLES)
            .bearer(&keeper.access)
            .json(&beyond)
            .send()
            .await;
        answer.problem(403, "forbidden");
    }
    // Nor do they take from others what they do not have.
    for role in ["boss", "vip"] {
        patch(&app, &keeper, role, &json!({"permissions": []}))
            .await
            .problem(403, "forbidden");
        let gone = app
            .delete(&format!("{ROLES}/{role}"))
            .bearer(&keeper.access)
            .send()
            .await;
        gone.problem(403, "forbidden");
    }
    app.role(
        &keeper,
        &json!({"name": "reader", "permissions": ["orders:read"], "includes": ["user"]}),
    )
    .await;
    patch(
        &app,
        &keeper,
        "keeper",
        &json!({"permissions": ["roles:read", "users:write"]}),
    )
    .await
    .problem(403, "forbidden");
}

/// SECURITY M3: what the token says is not what counts for a change.
#[tokio::test]
async fn m3_a_role_that_was_taken_away_changes_nothing_any_more() {
    let app = TestApp::start().await;
    let keeper = app.delegate("keeper", "roles:read roles:write").await;
    // What the token says is not what counts for a change: the role was taken away a moment ago.
    let raw = app
        .app
        .store
        .find_user(keeper.user.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let mut batch = app.app.store.batch();
    batch.update_roles(
        raw.id,
        raw.version,
        &Roles::new(vec![RoleName::USER]),
        app.clock.now(),
    );
    batch.commit().await.unwrap();
    let late = app
        .post(ROLES)
        .bearer(&keeper.access)
        .json(&json!({"name": "late"}))
        .send()
        .await;
    late.problem(403, "forbidden");
}
