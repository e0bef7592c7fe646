//! Pages for anybody.

use symbolon_domain::audit::AuditKind;

use super::{Guest, place, text};
use crate::app::TestApp;
use crate::mail::Posted;
use crate::people::{OTHER_PASSWORD, PASSWORD};

const HOSTILE: &str = "\"'><script>alert(1)</script>{{ 7919 * 7907 }}";
const ADA: [(&str, &str); 2] = [("identifier", "ada@example.com"), ("password", PASSWORD)];

#[tokio::test]
async fn the_way_in_leads_where_somebody_wanted_to_be_and_nowhere_else() {
    let app = TestApp::start().await;
    app.register("ada").await;
    for (next, wanted) in [
        ("/account/devices?after=x", "/account/devices?after=x"),
        ("", "/account"),
        ("//evil.example.com", "/account"),
        ("/\\evil.example.com", "/account"),
        ("https://evil.example.com/", "/account"),
        ("javascript:alert(1)", "/account"),
        ("/a\r\nset-cookie: x=y", "/account"),
    ] {
        let mut guest = Guest::of(&app);
        let pairs = [ADA[0], ADA[1], ("next", next)];
        let answer = guest.post("/sign-in", &pairs).await;
        assert_eq!(place(&answer), wanted, "{next}");
        let signed_in = guest
            .get(&format!("/sign-in?next={next}").replace(['\r', '\n', ' ', '\\'], ""))
            .await;
        assert!(
            signed_in
                .expect(303)
                .header("location")
                .unwrap()
                .starts_with('/')
        );
    }
    let mut guest = Guest::of(&app);
    assert_eq!(place(&guest.get("/").await), "/sign-in");
    assert_eq!(
        place(&guest.get("/.well-known/change-password").await),
        "/account/password"
    );
    let mut ada = Guest::signed_in(&app, "ada").await;
    assert_eq!(place(&ada.get("/").await), "/account");
}

#[tokio::test]
async fn what_is_wrong_is_said_and_what_was_typed_is_kept() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let mut guest = Guest::of(&app);
    let pairs = [
        ("identifier", "ada@example.com"),
        ("password", OTHER_PASSWORD),
        ("remember", "true"),
    ];
    let wrong = guest
        .submit("/sign-in?next=%2Faccount%2Fapps", "/sign-in", &pairs)
        .await;
    let page = wrong.expect(401).text();
    assert!(text(page).contains("do not belong together"), "{page}");
    assert!(page.contains("value=\"ada@example.com\"") && page.contains("checked"));
    assert!(
        page.contains("name=\"next\" value=\"&#x2f;account&#x2f;apps\""),
        "{page}"
    );
    assert!(!page.contains(OTHER_PASSWORD) && guest.cookie.is_none());
    let unknown = guest
        .post(
            "/sign-in",
            &[("identifier", "eve@example.com"), ("password", PASSWORD)],
        )
        .await;
    assert!(text(unknown.expect(401).text()).contains("do not belong together"));
    assert_eq!(app.audit(AuditKind::LoginFailed).await.len(), 2);
}

/// SECURITY rows C1 and C2.
#[tokio::test]
async fn c2_no_other_site_signs_anybody_in_or_out() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let mut ada = Guest::signed_in(&app, "ada").await;
    let page = ada.page("/account").await;
    let token = page
        .split("form_token\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let token = [("form_token", token)];
    for (path, pairs) in [
        ("/sign-in", &ADA[..]),
        (
            "/register",
            &[("email", "eve@example.com"), ("password", PASSWORD)],
        ),
        ("/forgot-password", &[("email", "ada@example.com")]),
        ("/language", &[("lang", "de")]),
        ("/sign-out", &token),
        ("/account/delete", &token),
        ("/console/clients/new/web", &token),
    ] {
        for header in [
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example.com"),
        ] {
            let request = crate::oauth::posted(&app, path, pairs);
            let request = request.header(header.0, header.1);
            let answer = request
                .header("cookie", ada.cookie.as_ref().unwrap())
                .send()
                .await;
            answer.problem(403, "csrf_rejected");
        }
    }
    ada.page("/account").await;
}

/// SECURITY row C7.
#[tokio::test]
async fn c7_cookies_are_for_this_host_and_no_script() {
    for (issuer, prefix, secure) in [
        ("http://127.0.0.1:9", "symbolon=", false),
        ("https://login.example.com", "__Host-symbolon=", true),
    ] {
        let app = TestApp::with(&[("server.issuer", issuer)]).await;
        app.register("ada").await;
        let signed_in = Guest::of(&app).post("/sign-in", &ADA).await;
        let language = Guest::of(&app).post("/language", &[("lang", "de")]).await;
        let of = |answer: &crate::client::Answer| answer.header("set-cookie").unwrap().to_owned();
        let cookies = [of(&signed_in), of(&language)];
        assert!(cookies[0].starts_with(prefix), "{}", cookies[0]);
        for cookie in cookies {
            assert!(
                cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"),
                "{cookie}"
            );
            assert!(
                cookie.contains("; Path=/;") || cookie.ends_with("; Path=/"),
                "{cookie}"
            );
            assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
            assert!(!cookie.contains("Domain") && cookie.len() < 4096);
        }
    }
}

/// SECURITY row C9.
#[tokio::test]
async fn c9_looking_changes_nothing() {
    let app = TestApp::start().await;
    for path in ["/language", "/account/delete", "/account/devices/end"] {
        app.get(path)
            .send()
            .await
            .problem(405, "method_not_allowed");
    }
    for path in ["/sign-in", "/account", "/console", "/"] {
        app.request("HEAD", path).send().await.expect(405);
    }
    let overridden = app
        .get("/sign-out")
        .header("x-http-method-override", "POST")
        .send()
        .await;
    overridden.expect(303);
}

/// SECURITY rows C10 and C11.
#[tokio::test]
async fn c11_what_is_typed_is_text_and_no_page_can_be_framed() {
    let app = TestApp::start().await;
    let mut guest = Guest::of(&app);
    let fields =
        ["identifier", "email", "name", "username", "token", "next"].map(|name| (name, HOSTILE));
    for path in ["/sign-in", "/register", "/forgot-password", "/setup"] {
        let answer = guest.post(path, &fields).await;
        assert!(
            answer.status < 500 && answer.status >= 400,
            "{path} {}",
            answer.status
        );
        assert!(!answer.text().contains("<script>alert") && !answer.text().contains("62615533"));
        assert!(
            answer.text().contains("&lt;script&gt;alert"),
            "{path}: it is shown again"
        );
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let done = guest.page("/sign-in?done=%3Cscript%3E").await;
    assert!(!done.contains("<script>"), "{done}");
}

/// SECURITY row S1.
#[tokio::test]
async fn s1_a_sign_in_ends_the_session_before_it_in_this_browser() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let mut ada = Guest::signed_in(&app, "ada").await;
    let mut former = ada.clone();
    ada.post("/sign-in", &ADA).await.expect(303);
    assert_ne!(ada.cookie, former.cookie);
    former.get("/account").await.expect(303);
    ada.page("/account").await;
}

#[tokio::test]
async fn a_page_to_sign_in_is_light() {
    let app = TestApp::start().await;
    let page = app.get("/sign-in").send().await;
    let mut bytes = page.text().len();
    let mut loaded = 0;
    for address in page
        .text()
        .split(['"'])
        .filter(|part| part.contains("assets"))
    {
        let path = address.replace("&#x2f;", "/");
        let answer = app.get(&path).send().await;
        bytes += answer.expect(200).text().len();
        loaded += 1;
    }
    assert!(loaded >= 3, "an icon, a style sheet, a script");
    assert!(bytes < 30 * 1024, "{bytes} bytes");
}

#[tokio::test]
async fn what_pages_load_is_kept_by_browsers_for_as_long_as_it_is_the_same() {
    let app = TestApp::start().await;
    let page = app.get("/sign-in").send().await;
    let address = page
        .text()
        .split("href=\"")
        .find(|part| part.contains("page.css"))
        .unwrap();
    let address = address.split('"').next().unwrap().replace("&#x2f;", "/");
    let style = app.get(&address).send().await;
    assert_eq!(
        style.expect(200).header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(
        style.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    let etag = style.header("etag").unwrap();
    let again = app
        .get("/assets/page.css")
        .header("if-none-match", etag)
        .send()
        .await;
    assert_eq!(again.expect(304).text(), "");
    // Another content under this name is not kept for this one.
    let other = app.get("/assets/page.css?v=other").send().await;
    assert_eq!(
        other.expect(200).header("cache-control"),
        Some("public, max-age=60")
    );
    let compressed = app
        .get("/assets/htmx.js")
        .header("accept-encoding", "br, gzip")
        .send()
        .await;
    assert_eq!(
        compressed.expect(200).header("content-encoding"),
        Some("gzip")
    );
    let plain = app.get("/assets/htmx.js").send().await;
    assert_eq!(plain.expect(200).header("content-encoding"), None);
    for name in ["none.css", "logo", "theme.css", "..%2fCargo.toml"] {
        app.get(&format!("/assets/{name}"))
            .send()
            .await
            .problem(404, "not_found");
    }
}

/// SECURITY rows F5 and M10: what an owner puts in is shown, and runs nothing.
#[tokio::test]
async fn m10_an_owner_gives_it_a_name_a_logo_and_a_colour() {
    let folder = crate::app::Folder::new();
    std::fs::create_dir_all(folder.path()).unwrap();
    let logo = folder.path().join("logo.svg");
    std::fs::write(
        &logo,
        "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    )
    .unwrap();
    let style = folder.path().join("own.css");
    std::fs::write(&style, "h1 { color: red }").unwrap();
    let app = TestApp::with(&[
        ("pages.name", "<b>Acme</b>"),
        ("pages.color", "#ffff00"),
        ("pages.logo", logo.to_str().unwrap()),
        ("pages.style", style.to_str().unwrap()),
    ])
    .await;
    let page = Guest::of(&app).page("/sign-in").await;
    assert!(
        page.contains("&lt;b&gt;Acme&lt;&#x2f;b&gt;") && !page.contains("<b>Acme"),
        "{page}"
    );
    for name in ["logo", "theme.css", "own.css"] {
        assert!(page.contains(&format!("assets/{name}?v=")), "{name}");
    }
    let logo = app.get("/assets/logo").send().await;
    assert_eq!(
        logo.expect(200).header("content-type"),
        Some("image/svg+xml")
    );
    assert_eq!(logo.header("x-content-type-options"), Some("nosniff"));
    assert!(
        logo.header("content-security-policy")
            .unwrap()
            .contains("sandbox")
    );
}

#[tokio::test]
async fn an_account_is_made_and_its_owner_is_signed_in() {
    let app = TestApp::start().await;
    let mut ada = Guest::of(&app);
    let pairs = [
        ("email", "ada@example.com"),
        ("password", "short"),
        ("name", "Ada"),
        ("username", "a!"),
    ];
    let faulty = ada
        .submit("/register?next=%2Faccount%2Fapps", "/register", &pairs)
        .await;
    let page = faulty.expect(422).text();
    assert!(
        text(page).contains("too short") && page.contains("username-wrong"),
        "{page}"
    );
    assert!(page.contains("value=\"Ada\"") && !page.contains("value=\"short\""));
    let pairs = [("password", PASSWORD), ("username", "")];
    let made = ada.send_form(page, "/register", &pairs).await;
    assert_eq!(place(&made), "/account/apps");
    assert!(ada.page("/account").await.contains("value=\"Ada\""));
    let taken = Guest::of(&app)
        .post(
            "/register",
            &[("email", "ada@example.com"), ("password", PASSWORD)],
        )
        .await;
    assert!(text(taken.expect(409).text()).contains("taken"));
}

#[tokio::test]
async fn where_nobody_may_register_the_page_says_so() {
    let app = TestApp::with(&[("registration.mode", "closed")]).await;
    let mut guest = Guest::of(&app);
    assert!(!guest.page("/sign-in").await.contains("/register"));
    let page = guest.page("/register").await;
    assert!(text(&page).contains("by invitation only") && !page.contains("name=\"password\""));
    let pairs = [("email", "ada@example.com"), ("password", PASSWORD)];
    guest.post("/register", &pairs).await.expect(403);
}

#[tokio::test]
async fn where_addresses_are_confirmed_nobody_learns_who_has_an_account() {
    let posted = Posted::with(&[("registration.verification", "required")]).await;
    let pairs = [("email", "ada@example.com"), ("password", PASSWORD)];
    let mut pages = Vec::new();
    for _ in 0..2 {
        let mut guest = Guest::of(&posted.app);
        let answer = guest.post("/register", &pairs).await;
        pages.push(answer.expect(200).text().to_owned());
        assert!(guest.cookie.is_none());
    }
    assert!(text(&pages[0]).contains("look at your mail"));
    assert_eq!(pages[0], pages[1]);
    let unconfirmed = Guest::of(&posted.app).post("/sign-in", &ADA).await;
    assert!(text(unconfirmed.expect(403).text()).contains("not confirmed"));
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_link() {
    let posted = Posted::with(&[("registration.verification", "off")]).await;
    posted.app.register("ada").await;
    let mut guest = Guest::of(&posted.app);
    let bad = guest
        .submit(
            "/forgot-password",
            "/forgot-password",
            &[("email", "nobody")],
        )
        .await;
    assert!(bad.expect(422).text().contains("aria-invalid"));
    let mut said = Vec::new();
    for name in ["eve", "ada"] {
        let email = format!("{name}@example.com");
        let answer = guest
            .submit("/forgot-password", "/forgot-password", &[("email", &email)])
            .await;
        said.push(answer.expect(200).text().replace(name, ""));
    }
    assert_eq!(said[0], said[1], "nobody learns who has an account");
    let token = posted.one().await.token();
    let pairs = [("password", OTHER_PASSWORD)];
    let page = format!("/reset-password?token={token}");
    let done = guest.submit(&page, "/reset-password", &pairs).await;
    assert!(done.expect(200).text().contains("/sign-in"));
    let signed_in = guest
        .post("/sign-in", &[ADA[0], ("password", OTHER_PASSWORD)])
        .await;
    signed_in.expect(303);
}

#[tokio::test]
async fn the_first_administrator_is_made_on_a_page() {
    let app = TestApp::start().await;
    let token = crate::setup::printed(&app).await;
    let mut root = Guest::of(&app);
    let pairs = [
        ("token", "sbs_wrong"),
        ("email", "root@example.com"),
        ("password", PASSWORD),
    ];
    let wrong = root.submit("/setup", "/setup", &pairs).await;
    let page = wrong.expect(403).text();
    assert!(
        page.contains("role=\"alert\"") && page.contains("value=\"root@example.com\""),
        "{page}"
    );
    let made = root
        .send_form(page, "/setup", &[("token", &token), ("password", PASSWORD)])
        .await;
    assert_eq!(place(&made), "/console");
    root.page("/console/overview").await;
    Guest::of(&app).post("/setup", &pairs).await.expect(404);
}

#[tokio::test]
async fn a_language_is_chosen_and_kept() {
    let app = TestApp::start().await;
    let mut guest = Guest::of(&app);
    let chosen = guest
        .submit("/register?next=%2Faccount", "/language", &[("lang", "de")])
        .await;
    assert_eq!(place(&chosen), "/register?next=%2Faccount");
    assert!(guest.page("/sign-in").await.contains("<html lang=\"de\""));
    let unknown = guest
        .post(
            "/language",
            &[("lang", "xx"), ("next", "//evil.example.com")],
        )
        .await;
    assert_eq!(place(&unknown), "/");
    assert_eq!(unknown.header("set-cookie"), None);
    let asked = app
        .get("/sign-in")
        .header("accept-language", "fr-CH, en;q=0.5")
        .send()
        .await;
    assert!(asked.text().contains("<html lang=\"fr\""));
}

#[tokio::test]
async fn where_there_is_nothing_people_get_a_page_and_programs_a_problem() {
    let app = TestApp::start().await;
    app.get("/nothing").send().await.problem(404, "not_found");
    let page = app
        .get("/nothing")
        .header("accept", "text/html,*/*;q=0.8")
        .send()
        .await;
    assert!(text(page.expect(404).text()).contains("nothing here"));
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let mut ada = Guest::signed_in(&app, "ada").await;
    let mut stolen = ada.clone();
    let asked = ada.page("/sign-out").await;
    assert!(asked.contains("ada@example.com"));
    let out = ada.send_form(&asked, "/sign-out", &[]).await;
    assert!(text(out.expect(200).text()).contains("signed out"));
    assert_eq!(ada.cookie, None);
    stolen.get("/account").await.expect(303);
}
