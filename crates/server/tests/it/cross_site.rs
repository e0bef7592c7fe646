//! Pages of other sites (SECURITY rows C1 to C4): what they may send, and what they may read.

use serde_json::json;

use crate::app::TestApp;
use crate::client::{Answer, Request};
use crate::people::{Device, PASSWORD};

const LISTED: &str = "https://app.example.com";
const SETTINGS: [(&str, &str); 2] = [
    ("cors.origins", LISTED),
    ("server.issuer", "https://login.example.com"),
];

/// Every request that changes something, as its owner would send it.
fn changes(app: &TestApp, device: &Device) -> Vec<Request> {
    let login = json!({"email": device.email, "password": PASSWORD});
    vec![
        app.post("/api/register")
            .json(&json!({"email": "new@example.com", "password": PASSWORD})),
        app.post("/api/login").json(&login),
        app.post("/api/refresh").cookie(&device.refresh),
        app.delete("/api/refresh").cookie(&device.refresh),
        app.post("/api/logout").bearer(&device.access),
        app.post("/api/logout/all").bearer(&device.access),
        app.patch("/api/user/profile")
            .bearer(&device.access)
            .json(&json!({"name": "Mallory"})),
        app.delete("/api/user/profile")
            .bearer(&device.access)
            .json(&json!({"password": PASSWORD})),
        app.post("/api/user/password")
            .bearer(&device.access)
            .json(&json!({"currentPassword": PASSWORD, "newPassword": "granite meadow"})),
        app.delete(&format!("/api/sessions/{}", device.sid))
            .bearer(&device.access),
    ]
}

#[tokio::test]
async fn c1_c2_cross_site_posts_are_refused() {
    let app = TestApp::with(&SETTINGS).await;
    let device = app.user().await;
    let foreign: [&[(&str, &str)]; 12] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", LISTED)],
        &[("sec-fetch-site", "same-site")],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "https://other.example.com"),
        ],
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://evil.example"),
        ],
        &[("sec-fetch-site", "unheard-of")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://app.example.com.evil")],
        &[("origin", "https://app.example.com:8443")],
        &[("origin", "http://app.example.com")],
        &[("origin", "https://APP.example.com")],
    ];
    for request in changes(&app, &device) {
        for headers in foreign {
            let request = headers
                .iter()
                .fold(request.clone(), |request, (name, value)| {
                    request.header(name, value)
                });
            let answer = request.send().await;
            answer.problem(403, "csrf_rejected");
            assert_eq!(answer.header("set-cookie"), None);
        }
    }
    app.assert_signed_in(&device).await;
}

#[tokio::test]
async fn own_and_listed_pages_and_programs_are_let_through() {
    let app = TestApp::with(&SETTINGS).await;
    let device = app.user().await;
    let good: [&[(&str, &str)]; 7] = [
        &[],
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://login.example.com"),
        ],
        &[("origin", "https://login.example.com")],
        &[("sec-fetch-site", "same-site"), ("origin", LISTED)],
        &[("origin", LISTED)],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
    ];
    for headers in good {
        let request = app.post("/api/refresh").cookie(&device.refresh);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        request.send().await.expect(200);
    }
    // The page of this very address, whatever name the issuer has.
    let own = format!("http://{}", app.address);
    let request = app
        .post("/api/refresh")
        .cookie(&device.refresh)
        .header("origin", &own);
    request
        .clone()
        .header("sec-fetch-site", "same-origin")
        .send()
        .await
        .expect(200);
    request.send().await.problem(403, "csrf_rejected");
}

#[tokio::test]
async fn reading_changes_nothing_and_passes() {
    let app = TestApp::with(&SETTINGS).await;
    let device = app.user().await;
    let foreign = app
        .get("/api/user/profile")
        .bearer(&device.access)
        .header("origin", "https://evil.example");
    let answer = foreign.header("sec-fetch-site", "cross-site").send().await;
    assert_eq!(
        answer.expect(200).header("access-control-allow-origin"),
        None,
        "and the page cannot read it"
    );
}

fn allowed(answer: &Answer) -> (Option<&str>, Option<&str>) {
    let varies = answer.all("vary").join(", ");
    assert!(varies.contains("Origin"), "{varies}");
    (
        answer.header("access-control-allow-origin"),
        answer.header("access-control-allow-credentials"),
    )
}

#[tokio::test]
async fn c3_c4_only_listed_origins_may_read() {
    let app = TestApp::with(&SETTINGS).await;
    let ask = |origin: &str| app.get("/api/user/profile").header("origin", origin).send();
    assert_eq!(allowed(&ask(LISTED).await), (Some(LISTED), Some("true")));
    for origin in [
        "null",
        "*",
        "",
        "https://app.example.com.evil",
        "https://evil.example",
        "https://app.example.com:8443",
        "http://app.example.com",
        "https://APP.example.com",
        "https://app.example.com/",
        "https://app.example.com, https://evil.example",
        "https://xapp.example.com",
    ] {
        assert_eq!(allowed(&ask(origin).await), (None, None), "{origin}");
    }
    assert_eq!(allowed(&app.get("/healthz").send().await), (None, None));
    let twice = app
        .get("/healthz")
        .header("origin", LISTED)
        .header("origin", "https://evil.example")
        .send()
        .await;
    assert_ne!(allowed(&twice).0, Some("https://evil.example"));
}

#[tokio::test]
async fn preflights_are_answered_for_listed_origins_only() {
    let app = TestApp::with(&SETTINGS).await;
    let ask = |origin: &str| {
        let request = app
            .request("OPTIONS", "/api/refresh")
            .header("origin", origin);
        request
            .header("access-control-request-method", "POST")
            .header("sec-fetch-site", "same-site")
            .send()
    };
    let answer = ask(LISTED).await;
    assert_eq!(allowed(answer.expect(204)), (Some(LISTED), Some("true")));
    assert!(
        answer
            .header("access-control-allow-methods")
            .unwrap()
            .contains("POST")
    );
    let headers = answer.header("access-control-allow-headers").unwrap();
    assert!(
        headers.contains("authorization")
            && headers.contains("content-type")
            && !headers.contains('*')
    );
    let answer = ask("https://evil.example").await;
    assert_eq!(allowed(&answer), (None, None));
    for name in [
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-max-age",
    ] {
        assert_eq!(answer.header(name), None);
    }
}

#[tokio::test]
async fn c3_pages_of_a_client_read_what_it_asks_for_and_nothing_else() {
    let app = TestApp::with(&SETTINGS).await;
    let admin = app.admin().await;
    let page = "https://page.example.org";
    let client = |id: &str, origin: &str| json!({"id": id, "type": "public", "name": id, "origins": [origin]});
    app.oauth_client(&admin, &client("page", page)).await;
    let gone = "https://gone.example.org";
    let mut disabled = client("gone", gone);
    disabled["status"] = "disabled".into();
    app.oauth_client(&admin, &disabled).await;
    let ask = async |method: &str, path: &str, origin: &str| {
        let request = app.request(method, path).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let answer = request.header("sec-fetch-site", "cross-site").send().await;
        let (origin, cookies) = allowed(&answer);
        (origin.map(str::to_owned), cookies.map(str::to_owned))
    };
    for path in [
        "/oauth/token",
        "/oauth/userinfo",
        "/oauth/revoke",
        "/oauth/par",
    ] {
        for method in ["OPTIONS", "POST"] {
            let may = (Some(page.to_owned()), None);
            assert_eq!(ask(method, path, page).await, may, "{method} {path}");
            assert_eq!(
                ask(method, path, gone).await,
                (None, None),
                "{method} {path}"
            );
            let other = ask(method, path, "https://page.example.org.evil").await;
            assert_eq!(other, (None, None), "{method} {path}");
        }
    }
    for path in [
        "/oauth/authorize",
        "/oauth/introspect",
        "/oauth/sign-in",
        "/api/login",
        "/api/refresh",
    ] {
        assert_eq!(ask("OPTIONS", path, page).await, (None, None), "{path}");
    }
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
    ] {
        let anybody = (Some("*".to_owned()), None);
        assert_eq!(
            ask("GET", path, "https://evil.example").await,
            anybody,
            "{path}"
        );
    }
}

#[tokio::test]
async fn c10_pages_are_in_no_frame() {
    let app = TestApp::start().await;
    for path in ["/api/docs", "/api/login", "/nowhere"] {
        let answer = app.get(path).send().await;
        assert!(
            answer
                .header("content-security-policy")
                .unwrap()
                .contains("frame-ancestors 'none'")
        );
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    }
}
