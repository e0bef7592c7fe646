//! Who may do what (SECURITY row M6): each operation of the OpenAPI document against each kind of caller. A new
//! operation without its row fails here.

use serde_json::{Value, json};
use symbolon::flows::actor::Actor;
use symbolon::flows::{keys, users};
use symbolon_domain::UserStatus;

use crate::app::TestApp;
use crate::client::Answer;
use crate::document::operations;
use crate::people::{Device, OTHER_PASSWORD, PASSWORD};

/// What each caller is answered, in the order of [`CALLERS`].
type Row = [&'static str; 8];

/// Who calls, in the order of the columns.
const CALLERS: Row = [
    "nobody",
    "user",
    "other user",
    "reader",
    "admin",
    "expired",
    "revoked",
    "disabled",
];

/// What the reader's role allows.
const READ_EVERYTHING: &str = "audit:read clients:read keys:read revocations:read roles:read sessions:read stats:read users:read";

/// With a link that nobody was sent.
const NO_LINK: Row = ["400 malformed_request"; 8];
const ANYBODY: Row = ["200"; 8];
/// By access token, where everybody has something of their own.
const OWN_200: Row = own("200");
const OWN_204: Row = own("204");

const fn own(status: &'static str) -> Row {
    let (none, expired, revoked) = ("401 no_token", "401 token_expired", "401 token_revoked");
    [
        none, status, status, status, status, expired, revoked, revoked,
    ]
}

/// The same in words of OAuth.
const OWN_CLAIMS: Row = {
    let mut row = ["200"; 8];
    (row[0], row[5]) = ("401 invalid_token", "401 invalid_token");
    (row[6], row[7]) = (row[5], row[5]);
    row
};
/// At an endpoint for clients.
const NO_CLIENT: Row = {
    let mut row = ["401 invalid_client"; 8];
    row[0] = "400 invalid_request";
    row
};

/// What only an administrator may do.
const ADMIN_200: Row = admin("200");
const ADMIN_204: Row = admin("204");

const fn admin(status: &'static str) -> Row {
    let mut row = own("403 forbidden");
    row[4] = status;
    row
}

/// What somebody may see who may see everything and change nothing.
const READ_200: Row = {
    let mut row = ADMIN_200;
    row[3] = "200";
    row
};

/// What each caller is answered.
const ROWS: &[(&str, &str, Row)] = &[
    ("GET", "/.well-known/jwks.json", ANYBODY),
    ("GET", "/.well-known/oauth-authorization-server", ANYBODY),
    ("GET", "/.well-known/openid-configuration", ANYBODY),
    ("GET", "/.well-known/oauth-protected-resource", ANYBODY),
    ("GET", "/api/revocations", ANYBODY),
    ("GET", "/api/revocations/stream", ANYBODY),
    ("GET", "/api/verify", OWN_200),
    ("GET", "/healthz", ANYBODY),
    ("GET", "/readyz", ANYBODY),
    ("GET", "/metrics", ANYBODY),
    ("POST", "/api/register", ["201"; 8]),
    ("POST", "/api/setup", ["404 not_found"; 8]),
    (
        "POST",
        "/api/login",
        [
            "401 invalid_credentials",
            "200",
            "200",
            "200",
            "200",
            "200",
            "200",
            "403 account_disabled",
        ],
    ),
    (
        "POST",
        "/api/refresh",
        [
            "401 no_refresh_token",
            "200",
            "200",
            "200",
            "200",
            "200",
            "401 session_revoked",
            "401 session_revoked",
        ],
    ),
    ("DELETE", "/api/refresh", ["204"; 8]),
    ("POST", "/api/logout", OWN_204),
    ("POST", "/api/logout/all", OWN_204),
    ("GET", "/api/user/profile", OWN_200),
    ("PATCH", "/api/user/profile", OWN_200),
    (
        "DELETE",
        "/api/user/profile",
        [
            "401 no_token",
            "204",
            "204",
            "204",
            "409 conflict",
            "401 token_expired",
            "401 token_revoked",
            "401 token_revoked",
        ],
    ),
    ("POST", "/api/user/password", OWN_204),
    ("GET", "/api/user/identities", OWN_200),
    // One that nobody has.
    ("DELETE", "/api/user/identities/{id}", own("404 not_found")),
    ("GET", "/api/sessions", OWN_200),
    ("GET", "/api/consents", OWN_200),
    (
        "DELETE",
        "/api/consents/{clientId}",
        [
            "401 no_token",
            "404 not_found",
            "404 not_found",
            "404 not_found",
            "404 not_found",
            "401 token_expired",
            "401 token_revoked",
            "401 token_revoked",
        ],
    ),
    ("GET", "/api/admin/audit", READ_200),
    ("GET", "/api/admin/audit/{id}", READ_200),
    ("GET", "/api/admin/clients", READ_200),
    ("POST", "/api/admin/clients", admin("201")),
    ("GET", "/api/admin/clients/{id}", READ_200),
    ("PUT", "/api/admin/clients/{id}", ADMIN_200),
    ("PATCH", "/api/admin/clients/{id}", ADMIN_200),
    ("DELETE", "/api/admin/clients/{id}", ADMIN_204),
    ("POST", "/api/admin/clients/{id}/secrets", admin("201")),
    (
        "DELETE",
        "/api/admin/clients/{id}/secrets/{secretId}",
        ADMIN_204,
    ),
    ("GET", "/api/admin/keys", READ_200),
    ("GET", "/api/admin/revocations", READ_200),
    ("GET", "/api/admin/roles", READ_200),
    ("POST", "/api/admin/roles", admin("201")),
    ("GET", "/api/admin/roles/{name}", READ_200),
    ("PUT", "/api/admin/roles/{name}", ADMIN_200),
    ("PATCH", "/api/admin/roles/{name}", ADMIN_200),
    ("DELETE", "/api/admin/roles/{name}", ADMIN_204),
    ("POST", "/api/admin/keys", admin("201")),
    ("GET", "/api/admin/keys/{kid}", READ_200),
    ("DELETE", "/api/admin/keys/{kid}", ADMIN_204),
    ("POST", "/api/admin/revocations", ADMIN_204),
    ("GET", "/api/admin/sessions", READ_200),
    ("GET", "/api/admin/sessions/{id}", READ_200),
    ("DELETE", "/api/admin/sessions/{id}", ADMIN_204),
    ("GET", "/api/admin/stats", READ_200),
    ("GET", "/api/admin/users", READ_200),
    ("POST", "/api/admin/users", admin("201")),
    ("GET", "/api/admin/users/{id}", READ_200),
    ("PUT", "/api/admin/users/{id}", ADMIN_200),
    ("PATCH", "/api/admin/users/{id}", ADMIN_200),
    ("DELETE", "/api/admin/users/{id}", ADMIN_204),
    ("POST", "/api/admin/users/{id}/password", ADMIN_204),
    ("POST", "/api/admin/users/{id}/logout", ADMIN_204),
    ("GET", "/api/admin/users/{id}/consents", READ_200),
    // One that is not there.
    (
        "DELETE",
        "/api/admin/users/{id}/consents/{clientId}",
        admin("404 not_found"),
    ),
    ("POST", "/api/user/email", own("202")),
    ("POST", "/api/email/confirm", NO_LINK),
    ("POST", "/api/user/email/verification", own("202")),
    ("GET", "/api/admin/invitations", READ_200),
    ("POST", "/api/admin/invitations", admin("201")),
    // One that is not there.
    (
        "DELETE",
        "/api/admin/invitations/{id}",
        admin("404 not_found"),
    ),
    ("POST", "/api/email/verify", NO_LINK),
    ("POST", "/api/password/forgot", ["202"; 8]),
    ("POST", "/api/password/reset", NO_LINK),
    // Nothing is asked for, or by nobody: a token is no client's credential.
    ("GET", "/oauth/authorize", ["400"; 8]),
    ("POST", "/oauth/authorize", ["400"; 8]),
    ("GET", "/oauth/logout", ANYBODY),
    ("POST", "/oauth/logout", ["400"; 8]),
    ("POST", "/oauth/token", NO_CLIENT),
    ("POST", "/oauth/introspect", NO_CLIENT),
    ("POST", "/oauth/revoke", NO_CLIENT),
    ("POST", "/oauth/par", NO_CLIENT),
    ("POST", "/oauth/device", NO_CLIENT),
    ("GET", "/oauth/userinfo", OWN_CLAIMS),
    ("POST", "/oauth/userinfo", OWN_CLAIMS),
    // Off by default.
    ("POST", "/oauth/register", ["404 not_found"; 8]),
];

/// The row of what belongs to the user alone.
const OF_THE_USER: (&str, &str, Row) = (
    "DELETE",
    "/api/sessions/{id}",
    [
        "401 no_token",
        "204",
        "404 not_found",
        "404 not_found",
        "404 not_found",
        "401 token_expired",
        "401 token_revoked",
        "401 token_revoked",
    ],
);

#[test]
fn m6_every_operation_has_a_row() {
    let mut documented: Vec<_> = operations()
        .map(|(method, path, _)| (method, path))
        .collect();
    let rows = ROWS.iter().chain([&OF_THE_USER]);
    let mut listed: Vec<_> = rows
        .map(|(method, path, _)| ((*method).to_owned(), *path))
        .collect();
    documented.sort_unstable();
    listed.sort_unstable();
    assert_eq!(
        documented, listed,
        "a row of the matrix is missing, or names what is not there"
    );
}

#[tokio::test]
async fn m6_every_caller_gets_what_the_row_says() {
    for (method, path, expected) in ROWS.iter().chain([&OF_THE_USER]) {
        let app = TestApp::start().await;
        let world = World::of(&app).await;
        for (caller, expected) in CALLERS.into_iter().zip(expected) {
            let answer = world.ask(&app, method, path, caller).await;
            let found = told(&answer);
            assert_eq!(found, *expected, "{method} {path} by {caller}");
        }
    }
}

/// The status, and the error where it is one for programs.
fn told(answer: &Answer) -> String {
    let status = answer.status;
    if status < 400 || answer.header("content-type") == Some("text/html; charset=utf-8") {
        return status.to_string();
    }
    let body = answer.json();
    let error = body["code"].as_str().or(body["error"].as_str());
    format!("{status} {}", error.unwrap())
}

/// One device for each caller but nobody.
struct World {
    devices: [Device; 7],
    /// A further device of the user.
    target: Device,
    /// The id of a secret of the client `shop`.
    secret: String,
}

impl World {
    async fn of(app: &TestApp) -> Self {
        let names = ["user", "other", "expired", "revoked", "disabled"];
        for name in names {
            app.register(name).await;
        }
        let expired = app.login("expired").await;
        app.wait(900);
        let (user, target) = (app.login("user").await, app.login("user").await);
        let (other, admin) = (app.login("other").await, app.admin().await);
        let reader = app.delegate("reader", READ_EVERYTHING).await;
        app.role(&admin, &json!({"name": "clerk"})).await;
        let shop = json!({"id": "shop", "type": "confidential", "name": "Shop"});
        app.oauth_client(&admin, &shop).await;
        let secret = app.client_secret(&admin, "shop").await.0;
        let (revoked, disabled) = (app.login("revoked").await, app.login("disabled").await);
        app.post("/api/logout")
            .bearer(&revoked.access)
            .send()
            .await
            .expect(204);
        let gone = app.stored(&disabled).await;
        users::set_status(
            &app.app,
            Actor::Operator,
            gone,
            UserStatus::Disabled,
            &Default::default(),
        )
        .await
        .unwrap();
        Self {
            devices: [user, other, reader, admin, expired, revoked, disabled],
            target,
            secret,
        }
    }

    /// A signing key that has not signed yet.
    async fn next_key(&self, app: &TestApp) -> String {
        let (issuance, origin) = (app.app.issuance().unwrap(), Default::default());
        keys::rotate(&app.app, Actor::Operator, &issuance.master, false, &origin)
            .await
            .unwrap()
            .kid
    }

    async fn ask(&self, app: &TestApp, method: &str, path: &str, caller: &str) -> Answer {
        let index = CALLERS.iter().position(|known| *known == caller).unwrap();
        let device = index.checked_sub(1).map(|index| &self.devices[index]);
        let id = match path {
            path if path.starts_with("/api/admin/users") => self.target.user.clone(),
            path if path.starts_with("/api/admin/clients") => "shop".to_owned(),
            path if path.starts_with("/api/admin/audit") => {
                let lines = app.app.store.list_audit(1, None).await;
                lines.unwrap()[0].id.to_string()
            }
            _ => self.target.sid.clone(),
        };
        // One that waits for its turn: what the current one signed is needed for the rest of the row.
        let kid = match path.contains("{kid}") {
            true => self.next_key(app).await,
            false => String::new(),
        };
        let address = path
            .replace("{id}", &id)
            .replace("{name}", "clerk")
            .replace("{kid}", &kid)
            .replace("{secretId}", &self.secret);
        let request = app.request(method, &address);
        let request = match device {
            // As a browser would, which sends the cookie to one path only.
            Some(device) if path == "/api/refresh" => {
                request.bearer(&device.access).cookie(&device.refresh)
            }
            Some(device) => request.bearer(&device.access),
            None => request,
        };
        if path.ends_with("/stream") {
            return request.begin().await.0;
        }
        let email = device.map_or("nobody@example.com", |device| &device.email);
        match body(method, path, email) {
            Some(body) => request.json(&body).send().await,
            None => request.send().await,
        }
    }
}

fn body(method: &str, path: &str, email: &str) -> Option<Value> {
    Some(match (method, path) {
        ("POST", "/api/register") => json!({"email": format!("new-{email}"), "password": PASSWORD}),
        ("POST", "/api/setup") => {
            json!({"token": "sbs_", "email": format!("new-{email}"), "password": PASSWORD})
        }
        ("POST", "/api/login") => json!({"email": email, "password": PASSWORD}),
        ("PATCH", "/api/user/profile") => json!({"name": "Somebody"}),
        ("POST", "/api/admin/roles") => json!({"name": "keeper"}),
        ("PATCH", "/api/admin/roles/{name}") => json!({"description": "Takes orders"}),
        ("PUT", "/api/admin/roles/{name}") => {
            json!({"description": "", "permissions": ["orders:read"], "includes": []})
        }
        ("POST", "/api/admin/clients") => json!({"type": "public", "name": "App"}),
        ("PATCH", "/api/admin/clients/{id}") => json!({"name": "The shop"}),
        ("PUT", "/api/admin/clients/{id}") => json!({
            "name": "Shop", "redirectUris": [], "postLogoutRedirectUris": [], "origins": [], "grants": [], "scopes": [],
            "roles": [], "resources": [], "status": "disabled"
        }),
        ("POST", "/api/admin/users") => json!({"email": "somebody@example.com"}),
        ("POST", "/api/admin/revocations") => json!({"kind": "token", "id": "nobody's"}),
        ("PATCH", "/api/admin/users/{id}") => json!({"name": "Somebody"}),
        ("PUT", "/api/admin/users/{id}") => json!({
            "email": "user@example.com", "emailVerified": true, "username": null, "name": null,
            "roles": ["user"], "status": "active"
        }),
        ("POST", "/api/admin/users/{id}/password") => json!({"password": OTHER_PASSWORD}),
        ("DELETE", "/api/user/profile") => json!({"password": PASSWORD}),
        ("POST", "/api/user/password") => {
            json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD})
        }
        ("POST", "/api/user/email") => {
            json!({"email": format!("new-{email}"), "password": PASSWORD})
        }
        ("POST", "/api/admin/invitations") => json!({"email": format!("new-{email}")}),
        ("POST", "/api/email/verify" | "/api/email/confirm") => json!({"token": "sbl_"}),
        ("POST", "/api/password/forgot") => json!({"email": email}),
        ("POST", "/api/password/reset") => json!({"token": "sbl_", "newPassword": PASSWORD}),
        _ => return None,
    })
}
