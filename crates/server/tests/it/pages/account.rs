//! The pages of the own account.

use symbolon_domain::audit::AuditKind;

use super::{Guest, place, text};
use crate::app::TestApp;
use crate::people::{OTHER_PASSWORD, PASSWORD};

async fn ada(app: &TestApp) -> Guest<'_> {
    app.register("ada").await;
    Guest::signed_in(app, "ada").await
}

#[tokio::test]
async fn a_profile_is_changed() {
    let app = TestApp::start().await;
    let mut ada = ada(&app).await;
    app.person("bob", &["user"]).await;
    let mut bob = Guest::signed_in(&app, "bob").await;
    let saved = bob
        .submit("/account", "/account", &[("username", "bob"), ("name", "")])
        .await;
    assert_eq!(place(&saved), "/account");
    let pairs = [("name", "Ada <b>Lovelace</b>"), ("username", "bob")];
    let taken = ada.submit("/account", "/account", &pairs).await;
    let page = taken.expect(409).text();
    assert!(
        page.contains("value=\"bob\"") && page.contains("role=\"alert\""),
        "{page}"
    );
    let saved = ada
        .send_form(page, "/account", &[("username", "ada")])
        .await;
    let page = ada.follow(&saved).await;
    assert!(
        text(&page).contains("saved") && page.contains("&lt;b&gt;Lovelace"),
        "{page}"
    );
}

#[tokio::test]
async fn an_address_is_changed_by_who_has_the_password() {
    let app = TestApp::start().await;
    let mut ada = ada(&app).await;
    let pairs = [("email", "new@example.com"), ("password", OTHER_PASSWORD)];
    let wrong = ada
        .submit("/account", "/account/email#address", &pairs)
        .await;
    let page = wrong.expect(403).text();
    assert!(text(page).contains("not your password") && page.contains("new@example.com"));
    let pairs = [("email", "ada@example.com"), ("password", PASSWORD)];
    let same = ada
        .submit("/account", "/account/email#address", &pairs)
        .await;
    assert!(text(same.expect(422).text()).contains("your address already"));
    let pairs = [("email", "new@example.com"), ("password", PASSWORD)];
    let asked = ada
        .submit("/account", "/account/email#address", &pairs)
        .await;
    assert!(text(&ada.follow(&asked).await).contains("sent a mail"));
    let asked = ada
        .submit("/account", "/account/email/verification", &[])
        .await;
    assert!(text(&ada.follow(&asked).await).contains("with a link"));
}

#[tokio::test]
async fn a_password_is_changed_and_other_devices_are_signed_out() {
    let app = TestApp::start().await;
    let mut ada = ada(&app).await;
    let mut other = Guest::signed_in(&app, "ada").await;
    let new = |current, new, repeated| {
        [
            ("currentPassword", current),
            ("newPassword", new),
            ("repeatedPassword", repeated),
        ]
    };
    let at = "/account/password";
    for (pairs, status, said) in [
        (
            new(OTHER_PASSWORD, OTHER_PASSWORD, OTHER_PASSWORD),
            403,
            "not your password",
        ),
        (new(PASSWORD, OTHER_PASSWORD, PASSWORD), 422, "not the same"),
        (new(PASSWORD, "short", "short"), 422, "too short"),
    ] {
        let faulty = ada.submit(at, at, &pairs).await;
        let page = faulty.expect(status).text();
        assert!(text(page).contains(said), "{page}");
        assert!(!page.contains(PASSWORD) && !page.contains(OTHER_PASSWORD));
    }
    other.page("/account").await;
    let changed = ada
        .submit(at, at, &new(PASSWORD, OTHER_PASSWORD, OTHER_PASSWORD))
        .await;
    assert!(text(&ada.follow(&changed).await).contains("is changed"));
    other.get("/account").await.expect(303);
}

#[tokio::test]
async fn devices_are_signed_out_one_by_one_or_all_at_once() {
    let app = TestApp::start().await;
    let mut ada = ada(&app).await;
    let phone = app.login("ada").await;
    app.person("bob", &["user"]).await;
    let bobs = app.login("bob").await;
    let page = ada.page("/account/devices").await;
    assert!(
        page.contains(&phone.sid) && !page.contains(&bobs.sid),
        "{page}"
    );
    let ended = ada
        .send_form(&page, "/account/devices/end", &[("id", &phone.sid)])
        .await;
    assert!(text(&ada.follow(&ended).await).contains("is signed out"));
    app.assert_signed_out(&phone).await;
    // Somebody else's is none of hers.
    ada.send_form(&page, "/account/devices/end", &[("id", &bobs.sid)])
        .await
        .expect(303);
    app.assert_signed_in(&bobs).await;
    let others = [app.login("ada").await, app.login("ada").await];
    let ended = ada
        .submit("/account/devices", "/account/devices/end-others", &[])
        .await;
    assert!(text(&ada.follow(&ended).await).contains("Every other device"));
    for other in &others {
        app.assert_signed_out(other).await;
    }
}

#[tokio::test]
async fn what_happened_is_listed_and_what_others_did_is_not() {
    let app = TestApp::start().await;
    let mut ada = ada(&app).await;
    app.person("bob", &["user"]).await;
    Guest::signed_in(&app, "bob").await;
    let page = ada.page("/account/activity").await;
    let shown = text(&page);
    assert!(shown.contains("Account registered"), "{shown}");
    assert_eq!(shown.matches("Signed in").count(), 1, "{shown}");
    for index in 0..60 {
        let name = format!("Ada {index}");
        ada.submit("/account", "/account", &[("name", &name)]).await;
        app.wait(60);
    }
    let first = ada.page("/account/activity").await;
    assert!(first.matches("Profile changed").count() == 50, "{first}");
    let next = first
        .split("href=\"")
        .find(|part| part.contains("after="))
        .unwrap();
    let next = next.split('"').next().unwrap().replace("&#x2f;", "/");
    assert!(ada.page(&next).await.contains("Account registered"));
    ada.get("/account/activity?after=x").await.expect(404);
}

#[tokio::test]
async fn an_account_is_deleted_by_who_has_the_password() {
    let app = TestApp::start().await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    let at = "/account/delete#delete";
    let last = root.submit("/account", at, &[("password", PASSWORD)]).await;
    assert!(
        last.expect(409).text().contains("role=\"alert\""),
        "the last administrator stays"
    );
    let mut ada = ada(&app).await;
    ada.submit("/account", at, &[("password", OTHER_PASSWORD)])
        .await
        .expect(403);
    let deleted = ada.submit("/account", at, &[("password", PASSWORD)]).await;
    assert!(text(deleted.expect(200).text()).contains("is deleted"));
    assert_eq!(ada.cookie, None);
    assert_eq!(app.audit(AuditKind::UserDeleted).await.len(), 1);
}

/// A form belongs to the session that its page was made for; what it held is not lost.
#[tokio::test]
async fn an_old_form_is_shown_again_and_nothing_is_done() {
    let app = TestApp::start().await;
    let mut ada = ada(&app).await;
    let page = ada.page("/account").await;
    ada.post(
        "/sign-in",
        &[("identifier", "ada@example.com"), ("password", PASSWORD)],
    )
    .await
    .expect(303);
    let again = ada
        .send_form(&page, "/account", &[("name", "Ada \"L\"")])
        .await;
    let again = again.expect(200).text();
    assert!(text(again).contains("Your form is still here"), "{again}");
    assert!(
        !ada.page("/account").await.contains("Ada &quot;L"),
        "not yet"
    );
    let sent = ada.send_form(again, "/account", &[]).await;
    assert!(ada.follow(&sent).await.contains("Ada &quot;L&quot;"));
    // None at all, and somebody else's, are refused.
    let none = ada.post("/account", &[("name", "Eve")]).await;
    assert!(text(none.expect(403).text()).contains("csrf_rejected"));
    app.person("bob", &["user"]).await;
    let mut bob = Guest::signed_in(&app, "bob").await;
    let foreign = bob.page("/account").await;
    let refused = ada
        .send_form(&foreign, "/account", &[("name", "Eve")])
        .await;
    assert!(!refused.expect(403).text().contains("Eve"));
    assert!(!ada.page("/account").await.contains("Eve"));
    // Nor does who signs in next get to see it.
    bob.cookie = None;
    let asked = bob
        .send_form(&foreign, "/account", &[("name", "Bob B")])
        .await;
    let who = [("identifier", "ada@example.com"), ("password", PASSWORD)];
    let other = bob
        .send_form(asked.expect(401).text(), "/sign-in", &who)
        .await;
    assert_eq!(place(&other), "/account");
    // What was only asked is asked again.
    let devices = ada.page("/account/devices").await;
    ada.cookie = None;
    let asked = ada.send_form(&devices, "/sign-out", &[]).await;
    let back = ada
        .send_form(asked.expect(401).text(), "/sign-in", &who)
        .await;
    assert_eq!(place(&back), "/account/devices");
}

#[tokio::test]
async fn a_form_that_is_sent_when_nobody_is_signed_in_waits_behind_the_sign_in() {
    let app = TestApp::start().await;
    let mut ada = ada(&app).await;
    let page = ada.page("/account").await;
    ada.cookie = None;
    let pairs = [("name", "Ada L"), ("password", "never kept")];
    let asked = ada.send_form(&page, "/account", &pairs).await;
    let asked = asked.expect(401).text();
    assert!(
        asked.contains("value=\"Ada L\"") && !asked.contains("never kept"),
        "{asked}"
    );
    let who = [
        ("identifier", "ada@example.com"),
        ("password", OTHER_PASSWORD),
    ];
    let wrong = ada.send_form(asked, "/sign-in", &who).await;
    let asked = wrong.expect(401).text();
    let who = [("identifier", "ada@example.com"), ("password", PASSWORD)];
    let resumed = ada.send_form(asked, "/sign-in", &who).await;
    let sent = ada
        .send_form(resumed.expect(200).text(), "/account", &[])
        .await;
    assert!(ada.follow(&sent).await.contains("value=\"Ada L\""));
}

/// The cookie of the pages is no refresh token, and the other way round.
#[tokio::test]
async fn the_cookie_of_the_pages_is_for_pages_alone() {
    let app = TestApp::start().await;
    let ada = ada(&app).await;
    let cookie = ada.cookie.clone().unwrap();
    let value = cookie.split_once('=').unwrap().1;
    app.refresh(value)
        .await
        .problem(401, "invalid_refresh_token");
    let device = app.login("ada").await;
    let mut guest = Guest::of(&app);
    guest.cookie = Some(format!("symbolon={}", device.refresh));
    guest.get("/account").await.expect(303);
}
