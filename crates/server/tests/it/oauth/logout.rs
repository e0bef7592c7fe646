//! `GET`, `POST /oauth/logout`

use super::{Place, form, hidden, refused};

const BYE: &str = "https://shop.example.com/bye";

#[tokio::test]
async fn a_hint_signs_out_and_sends_back() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let code = browser.code(&[]).await;
    let tokens = place.exchange(&code).await.expect(200).json();
    let kept = browser.code(&[("scope", "openid offline_access")]).await;
    let kept = place.exchange(&kept).await.expect(200).json();
    // Long after the ID token has expired.
    place
        .app
        .clock
        .advance(std::time::Duration::from_secs(2 * 3600));
    let query = form(&[
        ("id_token_hint", tokens["id_token"].as_str().unwrap()),
        ("post_logout_redirect_uri", BYE),
        ("state", "x y"),
    ]);
    let answer = browser.get(&format!("/oauth/logout?{query}")).await;
    assert_eq!(
        answer.expect(303).header("location"),
        Some("https://shop.example.com/bye?state=x+y")
    );
    assert_eq!(browser.cookie, None);
    refused(
        &place
            .refresh(tokens["refresh_token"].as_str().unwrap())
            .await,
        400,
        "invalid_grant",
    );
    // What was granted beyond the sign-in goes on.
    place
        .refresh(kept["refresh_token"].as_str().unwrap())
        .await
        .expect(200);
    assert!(
        browser
            .authorize(&[])
            .await
            .text()
            .contains("type=\"password\"")
    );
}

#[tokio::test]
async fn a22_without_a_good_hint_the_person_is_asked_and_nobody_is_sent_elsewhere() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let code = browser.code(&[]).await;
    let tokens = place.exchange(&code).await.expect(200).json();
    let hint = tokens["id_token"].as_str().unwrap();
    let (signed, signature) = hint.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    for query in [
        form(&[]),
        form(&[
            ("id_token_hint", &forged),
            ("post_logout_redirect_uri", BYE),
        ]),
        form(&[
            ("id_token_hint", hint),
            ("client_id", "web"),
            ("post_logout_redirect_uri", BYE),
        ]),
        form(&[("id_token_hint", tokens["access_token"].as_str().unwrap())]),
    ] {
        let page = browser.get(&format!("/oauth/logout?{query}")).await;
        assert!(
            page.expect(200).text().contains("name=\"interaction\""),
            "{query}"
        );
        assert!(browser.cookie.is_some());
    }
    let page = browser.get("/oauth/logout").await;
    let interaction = hidden(&page);
    let deny = [("interaction", interaction.as_str()), ("decision", "deny")];
    browser
        .post("/oauth/logout/confirm", &deny)
        .await
        .expect(200);
    assert!(browser.cookie.is_some());
    let allow = [("interaction", interaction.as_str()), ("decision", "allow")];
    browser
        .post("/oauth/logout/confirm", &allow)
        .await
        .expect(200);
    assert_eq!(browser.cookie, None);
    let unregistered = form(&[
        ("id_token_hint", hint),
        ("post_logout_redirect_uri", "https://evil.example/"),
    ]);
    let answer = browser.get(&format!("/oauth/logout?{unregistered}")).await;
    assert_eq!((answer.status, answer.header("location")), (200, None));
}
