//! What the OpenID conformance suite asks of a server and no other test here does; `docs/conformance.md` lists all of it.

use serde_json::{Value, json};

use crate::oauth::{CALLBACK, Place, REQUEST, changed, code_form, form, hidden, hidden_in, told};
use crate::people::claims;

#[tokio::test]
async fn parameters_that_change_nothing() {
    let place = Place::start().await;
    let mut browser = place.browser();
    for (name, value) in [
        ("display", "page"),
        ("display", "popup"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("acr_values", "1 2"),
        ("login_hint", "buffy@example.com"),
        ("max_age", "15000"),
        ("extra", "foobar"),
        ("scope", "email profile openid"),
        (
            "claims",
            r#"{"userinfo":{"email":{"essential":true},"pigeon":null}}"#,
        ),
    ] {
        let code = browser.code(&[(name, value)]).await;
        let tokens = place.exchange(&code).await.expect(200).json();
        let id = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!(id["aud"], "shop", "{name}={value}");
        assert!(id["auth_time"].is_i64(), "{name}={value}");
        assert_eq!(id.get("nonce"), None, "none was sent");
    }
}

#[tokio::test]
async fn a_hint_fills_the_form() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let page = browser
        .authorize(&[("login_hint", "buffy@example.com")])
        .await;
    assert!(
        page.expect(200)
            .text()
            .contains("value=\"buffy@example.com\"")
    );
}

#[tokio::test]
async fn userinfo_by_get_and_by_post() {
    let place = Place::start().await;
    let tokens = place.tokens("openid profile email").await;
    let access = tokens["access_token"].as_str().unwrap();
    let by_get = place.app.get("/oauth/userinfo").bearer(access).send().await;
    let by_post = place
        .app
        .post("/oauth/userinfo")
        .bearer(access)
        .send()
        .await;
    let told = by_get.expect(200).json();
    assert_eq!(told, by_post.expect(200).json());
    assert_eq!(
        (&told["email"], &told["email_verified"]),
        (&json!("ada@example.com"), &json!(false))
    );
    assert!(told["updated_at"].is_i64());
    // By the body alone it is nobody's.
    let body = form(&[("access_token", access)]);
    let request = place.app.post("/oauth/userinfo").body(body);
    let kind = "application/x-www-form-urlencoded";
    request
        .header("content-type", kind)
        .send()
        .await
        .expect(401);
}

#[tokio::test]
async fn a_request_by_post() {
    let place = Place::start().await;
    let mut browser = place.browser();
    browser.code(&[]).await;
    let pairs = changed(&REQUEST, &[("scope", "openid profile")]);
    let sent_on = browser.post("/oauth/authorize", &pairs).await;
    let to = sent_on.expect(303).header("location").unwrap().to_owned();
    let code = told(&browser.get(&to).await, "code");
    place.exchange(&code).await.expect(200);
}

#[tokio::test]
async fn a_redirect_uri_with_a_query() {
    const QUERY: &str = "https://query.example.com/cb?foo=bar";
    let place = Place::start().await;
    let client = json!({
        "id": "query", "type": "public", "name": "Query", "redirectUris": [QUERY],
        "grants": ["authorization_code"], "scopes": ["openid", "profile"],
    });
    place.app.oauth_client(&place.admin, &client).await;
    let mut browser = place.browser();
    let answer = browser
        .answer(&[("client_id", "query"), ("redirect_uri", QUERY)])
        .await;
    let to = answer.expect(303).header("location").unwrap();
    assert!(to.starts_with(&format!("{QUERY}&")), "{to}");
    let code = told(&answer, "code");
    let other = [("client_id", "query"), ("redirect_uri", QUERY)];
    let exchange = changed(&code_form(&code), &other);
    let tokens: Value = place
        .post("/oauth/token", &exchange)
        .await
        .expect(200)
        .json();
    assert!(tokens["id_token"].is_string());
    for other in [
        "https://query.example.com/cb?foo=baz",
        "https://query.example.com/cb",
        "https://query.example.com/cb?foo=bar&x=y",
    ] {
        let answer = browser
            .authorize(&[("client_id", "query"), ("redirect_uri", other)])
            .await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (400, None),
            "{other}"
        );
    }
    let added = format!("{CALLBACK}?foo=bar");
    let answer = browser.authorize(&[("redirect_uri", &added)]).await;
    assert_eq!((answer.status, answer.header("location")), (400, None));
}

#[tokio::test]
async fn an_answer_and_an_error_as_a_form() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let by_form = [("response_mode", "form_post"), ("prompt", "none")];
    let refused = browser.authorize(&by_form).await;
    let field = |name: &str, value: &str| format!("name=\"{name}\" value=\"{value}\"");
    assert!(
        refused
            .expect(200)
            .text()
            .contains(&field("error", "login_required"))
    );
    browser.code(&[]).await;
    let answered = browser.authorize(&by_form).await;
    let page = answered.expect(200).text();
    assert!(
        page.contains(&field("state", "s1")) && page.contains("method=\"post\""),
        "{page}"
    );
    let code = hidden_in(page, "code");
    place.exchange(code).await.expect(200);
}

#[tokio::test]
async fn a_hint_of_who_is_signed_in() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let code = browser.code(&[]).await;
    let tokens = place.exchange(&code).await.expect(200).json();
    let hint = tokens["id_token"].as_str().unwrap();
    let silent = browser
        .authorize(&[("prompt", "none"), ("id_token_hint", hint)])
        .await;
    let again = place
        .exchange(&told(&silent, "code"))
        .await
        .expect(200)
        .json();
    let (first, second) = (claims(hint), claims(again["id_token"].as_str().unwrap()));
    for claim in ["sub", "auth_time"] {
        assert_eq!(first[claim], second[claim], "{claim}");
    }
}

const BYE: &str = "https://shop.example.com/bye";

/// An ID token that says that nobody signed it.
fn unsigned(hint: &str) -> String {
    let header = base64_simd::URL_SAFE_NO_PAD.encode_to_string(br#"{"alg":"none"}"#);
    format!("{header}.{}.", hint.split('.').nth(1).unwrap())
}

#[tokio::test]
async fn who_is_asked_before_signing_out_and_sent_nowhere() {
    let (place, elsewhere) = (Place::start().await, Place::start().await);
    let id_token = async |place: &Place| {
        let tokens = place.tokens("openid").await;
        tokens["id_token"].as_str().unwrap().to_owned()
    };
    let (own, foreign) = (id_token(&place).await, id_token(&elsewhere).await);
    for query in [
        form(&[("post_logout_redirect_uri", BYE)]),
        form(&[("state", "s1")]),
        form(&[
            ("id_token_hint", &unsigned(&own)),
            ("post_logout_redirect_uri", BYE),
        ]),
        form(&[
            ("id_token_hint", &foreign),
            ("post_logout_redirect_uri", BYE),
        ]),
    ] {
        let mut browser = place.browser();
        browser.code(&[]).await;
        let page = browser.get(&format!("/oauth/logout?{query}")).await;
        assert_eq!(page.expect(200).header("location"), None, "{query}");
        let interaction = hidden(&page);
        let allow = [("interaction", interaction.as_str()), ("decision", "allow")];
        let done = browser.post("/oauth/logout/confirm", &allow).await;
        assert_eq!(done.expect(200).header("location"), None, "{query}");
        assert_eq!(browser.cookie, None);
    }
}

#[tokio::test]
async fn who_is_signed_out_at_once_and_sent_nowhere() {
    let place = Place::start().await;
    let added = format!("{BYE}?foo=bar");
    for back in [None, Some(added.as_str())] {
        let mut browser = place.browser();
        let code = browser.code(&[]).await;
        let tokens = place.exchange(&code).await.expect(200).json();
        let hint = tokens["id_token"].as_str().unwrap();
        let mut query = vec![("id_token_hint", hint)];
        query.extend(back.map(|uri| ("post_logout_redirect_uri", uri)));
        let page = browser
            .get(&format!("/oauth/logout?{}", form(&query)))
            .await;
        assert_eq!(page.expect(200).header("location"), None);
        assert_eq!(browser.cookie, None);
        let after = browser.authorize(&[("prompt", "none")]).await;
        assert_eq!(told(&after, "error"), "login_required");
    }
}
