//! The console's clients.

use super::{Guest, place, text};
use crate::app::TestApp;

const NEW: &str = "/console/clients/new/web";
const CALLBACK: &str = "https://books.example.com/callback";

async fn root(app: &TestApp) -> Guest<'_> {
    Guest::with_roles(app, "root", &["admin"]).await
}

fn fields<'a>(id: &'a str, name: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("id", id),
        ("name", name),
        ("redirectUris", CALLBACK),
        ("framework", "fastapi"),
    ]
}

#[tokio::test]
async fn the_wizard_ends_in_a_secret_and_in_code() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    assert!(text(&root.page("/console/clients").await).contains("No client"));
    let kinds = root.page("/console/clients/new").await;
    for kind in ["web", "browser", "native", "service", "device"] {
        assert!(kinds.contains(&format!("/console/clients/new/{kind}")));
        root.page(&format!("/console/clients/new/{kind}")).await;
    }
    let made = root.submit(NEW, NEW, &fields("books", "Books")).await;
    let page = made.expect(200).text();
    let secret = page
        .split("id=\"secret\"")
        .nth(1)
        .unwrap()
        .split(['>', '<'])
        .nth(1)
        .unwrap();
    assert!(
        secret.starts_with("sbs_") && page.contains("authlib"),
        "{page}"
    );
    assert_eq!(made.header("cache-control"), Some("no-store"));
    // Once.
    assert!(!root.page("/console/client/books").await.contains(secret));
    assert!(
        !root
            .page("/console/client/books/code")
            .await
            .contains(secret)
    );
    let twice = root.submit(NEW, NEW, &fields("books", "Books")).await;
    assert!(text(twice.expect(409).text()).contains("taken"));
    let tokens = app.post("/oauth/introspect");
    let tokens = tokens.header("content-type", "application/x-www-form-urlencoded");
    let basic = base64_simd::STANDARD.encode_to_string(format!("books:{secret}"));
    let tokens = tokens.header("authorization", &format!("Basic {basic}"));
    tokens.body("token=x").send().await.expect(200);
}

#[tokio::test]
async fn every_framework_has_code_with_what_is_to_be_put_in() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    for (kind, frameworks) in [
        ("web", &["express", "fastapi", "axum", "curl"][..]),
        ("browser", &["react", "vue", "javascript"]),
        ("native", &["android", "ios", "curl"]),
        (
            "service",
            &["service-node", "service-python", "service-curl"],
        ),
        ("device", &["device-curl", "device-node"]),
    ] {
        let path = format!("/console/clients/new/{kind}");
        let pairs = [
            ("id", kind),
            ("name", kind),
            ("redirectUris", CALLBACK),
            ("origins", "https://books.example.com"),
        ];
        root.submit(&path, &path, &pairs).await.expect(200);
        for framework in frameworks {
            let page = root
                .page(&format!(
                    "/console/client/{kind}/code?framework={framework}"
                ))
                .await;
            let code = page
                .split("id=\"code\"")
                .nth(1)
                .unwrap()
                .split("</pre>")
                .next()
                .unwrap();
            assert!(code.contains(kind), "{framework}: {code}");
            assert!(!code.contains("{{") && !code.contains("{%"), "{code}");
        }
    }
}

#[tokio::test]
async fn a_client_is_changed_and_nobody_overwrites_what_they_have_not_seen() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    root.submit(NEW, NEW, &fields("books", "Books"))
        .await
        .expect(200);
    let at = "/console/client/books";
    let seen = root.page(at).await;
    let faulty = root
        .send_form(
            &seen,
            at,
            &[
                ("redirectUris", "http://evil.example.com/ nothing"),
                ("name", "B"),
            ],
        )
        .await;
    let page = faulty.expect(422).text();
    assert!(
        page.contains("redirectUris-wrong") && page.contains("evil.example.com"),
        "{page}"
    );
    assert!(page.contains("value=\"B\""));
    let saved = root
        .send_form(&seen, at, &[("name", "B"), ("dpopBound", "true")])
        .await;
    assert!(text(&root.follow(&saved).await).contains("saved"));
    let late = root.send_form(&seen, at, &[("name", "C")]).await;
    assert!(text(late.expect(412).text()).contains("Somebody else has changed"));
    assert!(root.page(at).await.contains("value=\"B\""));
    // A secret is added once, however often the form is sent.
    let seen = root.page(at).await;
    let add = format!("{at}/secrets");
    root.send_form(&seen, &add, &[]).await.expect(200);
    root.send_form(&seen, &add, &[]).await.expect(412);
    let page = root.page(at).await;
    assert!(!page.contains(&format!("action=\"{add}\"")), "two at most");
    let secret = page
        .split("name=\"secret\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let deleted = root
        .send_form(
            &page,
            &format!("{at}/secrets/delete"),
            &[("secret", secret)],
        )
        .await;
    assert!(text(&root.follow(&deleted).await).contains("secret is deleted"));
    let status = format!("{at}/status");
    let off = root.submit(at, &status, &[]).await;
    assert!(text(&root.follow(&off).await).contains("disabled"));
    let on = root.submit(at, &status, &[]).await;
    assert!(text(&root.follow(&on).await).contains("enabled"));
    let gone = root.submit(at, &format!("{at}/delete"), &[]).await;
    assert_eq!(place(&gone), "/console/clients");
    root.get(at).await.expect(404);
}

#[tokio::test]
async fn all_of_them_are_saved_as_a_file() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    root.submit(NEW, NEW, &fields("books", "=1+1"))
        .await
        .expect(200);
    root.submit(NEW, NEW, &fields("new", "New"))
        .await
        .expect(200);
    root.page("/console/client/new").await;
    let csv = root.get("/console/clients/export.csv?status=active").await;
    assert!(
        csv.expect(200)
            .text()
            .contains("books,'=1+1,confidential,active,"),
        "{}",
        csv.text()
    );
    let json = root.get("/console/clients/export.json").await;
    assert_eq!(json.expect(200).json().as_array().unwrap().len(), 2);
    let none = root
        .get("/console/clients/export.json?status=disabled")
        .await;
    assert_eq!(none.expect(200).json().as_array().unwrap().len(), 0);
    root.get("/console/clients?status=else").await.expect(404);
}

/// SECURITY row M10.
#[tokio::test]
async fn m10_a_hostile_name_is_text() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let name = "\"><script>alert(1)</script>{{ 7919 * 7907 }}";
    let made = root.submit(NEW, NEW, &fields("books", name)).await;
    let mut pages = vec![made.expect(200).text().to_owned()];
    for path in [
        "/console/clients",
        "/console/client/books",
        "/console/client/books/code",
    ] {
        pages.push(root.page(path).await);
    }
    for page in pages {
        assert!(
            page.contains("&lt;script&gt;")
                && !page.contains("<script>alert")
                && !page.contains("62615533"),
            "{page}"
        );
    }
}

/// SECURITY row M10: code is copied into shells and programs.
#[tokio::test]
async fn m10_a_hostile_redirect_uri_stands_in_no_code() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    let hostile = "https://a.example/'+alert(1)+'/$(id)";
    let pairs = [
        ("id", "books"),
        ("name", "Books"),
        ("redirectUris", hostile),
    ];
    root.submit(NEW, NEW, &pairs).await.expect(200);
    for framework in ["express", "fastapi", "axum", "curl"] {
        let path = format!("/console/client/books/code?framework={framework}");
        let page = root.page(&path).await;
        let code = page.split("id=\"code\"").nth(1).unwrap();
        let code = code.split("</pre>").next().unwrap();
        assert!(code.contains("REDIRECT_URI"), "{code}");
        assert!(
            !code.contains("alert(1)") && !code.contains("$(id)"),
            "{code}"
        );
    }
}

/// Boxes that are ticked stay ticked when something else is wrong, and no others are.
#[tokio::test]
async fn m3_a_form_that_is_shown_again_asks_for_no_more_than_it_did() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    app.delegate("read", "orders:read").await;
    app.delegate("reader", "orders:read").await;
    app.delegate("admin-of-orders", "orders:write").await;
    root.submit(NEW, NEW, &fields("books", "Books"))
        .await
        .expect(200);
    let at = "/console/client/books";
    let seen = root.page(at).await;
    let pairs = [
        ("name", ""),
        ("grants", "authorization_code"),
        ("grants", "refresh_token"),
        ("roles", "reader"),
        ("roles", "admin-of-orders"),
    ];
    let faulty = root.send_form(&seen, at, &pairs).await;
    let page = faulty.expect(422).text();
    let ticked = |value: &str| {
        let tag = page
            .split("<input ")
            .find(|tag| tag.contains(&format!("value=\"{value}\"")));
        tag.unwrap().split('>').next().unwrap().contains("checked")
    };
    for (value, wanted) in [
        ("authorization_code", true),
        ("refresh_token", true),
        ("client_credentials", false),
        ("reader", true),
        ("admin-of-orders", true),
        ("read", false),
        ("admin", false),
    ] {
        assert_eq!(ticked(value), wanted, "{value}");
    }
}

/// SECURITY row M3.
#[tokio::test]
async fn m3_who_may_only_look_changes_nothing() {
    let app = TestApp::start().await;
    let mut root = root(&app).await;
    root.submit(NEW, NEW, &fields("books", "Books"))
        .await
        .expect(200);
    app.delegate("looker", "clients:read").await;
    let mut looker = Guest::signed_in(&app, "looker").await;
    let page = looker.page("/console/client/books").await;
    assert!(
        !page.contains("type=\"submit\">Save") && !page.contains("/delete"),
        "{page}"
    );
    looker.get("/console/clients/new").await.expect(403);
    let sent = looker
        .send_form(&page, "/console/client/books", &[("name", "Mine")])
        .await;
    sent.expect(403);
    // A delegate cannot let a client ask for what they lack.
    app.delegate("writer", "clients:read clients:write").await;
    let mut writer = Guest::signed_in(&app, "writer").await;
    let pairs = [("scopes", "openid users:write")];
    let more = writer
        .submit("/console/client/books", "/console/client/books", &pairs)
        .await;
    assert!(text(more.expect(403).text()).contains("may not do this"));
}
