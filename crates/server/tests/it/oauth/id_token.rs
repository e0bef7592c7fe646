//! ID tokens, and requests that name one or insist on how somebody signed in

use serde_json::{Value, json};
use symbolon::flows::actor::Actor;
use symbolon::flows::keys;
use symbolon_token::id_token::{Expected, IdTokenHint};
use symbolon_token::{Algorithm, KeySet};

use super::{Place, told};
use crate::people::{claims, header};

impl Place {
    pub async fn change(&self, change: &Value) {
        let request = self.app.patch("/api/admin/clients/shop").json(change);
        let request = request.bearer(&self.admin.access);
        request.send().await.expect(200);
    }

    /// What is published.
    async fn jwks(&self) -> Value {
        let answer = self.app.get("/.well-known/jwks.json").send().await;
        answer.expect(200).json()
    }

    async fn id_token(&self) -> String {
        let tokens = self.tokens("openid").await;
        tokens["id_token"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_client_chooses_what_its_id_tokens_are_signed_with() {
    let place = Place::start().await;
    let issuer = format!("http://{}", place.app.address);
    let expected = Expected {
        issuer: &issuer,
        algorithms: &Algorithm::ALL,
    };
    for (asked, algorithm) in [
        (json!(null), "ES256"),
        (json!("RS256"), "RS256"),
        (json!("EdDSA"), "EdDSA"),
        (json!("PS256"), "PS256"),
        (json!("ES256"), "ES256"),
    ] {
        place.change(&json!({"idTokenAlg": asked})).await;
        // Known before it signs anything.
        let published = place.jwks().await;
        let tokens = place.tokens("openid").await;
        let id = tokens["id_token"].as_str().unwrap();
        assert_eq!(header(id)["alg"], algorithm);
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(header(access)["alg"], "ES256");
        let keys = KeySet::from_jwks_json(published.to_string().as_bytes()).unwrap();
        IdTokenHint::verify(id, &keys, &expected).unwrap();
        assert_eq!(place.jwks().await, published);
        place
            .app
            .profile(access)
            .await
            .problem(403, "insufficient_scope");
    }
    let mut algorithms: Vec<_> = place.jwks().await["keys"].as_array().unwrap().clone();
    algorithms.sort_by_key(|key| key["alg"].to_string());
    let algorithms: Vec<_> = algorithms.iter().map(|key| &key["alg"]).collect();
    assert_eq!(algorithms, ["ES256", "EdDSA", "PS256", "RS256"]);
}

#[tokio::test]
async fn keys_of_id_tokens_are_replaced_and_withdrawn_as_the_other() {
    let place = Place::start().await;
    place.change(&json!({"idTokenAlg": "RS256"})).await;
    let first = place.id_token().await;
    let kid = |token: &str| header(token)["kid"].as_str().unwrap().to_owned();
    let rotate = place
        .app
        .post("/api/admin/keys")
        .json(&json!({"now": false}));
    rotate.bearer(&place.admin.access).send().await.expect(201);
    assert_eq!(kid(&place.id_token().await), kid(&first), "not yet");
    assert_eq!(place.jwks().await["keys"].as_array().unwrap().len(), 4);
    place.app.clock.advance(keys::PUBLISH_LEAD);
    let second = place.id_token().await;
    assert_ne!(kid(&second), kid(&first));
    // The former one is known while its tokens live.
    let mut browser = place.browser();
    browser.code(&[]).await;
    let none = [("prompt", "none"), ("id_token_hint", first.as_str())];
    told(&browser.authorize(&none).await, "code");
    let app = &place.app.app;
    let issuance = app.issuance().unwrap();
    let (gone, origin) = (kid(&second), symbolon::flows::Origin::default());
    keys::withdraw(app, Actor::Operator, &issuance.master, &gone, &origin)
        .await
        .unwrap();
    keys::reload(app).await.unwrap();
    let third = place.id_token().await;
    assert!(![kid(&first), kid(&second)].contains(&kid(&third)));
    let none = [("prompt", "none"), ("id_token_hint", second.as_str())];
    let answer = browser.authorize(&none).await;
    assert_eq!(told(&answer, "error"), "invalid_request");
}

/// Whoever signed in long ago is still who they are.
#[tokio::test]
async fn a22_k7_a_hint_of_a_replaced_key_still_counts() {
    let place = Place::start().await;
    let first = place.id_token().await;
    let kid = header(&first)["kid"].clone();
    let app = &place.app.app;
    let master = &app.issuance().unwrap().master;
    let origin = symbolon::flows::Origin::default();
    keys::rotate(app, Actor::Operator, master, true, &origin)
        .await
        .unwrap();
    keys::reload(app).await.unwrap();
    let published = place.jwks().await["keys"].clone();
    let known = published.as_array().unwrap().iter();
    assert!(
        known.clone().any(|key| key["kid"] == kid),
        "its ID tokens live"
    );
    place
        .app
        .clock
        .advance(std::time::Duration::from_secs(40 * 24 * 3600));
    let mut browser = place.browser();
    browser.code(&[]).await;
    let none = [("prompt", "none"), ("id_token_hint", first.as_str())];
    told(&browser.authorize(&none).await, "code");
}

/// Also where the key of access tokens is one that others have a copy of.
#[tokio::test]
async fn k7_a_key_of_id_tokens_is_replaced_by_its_own_age() {
    const DAY: u64 = 24 * 3600;
    let place = Place::with(&[("tokens.algorithm", "HS256")]).await;
    place.change(&json!({"idTokenAlg": "RS256"})).await;
    let app = &place.app.app;
    let first = header(&place.id_token().await)["kid"].clone();
    place.app.wait(90 * DAY);
    let (one, other) = tokio::join!(keys::rotate_by_age(app), keys::rotate_by_age(app));
    assert_ne!(one.unwrap(), other.unwrap(), "once");
    keys::reload(app).await.unwrap();
    place.app.wait(keys::PUBLISH_LEAD.as_secs());
    let second = header(&place.id_token().await)["kid"].clone();
    assert_ne!(first, second);
    let known = keys::list(app).await.unwrap();
    let of = |purpose| {
        let keys = known.iter().filter(move |key| key.row.purpose == purpose);
        let mut parts: Vec<_> = keys.map(|key| key.part).collect();
        parts.sort_unstable();
        parts
    };
    assert_eq!(
        (of("sign"), of("id_token")),
        (vec!["signing"], vec!["retired", "signing"])
    );
}

#[tokio::test]
async fn many_that_need_a_key_at_once_make_one() {
    let place = Place::start().await;
    place.change(&json!({"idTokenAlg": "EdDSA"})).await;
    let app = &place.app.app;
    let issuance = app.issuance().unwrap();
    let kid = header(&place.id_token().await)["kid"].clone();
    let origin = symbolon::flows::Origin::default();
    let kid = kid.as_str().unwrap();
    keys::withdraw(app, Actor::Operator, &issuance.master, kid, &origin)
        .await
        .unwrap();
    keys::reload(app).await.unwrap();
    let mut browser = place.browser();
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(browser.code(&[]).await);
    }
    let exchanged = codes.iter().map(|code| place.exchange(code));
    let mut kids = Vec::new();
    for answer in futures_util::future::join_all(exchanged).await {
        let id = answer.expect(200).json()["id_token"].clone();
        kids.push(header(id.as_str().unwrap())["kid"].to_string());
    }
    kids.dedup();
    assert_eq!(kids.len(), 1);
}

#[tokio::test]
async fn a_hint_says_who_is_expected() {
    let place = Place::start().await;
    let ada = place.id_token().await;
    let mut browser = place.browser();
    browser.code(&[]).await;
    let hint = [("id_token_hint", ada.as_str())];
    told(&browser.authorize(&hint).await, "code");
    // Somebody else is signed in, or signs in.
    place.app.register("eve").await;
    let mut other = place.browser();
    let page = other.authorize(&hint).await;
    let hidden = super::hidden(&page);
    let eve = [
        ("interaction", hidden.as_str()),
        ("identifier", "eve@example.com"),
        ("password", crate::people::PASSWORD),
    ];
    let answer = other.post("/oauth/sign-in", &eve).await;
    let to = answer.expect(303).header("location").unwrap().to_owned();
    assert_eq!(told(&other.get(&to).await, "error"), "login_required");
    place.app.wait(1);
    let page = other.authorize(&hint).await;
    assert!(page.expect(200).text().contains("type=\"password\""));
    let none = [("id_token_hint", ada.as_str()), ("prompt", "none")];
    assert_eq!(
        told(&other.authorize(&none).await, "error"),
        "login_required"
    );
    let named = json!({"id_token": {"sub": {"value": claims(&ada)["sub"]}}}).to_string();
    told(&browser.authorize(&[("claims", &named)]).await, "code");
    let none = [("claims", named.as_str()), ("prompt", "none")];
    assert_eq!(
        told(&other.authorize(&none).await, "error"),
        "login_required"
    );
    // One that is none, and one of another client.
    let access = place.tokens("openid").await["access_token"].clone();
    for wrong in ["x", "a.b.c", access.as_str().unwrap()] {
        let answer = browser.authorize(&[("id_token_hint", wrong)]).await;
        assert_eq!(told(&answer, "error"), "invalid_request", "{wrong}");
    }
    let of_web = [hint[0], ("client_id", "web")];
    assert_eq!(
        told(&browser.authorize(&of_web).await, "error"),
        "invalid_request"
    );
}

#[tokio::test]
async fn what_a_client_insists_on_is_met_or_refused() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let code = browser.code(&[("acr_values", "9 8")]).await;
    let tokens = place.exchange(&code).await.expect(200).json();
    for token in ["id_token", "access_token"] {
        let told = claims(tokens[token].as_str().unwrap());
        assert_eq!(told["acr"], "1", "{token}");
        assert!(told["auth_time"].is_i64());
    }
    let with = |acr: Value| json!({"id_token": {"acr": acr}}).to_string();
    for good in [
        json!(null),
        json!({"values": ["9"]}),
        json!({"essential": true}),
        json!({"essential": true, "value": "1"}),
        json!({"essential": true, "values": ["9", "1"]}),
    ] {
        let answer = browser.authorize(&[("claims", &with(good))]).await;
        told(&answer, "code");
    }
    for (wrong, error) in [
        (
            with(json!({"essential": true, "value": "9"})),
            "unmet_authentication_requirements",
        ),
        (
            with(json!({"essential": true, "values": ["9"]})),
            "unmet_authentication_requirements",
        ),
        ("[]".to_owned(), "invalid_request"),
        ("{".to_owned(), "invalid_request"),
    ] {
        let answer = browser.authorize(&[("claims", &wrong)]).await;
        assert_eq!(told(&answer, "error"), error, "{wrong}");
    }
}

#[tokio::test]
async fn pages_speak_the_language_that_the_client_wishes_for() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let page = browser.authorize(&[("ui_locales", "it pl de")]).await;
    assert!(page.text().contains("<html lang=\"pl\""));
    let page = browser.sign_in(&page).await;
    assert!(page.text().contains("<html lang=\"pl\""));
    let page = place.browser().authorize(&[("ui_locales", "it")]).await;
    assert!(page.text().contains("<html lang=\"en\""));
}
