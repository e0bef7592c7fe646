//! Mail and settings.

use symbolon_domain::audit::AuditKind;

use super::forms::{Form, unescaped};
use super::{Guest, place, text};
use crate::app::TestApp;

const KINDS: [&str; 12] = [
    "test",
    "verify_email",
    "address_in_use",
    "reset_password",
    "change_email_new",
    "change_email_old",
    "email_changed",
    "new_device",
    "password_changed",
    "password_reset",
    "session_reused",
    "invitation",
];

#[tokio::test]
async fn mails_are_shown_in_every_language_and_can_do_nothing() {
    let app = TestApp::start().await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    let list = root.page("/console/mail").await;
    for kind in KINDS {
        for lang in ["en", "de", "fr", "es", "pl"] {
            let path = format!("/console/mail/{kind}/{lang}");
            assert!(list.contains(&format!("href=\"{path}\"")), "{path}");
            let page = root.page(&path).await;
            assert!(
                page.contains(&format!("src=\"{path}/preview\" sandbox=\"\"")),
                "{page}"
            );
            let mail = root.get(&format!("{path}/preview")).await;
            let policy = mail.expect(200).header("content-security-policy").unwrap();
            assert!(
                policy.contains("sandbox") && !policy.contains("script"),
                "{policy}"
            );
            assert_eq!(mail.header("x-frame-options"), Some("SAMEORIGIN"));
            assert!(mail.text().contains("<html") && !mail.text().contains("<script"));
        }
    }
    for path in [
        "/console/mail/nonsense/en",
        "/console/mail/test/xx",
        "/console/mail/test/en/other",
    ] {
        root.get(path).await.expect(404);
    }
}

#[tokio::test]
async fn a_test_mail_goes_to_who_asks() {
    let folder = crate::app::Folder::new();
    let data = folder.path().to_str().unwrap().to_owned();
    let app = TestApp::with(&[("server.data", &data)]).await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    let shown = root.page("/console/mail").await;
    let form = Form::to(&shown, "/console/mail/test#way");
    let answer = root.post("/console/mail/test", &form.fields()).await;
    let page = text(answer.expect(200).text());
    assert!(page.contains("Accepted for root@example.com"), "{page}");
}

#[tokio::test]
async fn settings_show_no_secret() {
    let secret = "not-to-be-seen";
    let url = format!("smtps://symbolon:{secret}@mail.example.com");
    let settings = [
        ("mail.url", url.as_str()),
        ("mail.from", "login@example.com"),
        ("registration.domains", "example.com"),
    ];
    let app = TestApp::with(&settings).await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    let page = root.page("/console/settings").await;
    assert!(text(&page).contains("smtps://(secret)") && !page.contains(secret));
    assert!(text(&root.page("/console/settings?q=retention").await).contains("audit.retention"));
    assert!(text(&root.page("/console/settings?q=nonsense").await).contains("No setting has this"));
}

#[tokio::test]
async fn settings_that_follow_from_others_are_shown_as_they_are() {
    let app = TestApp::start().await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    let issuer = app.app.issuance().unwrap().issuer.clone();
    for name in ["server.issuer", "tokens.audience"] {
        let page = root.page(&format!("/console/settings?q={name}")).await;
        let id = format!("id=\"{}\"", name.replace('.', "-"));
        let row = page.split_once(&id).unwrap().1.split("</li>").next();
        assert!(unescaped(row.unwrap()).contains(&issuer), "{name}: {page}");
    }
}

#[tokio::test]
async fn the_tile_and_the_chart_of_sessions_say_the_same() {
    let app = TestApp::start().await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    // No hour was counted yet.
    for span in ["day", "month"] {
        let page = root.page(&format!("/console/overview?span={span}")).await;
        for (name, value) in [("h2 class=\"name\"", "value"), ("h2", "lead")] {
            let said = format!("<{name}>Live sessions</h2><p class=\"{value}\">1</p>");
            assert!(page.contains(&said), "{said}: {page}");
        }
    }
}

#[tokio::test]
async fn settings_of_the_database_can_be_changed() {
    let app = TestApp::start().await;
    let mut root = Guest::with_roles(&app, "root", &["admin"]).await;
    let page = root.page("/console/settings").await;
    let token = page.split("form_token\" value=\"").nth(1).unwrap();
    let token = ("form_token", token.split('"').next().unwrap());
    let set = |name: &'static str, value: &'static str| [("name", name), ("value", value), token];
    let saved = root
        .post("/console/settings", &set("audit.retention", "30d"))
        .await;
    assert_eq!(place(&saved), "/console/settings");
    assert_eq!(app.app.settings().audit.retention.as_secs(), 30 * 24 * 3600);
    for (name, value, said) in [
        ("audit.retention", "soon", "expected a duration"),
        ("audit.retention", "1h", "audit.retention"),
        ("registration.mode", "<script>alert(1)</script>", "expected"),
    ] {
        let wrong = root.post("/console/settings", &set(name, value)).await;
        let page = wrong.expect(422).text();
        assert!(text(page).contains(said), "{value}: {}", text(page));
        assert!(!page.contains("<script>alert"), "{value}");
    }
    for name in ["server.listen", "nonsense"] {
        let answer = root.post("/console/settings", &set(name, "x")).await;
        answer.expect(404);
    }
    let back = [("name", "audit.retention"), ("default", "true"), token];
    root.post("/console/settings", &back).await.expect(303);
    assert_eq!(
        app.app.settings().audit.retention.as_secs(),
        365 * 24 * 3600
    );
    let told = app.audit(AuditKind::SettingChanged).await;
    assert!(told.len() == 2 && told.iter().all(|event| event.actor.is_some()));
}

#[tokio::test]
async fn who_may_see_settings_may_not_change_them() {
    let app = TestApp::start().await;
    app.delegate("watcher", "stats:read").await;
    let mut watcher = Guest::signed_in(&app, "watcher").await;
    let page = watcher.page("/console/settings").await;
    assert!(!page.contains("name=\"value\""));
    let shown = watcher.page("/console/mail").await;
    let form = Form::to(&shown, "/console/mail/test#way");
    let mut pairs = form.fields();
    pairs.extend([("name", "audit.retention"), ("value", "30d")]);
    watcher.post("/console/settings", &pairs).await.expect(403);
    assert_eq!(app.audit(AuditKind::SettingChanged).await.len(), 0);
}
