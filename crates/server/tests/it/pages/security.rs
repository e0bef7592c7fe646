//! Keys, revocations, the audit log and tokens.

use serde_json::{Value, json};
use symbolon_domain::audit::AuditKind;

use super::forms::{Form, unescaped};
use super::{Guest, place, text};
use crate::app::TestApp;
use crate::client::Answer;
use crate::people::{PASSWORD, claims, header};

/// Every page of the security and system half, and what it takes to see it.
const PAGES: [(&str, &str); 9] = [
    ("/console/keys", "keys:read"),
    ("/console/revocations", "revocations:read"),
    ("/console/revocations/export.csv", "revocations:read"),
    ("/console/audit", "audit:read"),
    ("/console/audit/export.json", "audit:read"),
    ("/console/token", "revocations:read"),
    ("/console/mail", "stats:read"),
    ("/console/settings", "stats:read"),
    ("/console/import", "users:write"),
];
/// Every form of them, and what it takes.
const FORMS: [(&str, &str); 8] = [
    ("/console/keys/rotate", "keys:write"),
    ("/console/revocations", "revocations:write"),
    ("/console/audit/verify", "audit:read"),
    ("/console/token", "revocations:read"),
    ("/console/mail/test", "stats:read"),
    ("/console/settings", "stats:read"),
    ("/console/import/start", "users:write"),
    ("/console/import/clear", "users:write"),
];

/// Fills the form that revokes.
async fn revoke(root: &mut Guest<'_>, pairs: &[(&str, &str)]) -> Answer {
    let page = root.page("/console/revocations").await;
    let (_, form) = page.split_once("id=\"add\"").expect("a form");
    root.send_form(form, "/console/revocations", pairs).await
}

async fn root(app: &TestApp) -> Guest<'_> {
    Guest::with_roles(app, "root", &["admin"]).await
}

#[tokio::test]
async fn pages_and_forms_are_for_who_may_see_and_send_them() {
    let app = TestApp::start().await;
    let mut nobody = Guest::of(&app);
    let mut eve = Guest::with_roles(&app, "eve", &["user"]).await;
    for (path, permission) in PAGES {
        nobody.get(path).await.expect(303);
        eve.get(path).await.expect(403);
        let name = permission.replace(':', "-");
        if app.audit(AuditKind::RoleCreated).await.iter().all(|event| {
            let detail = event.detail.as_deref().unwrap_or_default();
            !detail.contains(&name)
        }) {
            app.delegate(&name, permission).await;
        }
        let mut one = Guest::signed_in(&app, &name).await;
        one.page(path).await;
    }
    let own = eve.page("/account").await;
    let token = Form::to(&own, "/account").fields()[0].1.to_owned();
    for (path, _) in FORMS {
        let asked = nobody.post(path, &[("token", "a.b.c")]).await;
        let to = asked.header("location").unwrap_or_default();
        assert!(!to.contains("a.b.c") && asked.status != 204, "{path}: {to}");
        eve.post(path, &[("form_token", &token)]).await.expect(403);
    }
    eve.get("/console/keys/x/withdraw").await.expect(403);
    let path = "/console/keys/x/withdraw";
    eve.post(path, &[("form_token", &token)]).await.expect(403);
}

#[tokio::test]
async fn forms_of_another_site_or_of_somebody_else_do_nothing() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    for (path, _) in FORMS {
        let cookie = root.cookie.clone().unwrap();
        let request = crate::oauth::posted(&app, path, &[("form_token", "x")])
            .header("cookie", &cookie)
            .header("sec-fetch-site", "cross-site")
            .header("origin", "https://evil.example");
        request.send().await.problem(403, "csrf_rejected");
        let pairs = [("form_token", "x"), ("kind", "all"), ("sure", "true")];
        root.post(path, &pairs).await.expect(403);
    }
    assert_eq!(app.audit(AuditKind::KeyRotated).await.len(), 0);
    assert_eq!(app.audit(AuditKind::TokensRevoked).await.len(), 0);
    assert_eq!(app.audit(AuditKind::SettingChanged).await.len(), 0);
}

#[tokio::test]
async fn a_key_is_rotated_and_withdrawn_by_who_is_sure() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let mut root = root(&app).await;
    let page = root.page("/console/keys").await;
    assert!(text(&page).contains("signing") && text(&page).contains("Nobody follows"));
    let kid = header(&device.access)["kid"].as_str().unwrap().to_owned();
    let rotated = root
        .submit("/console/keys", "/console/keys/rotate", &[])
        .await;
    assert_eq!(place(&rotated), "/console/keys");
    let page = text(&root.follow(&rotated).await);
    assert!(
        page.contains("A new key is published.") && page.contains("spreading"),
        "{page}"
    );
    app.wait(600);
    assert!(text(&root.page("/console/keys").await).contains("every live guard has it"));
    let path = format!("/console/keys/{kid}/withdraw");
    assert!(root.page("/console/keys").await.contains(&path));
    let asked = text(&root.page(&path).await);
    assert!(asked.contains("2 sessions live now"), "{asked}");
    let unsure = root.submit(&path, &path, &[]).await;
    assert!(text(unsure.expect(422).text()).contains("if you are sure"));
    app.profile(&device.access).await.expect(200);
    let done = root.submit(&path, &path, &[("sure", "true")]).await;
    let page = text(&root.follow(&done).await);
    assert!(page.contains("The key is withdrawn") && page.contains("withdrawn"));
    app.profile(&device.access).await.expect(401);
    root.get(&path).await.expect(404);
    root.get("/console/keys/refresh-1/withdraw")
        .await
        .expect(404);
    let actor = app.audit(AuditKind::KeyWithdrawn).await[0].actor;
    assert!(actor.is_some(), "who did it");
}

#[tokio::test]
async fn followers_of_the_feed_are_shown_with_what_they_lack() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let (head, _, stream) = app.get("/api/revocations/stream").begin().await;
    head.expect(200);
    for path in ["/console/keys", "/console/revocations"] {
        let page = text(&root.page(path).await);
        assert!(
            page.contains("1 connection follows") && page.contains("this machine"),
            "{page}"
        );
    }
    drop(stream);
}

#[tokio::test]
async fn revocations_are_added_by_who_is_sure() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let mut root = root(&app).await;
    let page = "/console/revocations";
    assert!(text(&root.page(page).await).contains("Nothing is revoked"));
    let jti = claims(&device.access)["jti"].as_str().unwrap().to_owned();
    let token = [
        ("kind", "token"),
        ("id", jti.as_str()),
        ("effect", "revoked"),
    ];
    let unsure = revoke(&mut root, &token).await;
    let again = unsure.expect(422).text();
    assert!(again.contains(&jti) && text(again).contains("if you are sure"));
    app.profile(&device.access).await.expect(200);
    let hostile = [
        ("kind", "user"),
        ("id", "<script>alert(1)</script>"),
        ("sure", "true"),
    ];
    let wrong = revoke(&mut root, &hostile).await;
    let again = wrong.expect(422).text();
    assert!(text(again).contains("no id of this kind") && !again.contains("<script>alert"));
    let sure: Vec<_> = token.into_iter().chain([("sure", "true")]).collect();
    let done = revoke(&mut root, &sure).await;
    assert!(text(&root.follow(&done).await).contains("Every guard hears of it"));
    app.profile(&device.access)
        .await
        .problem(401, "token_revoked");
}

#[tokio::test]
async fn revocations_are_listed_found_and_exported() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let page = "/console/revocations";
    let jti = "one-token";
    let token = [("kind", "token"), ("id", jti), ("sure", "true")];
    revoke(&mut root, &token).await.expect(303);
    let all = [
        ("kind", "client"),
        ("id", "symbolon"),
        ("effect", "stale"),
        ("sure", "true"),
    ];
    revoke(&mut root, &all).await.expect(303);
    let listed = text(&root.page(page).await);
    assert!(
        listed.contains("to be renewed") && listed.contains("Application"),
        "{listed}"
    );
    let found = text(&root.page(&format!("{page}?q={jti}")).await);
    assert!(
        found.contains("Token") && !found.contains("by: 2"),
        "{found}"
    );
    assert!(text(&root.page("/console/revocations?q=nobody").await).contains("No live revocation"));
    let json: Value =
        serde_json::from_str(&root.page("/console/revocations/export.json").await).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!(
        (&json[0]["kind"], &json[1]["kind"]),
        (&json!("client"), &json!("token"))
    );
    let csv = root
        .get(&format!("/console/revocations/export.csv?q={jti}"))
        .await;
    assert_eq!(csv.text().lines().count(), 2);
    let name = csv.header("content-disposition").unwrap();
    assert_eq!(name, "attachment; filename=\"revocations.csv\"");
    root.get("/console/revocations?cursor=x").await.expect(400);
    root.get("/console/revocations/export.exe")
        .await
        .expect(404);
}

#[tokio::test]
async fn m10_what_others_wrote_is_inert_in_the_audit_log_and_its_files() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let agent = "=cmd|'/C calc'!A0<script>alert(1)</script>";
    let wrong = json!({"email": device.email, "password": "wrong-wrong-wrong"});
    let login = app
        .post("/api/login")
        .header("user-agent", agent)
        .json(&wrong);
    login.send().await.expect(401);
    let mut root = root(&app).await;
    let listed = root.page("/console/audit?kind=login_failed").await;
    assert_eq!(listed.matches("<td data-label=\"Time\">").count(), 1);
    let (_, rest) = listed
        .split_once("<td data-label=\"Time\"><a href=\"")
        .unwrap();
    let line = root.page(rest.split('"').next().unwrap()).await;
    assert!(
        !line.contains("<script>alert") && unescaped(&line).contains(agent),
        "{line}"
    );
    let csv = root.page("/console/audit/export.csv?outcome=failure").await;
    assert!(
        csv.contains(",'=cmd|'/C calc'!A0<script>alert(1)</script>,"),
        "{csv}"
    );
    let json: Value = serde_json::from_str(
        &root
            .page("/console/audit/export.json?outcome=failure")
            .await,
    )
    .unwrap();
    assert_eq!(json[0]["userAgent"], agent);
}

#[tokio::test]
async fn the_audit_log_is_filtered_and_what_cannot_be_read_is_said_beside_the_field() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let mut root = root(&app).await;
    let count = |page: &str| page.matches("<td data-label=\"Time\">").count();
    let by_address = root.page("/console/audit?user=ada%40example.com").await;
    let by_id = root
        .page(&format!("/console/audit?user={}", device.user))
        .await;
    assert!(count(&by_address) >= 2 && count(&by_address) == count(&by_id));
    let none = root.page("/console/audit?from=2999-01-01T00:00").await;
    assert!(text(&none).contains("Nothing happened that fits"));
    let wrong = "/console/audit?user=nobody%40example.com&kind=nonsense&from=yesterday&session=x";
    let answer = root.get(wrong).await;
    let page = answer.expect(422).text();
    for field in ["user", "kind", "from", "session"] {
        assert!(
            page.contains(&format!("id=\"{field}-wrong\"")),
            "{field}: {page}"
        );
    }
    assert!(page.contains("value=\"yesterday\"") && count(page) == 0);
    root.get("/console/audit/export.csv?kind=nonsense")
        .await
        .expect(422);
    root.get("/console/audit/nonsense").await.expect(404);
}

#[tokio::test]
async fn the_audit_log_is_verified() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let shown = root.page("/console/audit").await;
    let form = Form::to(&shown, "/console/audit/verify#chain");
    let answer = root.post("/console/audit/verify", &form.fields()).await;
    let page = text(answer.expect(200).text());
    assert!(page.contains("lines follow from each other"), "{page}");
}

/// Asks what a text is.
async fn explained(root: &mut Guest<'_>, token: &str) -> (String, String) {
    let answer = root
        .submit("/console/token", "/console/token", &[("token", token)])
        .await;
    let page = answer.expect(200).text().to_owned();
    let said = text(&page);
    (page, said)
}

#[tokio::test]
async fn a_token_is_explained_and_not_shown_again() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let mut root = root(&app).await;
    let (page, said) = explained(&mut root, &format!("Bearer {} ", device.access)).await;
    assert!(
        said.contains("accepted") && said.contains("The session that it belongs to"),
        "{said}"
    );
    let payload = device.access.split('.').nth(1).unwrap();
    assert!(!page.contains(payload) && page.contains(&device.user));
    let other = [
        ("token", device.access.as_str()),
        ("audience", "https://api.example.com"),
    ];
    let answer = root
        .submit("/console/token", "/console/token", &other)
        .await;
    let said = text(answer.text());
    assert!(
        said.contains("refused") && said.contains("not https://api.example.com"),
        "{said}"
    );
    let end = json!({"kind": "user", "id": device.user, "effect": "revoked"});
    let admin = app.login("root").await;
    let ended = app
        .post("/api/admin/revocations")
        .bearer(&admin.access)
        .json(&end);
    ended.send().await.expect(204);
    let (_, said) = explained(&mut root, &device.access).await;
    assert!(
        said.contains("token_revoked") && said.contains("hits it: "),
        "{said}"
    );
    app.wait(1000);
    let (_, said) = explained(&mut root, &device.access).await;
    assert!(said.contains("token_expired"), "{said}");
}

#[tokio::test]
async fn what_is_no_token_is_said_to_be_what_it_is() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let mut root = root(&app).await;
    for (given, expected) in [
        (device.refresh.as_str(), "A refresh token of this server"),
        ("sbr_AAAA", "did not make"),
        (
            "sbo_AAAA",
            "An opaque access token that this server did not make",
        ),
        ("sbs_AAAA", "The secret of an application"),
        ("sbc_AAAA", "An authorization code"),
        ("garbage <script>alert(1)</script>", "This is no token"),
        (PASSWORD, "This is no token"),
        ("a.b.c", "This is no token"),
        ("", "Nothing was sent"),
        (
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiI8c2NyaXB0PmFsZXJ0KDEpPC9zY3JpcHQ-In0.",
            "refused",
        ),
    ] {
        let (page, said) = explained(&mut root, given).await;
        assert!(said.contains(expected), "{given}: {said}");
        assert!(!page.contains("<script>alert"), "{given}");
        assert!(given.is_empty() || !page.contains(given), "{given}");
    }
    // In a query it is passed over.
    let page = root.page("/console/token?token=sbr_AAAA").await;
    assert!(!text(&page).contains("refresh token"));
}
