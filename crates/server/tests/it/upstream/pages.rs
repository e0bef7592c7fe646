//! The way of a browser: to the provider, and back to the application

use serde_json::json;
use url::Url;

use super::{Away, OPEN, World};
use crate::client::Answer;
use crate::oauth::{CALLBACK, REQUEST, changed, form, hidden_in, posted};

/// The first part of a `Set-Cookie`.
fn pair(header: &str) -> String {
    header.split(';').next().unwrap().to_owned()
}

impl World {
    /// An application that lets people sign in.
    pub async fn shop(&self) {
        let admin = self.app.admin().await;
        let shop = json!({"id": "shop", "type": "public", "name": "Shop", "redirectUris": [CALLBACK],
            "grants": ["authorization_code"], "scopes": ["openid"]});
        self.app.oauth_client(&admin, &shop).await;
    }

    /// From the application to the page that signs in, and from there to the provider.
    pub async fn leave_by_button(&self) -> Away {
        let asked = form(&changed(&REQUEST, &[("state", "s")]));
        let page = self.app.get(&format!("/oauth/authorize?{asked}"));
        let page = page.send().await;
        let page = page.expect(200).text().to_owned();
        assert!(
            page.contains("upstream&#x2f;acme") && page.contains("Acme"),
            "{page}"
        );
        let pairs = [("interaction", hidden_in(&page, "interaction"))];
        let left = posted(&self.app, "/oauth/upstream/acme", &pairs).send();
        let left = left.await;
        left.expect(303);
        let taken = left.header("set-cookie").unwrap();
        assert!(
            taken.contains("HttpOnly") && taken.contains("SameSite=Lax"),
            "{taken}"
        );
        let location = Url::parse(left.header("location").unwrap()).unwrap();
        let there = self.web.url("/authorize?tenant=a");
        assert!(location.as_str().starts_with(&there), "{location}");
        Away {
            cookie: pair(taken),
            query: location.query_pairs().into_owned().collect(),
        }
    }

    /// What the browser that was sent there is answered when it is back. The provider has said who came.
    pub async fn come_back(&self, away: &Away) -> Answer {
        let path = callback(away);
        let back = self.app.get(&path).header("cookie", &away.cookie);
        let back = back.send().await;
        let cookies = back.all("set-cookie");
        let gone = cookies
            .iter()
            .find(|one| one.starts_with("symbolon-upstream=;"));
        assert!(gone.unwrap().contains("Max-Age=0"), "{cookies:?}");
        back
    }
}

fn callback(away: &Away) -> String {
    let state = &away.query["state"];
    format!("/oauth/upstream/acme/callback?code=c0de&state={state}")
}

/// The cookie of who is signed in on our pages.
pub fn session(answer: &Answer) -> Option<String> {
    let cookies = answer.all("set-cookie");
    let session = cookies.iter().find(|one| one.starts_with("symbolon="));
    session.map(|one| pair(one))
}

#[tokio::test]
async fn a_browser_goes_there_and_back_to_the_application() {
    let world = World::of(&[OPEN]).await;
    let app = &world.app;
    world.shop().await;
    let away = world.leave_by_button().await;
    world.give(&world.claims(&away));
    let stranger = app.get(&callback(&away)).send().await;
    assert!(stranger.expect(400).text().contains("<html"));
    let back = world.come_back(&away).await;
    let on = back.expect(303).header("location").unwrap().to_owned();
    assert!(on.starts_with("/oauth/sign-in?interaction="), "{on}");
    let session = session(&back).unwrap();
    let consent = app.get(&on).header("cookie", &session).send().await;
    let consent = consent.expect(200).text().to_owned();
    assert!(
        consent.contains("alice@example.com") && consent.contains("Shop"),
        "{consent}"
    );
}

#[tokio::test]
async fn what_went_wrong_is_said_on_a_page() {
    let world = World::of(&[("registration.mode", "closed")]).await;
    let form = world.app.post("/oauth/upstream/gone");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    form.body("interaction=x").send().await.expect(400);
    let away = world.leave("acme").await;
    world.give(&world.claims(&away));
    let path = callback(&away);
    let cookie = format!("symbolon-upstream={}", away.cookie);
    let page = world.app.get(&path).header("cookie", &cookie).send().await;
    let text = page.expect(400).text().to_owned();
    assert!(!text.contains("alice"), "nothing is reflected: {text}");
    assert!(
        page.all("set-cookie")
            .iter()
            .all(|one| !one.starts_with("symbolon="))
    );
}
