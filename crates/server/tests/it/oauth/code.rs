//! `grant_type=authorization_code`

use futures_util::future::join_all;
use serde_json::json;
use symbolon_domain::audit::AuditKind;

use super::{CHALLENGE, Place, changed, code_form, form, refused, told};
use crate::people::{OTHER_PASSWORD, PASSWORD, claims, header};

#[tokio::test]
async fn a_person_signs_in_agrees_and_the_client_gets_tokens() {
    let place = Place::start().await;
    let mut browser = place.browser();
    let page = browser
        .authorize(&[("nonce", "n1"), ("scope", "openid profile email")])
        .await;
    let page = browser.sign_in(&page).await;
    assert!(page.text().contains("The Shop") && page.text().contains("shop.example.com"));
    let answer = browser.decide(&page, "allow").await;
    assert_eq!(told(&answer, "state"), "s1");
    let issuer = format!("http://{}", place.app.address);
    assert_eq!(told(&answer, "iss"), issuer);
    let tokens = place.exchange(&told(&answer, "code")).await;
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    let tokens = tokens.expect(200).json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["scope"], "email openid profile");
    let id = claims(tokens["id_token"].as_str().unwrap());
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(
        header(tokens["access_token"].as_str().unwrap())["typ"],
        "at+jwt"
    );
    assert_eq!(
        (&id["iss"], &id["aud"], &id["nonce"]),
        (&json!(issuer), &json!("shop"), &json!("n1"))
    );
    assert_eq!((&id["sub"], &id["sid"]), (&access["sub"], &access["sid"]));
    assert_eq!(
        (&access["client_id"], &access["roles"]),
        (&json!("shop"), &json!([]))
    );
    assert_eq!(place.app.audit(AuditKind::ConsentGiven).await.len(), 1);
    // The next time nobody is asked anything.
    let again = browser.authorize(&[]).await;
    told(&again, "code");
    let userinfo = place.app.get("/oauth/userinfo");
    let userinfo = userinfo
        .bearer(tokens["access_token"].as_str().unwrap())
        .send()
        .await;
    let userinfo = userinfo.expect(200).json();
    assert_eq!(userinfo["sub"], id["sub"]);
    assert_eq!(userinfo["email"], "ada@example.com");
    // The application has what was agreed to, and not the account.
    let profile = place
        .app
        .profile(tokens["access_token"].as_str().unwrap())
        .await;
    profile.problem(403, "insufficient_scope");
}

#[tokio::test]
async fn a6_a_code_that_is_used_again_ends_what_it_gave() {
    let place = Place::start().await;
    let code = place.browser().code(&[]).await;
    let tokens = place.exchange(&code).await.expect(200).json();
    // A second use that is wrong in another way changes nothing: who made it may not be who could have used the code.
    let verifier = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
    let wrong = changed(&code_form(&code), &[("code_verifier", verifier)]);
    refused(
        &place.post("/oauth/token", &wrong).await,
        400,
        "invalid_grant",
    );
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let tokens = place.refresh(refresh).await.expect(200).json();
    refused(&place.exchange(&code).await, 400, "invalid_grant");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    refused(&place.refresh(refresh).await, 400, "invalid_grant");
    let access = tokens["access_token"].as_str().unwrap();
    let userinfo = place.app.get("/oauth/userinfo").bearer(access).send().await;
    refused(&userinfo, 401, "invalid_token");
    assert_eq!(place.app.audit(AuditKind::CodeReused).await.len(), 1);
}

#[tokio::test]
async fn a8_of_twenty_at_once_one_gets_tokens() {
    let place = Place::start().await;
    let code = place.browser().code(&[]).await;
    let answers = join_all((0..20).map(|_| place.exchange(&code))).await;
    let good = answers.iter().filter(|answer| answer.status == 200);
    assert_eq!(good.count(), 1);
    let bad = answers.iter().filter(|answer| answer.status != 200);
    bad.for_each(|answer| refused(answer, 400, "invalid_grant"));
}

#[tokio::test]
async fn a5_a9_a10_what_does_not_fit_the_code_is_refused() {
    let place = Place::start().await;
    let code = place.browser().code(&[]).await;
    let usual = code_form(&code);
    let guessed = "sbc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let device = code.replace("sbc_", "sbd_");
    for (name, value, error) in [
        ("code_verifier", "tooshort", "invalid_request"),
        ("code_verifier", "", "invalid_grant"),
        (
            "redirect_uri",
            "https://shop.example.com/cb/",
            "invalid_grant",
        ),
        ("redirect_uri", CHALLENGE, "invalid_grant"),
        ("code", guessed, "invalid_grant"),
        ("code", device.as_str(), "invalid_grant"),
        ("code", "x", "invalid_grant"),
        ("code", "", "invalid_request"),
        ("grant_type", "password", "unsupported_grant_type"),
        ("grant_type", "", "invalid_request"),
    ] {
        let pairs = changed(&usual, &[(name, value)]);
        refused(&place.post("/oauth/token", &pairs).await, 400, error);
    }
    // Another client has the code.
    let of_web = changed(&usual, &[("client_id", "-")]);
    refused(
        &place.post_as_web("/oauth/token", &of_web).await,
        400,
        "invalid_grant",
    );
    // None of that used it up; time does.
    place.app.clock.advance(std::time::Duration::from_secs(60));
    refused(&place.exchange(&code).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a6_what_ended_meanwhile_gives_no_tokens() {
    let place = Place::start().await;
    let with_consent = async || {
        let mut browser = place.browser();
        browser.code(&[("scope", "openid offline_access")]).await
    };
    // She takes the consent back.
    let code = with_consent().await;
    let ada = place.app.login("ada").await;
    let taken = place.app.delete("/api/consents/shop").bearer(&ada.access);
    taken.send().await.expect(204);
    refused(&place.exchange(&code).await, 400, "invalid_grant");
    // She ends all her sessions: what may go on without her has not begun.
    let new = json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD});
    for path in ["/api/logout/all", "/api/user/password"] {
        let code = with_consent().await;
        let ada = place.app.login("ada").await;
        let request = place.app.post(path).json(&new).bearer(&ada.access);
        request.send().await.expect(204);
        refused(&place.exchange(&code).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn a6_a_sign_out_and_an_exchange_at_once_leave_nothing_alive() {
    let place = Place::start().await;
    for _ in 0..10 {
        let mut browser = place.browser();
        let code = browser.code(&[]).await;
        let hint = place.exchange(&code).await.expect(200).json();
        let hint = hint["id_token"].as_str().unwrap();
        let code = browser.code(&[]).await;
        let path = format!("/oauth/logout?{}", form(&[("id_token_hint", hint)]));
        let (tokens, out) = tokio::join!(place.exchange(&code), browser.get(&path));
        out.expect(200);
        if tokens.status == 200 {
            let refresh = &tokens.json()["refresh_token"];
            let refreshed = place.refresh(refresh.as_str().unwrap()).await;
            refused(&refreshed, 400, "invalid_grant");
        } else {
            refused(&tokens, 400, "invalid_grant");
        }
    }
}
