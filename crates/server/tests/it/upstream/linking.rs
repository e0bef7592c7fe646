//! Linking an identity to an account whose owner gives its password

use serde_json::{Value, json};
use symbolon::flows::upstream::list;
use symbolon_domain::UserId;
use symbolon_domain::audit::AuditKind;
use symbolon_domain::upstream::{Arrival, ForeignIdentity, IdentityLink};

use super::pages::session;
use super::{OPEN, World, refused};
use crate::app::START;
use crate::client::Answer;
use crate::oauth::{hidden_in, posted};
use crate::people::{Device, OTHER_PASSWORD, PASSWORD};

/// What the page says that asks for the password.
const SENTENCE: &str = "There is an account with this e-mail address already.";

pub fn id(device: &Device) -> UserId {
    device.user.parse().unwrap()
}

impl World {
    /// Comes back as somebody whose address has an account: the page.
    async fn offered(&self) -> String {
        let away = self.leave_by_button().await;
        self.give(&self.claims(&away));
        let page = self.come_back(&away).await;
        assert_eq!(session(&page), None);
        let page = page.expect(200).text().to_owned();
        assert!(page.contains(SENTENCE) && page.contains("alice@example.com"));
        page
    }

    /// Sends the form of a page.
    async fn fill(&self, page: &str, (who, password): (&str, &str), link: &str) -> Answer {
        let interaction = hidden_in(page, "interaction");
        let pairs = [
            ("interaction", interaction),
            ("link", link),
            ("identifier", who),
            ("password", password),
        ];
        let form = posted(&self.app, "/oauth/sign-in", &pairs);
        form.header("sec-fetch-site", "same-origin").send().await
    }

    /// Links an identity without asking anybody.
    pub async fn link(&self, user: UserId, issuer: &str, subject: &str) {
        let mut batch = self.app.app.store.batch();
        batch.insert_upstream_identity(&IdentityLink {
            identity: ForeignIdentity::new(issuer, subject).unwrap(),
            user,
            created_at: START,
            last_used_at: START,
        });
        batch.commit().await.unwrap();
    }

    /// How many identities somebody has.
    async fn count(&self, device: &Device) -> usize {
        list(&self.app.app, id(device)).await.unwrap().len()
    }
}

#[tokio::test]
async fn h2_no_address_links_by_itself() {
    let world = World::of(&[OPEN]).await;
    world.app.register("alice").await;
    for (verified, expected) in [
        (json!(true), Arrival::Taken),
        // Somebody else's account there may have this address.
        (json!(false), Arrival::Unverified),
        (json!("false"), Arrival::Unverified),
        (Value::Null, Arrival::Unverified),
    ] {
        let landed = world.sign_in(|claims| claims["email_verified"] = verified.clone());
        assert_eq!(refused(landed.await), expected, "{verified}");
    }
    let alice = world.app.login("alice").await;
    assert_eq!(world.count(&alice).await, 0);
}

#[tokio::test]
async fn the_owner_links_with_the_password() {
    let world = World::of(&[OPEN]).await;
    world.app.register("alice").await;
    world.shop().await;
    let page = world.offered().await;
    let link = hidden_in(&page, "link");
    let alice = ("alice@example.com", PASSWORD);
    let wrong = world.fill(&page, (alice.0, OTHER_PASSWORD), link).await;
    assert_eq!(session(&wrong), None);
    let again = wrong.expect(200).text().to_owned();
    assert!(again.contains("do not belong together") && again.contains(SENTENCE));
    assert_eq!(hidden_in(&again, "link"), link);
    assert_eq!(refused(world.sign_in(|_| {}).await), Arrival::Taken);
    let right = world.fill(&again, alice, link).await;
    right.expect(303);
    let on = right.header("location").unwrap();
    let on = world
        .app
        .get(on)
        .header("cookie", &session(&right).unwrap());
    assert!(on.send().await.expect(200).text().contains("Shop"));
    let device = world.app.login("alice").await;
    let landed = world.sign_in(|_| {}).await.unwrap();
    assert_eq!(
        (landed.arrival, landed.user.id),
        (Arrival::SignIn, id(&device))
    );
    // Once more changes nothing.
    world.fill(&page, alice, link).await.expect(303);
    let lines = world.app.audit(AuditKind::IdentityLinked).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].subject, Some(id(&device)));
}

/// Where nobody makes an account, people with one can link all the same.
#[tokio::test]
async fn h2_who_has_shown_nothing_hears_of_no_account() {
    let world = World::of(&[("registration.mode", "closed")]).await;
    world.app.person("alice", &["user"]).await;
    assert_eq!(refused(world.sign_in(|_| {}).await), Arrival::Taken);
    for verified in [json!(false), json!("true"), Value::Null] {
        let landed = world.sign_in(|claims| claims["email_verified"] = verified.clone());
        assert_eq!(refused(landed.await), Arrival::Closed, "{verified}");
    }
}

#[tokio::test]
async fn h3_what_is_linked_is_what_this_server_offered() {
    let world = World::of(&[OPEN]).await;
    world.app.register("alice").await;
    world.shop().await;
    let page = world.offered().await;
    let link = hidden_in(&page, "link");
    let alice = ("alice@example.com", PASSWORD);
    let interaction = hidden_in(&page, "interaction");
    // What stands under another label is no offer, and neither is a changed one.
    let changed = match link.strip_prefix('W') {
        Some(rest) => format!("X{rest}"),
        None => format!("W{}", &link[1..]),
    };
    for forged in [interaction, &*changed, &link[1..], "a", "."] {
        let answer = world.fill(&page, alice, forged).await;
        answer.expect(400);
        assert_eq!(session(&answer), None);
    }
    // A page that somebody is sent to carries none.
    let path = format!("/oauth/sign-in?interaction={interaction}&link={link}");
    let sent = world.app.get(&path).send().await;
    let sent = sent.expect(200).text().to_owned();
    assert!(!sent.contains("name=\"link\"") && !sent.contains(SENTENCE));
    // And no other site sends the form.
    let pairs = [
        ("interaction", interaction),
        ("link", link),
        ("identifier", alice.0),
        ("password", alice.1),
    ];
    let form = posted(&world.app, "/oauth/sign-in", &pairs);
    let foreign = form.header("sec-fetch-site", "cross-site").send().await;
    foreign.expect(403);
    world.app.wait(600);
    world.fill(&page, alice, link).await.expect(400);
    let device = world.app.login("alice").await;
    assert_eq!(world.count(&device).await, 0);
}

#[tokio::test]
async fn h1_another_account_gets_nothing() {
    let world = World::of(&[OPEN]).await;
    world.app.register("alice").await;
    world.app.register("bob").await;
    world.shop().await;
    let page = world.offered().await;
    let link = hidden_in(&page, "link");
    let bob = world.fill(&page, ("bob@example.com", PASSWORD), link);
    let bob = bob.await;
    bob.expect(303);
    assert!(session(&bob).is_some(), "he is signed in");
    let (alice, bob) = (world.app.login("alice").await, world.app.login("bob").await);
    assert_eq!((world.count(&alice).await, world.count(&bob).await), (0, 0));
    // And what is somebody's meanwhile stays theirs.
    world.link(id(&bob), &world.web.url(""), "alice").await;
    let late = world.fill(&page, ("alice@example.com", PASSWORD), link);
    late.await.expect(303);
    assert_eq!((world.count(&alice).await, world.count(&bob).await), (0, 1));
}
