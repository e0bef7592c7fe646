//! OAuth 2.1 and OpenID Connect: a browser that keeps its cookie and fills the forms, and clients.

mod authorize;
mod backchannel;
mod client_credentials;
mod code;
mod consents;
mod device;
mod exchange;
pub mod feed;
mod granted;
mod id_token;
mod logout;
mod opaque;
mod pushed;
mod refresh;
mod tokens;

use serde_json::{Value, json};
use url::form_urlencoded::{Serializer, parse};

use crate::app::TestApp;
use crate::client::{Answer, Request};
use crate::people::{Device, PASSWORD};

/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const CALLBACK: &str = "https://shop.example.com/cb";

/// What `shop` sends a browser with.
pub const REQUEST: [(&str, &str); 6] = [
    ("client_id", "shop"),
    ("response_type", "code"),
    ("redirect_uri", CALLBACK),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
    ("scope", "openid"),
];

/// With which `shop` exchanges a code.
pub fn code_form(code: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", "shop"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

/// With which it exchanges a refresh token.
pub fn refresh_form(token: &str) -> [(&str, &str); 3] {
    [
        ("grant_type", "refresh_token"),
        ("client_id", "shop"),
        ("refresh_token", token),
    ]
}

/// The usual pairs, save these: `-` leaves one out.
pub fn changed<'a>(
    usual: &[(&'a str, &'a str)],
    other: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let is_kept = |(name, _): &&(&str, &str)| !other.iter().any(|(known, _)| known == name);
    let kept = usual.iter().filter(is_kept);
    let given = other.iter().filter(|(_, value)| *value != "-");
    kept.chain(given).copied().collect()
}

pub fn form(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A server with two clients: `shop`, which is public, and `web`, which has a secret.
pub struct Place {
    pub app: TestApp,
    pub admin: Device,
    pub secret: String,
}

impl Place {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(settings: &[(&'static str, &str)]) -> Self {
        let app = TestApp::with(settings).await;
        let admin = app.admin().await;
        app.register("ada").await;
        let both = json!({
            "name": "The Shop", "redirectUris": [CALLBACK], "postLogoutRedirectUris": ["https://shop.example.com/bye"],
            "grants": ["authorization_code", "refresh_token", "device_code"],
            "scopes": ["openid", "profile", "email", "roles", "offline_access", "orders:read"],
            "resources": ["https://api.example.com/"],
        });
        let mut shop = both.clone();
        shop["id"] = json!("shop");
        shop["type"] = json!("public");
        let mut web = both;
        web["id"] = json!("web");
        web["type"] = json!("confidential");
        web["grants"] = json!(["authorization_code", "refresh_token", "client_credentials"]);
        for client in [&shop, &web] {
            app.oauth_client(&admin, client).await;
        }
        let (_, secret) = app.client_secret(&admin, "web").await;
        Self { app, admin, secret }
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser {
            app: &self.app,
            cookie: None,
        }
    }

    pub async fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        posted(&self.app, path, pairs).send().await
    }

    /// With the secret of `web`.
    pub async fn post_as_web(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let basic = base64_simd::STANDARD.encode_to_string(format!("web:{}", self.secret));
        let request = posted(&self.app, path, pairs);
        request
            .header("authorization", &format!("Basic {basic}"))
            .send()
            .await
    }

    pub async fn exchange(&self, code: &str) -> Answer {
        self.post("/oauth/token", &code_form(code)).await
    }

    /// Tokens of Ada for `shop`.
    pub async fn tokens(&self, scope: &str) -> Value {
        let mut browser = self.browser();
        let code = browser.code(&[("scope", scope)]).await;
        self.exchange(&code).await.expect(200).json()
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/oauth/token", &refresh_form(token)).await
    }
}

pub fn posted(app: &TestApp, path: &str, pairs: &[(&str, &str)]) -> Request {
    app.post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(pairs))
}

/// Fails in OAuth's words.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, error: &str) {
    answer.expect(status);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.json()["error"], error, "{}", answer.text());
}

/// A browser with its cookie.
#[derive(Clone)]
pub struct Browser<'a> {
    app: &'a TestApp,
    pub cookie: Option<String>,
}

impl Browser<'_> {
    async fn send(&mut self, request: Request) -> Answer {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let answer = request.send().await;
        for set in answer.all("set-cookie") {
            let (pair, rest) = set.split_once(';').unwrap();
            assert!(
                rest.contains("HttpOnly")
                    && rest.contains("SameSite=Lax")
                    && rest.contains("Path=/")
            );
            self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.app.get(path);
        self.send(request).await
    }

    pub async fn post(&mut self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let request = posted(self.app, path, pairs).header("sec-fetch-site", "same-origin");
        self.send(request).await
    }

    /// The authorization endpoint with what is usual, save these.
    pub async fn authorize(&mut self, other: &[(&str, &str)]) -> Answer {
        let usual = changed(&REQUEST, &[("state", "s1"), ("scope", "openid profile")]);
        let all = changed(&usual, other);
        self.get(&format!("/oauth/authorize?{}", form(&all))).await
    }

    /// Signs Ada in on the page of `answer`, and goes on.
    pub async fn sign_in(&mut self, answer: &Answer) -> Answer {
        let hidden = hidden(answer);
        let pairs = [
            ("interaction", hidden.as_str()),
            ("identifier", "ada@example.com"),
            ("password", PASSWORD),
        ];
        let answer = self.post("/oauth/sign-in", &pairs).await;
        let to = answer.expect(303).header("location").unwrap().to_owned();
        self.get(&to).await
    }

    pub async fn decide(&mut self, answer: &Answer, decision: &str) -> Answer {
        let hidden = hidden(answer);
        let pairs = [("interaction", hidden.as_str()), ("decision", decision)];
        self.post("/oauth/consent", &pairs).await
    }

    /// All the way: whatever pages there are, Ada signs in and agrees.
    pub async fn answer(&mut self, other: &[(&str, &str)]) -> Answer {
        let mut answer = self.authorize(other).await;
        if answer.status == 200 && answer.text().contains("type=\"password\"") {
            answer = self.sign_in(&answer).await;
        }
        if answer.status == 200 {
            answer = self.decide(&answer, "allow").await;
        }
        answer
    }

    pub async fn code(&mut self, other: &[(&str, &str)]) -> String {
        let answer = self.answer(other).await;
        told(&answer, "code")
    }
}

/// The sealed text in a form.
#[track_caller]
pub fn hidden(answer: &Answer) -> String {
    hidden_in(answer.text(), "interaction").to_owned()
}

/// The value of a hidden field of a page.
#[track_caller]
pub fn hidden_in<'a>(page: &'a str, name: &str) -> &'a str {
    let before = format!("name=\"{name}\" value=\"");
    let found = page.split_once(&before);
    let (_, rest) = found.unwrap_or_else(|| panic!("no {name} in a form: {page}"));
    rest.split_once('"').unwrap().0
}

/// A parameter of the address that a browser is sent to.
#[track_caller]
pub fn told(answer: &Answer, name: &str) -> String {
    told_in(answer.expect(303).header("location").unwrap(), name)
}

/// A parameter of an address.
#[track_caller]
pub fn told_in(location: &str, name: &str) -> String {
    let (_, query) = location
        .split_once('?')
        .unwrap_or_else(|| panic!("{location}"));
    let mut pairs = parse(query.as_bytes());
    let found = pairs.find(|(known, _)| known == name);
    let (_, value) = found.unwrap_or_else(|| panic!("no {name} in {location}"));
    value.into_owned()
}
