//! `GET`, `POST /oauth/authorize`

use std::time::Duration;

use symbolon_domain::UserStatus;

use super::{CALLBACK, Place, REQUEST, changed, form, hidden, told};
use crate::people::PASSWORD;

#[tokio::test]
async fn a1_nobody_is_sent_to_an_address_that_is_not_registered() {
    let place = Place::start().await;
    for uri in [
        "https://shop.example.com/cb/",
        "https://shop.example.com/CB",
        "https://shop.example.com/cb/..;/x",
        "https://shop.example.com/%2e%2e/cb",
        "https://shop.example.com@evil.example/cb",
        "https://shop.example.com.evil.example/cb",
        "https://shop.example.com\\cb",
        "https://shop.example.com/cb#x",
        "https://shop.example.com:8443/cb",
        "http://shop.example.com/cb",
        "javascript:alert(1)",
        "https://shopxexample.com/cb",
        "http://lan-host/cb",
    ] {
        let answer = place.browser().authorize(&[("redirect_uri", uri)]).await;
        answer.expect(400);
        assert_eq!(answer.header("location"), None, "{uri}");
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with("text/html")
        );
    }
    let unknown = "https://nobody.example.com/client.json";
    let silent = [("client_id", unknown), ("prompt", "none")];
    let answer = place.browser().authorize(&silent).await;
    assert!(!answer.expect(400).text().contains("type=\"password\""));
    for client in ["nobody", "", "symbolon", "-"] {
        let answer = place.browser().authorize(&[("client_id", client)]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (400, None),
            "{client}"
        );
    }
}

#[tokio::test]
async fn a4_a5_a14_a19_what_is_wrong_goes_to_the_client() {
    let place = Place::start().await;
    let long = "e".repeat(44);
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "id_token", "unsupported_response_type"),
        ("response_type", "code token", "unsupported_response_type"),
        ("response_type", "-", "invalid_request"),
        ("code_challenge", "-", "invalid_request"),
        ("code_challenge", &long, "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "-", "invalid_request"),
        ("request", "x.y.z", "request_not_supported"),
        (
            "request_uri",
            "https://169.254.169.254/",
            "request_uri_not_supported",
        ),
        ("scope", "openid admin:all", "invalid_scope"),
        ("resource", "https://other.example.com/", "invalid_target"),
        ("resource", "api", "invalid_target"),
        ("resource", "https://api.example.com/#x", "invalid_target"),
        ("max_age", "-1", "invalid_request"),
        ("max_age", "NaN", "invalid_request"),
        ("prompt", "none login", "invalid_request"),
        ("prompt", "create", "invalid_request"),
        ("prompt", "none", "login_required"),
        ("response_mode", "fragment", "invalid_request"),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let answer = place.browser().authorize(&[(name, value)]).await;
        assert_eq!(told(&answer, "error"), error, "{name}={value}");
        assert_eq!(told(&answer, "state"), "s1");
        assert_eq!(
            told(&answer, "iss"),
            format!("http://{}", place.app.address)
        );
        assert!(answer.header("location").unwrap().starts_with(CALLBACK));
    }
    // A parameter that is repeated leaves open which of them counts, the redirect URI included.
    let path = format!("/oauth/authorize?client_id=shop&redirect_uri={CALLBACK}&state=a&state=b");
    let answer = place.browser().get(&path).await;
    assert_eq!((answer.status, answer.header("location")), (400, None));
}

#[tokio::test]
async fn a12_prompt_and_max_age_are_heeded() {
    let place = Place::start().await;
    let mut browser = place.browser();
    browser.code(&[]).await;
    told(&browser.authorize(&[("prompt", "none")]).await, "code");
    let more = browser
        .authorize(&[("prompt", "none"), ("scope", "openid email")])
        .await;
    assert_eq!(told(&more, "error"), "consent_required");
    assert!(
        browser
            .authorize(&[("prompt", "consent")])
            .await
            .text()
            .contains("The Shop")
    );
    // A sign-in that belongs to the request is fresh; the one before is not.
    place.app.clock.advance(Duration::from_secs(1));
    let page = browser.authorize(&[("prompt", "login")]).await;
    assert!(page.text().contains("type=\"password\""));
    place.app.clock.advance(Duration::from_secs(1));
    told(&browser.sign_in(&page).await, "code");
    place.app.clock.advance(Duration::from_secs(10));
    told(&browser.authorize(&[("max_age", "10")]).await, "code");
    let old = browser
        .authorize(&[("max_age", "9"), ("prompt", "none")])
        .await;
    assert_eq!(told(&old, "error"), "login_required");
    place.app.clock.advance(Duration::from_secs(1));
    let page = browser.authorize(&[("max_age", "0")]).await;
    assert!(page.text().contains("type=\"password\""));
    told(&browser.sign_in(&page).await, "code");
}

/// A page that was left open begins anew: nothing that was typed is lost, and nothing old is agreed to.
#[tokio::test]
async fn a_page_that_was_left_open_begins_anew() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let page = browser.authorize(&[]).await;
    place.app.clock.advance(Duration::from_secs(2 * 3600));
    let asked = browser.sign_in(&page).await;
    assert!(asked.expect(200).text().contains("The Shop"));
    place.app.clock.advance(Duration::from_secs(2 * 3600));
    let again = browser.decide(&asked, "allow").await;
    assert!(again.expect(200).text().contains("The Shop"), "asked again");
    told(&browser.decide(&again, "allow").await, "code");
    // A sign-in of before is none that this request asked for.
    let page = browser.authorize(&[("prompt", "login")]).await;
    place.app.clock.advance(Duration::from_secs(1));
    told(&browser.sign_in(&page).await, "code");
    place.app.clock.advance(Duration::from_secs(2 * 3600));
    let late = browser
        .get(&format!("/oauth/sign-in?interaction={}", hidden(&page)))
        .await;
    assert!(late.expect(200).text().contains("type=\"password\""));
    // The next day nobody knows any more what it was for.
    place.app.clock.advance(Duration::from_secs(24 * 3600));
    let late = browser.decide(&asked, "allow").await;
    assert!(late.expect(400).text().contains("That took too long"));
}

#[tokio::test]
async fn who_does_not_agree_is_believed() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let page = browser.authorize(&[]).await;
    let page = browser.sign_in(&page).await;
    let answer = browser.decide(&page, "deny").await;
    assert_eq!(told(&answer, "error"), "access_denied");
    let page = browser.authorize(&[]).await;
    let other = browser.decide(&page, "switch").await;
    assert!(other.text().contains("type=\"password\""));
    // The page was for Ada: nobody else agrees with it.
    place.app.register("eve").await;
    let hidden_text = hidden(&page);
    let pairs = [
        ("interaction", hidden_text.as_str()),
        ("identifier", "eve@example.com"),
        ("password", PASSWORD),
    ];
    browser.post("/oauth/sign-in", &pairs).await.expect(303);
    let asked_again = browser.decide(&page, "allow").await;
    assert!(asked_again.expect(200).text().contains("eve@example.com"));
}

#[tokio::test]
async fn c1_c2_pages_of_other_sites_neither_sign_in_nor_agree() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let page = browser.authorize(&[]).await;
    let hidden_text = hidden(&page);
    let pairs = [
        ("interaction", hidden_text.as_str()),
        ("identifier", "ada@example.com"),
        ("password", PASSWORD),
    ];
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        for path in [
            "/oauth/sign-in",
            "/oauth/consent",
            "/device",
            "/oauth/logout/confirm",
        ] {
            let request = super::posted(&place.app, path, &pairs).header(name, value);
            request.send().await.problem(403, "csrf_rejected");
        }
    }
    // An application may post the request itself: the browser is sent on, so that our cookie comes along.
    let request = form(&changed(&REQUEST, &[("scope", "-")]));
    let answer = place
        .app
        .post("/oauth/authorize")
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(request)
        .send()
        .await;
    assert!(
        answer
            .expect(303)
            .header("location")
            .unwrap()
            .starts_with("/oauth/authorize?")
    );
}

#[tokio::test]
async fn s1_a_sign_in_has_a_new_secret_and_ends_the_one_before() {
    let place = Place::start().await;
    let mut browser = place.browser();
    browser.code(&[]).await;
    let before = browser.clone();
    place.app.clock.advance(Duration::from_secs(1));
    let page = browser.authorize(&[("prompt", "login")]).await;
    place.app.clock.advance(Duration::from_secs(1));
    told(&browser.sign_in(&page).await, "code");
    assert_ne!(browser.cookie, before.cookie);
    let mut old = before;
    assert!(
        old.authorize(&[])
            .await
            .text()
            .contains("type=\"password\"")
    );
    // The cookie is no refresh token.
    let (_, secret) = browser.cookie.as_deref().unwrap().split_once('=').unwrap();
    place
        .app
        .post("/api/refresh")
        .cookie(secret)
        .send()
        .await
        .problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn l14_who_is_disabled_is_signed_in_nowhere() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let code = browser.code(&[]).await;
    let user = symbolon::flows::users::find(&place.app.app, "ada@example.com")
        .await
        .unwrap();
    let mut batch = place.app.app.store.batch();
    batch.update_status(
        user.id,
        user.version,
        UserStatus::Disabled,
        place.app.clock.now(),
    );
    batch.commit().await.unwrap();
    super::refused(&place.exchange(&code).await, 400, "invalid_grant");
    let page = browser.authorize(&[]).await;
    let hidden_text = hidden(&page);
    let pairs = [
        ("interaction", hidden_text.as_str()),
        ("identifier", "ada@example.com"),
        ("password", PASSWORD),
    ];
    let answer = browser.post("/oauth/sign-in", &pairs).await;
    assert!(answer.expect(200).text().contains("type=\"password\""));
}
