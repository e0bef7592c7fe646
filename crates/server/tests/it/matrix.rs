//! Who may do what (SECURITY row M6): each operation of the OpenAPI document against each kind of caller. A new
//! operation without its row fails here.

use serde_json::{Value, json};
use symbolon::flows::actor::Actor;
use symbolon::flows::users;
use symbolon_domain::UserStatus;

use crate::app::TestApp;
use crate::client::Answer;
use crate::document::operations;
use crate::people::{Device, OTHER_PASSWORD, PASSWORD};

/// Who calls, in the order of the columns.
const CALLERS: [&str; 7] = [
    "nobody",
    "user",
    "other user",
    "admin",
    "expired",
    "revoked",
    "disabled",
];

const ANYBODY: [&str; 7] = ["200"; 7];
/// By access token, where everybody has something of their own.
const OWN_200: [&str; 7] = own("200");
const OWN_204: [&str; 7] = own("204");

const fn own(status: &'static str) -> [&'static str; 7] {
    let (none, expired, revoked) = ("401 no_token", "401 token_expired", "401 token_revoked");
    [none, status, status, status, expired, revoked, revoked]
}

/// What only an administrator may do.
const ADMIN_200: [&str; 7] = admin("200");

const fn admin(status: &'static str) -> [&'static str; 7] {
    let mut row = own("403 forbidden");
    row[3] = status;
    row
}

/// What each caller is answered.
const ROWS: &[(&str, &str, [&str; 7])] = &[
    ("GET", "/.well-known/jwks.json", ANYBODY),
    ("GET", "/.well-known/oauth-authorization-server", ANYBODY),
    ("GET", "/api/revocations", ANYBODY),
    ("GET", "/api/revocations/stream", ANYBODY),
    ("GET", "/api/verify", OWN_200),
    ("GET", "/healthz", ANYBODY),
    ("GET", "/readyz", ANYBODY),
    ("GET", "/metrics", ANYBODY),
    ("POST", "/api/register", ["201"; 7]),
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
            "401 session_revoked",
            "401 session_revoked",
        ],
    ),
    ("DELETE", "/api/refresh", ["204"; 7]),
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
            "409 conflict",
            "401 token_expired",
            "401 token_revoked",
            "401 token_revoked",
        ],
    ),
    ("POST", "/api/user/password", OWN_204),
    ("GET", "/api/sessions", OWN_200),
    ("GET", "/api/admin/keys", ADMIN_200),
    ("GET", "/api/admin/revocations", ADMIN_200),
    ("GET", "/api/admin/roles", ADMIN_200),
    ("POST", "/api/admin/roles", admin("201")),
    ("GET", "/api/admin/roles/{name}", ADMIN_200),
    ("PUT", "/api/admin/roles/{name}", ADMIN_200),
    ("PATCH", "/api/admin/roles/{name}", ADMIN_200),
    ("DELETE", "/api/admin/roles/{name}", admin("204")),
];

/// The row of what belongs to the user alone.
const OF_THE_USER: (&str, &str, [&str; 7]) = (
    "DELETE",
    "/api/sessions/{id}",
    [
        "401 no_token",
        "204",
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
            let found = match answer.status {
                ..400 => answer.status.to_string(),
                status => format!("{status} {}", answer.json()["code"].as_str().unwrap()),
            };
            assert_eq!(found, *expected, "{method} {path} by {caller}");
        }
    }
}

/// One device for each caller but nobody.
struct World {
    devices: [Device; 6],
    /// A further device of the user.
    target: Device,
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
        app.role(&admin, &json!({"name": "clerk"})).await;
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
            devices: [user, other, admin, expired, revoked, disabled],
            target,
        }
    }

    async fn ask(&self, app: &TestApp, method: &str, path: &str, caller: &str) -> Answer {
        let index = CALLERS.iter().position(|known| *known == caller).unwrap();
        let device = index.checked_sub(1).map(|index| &self.devices[index]);
        let address = path.replace("{id}", &self.target.sid);
        let request = app.request(method, &address.replace("{name}", "clerk"));
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
        ("POST", "/api/login") => json!({"email": email, "password": PASSWORD}),
        ("PATCH", "/api/user/profile") => json!({"name": "Somebody"}),
        ("POST", "/api/admin/roles") => json!({"name": "keeper"}),
        ("PATCH", "/api/admin/roles/{name}") => json!({"description": "Takes orders"}),
        ("PUT", "/api/admin/roles/{name}") => {
            json!({"description": "", "permissions": ["orders:read"], "includes": []})
        }
        ("DELETE", "/api/user/profile") => json!({"password": PASSWORD}),
        ("POST", "/api/user/password") => {
            json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD})
        }
        _ => return None,
    })
}
