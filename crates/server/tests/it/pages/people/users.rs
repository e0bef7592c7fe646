//! `/console/users` and one user.

use serde_json::{Value, json};
use symbolon::flows::Origin;
use symbolon::flows::actor::Actor;
use symbolon::flows::users::{self, Fields, New};
use symbolon_domain::audit::AuditKind;

use super::super::forms::{Form, unescaped};
use super::super::{place, text};
use super::{HOSTILE, page_of, root};
use crate::app::TestApp;
use crate::people::{OTHER_PASSWORD, PASSWORD};

async fn named(app: &TestApp, email: &str, name: Option<&str>, username: Option<&str>) {
    let fields = Fields {
        email: Some(email.to_owned()),
        name: Some(name.map(str::to_owned)),
        username: Some(username.map(str::to_owned)),
        ..Fields::default()
    };
    let new = New {
        fields,
        password: None,
    };
    let added = users::add(&app.app, Actor::Operator, &new, None, &Origin::default()).await;
    added.unwrap();
}

/// The addresses on a page, in order.
fn addresses(page: &str) -> Vec<&str> {
    let rows = page.split("<a class=\"whole\"").skip(1);
    rows.map(|row| {
        row.split_once("<bdi>")
            .unwrap()
            .1
            .split('<')
            .next()
            .unwrap()
    })
    .collect()
}

#[tokio::test]
async fn users_are_found_by_the_beginning_of_address_and_username_and_by_id() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    for (email, username) in [
        ("anna@example.com", Some("zoe")),
        ("annika@example.com", Some("anni")),
        ("bert@example.com", Some("annuity")),
        ("carl@example.com", None),
    ] {
        app.wait(1);
        named(&app, email, None, username).await;
    }
    let page = root.page("/console/users?q=ANN").await;
    // By the address first; who was found by it is not found again.
    let all = ["anna@example.com", "annika@example.com", "bert@example.com"];
    assert_eq!(addresses(&page), all);
    let carl = page_of(&app, "carl").await;
    let id = carl.rsplit('/').next().unwrap();
    let page = root.page(&format!("/console/users?q={id}")).await;
    assert_eq!(addresses(&page), ["carl@example.com"]);
    let page = root.page("/console/users?q=nobody").await;
    assert!(text(&page).contains("No user is like that"));
    let page = root.page("/console/users?q=a&status=disabled").await;
    assert!(addresses(&page).is_empty());
    let page = root
        .page("/console/users?role=admin&status=&verified=&q=")
        .await;
    assert_eq!(addresses(&page), ["root@example.com"]);
    let page = root.page("/console/users?verified=false&sort=email").await;
    assert_eq!(addresses(&page).len(), 5);
    assert!(page.contains("aria-sort=\"ascending\""));
    let page = root.page("/console/users?sort=-email&verified=false").await;
    assert_eq!(addresses(&page)[0], "root@example.com");
    assert!(page.contains("aria-sort=\"descending\""));
    for strange in ["role=%22%3E", "status=x", "sort=password", "verified=1"] {
        root.page(&format!("/console/users?{strange}")).await;
    }
}

#[tokio::test]
async fn n14_long_lists_go_on_and_a_cursor_is_good_only_where_it_was_given() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    for number in 0..120 {
        let username = (number % 2 == 0).then(|| format!("m{number:03}"));
        named(
            &app,
            &format!("m{number:03}@example.com"),
            None,
            username.as_deref(),
        )
        .await;
    }
    for query in [
        "",
        "?q=m",
        "?sort=email",
        "?role=user",
        "?q=m&role=user&verified=false",
    ] {
        let mut path = format!("/console/users{query}");
        let (mut seen, mut first) = (Vec::new(), None);
        loop {
            let page = root.page(&path).await;
            seen.extend(addresses(&page).into_iter().map(str::to_owned));
            let Some((before, _)) = page.split_once("\" rel=\"next\"") else {
                break;
            };
            let link = before.rsplit_once("href=\"").unwrap().1;
            path = unescaped(link);
            first.get_or_insert(path.clone());
        }
        seen.retain(|email| email.starts_with('m'));
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((seen.len(), count), (120, 120), "{query}");
        let elsewhere = first
            .unwrap()
            .replace("/console/users?", "/console/users?status=active&");
        assert_eq!(root.get(&elsewhere).await.status, 400, "{elsewhere}");
    }
}

#[tokio::test]
async fn m10_hostile_names_are_text_everywhere() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    for (number, name) in HOSTILE.iter().enumerate() {
        named(&app, &format!("h{number}@example.com"), Some(name), None).await;
        let path = page_of(&app, &format!("h{number}")).await;
        for path in ["/console/users", &path] {
            let page = root.page(path).await;
            assert!(
                !page.contains("<script>alert") && text(&page).contains(name),
                "{page}"
            );
        }
        let query = crate::oauth::form(&[("q", name)]);
        let page = root.page(&format!("/console/users?{query}")).await;
        assert!(!page.contains("<script>alert"), "{page}");
    }
    // What would turn the text around it is no part of a name.
    let pairs = [
        ("how", "bare"),
        ("email", "r@example.com"),
        ("name", "a\u{202e}b"),
    ];
    let answer = root
        .submit("/console/users/new", "/console/users/new", &pairs)
        .await;
    assert!(text(answer.expect(422).text()).contains("no invisible ones"));
    let answer = root.get("/console/users/export.csv?q=h").await;
    let lines: Vec<&str> = answer.expect(200).text().lines().collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].starts_with("id,email,"));
    assert!(
        lines[2].contains(",\"'=HYPERLINK(\"\"https://evil.example\"\")\","),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_list_is_saved_with_its_filters_and_that_is_noted() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    for number in 0..620 {
        named(&app, &format!("e{number}@example.com"), None, None).await;
    }
    let answer = root.get("/console/users/export.json?q=e").await;
    let kind = answer.expect(200).header("content-disposition");
    assert_eq!(kind, Some("attachment; filename=\"users.json\""));
    let all: Vec<Value> = serde_json::from_str(answer.text()).unwrap();
    assert_eq!(all.len(), 620);
    assert_eq!(all[0]["email"], "e0@example.com");
    assert!(all[0].get("passwordHash").is_none());
    let answer = root.get("/console/users/export.json?q=nobody").await;
    assert_eq!(answer.json(), json!([]));
    let answer = root.get("/console/users/export.csv").await;
    assert_eq!(answer.expect(200).text().lines().count(), 622);
    let noted = app.audit(AuditKind::UsersExported).await;
    assert_eq!(noted.len(), 3);
    assert!(noted.iter().all(|event| event.actor.is_some()));
}

#[tokio::test]
async fn somebody_is_added_in_each_way() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let new = "/console/users/new";
    let answer = root
        .submit(new, new, &[("how", "password"), ("email", "x")])
        .await;
    let page = answer.expect(422).text().to_owned();
    assert!(page.contains("value=\"x\"") && text(&page).contains("This is not an e-mail address."));
    assert!(page.contains("id=\"password-wrong\""), "{page}");
    let pairs = [
        ("how", "password"),
        ("email", "ada@example.com"),
        ("name", "Ada"),
        ("password", PASSWORD),
        ("emailVerified", "true"),
    ];
    let answer = root.submit(new, new, &pairs).await;
    let page = root.follow(&answer).await;
    assert!(text(&page).contains("The account is there.") && page.contains("<bdi>Ada</bdi>"));
    assert_eq!(place(&answer), page_of(&app, "ada").await);
    app.login("ada").await;
    let answer = root.submit(new, new, &pairs).await;
    assert!(text(answer.expect(409).text()).contains("This is taken already."));
    let pairs = [
        ("how", "bare"),
        ("email", "bob@example.com"),
        ("username", "bob"),
    ];
    root.submit(new, new, &pairs).await.expect(303);
    let pairs = [
        ("how", "invite"),
        ("email", "cy@example.com"),
        ("name", "Cy"),
    ];
    let answer = root.submit(new, new, &pairs).await;
    assert_eq!(place(&answer), "/console/invitations");
    let page = root.follow(&answer).await;
    assert!(text(&page).contains("on its way") && page.contains("cy@example.com"));
    assert_eq!(
        root.post(new, &[("how", "else")]).await.status,
        403,
        "no form of ours"
    );
}

#[tokio::test]
async fn a_profile_is_changed_and_a_lost_update_is_told() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    app.register("ada").await;
    let path = page_of(&app, "ada").await;
    let old = root.page(&path).await;
    let pairs = [("name", "Ada Lovelace"), ("username", "ada")];
    let answer = root.submit(&path, &path, &pairs).await;
    let page = root.follow(&answer).await;
    assert!(page.contains("<h1><bdi>Ada Lovelace</bdi></h1>") && page.contains("value=\"ada\""));
    // Somebody who still looks at the page as it was.
    let answer = root.send_form(&old, &path, &[("name", "Augusta")]).await;
    let page = answer.expect(412).text().to_owned();
    assert!(text(&page).contains("Somebody else has changed this meanwhile"));
    assert!(
        page.contains("value=\"Augusta\"") && page.contains("<h1><bdi>Ada Lovelace</bdi></h1>")
    );
    let answer = root.send_form(&page, &path, &[]).await;
    assert!(
        root.follow(&answer)
            .await
            .contains("<h1><bdi>Augusta</bdi></h1>")
    );
    let answer = root
        .submit(&path, &path, &[("email", "root@example.com")])
        .await;
    let page = answer.expect(409).text().to_owned();
    assert!(page.contains("id=\"email-wrong\"") && text(&page).contains("This is taken already."));
    let verified = format!("{path}/verified");
    let answer = root.submit(&path, &verified, &[]).await;
    assert!(
        root.follow(&answer)
            .await
            .contains("Mark the address as not confirmed")
    );
    // Another address is a stranger.
    let answer = root
        .submit(&path, &path, &[("email", "countess@example.com")])
        .await;
    assert!(
        root.follow(&answer)
            .await
            .contains("Mark the address as confirmed")
    );
    for path in [
        "/console/users/0",
        "/console/users/018f0000-0000-7000-8000-000000000000",
    ] {
        assert_eq!(root.get(path).await.status, 404);
    }
}

#[tokio::test]
async fn roles_are_given_and_taken() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    app.delegate("clerk", "orders:read").await;
    let ada = app.user().await;
    let path = page_of(&app, "ada").await;
    let roles = format!("{path}/roles");
    let answer = root
        .submit(&path, &roles, &[("roles", "clerk"), ("roles", "user")])
        .await;
    let page = root.follow(&answer).await;
    assert!(page.contains("value=\"clerk\" checked") && text(&page).contains("orders:read"));
    app.profile(&ada.access).await.problem(401, "token_stale");
    let answer = root.submit(&path, &roles, &[("roles", "nobody")]).await;
    assert!(answer.expect(422).text().contains("id=\"roles-wrong\""));
}

#[tokio::test]
async fn an_account_is_closed_opened_and_deleted() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let ada = app.user().await;
    let path = page_of(&app, "ada").await;
    let (status, delete) = (format!("{path}/status"), format!("{path}/delete"));
    let answer = root.submit(&path, &status, &[]).await;
    assert!(text(&root.follow(&answer).await).contains("The account is disabled"));
    app.assert_signed_out(&ada).await;
    let answer = root.submit(&path, &status, &[]).await;
    assert!(text(&root.follow(&answer).await).contains("The account is enabled."));
    app.login("ada").await;
    let answer = root
        .submit(&path, &delete, &[("confirm", "bob@example.com")])
        .await;
    let page = answer.expect(422).text().to_owned();
    assert!(text(&page).contains("Nothing was deleted.") && page.contains("class=\"ask\" open"));
    let answer = root
        .submit(&path, &delete, &[("confirm", " Ada@Example.com ")])
        .await;
    assert_eq!(place(&answer), "/console/users");
    let page = root.follow(&answer).await;
    assert!(text(&page).contains("The account is deleted.") && !page.contains("ada@example.com"));
    assert_eq!(root.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_password_is_set_and_every_session_ends() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let ada = app.user().await;
    let path = page_of(&app, "ada").await;
    let password = format!("{path}/password");
    let answer = root
        .submit(&path, &password, &[("password", "short")])
        .await;
    let page = answer.expect(422).text().to_owned();
    assert!(text(&page).contains("This password is too short.") && !page.contains("\"short\""));
    let answer = root
        .submit(&path, &password, &[("password", OTHER_PASSWORD)])
        .await;
    assert!(text(&root.follow(&answer).await).contains("The password is set"));
    app.assert_signed_out(&ada).await;
    let again = app.login_new_password().await;
    let answer = root.submit(&path, &format!("{path}/sign-out"), &[]).await;
    assert!(text(&root.follow(&answer).await).contains("signed out everywhere"));
    app.assert_signed_out(&again).await;
}

#[tokio::test]
async fn sessions_and_applications_of_a_user_are_ended_on_their_page() {
    let place = crate::oauth::Place::start().await;
    let app = &place.app;
    place.tokens("openid profile orders:read").await;
    let ada = app.login("ada").await;
    let mut root = super::super::Guest::signed_in(app, "root").await;
    let path = page_of(app, "ada").await;
    let page = root.page(&path).await;
    assert!(
        page.contains("<bdi>The Shop</bdi>")
            && text(&page).contains("Access given to an application")
    );
    let answer = root.submit(&path, &format!("{path}/withdraw"), &[]).await;
    assert!(!root.follow(&answer).await.contains("<bdi>The Shop</bdi>"));
    let pairs = [("session", ada.sid.as_str())];
    let others = page_of(app, "root").await;
    let end = format!("{path}/end-session");
    let form = Form::to(&page, &end);
    let (_, token) = form.fields()[0];
    let foreign = [("form_token", token), pairs[0]];
    root.post(&format!("{others}/end-session"), &foreign)
        .await
        .expect(404);
    app.assert_signed_in(&ada).await;
    for _ in 0..2 {
        let answer = root
            .submit(&path, &format!("{path}/end-session"), &pairs)
            .await;
        assert!(text(&root.follow(&answer).await).contains("The session has ended."));
    }
    app.assert_signed_out(&ada).await;
}
