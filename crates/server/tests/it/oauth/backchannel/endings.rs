//! Whatever ends a session of a client

use serde_json::{Value, json};

use super::super::{CALLBACK, Place, changed, code_form, refused};
use super::receiver::{Manner, Receiver};
use super::{LOOPBACK, Told, session, sid, sign_out};
use crate::people::{Device, OTHER_PASSWORD, PASSWORD, claims};
use crate::web::{Page, Web};

/// Ada's two sessions with `shop` (the second one outlives the sign-in), and a sign-in of her own.
struct Signed {
    told: Told,
    cookie: String,
    first: Value,
    second: Value,
    ada: Device,
}

impl Signed {
    async fn start() -> Self {
        let told = Told::start().await;
        let mut browser = told.place.browser();
        let first = told.tokens(&mut browser, "openid").await;
        let second = told.tokens(&mut browser, "openid offline_access").await;
        let cookie = browser.cookie.clone().unwrap();
        let ada = told.app().login("ada").await;
        told.app().wait(1);
        Self {
            told,
            cookie,
            first,
            second,
            ada,
        }
    }

    fn admin(&self) -> &str {
        &self.told.place.admin.access
    }

    async fn both(&self) {
        let mut both = [session(&self.first), session(&self.second)];
        both.sort();
        assert_eq!(self.told.heard().await, both);
        assert_eq!(self.told.heard().await, [""; 0]);
    }

    async fn as_admin(&self, method: &str, path: &str, body: Option<Value>) {
        let request = self.told.app().request(method, path).bearer(self.admin());
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let status = request.send().await.status;
        assert!((200..300).contains(&status), "{method} {path}: {status}");
    }
}

#[tokio::test]
async fn signing_out_ends_what_hangs_on_the_sign_in() {
    let signed = Signed::start().await;
    let mut browser = signed.told.place.browser();
    browser.cookie = Some(signed.cookie.clone());
    sign_out(&mut browser, &signed.first).await;
    signed.both().await;
    // What outlives the sign-in is good for its refresh token still, and told of when it ends.
    let token = signed.second["refresh_token"].as_str().unwrap();
    signed.told.place.refresh(token).await.expect(200);
    signed.told.app().wait(1);
    let request = signed.told.app().post("/api/logout/all");
    request.bearer(&signed.ada.access).send().await.expect(204);
    assert_eq!(signed.told.heard().await, [session(&signed.second)]);
}

#[tokio::test]
async fn signing_out_everywhere_ends_all() {
    let signed = Signed::start().await;
    let request = signed.told.app().post("/api/logout/all");
    request.bearer(&signed.ada.access).send().await.expect(204);
    signed.both().await;
}

#[tokio::test]
async fn a_password_that_is_changed_ends_all() {
    let signed = Signed::start().await;
    let change = json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD});
    let request = signed.told.app().post("/api/user/password");
    let request = request.bearer(&signed.ada.access).json(&change);
    request.send().await.expect(204);
    signed.both().await;
    signed
        .told
        .app()
        .profile(&signed.ada.access)
        .await
        .expect(200);
}

#[tokio::test]
async fn an_administrator_ends_all_of_a_user() {
    for (method, path, body) in [
        ("POST", "/logout", None),
        (
            "POST",
            "/password",
            Some(json!({"password": OTHER_PASSWORD})),
        ),
        ("PATCH", "", Some(json!({"status": "disabled"}))),
        ("DELETE", "", None),
    ] {
        let signed = Signed::start().await;
        let path = format!("/api/admin/users/{}{path}", signed.ada.user);
        signed.as_admin(method, &path, body).await;
        signed.both().await;
    }
}

#[tokio::test]
async fn who_deletes_the_own_account_ends_all() {
    let signed = Signed::start().await;
    let request = signed.told.app().delete("/api/user/profile");
    let request = request.bearer(&signed.ada.access);
    let password = json!({"password": PASSWORD});
    request.json(&password).send().await.expect(204);
    signed.both().await;
}

#[tokio::test]
async fn one_session_is_ended_by_an_administrator_or_its_owner() {
    let signed = Signed::start().await;
    let second = session(&signed.second);
    let path = format!("/api/admin/sessions/{second}");
    signed.as_admin("DELETE", &path, None).await;
    assert_eq!(signed.told.heard().await, [second]);
    let first = session(&signed.first);
    let request = signed
        .told
        .app()
        .delete(&format!("/api/sessions/{first}"))
        .bearer(&signed.ada.access);
    request.send().await.expect(204);
    assert_eq!(signed.told.heard().await, [first]);
}

#[tokio::test]
async fn the_end_of_a_sign_in_from_elsewhere_ends_what_hangs_on_it() {
    let signed = Signed::start().await;
    let request = signed.told.app().get("/api/sessions");
    let answer = request.bearer(&signed.ada.access).send().await;
    let own = [
        &signed.ada.sid,
        &session(&signed.first),
        &session(&signed.second),
    ];
    let items = answer.expect(200).json()["items"].clone();
    let ids = items.as_array().unwrap().iter();
    let mut ids = ids.map(|item| item["id"].as_str().unwrap().to_owned());
    let browser = ids.find(|id| !own.contains(&id)).unwrap();
    let path = format!("/api/admin/sessions/{browser}");
    signed.as_admin("DELETE", &path, None).await;
    signed.both().await;
}

#[tokio::test]
async fn r1_theft_ends_the_session_and_its_client_hears_of_it() {
    let signed = Signed::start().await;
    let place = &signed.told.place;
    let first = signed.first["refresh_token"].as_str().unwrap();
    let second = place.refresh(first).await.expect(200).json();
    let second = second["refresh_token"].as_str().unwrap();
    place.refresh(second).await.expect(200);
    place.app.wait(11);
    refused(&place.refresh(first).await, 400, "invalid_grant");
    assert_eq!(signed.told.heard().await, [session(&signed.first)]);
}

#[tokio::test]
async fn a6_a_code_that_is_used_again_ends_what_it_gave_and_its_client_hears_of_it() {
    let told = Told::start().await;
    let code = told.place.browser().code(&[]).await;
    let tokens = told.place.exchange(&code).await.expect(200).json();
    refused(&told.place.exchange(&code).await, 400, "invalid_grant");
    assert_eq!(told.heard().await, [session(&tokens)]);
}

#[tokio::test]
async fn consent_that_is_taken_back_ends_all_of_that_client() {
    let signed = Signed::start().await;
    let mut browser = signed.told.place.browser();
    let web = signed.told.tokens_of_web(&mut browser).await;
    let listener = Receiver::start(Manner::Answer(200)).await;
    signed.told.listens("web", &listener.url()).await;
    let request = signed.told.app().delete("/api/consents/shop");
    request.bearer(&signed.ada.access).send().await.expect(204);
    signed.both().await;
    assert_eq!(listener.tokens(), [""; 0], "another client's goes on");
    let request = signed.told.app().delete("/api/consents/web");
    request.bearer(&signed.ada.access).send().await.expect(204);
    signed.told.deliver().await;
    let heard = listener.tokens();
    let heard: Vec<_> = heard.iter().map(|token| sid(&claims(token))).collect();
    assert_eq!(heard, [session(&web)]);
}

#[tokio::test]
async fn a_client_that_ends_a_session_itself_knows() {
    let signed = Signed::start().await;
    let token = signed.second["refresh_token"].as_str().unwrap();
    let pairs = [("client_id", "shop"), ("token", token)];
    let answer = signed.told.place.post("/oauth/revoke", &pairs).await;
    answer.expect(200);
    assert_eq!(signed.told.heard().await, [""; 0]);
    refused(
        &signed.told.place.refresh(token).await,
        400,
        "invalid_grant",
    );
}

#[tokio::test]
async fn who_does_not_listen_any_more_is_told_nothing() {
    for (method, body) in [
        ("PATCH", Some(json!({"status": "disabled"}))),
        ("PATCH", Some(json!({"backchannelLogoutUri": null}))),
        ("DELETE", None),
    ] {
        let signed = Signed::start().await;
        let request = signed.told.app().post("/api/logout/all");
        request.bearer(&signed.ada.access).send().await.expect(204);
        assert_eq!(signed.told.waiting("shop").await.len(), 2);
        let path = "/api/admin/clients/shop";
        signed.as_admin(method, path, body).await;
        assert_eq!(signed.told.heard().await, [""; 0]);
        assert_eq!(signed.told.waiting("shop").await, []);
        let dropped = signed.told.metric("symbolon_logouts_dropped_total").await;
        assert_eq!(dropped, 2);
    }
}

#[tokio::test]
async fn a_client_that_describes_itself_is_told_where_its_document_says() {
    let documents = ("oauth.client_documents", "true");
    let (place, web) = (
        Place::with(&[LOOPBACK, documents]).await,
        Web::start().await,
    );
    let listener = Receiver::start(Manner::Answer(200)).await;
    let id = web.url("/client.json");
    let document = json!({"client_id": id, "client_name": "Agent", "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"], "backchannel_logout_uri": listener.url()});
    web.put("/client.json", Page::json(document));
    let code = place.browser().code(&[("client_id", &id)]).await;
    let pairs = changed(&code_form(&code), &[("client_id", &id)]);
    let tokens = place.post("/oauth/token", &pairs).await.expect(200).json();
    let ada = place.app.login("ada").await;
    let request = place.app.post("/api/logout/all");
    request.bearer(&ada.access).send().await.expect(204);
    // Its document has to be fetched again, and cannot be for a while.
    place.app.wait(24 * 3600 - 120);
    let asked = web.asked("/client.json");
    let mut page = Page::json("{}");
    page.status = 503;
    web.put("/client.json", page);
    let told = Told {
        place,
        shop: listener,
    };
    assert_eq!(told.heard().await, [""; 0]);
    assert_eq!(told.heard().await, [""; 0]);
    assert_eq!(web.asked("/client.json"), asked + 1, "it is left alone");
    let document = json!({"client_id": id, "redirect_uris": [CALLBACK], "backchannel_logout_uri": told.shop.url()});
    web.put("/client.json", Page::json(document));
    told.app().wait(60);
    assert_eq!(told.heard().await, [session(&tokens)]);
}
