//! The people of the tests, and what they do first.

use serde_json::{Value, json};
use symbolon::flows::Origin;
use symbolon::flows::actor::Actor;
use symbolon::flows::roles::{self, Definition};
use symbolon::flows::users::{self, Fields, New};
use symbolon_domain::{Permissions, RoleName, Roles, User};

use crate::app::TestApp;
use crate::client::Answer;

/// Everybody's password; no answer may ever show it.
pub const PASSWORD: &str = "violet-staple orbit 7";
/// Another good password.
pub const OTHER_PASSWORD: &str = "granite meadow lantern 3";

/// Somebody who is signed in on one device.
#[derive(Clone, Debug)]
pub struct Device {
    pub email: String,
    pub access: String,
    pub refresh: String,
    /// The id of the session.
    pub sid: String,
    /// The id of the user.
    pub user: String,
}

impl Device {
    /// From an answer that set the cookie or carried the refresh token.
    pub fn of(email: &str, answer: &Answer) -> Self {
        let body = answer.json();
        let access = body["accessToken"].as_str().unwrap().to_owned();
        let claims = claims(&access);
        let text = |name: &str| claims[name].as_str().unwrap().to_owned();
        let refresh = body["refreshToken"]
            .as_str()
            .map_or_else(|| cookie(answer), ToOwned::to_owned);
        Self {
            email: email.to_owned(),
            sid: text("sid"),
            user: text("sub"),
            access,
            refresh,
        }
    }
}

/// The value of the refresh cookie that an answer sets.
#[track_caller]
pub fn cookie(answer: &Answer) -> String {
    let header = answer.header("set-cookie").expect("a cookie");
    let pair = header.split(';').next().unwrap();
    pair.strip_prefix("refreshToken=")
        .expect("the refresh cookie")
        .to_owned()
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a token, unverified.
pub fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, index: usize) -> Value {
    let segment = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&symbolon_token::encoding::decode(segment.as_bytes()).unwrap()).unwrap()
}

impl TestApp {
    /// Makes an account for `NAME@example.com` with everybody's password, and returns the user.
    pub async fn register(&self, name: &str) -> Value {
        let email = format!("{name}@example.com");
        let answer = self
            .post("/api/register")
            .json(&json!({"email": email, "password": PASSWORD}))
            .send()
            .await;
        answer.expect(201).json()["user"].clone()
    }

    /// Signs `NAME@example.com` in.
    pub async fn login(&self, name: &str) -> Device {
        self.login_with(name, &json!({})).await
    }

    /// Signs `NAME@example.com` in with further members of the body.
    pub async fn login_with(&self, name: &str, more: &Value) -> Device {
        let email = format!("{name}@example.com");
        let mut body = json!({"email": email, "password": PASSWORD});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        Device::of(
            &email,
            self.post("/api/login").json(&body).send().await.expect(200),
        )
    }

    /// Signs Ada in after she changed her password to the other one.
    pub async fn login_new_password(&self) -> Device {
        self.login_with("ada", &json!({"password": OTHER_PASSWORD}))
            .await
    }

    /// Registers and signs in.
    pub async fn user(&self) -> Device {
        self.register("ada").await;
        self.login("ada").await
    }

    /// Somebody else.
    pub async fn other_user(&self) -> Device {
        self.register("eve").await;
        self.login("eve").await
    }

    /// An administrator, who cannot be made over HTTP.
    pub async fn admin(&self) -> Device {
        self.person("root", &["admin", "user"]).await;
        self.login("root").await
    }

    /// Somebody with these roles, who cannot be made by registering: `NAME@example.com` with everybody's password.
    pub async fn person(&self, name: &str, roles: &[&str]) -> User {
        let new = New {
            fields: Fields {
                email: Some(format!("{name}@example.com")),
                roles: Some(roles.iter().map(|role| (*role).to_owned()).collect()),
                ..Fields::default()
            },
            password: Some(zeroize::Zeroizing::new(PASSWORD.to_owned())),
        };
        users::add(&self.app, Actor::Operator, &new, None, &Origin::default())
            .await
            .unwrap()
    }

    /// Makes a role and somebody who has it and no other, and signs them in.
    pub async fn delegate(&self, name: &str, permissions: &str) -> Device {
        let definition = Definition {
            name: RoleName::parse(name).unwrap(),
            description: String::new(),
            permissions: Permissions::parse(permissions).unwrap(),
            includes: Roles::default(),
        };
        roles::create(&self.app, Actor::Operator, &definition, &Origin::default())
            .await
            .unwrap();
        self.person(name, &[name]).await;
        self.login(name).await
    }

    /// Makes a role, as `admin` asks for it.
    pub async fn role(&self, admin: &Device, definition: &Value) -> Answer {
        let request = self.post("/api/admin/roles").bearer(&admin.access);
        let answer = request.json(definition).send().await;
        answer.expect(201);
        answer
    }

    /// Makes an OAuth client, as `admin` asks for it.
    pub async fn oauth_client(&self, admin: &Device, definition: &Value) -> Answer {
        let request = self.post("/api/admin/clients").bearer(&admin.access);
        let answer = request.json(definition).send().await;
        answer.expect(201);
        answer
    }

    /// Gives a client another secret: its id, and the secret.
    pub async fn client_secret(&self, admin: &Device, client: &str) -> (String, String) {
        let path = format!("/api/admin/clients/{client}/secrets");
        let answer = self.post(&path).bearer(&admin.access).send().await;
        let body = answer.expect(201).json();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }

    /// Gives a user roles, as the operator does. Its access token is stale then.
    pub async fn give(&self, device: &Device, roles: &str) {
        let roles = Roles::parse(roles).unwrap();
        let user = self.stored(device).await;
        users::set_roles(&self.app, Actor::Operator, user, &roles, &Origin::default())
            .await
            .unwrap();
    }

    /// The stored user behind a device.
    pub async fn stored(&self, device: &Device) -> User {
        users::find(&self.app, &device.user).await.unwrap()
    }

    /// Asks for the profile: whether the access token is alive.
    pub async fn profile(&self, access: &str) -> Answer {
        self.get("/api/user/profile").bearer(access).send().await
    }

    /// Refreshes with the cookie.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/refresh").cookie(token).send().await
    }

    /// Refreshes with the cookie, which must work.
    pub async fn refreshed(&self, device: &Device) -> Device {
        Device::of(
            &device.email,
            self.refresh(&device.refresh).await.expect(200),
        )
    }

    /// Asserts that both tokens of a device work, and returns the next ones.
    #[track_caller]
    pub fn assert_signed_in<'a>(&'a self, device: &'a Device) -> impl Future<Output = Device> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let (profile, refresh) = (
                self.profile(&device.access).await,
                self.refresh(&device.refresh).await,
            );
            assert_eq!((profile.status, refresh.status), (200, 200), "{place}");
            Device::of(&device.email, &refresh)
        }
    }

    /// Asserts that both tokens of somebody who was deleted are refused.
    pub async fn assert_signed_out_of_deleted(&self, device: &Device) {
        self.profile(&device.access)
            .await
            .problem(401, "token_revoked");
        self.refresh(&device.refresh).await.expect(401);
    }

    /// Asserts that both tokens of a device are refused for the end of their session.
    pub async fn assert_signed_out(&self, device: &Device) {
        self.profile(&device.access)
            .await
            .problem(401, "token_revoked");
        self.refresh(&device.refresh)
            .await
            .problem(401, "session_revoked");
    }
}
