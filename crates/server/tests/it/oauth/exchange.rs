//! `grant_type=urn:ietf:params:oauth:grant-type:token-exchange`

use serde_json::{Value, json};
use symbolon_domain::audit::AuditKind;

use super::{Place, code_form, posted, refused};
use crate::bearer::bound::Client;
use crate::client::{Answer, Request};
use crate::people::claims;

pub const API: &str = "https://api.example.com/";
pub const STOCK: &str = "https://stock.example.com/";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// With two more clients: `edge`, which is the API that `shop` calls, and `stock`, which that one calls on.
pub struct Chain {
    pub place: Place,
    pub edge: String,
    stock: String,
}

impl Chain {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(settings: &[(&'static str, &str)]) -> Self {
        let place = Place::with(settings).await;
        let own = place.app.app.issuance().unwrap().audience.clone();
        let mut secrets = Vec::new();
        for (id, resources) in [
            ("edge", json!([API, STOCK])),
            ("stock", json!([STOCK, own])),
        ] {
            let definition = json!({
                "id": id, "type": "confidential", "name": id, "resources": resources,
                "grants": ["token_exchange", "client_credentials"],
                "scopes": ["openid", "profile", "roles", "offline_access", "orders:read", "users:read"],
            });
            place.app.oauth_client(&place.admin, &definition).await;
            let (_, secret) = place.app.client_secret(&place.admin, id).await;
            secrets.push(format!("{id}:{secret}"));
        }
        let [edge, stock] = secrets.try_into().unwrap();
        Self { place, edge, stock }
    }

    /// What `shop` got from Ada for the API of `edge`.
    pub async fn subject(&self, scope: &str) -> Value {
        let mut browser = self.place.browser();
        let code = browser.code(&[("resource", API), ("scope", scope)]).await;
        self.place.exchange(&code).await.expect(200).json()
    }

    fn ask(&self, client: &str, token: &str, more: &[(&str, &str)]) -> Request {
        let usual = [
            ("grant_type", GRANT),
            ("subject_token", token),
            ("subject_token_type", ACCESS_TOKEN),
        ];
        let is_other = |name: &str| more.iter().all(|(known, _)| *known != name);
        let mut pairs: Vec<_> = usual.into_iter().filter(|one| is_other(one.0)).collect();
        pairs.extend(more);
        posted(&self.place.app, "/oauth/token", &pairs).header("authorization", &basic(client))
    }

    pub async fn exchange(&self, client: &str, token: &str, more: &[(&str, &str)]) -> Answer {
        self.ask(client, token, more).send().await
    }

    /// The claims of what is given.
    async fn given(&self, client: &str, token: &str, more: &[(&str, &str)]) -> (String, Value) {
        let answer = self.exchange(client, token, more).await;
        let token = access(&answer.expect(200).json());
        let claims = claims(&token);
        (token, claims)
    }

    /// `edge` is told whether a token of its own is alive.
    pub async fn introspected(&self, token: &str) -> Value {
        let request = posted(&self.place.app, "/oauth/introspect", &[("token", token)]);
        let request = request.header("authorization", &basic(&self.edge));
        request.send().await.expect(200).json()
    }
}

fn basic(client: &str) -> String {
    format!(
        "Basic {}",
        base64_simd::STANDARD.encode_to_string(client.as_bytes())
    )
}

pub fn access(tokens: &Value) -> String {
    tokens["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_acts_for_whom_it_was_called_by() {
    let chain = Chain::start().await;
    let app = &chain.place.app;
    let clerk = json!({"name": "clerk", "permissions": ["orders:read"]});
    app.role(&chain.place.admin, &clerk).await;
    let ada = app.login("ada").await;
    app.give(&ada, "clerk user").await;
    let subject = access(&chain.subject("profile roles orders:read").await);
    let answer = chain
        .exchange(&chain.edge, &subject, &[("resource", STOCK)])
        .await;
    let tokens = answer.expect(200).json();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(
        (
            &tokens["issued_token_type"],
            &tokens["token_type"],
            &tokens["scope"]
        ),
        (
            &json!(ACCESS_TOKEN),
            &json!("Bearer"),
            &json!("orders:read profile roles")
        )
    );
    assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none());
    let (before, after) = (claims(&subject), claims(&access(&tokens)));
    for same in ["iss", "sub", "sid", "ver", "auth_time", "exp", "roles"] {
        assert!(
            !before[same].is_null() && before[same] == after[same],
            "{same}"
        );
    }
    assert_ne!(before["jti"], after["jti"]);
    assert_eq!(after["roles"], json!(["clerk", "user"]));
    assert_eq!(
        (&after["client_id"], &after["aud"], &after["act"]),
        (&json!("edge"), &json!(STOCK), &json!({"sub": "edge"}))
    );
    let lines = app.audit(AuditKind::TokenExchanged).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].detail.as_deref(), Some("edge, from shop"));
    assert_eq!(lines[0].subject.unwrap().to_string(), after["sub"]);
}

#[tokio::test]
async fn who_acted_before_stays_in_the_token() {
    let chain = Chain::start().await;
    let subject = access(&chain.subject("profile").await);
    let (first, _) = chain
        .given(&chain.edge, &subject, &[("audience", STOCK)])
        .await;
    // Nothing is named: it is for what of the former one is a resource of the client.
    let (second, claims) = chain.given(&chain.stock, &first, &[]).await;
    assert_eq!(claims["aud"], STOCK);
    assert_eq!(
        claims["act"],
        json!({"sub": "stock", "act": {"sub": "edge"}})
    );
    let told = chain.introspected(&second).await;
    assert_eq!(
        (&told["act"], &told["client_id"], &told["auth_time"]),
        (&claims["act"], &json!("stock"), &claims["auth_time"])
    );
    // It comes to an end, also in a circle.
    let mut token = second;
    for _ in 2..8 {
        (token, _) = chain.given(&chain.stock, &token, &[]).await;
    }
    let once_more = chain.exchange(&chain.stock, &token, &[]).await;
    refused(&once_more, 400, "invalid_request");
}

#[tokio::test]
async fn a21_what_ends_the_session_ends_what_was_exchanged() {
    let chain = Chain::start().await;
    let tokens = chain.subject("openid profile").await;
    let subject = access(&tokens);
    let (token, claims) = chain.given(&chain.edge, &subject, &[]).await;
    assert_eq!(claims["aud"].as_array().unwrap().len(), 2);
    let app = &chain.place.app;
    let userinfo = async || app.get("/oauth/userinfo").bearer(&token).send().await;
    assert_eq!(userinfo().await.expect(200).json()["sub"], claims["sub"]);
    assert_eq!(chain.introspected(&token).await["active"], true);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let revoke = [("client_id", "shop"), ("token", refresh)];
    chain.place.post("/oauth/revoke", &revoke).await.expect(200);
    refused(&userinfo().await, 401, "invalid_token");
    assert_eq!(chain.introspected(&token).await, json!({"active": false}));
    for dead in [&subject, &token] {
        let answer = chain.exchange(&chain.edge, dead, &[]).await;
        refused(&answer, 400, "invalid_request");
    }
}

#[tokio::test]
async fn a21_tokens_that_are_not_good_for_it() {
    let chain = Chain::start().await;
    let app = &chain.place.app;
    let tokens = chain.subject("openid profile").await;
    let foreign = access(&chain.place.tokens("openid profile").await);
    let (id, refresh) = (
        tokens["id_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str(),
    );
    let own = app.login("ada").await.access;
    for bad in ["x", "a.b.c", id, refresh.unwrap(), &foreign, &own] {
        let answer = chain.exchange(&chain.edge, bad, &[]).await;
        refused(&answer, 400, "invalid_request");
    }
    let subject = access(&chain.subject("profile").await);
    let other = chain
        .exchange(&chain.stock, &subject, &[("resource", STOCK)])
        .await;
    refused(&other, 400, "invalid_request");
    // Removed: it alone, with all others.
    let removed = access(&chain.subject("profile").await);
    let revoke = [("client_id", "shop"), ("token", removed.as_str())];
    chain.place.post("/oauth/revoke", &revoke).await.expect(200);
    refused(
        &chain.exchange(&chain.edge, &removed, &[]).await,
        400,
        "invalid_request",
    );
    chain.exchange(&chain.edge, &subject, &[]).await.expect(200);
    app.wait(900);
    refused(
        &chain.exchange(&chain.edge, &subject, &[]).await,
        400,
        "invalid_request",
    );
    assert_eq!(app.audit(AuditKind::TokenExchanged).await.len(), 1);
}

#[tokio::test]
async fn a21_whoever_is_disabled_is_acted_for_no_more() {
    let chain = Chain::start().await;
    let subject = access(&chain.subject("profile").await);
    let (token, claims) = chain.given(&chain.edge, &subject, &[]).await;
    let path = format!("/api/admin/users/{}", claims["sub"].as_str().unwrap());
    let disable = chain
        .place
        .app
        .patch(&path)
        .bearer(&chain.place.admin.access);
    let disable = disable.json(&json!({"status": "disabled"}));
    disable.send().await.expect(200);
    for dead in [&subject, &token] {
        let answer = chain.exchange(&chain.edge, dead, &[]).await;
        refused(&answer, 400, "invalid_request");
    }
    assert_eq!(chain.introspected(&token).await, json!({"active": false}));
}

#[tokio::test]
async fn a18_a19_no_more_than_the_token_and_the_client_have() {
    let chain = Chain::start().await;
    let subject = access(&chain.subject("profile offline_access email").await);
    for (more, error) in [
        (("scope", "profile openid"), "invalid_scope"),
        (("scope", "email"), "invalid_scope"),
        (("scope", "offline_access"), "invalid_scope"),
        (("scope", "users:read"), "invalid_scope"),
        (("resource", "https://other.example/"), "invalid_target"),
        (("audience", "https://other.example/"), "invalid_target"),
        (("resource", "stock"), "invalid_target"),
        (("requested_token_type", JWT), "invalid_request"),
        (
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:id_token",
            ),
            "invalid_request",
        ),
        (("actor_token", "x"), "invalid_request"),
        (("subject_token", ""), "invalid_request"),
    ] {
        let answer = chain.exchange(&chain.edge, &subject, &[more]).await;
        refused(&answer, 400, error);
    }
    let more = [
        ("subject_token_type", JWT),
        ("audience", API),
        ("resource", STOCK),
    ];
    let (_, claims) = chain.given(&chain.edge, &subject, &more).await;
    assert_eq!(
        (&claims["scope"], &claims["aud"]),
        (&json!("profile"), &json!([STOCK, API]))
    );
    let metadata = chain.place.app.get("/.well-known/openid-configuration");
    let metadata = metadata.send().await.expect(200).json();
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    assert!(grants.contains(&json!(GRANT)));
    // `web` has not this grant, and `shop` cannot have it.
    let pairs = [("grant_type", GRANT), ("subject_token", &subject)];
    let answer = chain.place.post_as_web("/oauth/token", &pairs).await;
    refused(&answer, 400, "unauthorized_client");
    let public = [pairs[0], pairs[1], ("client_id", "shop")];
    refused(
        &chain.place.post("/oauth/token", &public).await,
        400,
        "unauthorized_client",
    );
}

#[tokio::test]
async fn another_may_be_the_one_who_acts() {
    let chain = Chain::start().await;
    let subject = access(&chain.subject("profile").await);
    let robot = [("grant_type", "client_credentials"), ("resource", STOCK)];
    let robot = posted(&chain.place.app, "/oauth/token", &robot);
    let robot = robot
        .header("authorization", &basic(&chain.stock))
        .send()
        .await;
    let robot = access(&robot.expect(200).json());
    let with = |actor| [("actor_token", actor), ("actor_token_type", ACCESS_TOKEN)];
    let (token, claims) = chain.given(&chain.edge, &subject, &with(&robot)).await;
    assert_eq!(claims["act"], json!({"sub": "stock"}));
    assert_eq!(claims["client_id"], "edge");
    // Who acts for somebody is not that one; a client without a person has no session; what is no token is none.
    for actor in [token.as_str(), "x"] {
        let answer = chain.exchange(&chain.edge, &subject, &with(actor)).await;
        refused(&answer, 400, "invalid_request");
    }
    refused(
        &chain.exchange(&chain.edge, &robot, &[]).await,
        400,
        "invalid_request",
    );
}

#[tokio::test]
async fn d3_a_bound_token_is_exchanged_by_who_has_its_key() {
    let chain = Chain::start().await;
    let app = &chain.place.app;
    let (key, other) = (Client::new(), Client::new());
    let code = chain
        .place
        .browser()
        .code(&[("resource", API), ("scope", "profile")])
        .await;
    let bound = posted(app, "/oauth/token", &code_form(&code)).header("dpop", &key.proof(app, "1"));
    let bound = access(&bound.send().await.expect(200).json());
    let ask = |proof: Option<String>| {
        let request = chain.ask(&chain.edge, &bound, &[]);
        match proof {
            Some(proof) => request.header("dpop", &proof),
            None => request,
        }
    };
    refused(&ask(None).send().await, 400, "invalid_request");
    let stolen = ask(Some(other.proof(app, "2"))).send().await;
    refused(&stolen, 400, "invalid_request");
    let given = ask(Some(key.proof(app, "3")))
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(given["token_type"], "DPoP");
    assert_eq!(claims(&access(&given))["cnf"], json!({"jkt": key.jkt()}));
    // The proof binds what comes out, whatever went in.
    let plain = access(&chain.subject("profile").await);
    let request = chain.ask(&chain.edge, &plain, &[]);
    let given = request.header("dpop", &other.proof(app, "4")).send().await;
    let given = claims(&access(&given.expect(200).json()));
    assert_eq!(given["cnf"], json!({"jkt": other.jkt()}));
}

#[tokio::test]
async fn m5_it_opens_no_account_and_administers_no_more_than_its_scopes_say() {
    let chain = Chain::start().await;
    let app = &chain.place.app;
    // Our own sign-in, with more than the client may ask for; our API is a resource of `stock`.
    let bob = app
        .delegate("bob", "users:read roles:read sessions:read")
        .await;
    let (token, claims) = chain.given(&chain.stock, &bob.access, &[]).await;
    assert_eq!(claims["scope"], "openid profile users:read");
    for (method, path) in [
        ("GET", "/api/user/profile"),
        ("GET", "/api/sessions"),
        ("GET", "/api/consents"),
        ("POST", "/api/logout"),
        ("POST", "/api/logout/all"),
    ] {
        let answer = app.request(method, path).bearer(&token).send().await;
        answer.problem(403, "insufficient_scope");
    }
    let get = async |path: &str| app.get(path).bearer(&token).send().await;
    get("/api/admin/users").await.expect(200);
    for path in [
        "/api/admin/roles",
        "/api/admin/sessions",
        "/api/admin/clients",
    ] {
        get(path).await.problem(403, "forbidden");
    }
    app.profile(&bob.access).await.expect(200);
}
