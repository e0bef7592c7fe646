//! What the console does not do, and how it says so.

use super::super::forms::unescaped;
use super::super::{Guest, place, text};
use super::{page_of, root};
use crate::app::TestApp;
use crate::oauth::posted;

/// Every page of the people's half, with the permission that it takes.
const PAGES: [(&str, &str); 15] = [
    ("/console/users", "users:read"),
    ("/console/users/export.csv", "users:read"),
    ("/console/users/export.json", "users:read"),
    ("/console/users/new", "users:write"),
    ("/console/invitations", "users:read"),
    ("/console/invitations/export.csv", "users:read"),
    ("/console/invitations/export.json", "users:read"),
    ("/console/sessions", "sessions:read"),
    ("/console/sessions/export.csv", "sessions:read"),
    ("/console/sessions/export.json", "sessions:read"),
    ("/console/roles", "roles:read"),
    ("/console/roles/export.csv", "roles:read"),
    ("/console/roles/export.json", "roles:read"),
    ("/console/roles/new", "roles:write"),
    ("/console/role/admin", "roles:read"),
];

/// What changes something, with the permission that it takes; `ID` is somebody's.
const CHANGES: [(&str, &str); 16] = [
    ("/console/users/new", "users:write"),
    ("/console/users/ID", "users:write"),
    ("/console/users/ID/verified", "users:write"),
    ("/console/users/ID/roles", "users:write"),
    ("/console/users/ID/status", "users:write"),
    ("/console/users/ID/password", "users:write"),
    ("/console/users/ID/sign-out", "users:write"),
    ("/console/users/ID/delete", "users:write"),
    ("/console/users/ID/end-session", "sessions:write"),
    ("/console/users/ID/withdraw", "sessions:write"),
    ("/console/invitations/ID/withdraw", "users:write"),
    ("/console/sessions/ID/end", "sessions:write"),
    ("/console/roles/new", "roles:write"),
    ("/console/role/clerk", "roles:write"),
    ("/console/role/clerk/delete", "roles:write"),
    ("/console/role/ID/delete", "roles:write"),
];

/// All that the console's people take.
const ALL: [&str; 6] = [
    "users:read",
    "users:write",
    "sessions:read",
    "sessions:write",
    "roles:read",
    "roles:write",
];

#[tokio::test]
async fn f1_a_page_is_for_who_is_signed_in_and_may_see_it() {
    let app = TestApp::start().await;
    let (mut nobody, mut root) = (Guest::of(&app), root(&app).await);
    let mut ada = Guest::with_roles(&app, "ada", &["user"]).await;
    for (path, _) in PAGES {
        let answer = nobody.get(path).await;
        assert!(
            place(&answer).starts_with("/sign-in?next=%2Fconsole"),
            "{path}"
        );
        let answer = ada.get(path).await;
        assert!(text(answer.expect(403).text()).contains("You may not see this"));
        root.page(path).await;
    }
    let menu = ada.page("/account").await;
    assert!(!menu.contains("/console\""), "no way to what is not theirs");
}

/// Row M3 for each page and each change: the permission that it takes, and no other, opens it.
#[tokio::test]
async fn m3_each_page_and_change_takes_its_permission() {
    let app = TestApp::start().await;
    root(&app).await;
    let subject = page_of(&app, "root").await;
    let id = subject.rsplit('/').next().unwrap().to_owned();
    for missing in ALL {
        let name = missing.replace(':', "-");
        let others: Vec<&str> = ALL.into_iter().filter(|one| *one != missing).collect();
        app.delegate(&name, &others.join(" ")).await;
        let mut guest = Guest::signed_in(&app, &name).await;
        let token = guest.form_token().await;
        for (path, needed) in PAGES {
            let wanted = if needed == missing { 403 } else { 200 };
            assert_eq!(
                guest.get(path).await.status,
                wanted,
                "{path} without {missing}"
            );
        }
        for (path, needed) in CHANGES {
            // What was refused is told on a page that takes another one.
            if needed.replace("write", "read") == missing {
                continue;
            }
            let path = path.replace("ID", &id);
            let answer = guest.post(&path, &[("form_token", &token)]).await;
            let said = text(answer.text());
            let closed = answer.status == 403 && said.contains("You may not see this");
            assert_eq!(
                closed,
                needed == missing,
                "{path} without {missing}: {said}"
            );
        }
    }
    assert_eq!(page_of(&app, "root").await, subject);
}

#[tokio::test]
async fn c1_another_sites_form_does_nothing() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    app.register("ada").await;
    let path = page_of(&app, "ada").await;
    let token = root.form_token().await;
    for (change, _) in CHANGES {
        let change = change.replace("/console/users/ID", &path);
        let pairs = [("form_token", token.as_str()), ("status", "disabled")];
        let request = posted(&app, &change, &pairs)
            .header("cookie", root.cookie.as_deref().unwrap())
            .header("sec-fetch-site", "cross-site")
            .header("origin", "https://evil.example");
        request.send().await.problem(403, "csrf_rejected");
    }
    assert!(root.page(&path).await.contains("Disable the account"));
}

#[tokio::test]
async fn d7_what_was_asked_in_a_former_session_is_asked_again() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    app.register("ada").await;
    let path = page_of(&app, "ada").await;
    let old = root.page(&path).await;
    let mut again = Guest::signed_in(&app, "root").await;
    let action = format!("{path}/status");
    let answer = again.send_form(&old, &action, &[]).await;
    assert_eq!(place(&answer), path);
    let page = again.page(&path).await;
    assert!(page.contains("Disable the account"), "nothing was done");
    let done = again.send_form(&page, &action, &[]).await;
    assert!(again.follow(&done).await.contains("Enable the account"));
}

#[tokio::test]
async fn m3_the_last_administrator_stays() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let path = page_of(&app, "root").await;
    let last = "This is the last administrator";
    let roles = format!("{path}/roles");
    let answer = root.submit(&path, &roles, &[("roles", "user")]).await;
    assert!(text(answer.expect(409).text()).contains(last));
    let status = format!("{path}/status");
    let answer = root.submit(&path, &status, &[]).await;
    assert!(text(answer.expect(409).text()).contains(last));
    let delete = format!("{path}/delete");
    let pairs = [("confirm", "root@example.com")];
    let answer = root.submit(&path, &delete, &pairs).await;
    let shown = answer.expect(409).text().to_owned();
    assert!(text(&shown).contains(last) && shown.contains("value=\"root@example.com\""));
    assert!(
        root.page("/console/users")
            .await
            .contains("root@example.com")
    );
}

#[tokio::test]
async fn m3_nobody_gives_or_touches_what_they_do_not_have() {
    let app = TestApp::start().await;
    root(&app).await;
    app.register("ada").await;
    app.delegate(
        "desk",
        "users:read users:write sessions:read sessions:write roles:read roles:write",
    )
    .await;
    let mut desk = Guest::signed_in(&app, "desk").await;
    let token = desk.form_token().await;
    // Somebody above: to be seen, and nothing more.
    let above = page_of(&app, "root").await;
    let shown = unescaped(&desk.page(&above).await);
    assert!(text(&shown).contains("roles that you do not have"));
    assert!(!shown.contains(&format!("{above}/")) && !shown.contains("name=\"version\""));
    for (end, more) in [
        ("", ("email", "mine@example.com")),
        ("/roles", ("roles", "user")),
        ("/status", ("status", "disabled")),
        ("/verified", ("verified", "true")),
        ("/password", ("password", crate::people::OTHER_PASSWORD)),
        ("/sign-out", ("", "")),
        ("/delete", ("confirm", "root@example.com")),
    ] {
        let pairs = [("form_token", token.as_str()), more];
        let answer = desk.post(&format!("{above}{end}"), &pairs).await;
        assert_eq!(answer.status, 403, "{end}");
    }
    // A role above: not to be chosen, and not to be given.
    let ada = page_of(&app, "ada").await;
    let shown = desk.page(&ada).await;
    assert!(shown.contains("value=\"admin\" disabled"), "{shown}");
    let roles = format!("{ada}/roles");
    let answer = desk.submit(&ada, &roles, &[("roles", "admin")]).await;
    assert!(text(answer.expect(403).text()).contains("You may not do this."));
    let role = [
        ("name", "more"),
        ("permissions", "keys:write"),
        ("form_token", &token),
    ];
    let answer = desk.post("/console/roles/new", &role).await;
    assert!(text(answer.expect(403).text()).contains("You may not do this."));
    let invite = [
        ("how", "invite"),
        ("email", "new@example.com"),
        ("roles", "admin"),
    ];
    let answer = desk
        .submit("/console/users/new", "/console/users/new", &invite)
        .await;
    let shown = answer.expect(403).text();
    assert!(
        text(shown).contains("You may not do this.") && shown.contains("value=\"new@example.com\"")
    );
}
