//! `/api/admin/clients` and what is below it

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

/// A small client with one field more or another.
fn with(field: &str, value: Value) -> Value {
    let mut body = json!({"id": "app", "type": "public", "name": "App"});
    body[field] = value;
    body
}

/// Mistakes in how a client proves who it is and in what it wants of tokens.
fn odd_metadata() -> Vec<(Value, &'static str, &'static str)> {
    let uuid = "0192b3a1-7c1e-7d3a-8b2f-3c4d5e6f7a8b";
    let rsa = json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]});
    vec![
        (with("id", json!(uuid)), "/id", "client_id_reserved"),
        (
            with("id", json!("https://a.example/client.json")),
            "/id",
            "client_id_malformed",
        ),
        (
            with("authMethod", json!("client_secret_jwt")),
            "/authMethod",
            "auth_method_unknown",
        ),
        (
            with("authMethod", json!("client_secret_basic")),
            "/authMethod",
            "auth_method_needs_secret",
        ),
        (with("jwks", rsa), "/jwks", "jwks_key_refused"),
        (with("jwks", json!("a")), "/jwks", "jwks_malformed"),
        (
            with("jwksUri", json!("http://a.example/")),
            "/jwksUri",
            "endpoint_uri_insecure",
        ),
        (
            with("subjectType", json!("private")),
            "/subjectType",
            "subject_type_unknown",
        ),
        (
            with("idTokenAlg", json!("none")),
            "/idTokenAlg",
            "algorithm_unknown",
        ),
        (
            with("idTokenAlg", json!("HS256")),
            "/idTokenAlg",
            "id_token_alg_symmetric",
        ),
        (
            with("consent", json!("never")),
            "/consent",
            "consent_unknown",
        ),
        (
            with("dpopBound", json!("yes")),
            "/dpopBound",
            "type_mismatch",
        ),
        (
            with("backchannelLogoutUri", json!("https://a.example/#x")),
            "/backchannelLogoutUri",
            "endpoint_uri_malformed",
        ),
    ]
}

#[tokio::test]
async fn what_a_client_wants_of_tokens_is_kept() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "use": "sig",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwaaPJgHURo"});
    let metadata = json!({
        "authMethod": "private_key_jwt", "jwks": {"keys": [key]}, "jwksUri": null, "subjectType": "pairwise",
        "idTokenAlg": "RS256", "consent": "trusted", "requirePushed": true, "dpopBound": true,
        "backchannelLogoutUri": "https://shop.example.com/out"
    });
    let mut body = json!({"id": "shop", "type": "confidential", "name": "Shop",
        "grants": ["client_credentials", "token_exchange"]});
    let plain = app.oauth_client(&admin, &with("id", json!("plain"))).await;
    assert_eq!(plain.json()["authMethod"], "none");
    merge(&mut body, &metadata);
    let made = app.oauth_client(&admin, &body).await.json();
    for (field, value) in metadata.as_object().unwrap() {
        assert_eq!(&made[field], value, "{field}");
    }
    // What is null goes, what is absent stays.
    let change = json!({"jwks": null, "jwksUri": "https://shop.example.com/keys", "idTokenAlg": null, "dpopBound": false});
    let changed = send(&app, &admin, ("PATCH", "/shop"), &change).await;
    let changed = changed.expect(200).json();
    merge(&mut body, &change);
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&changed[field], value, "{field}");
    }
    let emptied = emptied(&app, &admin, "\"2\"").await.expect(200).json();
    assert_eq!(emptied["authMethod"], "client_secret_basic");
    assert_eq!(
        (&emptied["jwksUri"], &emptied["consent"]),
        (&Value::Null, &json!("ask"))
    );
}

fn merge(body: &mut Value, more: &Value) {
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
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

/// Clients with one mistake, where it is, and what it is called.
fn mistakes() -> Vec<(Value, &'static str, &'static str)> {
    vec![
        (json!({"name": "App"}), "/type", "required"),
        (json!({"type": "public"}), "/name", "required"),
        (with("id", json!("a b")), "/id", "client_id_malformed"),
        (with("id", json!("Symbolon")), "/id", "client_id_reserved"),
        (with("type", json!("secret")), "/type", "type_unknown"),
        (with("name", json!("a\u{0}b")), "/name", "name_malformed"),
        (with("name", json!("\u{202e}")), "/name", "name_malformed"),
        (
            with(
                "redirectUris",
                json!(["https://a.example/", "http://a.example/"]),
            ),
            "/redirectUris/1",
            "redirect_uri_insecure",
        ),
        (
            with("redirectUris", json!(["https://*.example/"])),
            "/redirectUris/0",
            "redirect_uri_malformed",
        ),
        (
            with("origins", json!(["https://a.example/"])),
            "/origins/0",
            "origin_malformed",
        ),
        (
            with("grants", json!(["password"])),
            "/grants/0",
            "grant_unknown",
        ),
        (
            with("grants", json!(["client_credentials"])),
            "/grants",
            "grant_needs_secret",
        ),
        (
            with("grants", json!(["authorization_code"])),
            "/redirectUris",
            "redirect_uri_required",
        ),
        (
            with("scopes", json!(["a b"])),
            "/scopes/0",
            "scope_malformed",
        ),
        (
            with("roles", json!(["nobody"])),
            "/roles",
            "roles_need_secret",
        ),
        (with("status", json!("gone")), "/status", "status_unknown"),
        (with("secrets", json!([])), "/secrets", "unknown_field"),
        (with("version", json!(7)), "/version", "unknown_field"),
    ]
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (body, pointer, code) in mistakes().into_iter().chain(odd_metadata()) {
        let answer = send(&app, &admin, ("POST", ""), &body).await;
        answer.problem(422, "validation_failed");
        let error = &answer.json()["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!(pointer), &json!(code)),
            "{body}"
        );
    }
    let unknown = json!({"type": "confidential", "name": "App", "roles": ["nobody"]});
    let answer = send(&app, &admin, ("POST", ""), &unknown).await;
    assert_eq!(answer.json()["errors"][0]["code"], "role_unknown");
    app.oauth_client(&admin, &with("name", json!("<script>alert(1)</script>")))
        .await;
    send(&app, &admin, ("POST", ""), &with("name", json!("x")))
        .await
        .problem(409, "conflict");
    // The type stays.
    let change = json!({"type": "confidential"});
    send(&app, &admin, ("PATCH", "/app"), &change)
        .await
        .problem(422, "validation_failed");
    for path in ["/nobody", "/symbolon", "/a%20b", "/..%2Fusers"] {
        call(&app, &admin, "GET", path)
            .await
            .problem(404, "not_found");
    }
    call(&app, &admin, "DELETE", "/app/secrets/x")
        .await
        .problem(404, "not_found");
    call(&app, &admin, "GET", "?sort=name")
        .await
        .problem(400, "malformed_request");
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
