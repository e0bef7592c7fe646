//! `/api/admin/clients` and what is below it

mod mistakes;

use serde_json::{Value, json};
use symbolon::flows::clients;
use symbolon_domain::audit::AuditKind;
use symbolon_domain::revocation::{Effect, Kind};
use symbolon_domain::{Client, ClientId};

use crate::app::TestApp;
use crate::client::Answer;
use crate::people::Device;

const CLIENTS: &str = "/api/admin/clients";

async fn send(app: &TestApp, by: &Device, (method, path): (&str, &str), body: &Value) -> Answer {
    let request = app.request(method, &format!("{CLIENTS}{path}"));
    request.bearer(&by.access).json(body).send().await
}

async fn call(app: &TestApp, by: &Device, method: &str, path: &str) -> Answer {
    let request = app.request(method, &format!("{CLIENTS}{path}"));
    request.bearer(&by.access).send().await
}

async fn stored(app: &TestApp, id: &str) -> Client {
    let id = ClientId::parse(id).unwrap();
    clients::find(&app.app, &id).await.unwrap()
}

/// What guards are told of the tokens of a client: the effect of each statement.
async fn told(app: &TestApp, id: &str) -> Vec<Effect> {
    let entries = app.app.store.list_revocations(0, 1000).await.unwrap();
    let key = symbolon_token::feed_key("client", id);
    let of_it = entries
        .iter()
        .filter(|entry| entry.kind == Kind::Client && entry.key == key);
    of_it.map(|entry| entry.effect).collect()
}

fn shop() -> Value {
    json!({
        "id": "shop", "type": "confidential", "name": "Shop",
        "redirectUris": ["https://shop.example.com/cb?x=%7E", "com.example.shop:/cb"],
        "postLogoutRedirectUris": ["https://shop.example.com/bye"],
        "origins": ["https://shop.example.com"],
        "grants": ["refresh_token", "authorization_code", "client_credentials"],
        "scopes": ["openid", "orders:read"], "roles": ["clerk"], "resources": ["https://orders.example.com"]
    })
}

#[tokio::test]
async fn a_client_is_made_shown_changed_replaced_and_deleted() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.role(&admin, &json!({"name": "clerk"})).await;
    let made = app.oauth_client(&admin, &shop()).await;
    assert_eq!(made.header("location"), Some("/api/admin/clients/shop"));
    assert_eq!(made.header("etag"), Some("\"1\""));
    let body = made.json();
    assert_eq!(
        body["redirectUris"],
        json!(["com.example.shop:/cb", "https://shop.example.com/cb?x=%7E"])
    );
    assert_eq!(
        body["grants"],
        json!(["authorization_code", "refresh_token", "client_credentials"])
    );
    assert_eq!(
        (&body["status"], &body["secrets"]),
        (&json!("active"), &json!([]))
    );
    assert_eq!(
        call(&app, &admin, "GET", "/shop").await.expect(200).json(),
        body
    );

    let change = json!({"name": "The shop", "redirectUris": ["https://shop.example.com/"]});
    let changed = send(&app, &admin, ("PATCH", "/shop"), &change).await;
    assert_eq!(changed.expect(200).header("etag"), Some("\"2\""));
    assert_eq!(changed.json()["scopes"], json!(["openid", "orders:read"]));
    assert_eq!(told(&app, "shop").await, [], "it has the same roles");

    let stale = emptied(&app, &admin, "\"1\"").await;
    stale.problem(412, "precondition_failed");
    emptied(&app, &admin, "\"2\"").await.expect(200);
    assert_eq!(
        told(&app, "shop").await,
        [Effect::Stale],
        "its roles changed"
    );

    call(&app, &admin, "DELETE", "/shop").await.expect(204);
    call(&app, &admin, "GET", "/shop")
        .await
        .problem(404, "not_found");
    assert_eq!(told(&app, "shop").await, [Effect::Stale, Effect::Revoked]);
    was_written_down(&app, &admin).await;
}

/// Takes all that it may have from the client `shop` of a version.
async fn emptied(app: &TestApp, by: &Device, version: &str) -> Answer {
    let whole = json!({
        "name": "Shop", "redirectUris": [], "postLogoutRedirectUris": [], "origins": [], "grants": [], "scopes": [],
        "roles": [], "resources": [], "status": "active"
    });
    let request = app.request("PUT", &format!("{CLIENTS}/shop"));
    let request = request.bearer(&by.access).header("if-match", version);
    request.json(&whole).send().await
}

async fn was_written_down(app: &TestApp, by: &Device) {
    for (kind, count) in [
        (AuditKind::ClientCreated, 1),
        (AuditKind::ClientChanged, 2),
        (AuditKind::ClientDeleted, 1),
    ] {
        let rows = app.audit(kind).await;
        assert_eq!(rows.len(), count);
        for row in rows {
            let actor = row.actor.map(|id| id.to_string());
            assert_eq!(actor.as_deref(), Some(&*by.user));
            assert!(row.detail.unwrap().starts_with("shop"));
        }
    }
}

#[tokio::test]
async fn a_disabled_client_loses_its_tokens_at_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.oauth_client(
        &admin,
        &json!({"id": "app", "type": "public", "name": "App"}),
    )
    .await;
    let set = async |status: &str| {
        let answer = send(&app, &admin, ("PATCH", "/app"), &json!({"status": status})).await;
        answer.expect(200).json()["status"].clone()
    };
    assert_eq!(set("disabled").await, "disabled");
    assert_eq!(told(&app, "app").await, [Effect::Revoked]);
    assert_eq!(set("disabled").await, "disabled");
    assert_eq!(set("active").await, "active");
    assert_eq!(told(&app, "app").await, [Effect::Revoked], "said once");
}

#[tokio::test]
async fn m8_a_changed_role_outdates_the_tokens_of_clients_that_have_it() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.role(
        &admin,
        &json!({"name": "clerk", "permissions": ["orders:read"]}),
    )
    .await;
    app.role(&admin, &json!({"name": "boss", "includes": ["clerk"]}))
        .await;
    let robot = json!({"id": "robot", "type": "confidential", "name": "Robot", "roles": ["boss"]});
    app.oauth_client(&admin, &robot).await;
    let path = "/api/admin/roles/clerk";
    let change = app
        .patch(path)
        .bearer(&admin.access)
        .json(&json!({"permissions": []}));
    change.send().await.expect(200);
    assert_eq!(told(&app, "robot").await, [Effect::Stale]);
    let boss = app
        .delete("/api/admin/roles/boss")
        .bearer(&admin.access)
        .send()
        .await;
    boss.problem(409, "conflict");
    assert_eq!(boss.json()["detail"], "The role is still in use.");
}

#[tokio::test]
async fn m7_a_secret_is_shown_once_and_kept_as_a_digest() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let robot = json!({"id": "robot", "type": "confidential", "name": "Robot"});
    app.oauth_client(&admin, &robot).await;
    let (first_id, first) = app.client_secret(&admin, "robot").await;
    let (second_id, second) = app.client_secret(&admin, "robot").await;
    for secret in [&first, &second] {
        assert!(secret.starts_with("sbs_") && secret.len() == 47, "{secret}");
        assert!(clients::proves(&stored(&app, "robot").await, secret));
    }
    assert_ne!(first, second);
    let third = call(&app, &admin, "POST", "/robot/secrets").await;
    third.problem(409, "conflict");
    let shown = call(&app, &admin, "GET", "/robot").await.expect(200).json();
    let known: Vec<_> = shown["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    assert_eq!(known, [json!(first_id), json!(second_id)]);
    assert_eq!(shown["secrets"][0]["endsWith"], first[43..]);
    let list = call(&app, &admin, "GET", "").await.expect(200).json();
    for told in [
        shown.to_string(),
        list.to_string(),
        format!("{:?}", stored(&app, "robot").await),
    ] {
        assert!(
            !told.contains(&first[4..40]) && !told.contains(&second[4..40]),
            "{told}"
        );
    }
    for row in app.audit(AuditKind::ClientSecretAdded).await {
        assert!(!row.detail.unwrap().contains("sbs_"));
    }
    let path = format!("/robot/secrets/{first_id}");
    call(&app, &admin, "DELETE", &path).await.expect(204);
    call(&app, &admin, "DELETE", &path)
        .await
        .problem(404, "not_found");
    let robot = stored(&app, "robot").await;
    assert!(!clients::proves(&robot, &first) && clients::proves(&robot, &second));
    for wrong in ["", "sbs_", &second[1..], &second.to_uppercase()] {
        assert!(!clients::proves(&robot, wrong), "{wrong}");
    }
    app.oauth_client(
        &admin,
        &json!({"id": "app", "type": "public", "name": "App"}),
    )
    .await;
    let refused = call(&app, &admin, "POST", "/app/secrets").await;
    refused.problem(422, "validation_failed");
}

/// A name is drawn that no user has.
#[tokio::test]
async fn j20_a_drawn_id_is_no_users() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let made = app
        .oauth_client(&admin, &json!({"type": "public", "name": "App"}))
        .await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("client-"), "{id}");
}

#[tokio::test]
async fn clients_are_listed_in_pages() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for id in ["c", "a", "B"] {
        app.oauth_client(&admin, &json!({"id": id, "type": "public", "name": id}))
            .await;
    }
    send(
        &app,
        &admin,
        ("PATCH", "/a"),
        &json!({"status": "disabled"}),
    )
    .await
    .expect(200);
    let page = async |query: &str| {
        let body = call(&app, &admin, "GET", query).await.expect(200).json();
        let ids = body["items"].as_array().unwrap().iter();
        let ids: Vec<_> = ids
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect();
        (
            ids.join(" "),
            body["nextCursor"].as_str().map(str::to_owned),
        )
    };
    let (first, cursor) = page("?limit=2&sort=id").await;
    let rest = format!("?limit=2&sort=id&cursor={}", cursor.unwrap());
    assert_eq!(
        (first.as_str(), page(&rest).await),
        ("B a", ("c".to_owned(), None))
    );
    assert_eq!(page("?status=active").await.0, "B c");
    assert_eq!(page("?status=disabled").await.0, "a");
}

/// SECURITY rows M3 and M5: a delegate who manages clients.
#[tokio::test]
async fn m5_nobody_speaks_for_a_client_that_may_do_more() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.role(
        &admin,
        &json!({"name": "boss", "permissions": ["staff:write"]}),
    )
    .await;
    let robot = json!({"id": "robot", "type": "confidential", "name": "Robot", "roles": ["boss"]});
    app.oauth_client(&admin, &robot).await;
    let (secret, _) = app.client_secret(&admin, "robot").await;
    let keeper = app.delegate("keeper", "clients:read clients:write").await;
    for (method, path, body) in [
        (
            "POST",
            "",
            json!({"type": "confidential", "name": "x", "roles": ["boss"]}),
        ),
        (
            "POST",
            "",
            json!({"type": "confidential", "name": "x", "roles": ["admin"]}),
        ),
        ("PATCH", "/robot", json!({"roles": []})),
        (
            "PATCH",
            "/robot",
            json!({"redirectUris": ["https://evil.example/"]}),
        ),
        ("PATCH", "/robot", json!({"status": "disabled"})),
    ] {
        let answer = send(&app, &keeper, (method, path), &body).await;
        answer.problem(403, "forbidden");
    }
    let path = format!("/robot/secrets/{secret}");
    for (method, path) in [
        ("POST", "/robot/secrets"),
        ("DELETE", &*path),
        ("DELETE", "/robot"),
    ] {
        call(&app, &keeper, method, path)
            .await
            .problem(403, "forbidden");
    }
    app.oauth_client(
        &keeper,
        &json!({"id": "own", "type": "confidential", "name": "Own", "roles": ["user"]}),
    )
    .await;
    app.client_secret(&keeper, "own").await;
    assert_eq!(told(&app, "robot").await, []);
}
