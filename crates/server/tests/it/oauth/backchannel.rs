//! Clients are told that a session has ended (OpenID Connect Back-Channel Logout 1.0)

mod delivery;
mod endings;
mod receiver;

use std::collections::BTreeSet;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use symbolon::flows::oauth::backchannel::Lanes;
use symbolon_domain::ClientId;
use symbolon_store::LogoutRow;
use symbolon_token::encoding::decode;

use self::receiver::{Manner, Receiver};
use super::{Browser, Place, changed, code_form, form};
use crate::app::TestApp;
use crate::people::{claims, header};

const LOOPBACK: (&str, &str) = ("outbound.allow_loopback_http", "true");
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Clients `shop` and `web`, of which `shop` is told at a receiver.
struct Told {
    place: Place,
    shop: Receiver,
}

impl Told {
    async fn start() -> Self {
        let told = Self {
            place: Place::with(&[LOOPBACK]).await,
            shop: Receiver::start(Manner::Answer(200)).await,
        };
        told.listens("shop", &told.shop.url()).await;
        told
    }

    fn app(&self) -> &TestApp {
        &self.place.app
    }

    async fn change(&self, client: &str, change: Value) {
        let request = self.app().patch(&format!("/api/admin/clients/{client}"));
        let request = request.bearer(&self.place.admin.access).json(&change);
        request.send().await.expect(200);
    }

    async fn listens(&self, client: &str, url: &str) {
        self.change(client, json!({"backchannelLogoutUri": url}))
            .await;
    }

    /// Tokens of Ada for `shop`, of a browser's.
    async fn tokens(&self, browser: &mut Browser<'_>, scope: &str) -> Value {
        let code = browser.code(&[("scope", scope)]).await;
        self.place.exchange(&code).await.expect(200).json()
    }

    /// The same for `web`.
    async fn tokens_of_web(&self, browser: &mut Browser<'_>) -> Value {
        let code = browser.code(&[("client_id", "web")]).await;
        let pairs = changed(&code_form(&code), &[("client_id", "-")]);
        let answer = self.place.post_as_web("/oauth/token", &pairs).await;
        answer.expect(200).json()
    }

    /// All lanes, to their ends.
    async fn deliver(&self) {
        let mut lanes = Lanes::default();
        lanes.begin(&self.place.app.app).await.unwrap();
        lanes.finish().await;
    }

    /// The sessions that `shop` is told of when everything is delivered that is due.
    async fn heard(&self) -> Vec<String> {
        self.deliver().await;
        let tokens = self.shop.tokens();
        let mut all: Vec<_> = tokens.iter().map(|token| sid(&claims(token))).collect();
        all.sort();
        all
    }

    /// What waits for a client, whenever it is due.
    async fn waiting(&self, client: &str) -> Vec<LogoutRow> {
        let client = ClientId::parse(client).unwrap();
        let later = self.app().clock.now().plus(std::time::Duration::MAX);
        let found = self.app().app.store.list_due_logouts(&client, later, 100);
        found.await.unwrap()
    }

    async fn metric(&self, name: &str) -> u64 {
        let text = self.app().get("/metrics").send().await.text().to_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().parse().unwrap()
    }
}

/// Signs out at the browser, as the client asks that got these tokens.
async fn sign_out(browser: &mut Browser<'_>, tokens: &Value) {
    let query = form(&[("id_token_hint", tokens["id_token"].as_str().unwrap())]);
    let answer = browser.get(&format!("/oauth/logout?{query}")).await;
    answer.expect(200);
    assert_eq!(browser.cookie, None);
}

fn sid(claims: &Value) -> String {
    claims["sid"].as_str().unwrap().to_owned()
}

/// The session of tokens.
fn session(tokens: &Value) -> String {
    sid(&claims(tokens["access_token"].as_str().unwrap()))
}

/// Whether one of the published keys has signed a token, as a client finds out that has nothing of ours.
async fn is_signed(app: &TestApp, token: &str) -> bool {
    let header = header(token);
    assert_eq!(header["alg"], "ES256");
    let set = app.get("/.well-known/jwks.json").send().await.json();
    let keys = set["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let part = |name: &str| decode(key[name].as_str().unwrap().as_bytes()).unwrap();
    let point = [vec![4], part("x"), part("y")].concat();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = decode(signature.as_bytes()).unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(signed.as_bytes(), &signature).is_ok()
}

#[tokio::test]
async fn a_logout_token_is_what_the_specification_says() {
    let told = Told::start().await;
    let mut browser = told.place.browser();
    let tokens = told.tokens(&mut browser, "openid").await;
    let id = claims(tokens["id_token"].as_str().unwrap());
    told.deliver().await;
    assert_eq!(told.shop.requests().len(), 0, "nothing has ended");
    sign_out(&mut browser, &tokens).await;
    told.app().wait(7);
    told.deliver().await;
    let requests = told.shop.requests();
    let lower = requests[0].to_lowercase();
    assert!(lower.starts_with("post /out http/1.1\r\n"), "{lower}");
    assert!(lower.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"));
    assert!(!lower.contains("\r\nauthorization:") && !lower.contains("\r\ncookie:"));
    let [token] = &*told.shop.tokens() else {
        panic!("{requests:?}");
    };
    assert!(is_signed(told.app(), token).await);
    assert_eq!(header(token)["typ"], "logout+jwt");
    let found = claims(token);
    let names: BTreeSet<&str> = found.as_object().unwrap().keys().map(|it| &**it).collect();
    // Above all no nonce.
    let members = ["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"];
    assert_eq!(names, BTreeSet::from(members));
    let issuer = format!("http://{}", told.app().address);
    assert_eq!(
        (&found["iss"], &found["aud"], &found["events"]),
        (&json!(issuer), &json!("shop"), &json!({EVENT: {}}))
    );
    assert_eq!((&found["sub"], &found["sid"]), (&id["sub"], &id["sid"]));
    let now = told.app().now_seconds();
    assert_eq!(
        (&found["iat"], &found["exp"]),
        (&json!(now), &json!(now + 120))
    );
    assert!(found["jti"].as_str().unwrap().len() > 30);
    told.deliver().await;
    assert_eq!(told.heard().await.len(), 0, "once is enough");
    assert_eq!(told.metric("symbolon_logouts_told_total").await, 1);
    assert_eq!(told.metric("symbolon_logouts_waiting").await, 0);
}

#[tokio::test]
async fn it_is_signed_as_the_id_tokens_of_that_client_are() {
    let told = Told::start().await;
    told.change("shop", json!({"idTokenAlg": "EdDSA"})).await;
    let mut browser = told.place.browser();
    let tokens = told.tokens(&mut browser, "openid").await;
    sign_out(&mut browser, &tokens).await;
    told.deliver().await;
    let id = header(tokens["id_token"].as_str().unwrap());
    let logout = header(&told.shop.tokens()[0]);
    assert_eq!((&logout["alg"], &logout["kid"]), (&id["alg"], &id["kid"]));
    assert_eq!(logout["alg"], "EdDSA");
}

#[tokio::test]
async fn a_pairwise_client_hears_the_subject_that_it_knows_even_of_somebody_who_is_gone() {
    let told = Told::start().await;
    told.change("shop", json!({"subjectType": "pairwise"}))
        .await;
    let mut browser = told.place.browser();
    let tokens = told.tokens(&mut browser, "openid").await;
    let id = claims(tokens["id_token"].as_str().unwrap());
    let ada = claims(tokens["access_token"].as_str().unwrap())["sub"].clone();
    assert_ne!(id["sub"], ada);
    let path = format!("/api/admin/users/{}", ada.as_str().unwrap());
    let gone = told.app().delete(&path).bearer(&told.place.admin.access);
    gone.send().await.expect(204);
    told.deliver().await;
    let token = told.shop.tokens().remove(0);
    assert!(is_signed(told.app(), &token).await);
    let found = claims(&token);
    assert_eq!((&found["sub"], &found["sid"]), (&id["sub"], &id["sid"]));
}

#[tokio::test]
async fn j9_a_logout_token_is_nothing_else() {
    let told = Told::start().await;
    let mut browser = told.place.browser();
    let tokens = told.tokens(&mut browser, "openid").await;
    sign_out(&mut browser, &tokens).await;
    told.deliver().await;
    let token = told.shop.tokens().remove(0);
    let userinfo = told.app().get("/oauth/userinfo").bearer(&token);
    super::refused(&userinfo.send().await, 401, "invalid_token");
    told.app()
        .profile(&token)
        .await
        .problem(401, "invalid_token");
    // It is no hint either: somebody who is signed in is asked.
    told.tokens(&mut browser, "openid").await;
    let query = form(&[("id_token_hint", &token)]);
    let page = browser.get(&format!("/oauth/logout?{query}")).await;
    assert!(page.expect(200).text().contains("name=\"interaction\""));
    assert!(browser.cookie.is_some());
}

#[tokio::test]
async fn discovery_and_registration_know_of_it() {
    let place = Place::with(&[("oauth.registration", "true")]).await;
    for path in ["openid-configuration", "oauth-authorization-server"] {
        let answer = place.app.get(&format!("/.well-known/{path}")).send().await;
        let metadata = answer.expect(200).json();
        assert_eq!(metadata["backchannel_logout_supported"], true);
        assert_eq!(metadata["backchannel_logout_session_supported"], true);
        assert_eq!(metadata["frontchannel_logout_supported"], Value::Null);
    }
    let uri = "https://app.example.com/out";
    let client = json!({"redirect_uris": ["https://app.example.com/cb"], "backchannel_logout_uri": uri,
        "backchannel_logout_session_required": true});
    let answer = place.app.post("/oauth/register").json(&client).send().await;
    assert_eq!(answer.expect(201).json()["backchannel_logout_uri"], uri);
}
