//! Clients that describe themselves in documents on the web

use std::sync::Arc;

use serde_json::{Value, json};
use symbolon::flows::clients::{Wanted, public_keys, remembered, resolve};
use symbolon::flows::{Error, Origin};
use symbolon_domain::{Client, ClientId, Refusal};

use crate::app::TestApp;
use crate::oauth::feed::{PATHS, refused_to_client};
use crate::web::{Page, Web};

const PATH: &str = "/client.json";
const ON: [(&str, &str); 3] = [
    ("oauth.client_documents", "true"),
    ("outbound.allow_loopback_http", "true"),
    ("oauth.open_resources", "https://mcp.example.com/"),
];

fn document(web: &Web) -> Value {
    json!({
        "client_id": web.url(PATH), "client_name": "Agent", "redirect_uris": ["http://127.0.0.1:33418/"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none", "logo_uri": "http://169.254.169.254/logo.svg"
    })
}

fn id(web: &Web) -> ClientId {
    ClientId::parse(&web.url(PATH)).unwrap()
}

async fn found(app: &TestApp, web: &Web) -> Option<Arc<Client>> {
    let found = resolve(&app.app, &id(web), &Origin::default()).await;
    found.unwrap()
}

#[tokio::test]
async fn a_document_is_a_client() {
    let (app, web) = (TestApp::with(&ON).await, Web::start().await);
    web.put(PATH, Page::json(document(&web)));
    assert_eq!(remembered(&app.app, &id(&web)), None);
    let client = found(&app, &web).await.unwrap();
    assert_eq!(client.id, id(&web));
    assert_eq!(client.definition.name.as_str(), "Agent");
    let scopes: Vec<_> = client
        .definition
        .scopes
        .iter()
        .map(|one| one.as_str())
        .collect();
    assert_eq!(scopes, ["email", "offline_access", "openid", "profile"]);
    assert_eq!(client.definition.resources.len(), 1);
    assert_eq!(remembered(&app.app, &id(&web)), Some(client));
    // Those that are kept here are found as before.
    let shop = ClientId::parse("shop").unwrap();
    let none = resolve(&app.app, &shop, &Origin::default()).await.unwrap();
    assert_eq!(none, None);
}

#[tokio::test]
async fn f1_documents_are_fetched_where_that_is_allowed() {
    let web = Web::start().await;
    web.put(PATH, Page::json(document(&web)));
    let hosts = ("oauth.document_hosts", "app.example.com,127.0.0.2");
    for settings in [vec![], vec![ON[0]], vec![ON[1]], vec![ON[0], ON[1], hosts]] {
        let app = TestApp::with(&settings).await;
        assert_eq!(found(&app, &web).await, None, "{settings:?}");
    }
    assert_eq!(web.asked(PATH), 0, "not one packet");
    let here = ("oauth.document_hosts", "app.example.com,127.0.0.1");
    let app = TestApp::with(&[ON[0], ON[1], here]).await;
    assert!(found(&app, &web).await.is_some());
}

#[tokio::test]
async fn what_is_no_document_is_no_client_and_not_kept() {
    let (app, web) = (TestApp::with(&ON).await, Web::start().await);
    let good = Page::json(document(&web));
    let page = |change: &dyn Fn(&mut Page)| {
        let mut page = good.clone();
        change(&mut page);
        page
    };
    let body = |body: String| page(&|page| page.body.clone_from(&body));
    let with = |member: &str, value: Value| {
        let mut document = document(&web);
        document[member] = value;
        body(document.to_string())
    };
    let twice = good.body.replacen('{', "{\"client_name\":\"Bank\",", 1);
    let long = " ".repeat(5 * 1024) + &good.body;
    for (name, page) in [
        ("redirect", page(&|page| page.status = 302)),
        ("absent", page(&|page| page.status = 404)),
        ("created", page(&|page| page.status = 201)),
        ("html", page(&|page| page.kind = "text/html")),
        ("no type", page(&|page| page.kind = "")),
        (
            "another id",
            with("client_id", json!(web.url("/other.json"))),
        ),
        ("no id", with("client_id", Value::Null)),
        ("a secret", with("client_secret", json!("x"))),
        (
            "a method",
            with("token_endpoint_auth_method", json!("client_secret_post")),
        ),
        (
            "no redirect URI",
            with("redirect_uris", json!(["javascript:alert(1)"])),
        ),
        (
            "a wrong type",
            with("redirect_uris", json!("http://127.0.0.1/")),
        ),
        ("not JSON", body("{".to_owned())),
        ("a list", body(format!("[{}]", good.body))),
        ("a member twice", body(twice)),
        ("too long", body(long)),
    ] {
        web.put(PATH, page);
        assert_eq!(found(&app, &web).await, None, "{name}");
        assert_eq!(web.asked("/elsewhere"), 0, "F2");
    }
    web.put(PATH, good);
    assert!(
        found(&app, &web).await.is_some(),
        "no mistake is remembered"
    );
}

#[tokio::test]
async fn a_document_is_kept_for_a_while() {
    let (app, web) = (TestApp::with(&ON).await, Web::start().await);
    let mut page = Page::json(document(&web));
    page.cache = "max-age=3600";
    web.put(PATH, page.clone());
    for (wait, asked) in [(0, 1), (3_599, 1), (1, 2), (1, 2)] {
        app.wait(wait);
        assert!(found(&app, &web).await.is_some());
        assert_eq!(web.asked(PATH), asked);
    }
    page.cache = "no-store";
    web.put(PATH, page);
    app.wait(3_600);
    for (wait, asked) in [(0, 3), (299, 3), (1, 4)] {
        app.wait(wait);
        found(&app, &web).await;
        assert_eq!(web.asked(PATH), asked);
    }
}

#[tokio::test]
async fn a_host_that_does_not_answer_makes_no_client_unknown() {
    let (app, web) = (TestApp::with(&ON).await, Web::start().await);
    let mut page = Page::json(document(&web));
    page.status = 503;
    web.put(PATH, page);
    let gone = ClientId::parse("http://127.0.0.1:1/client.json").unwrap();
    for id in [id(&web), gone] {
        let later = resolve(&app.app, &id, &Origin::default()).await;
        assert!(
            matches!(later, Err(Error::Refused(Refusal::Overloaded { .. }))),
            "{later:?}"
        );
    }
}

#[tokio::test]
async fn f4_one_network_has_few_documents_fetched() {
    let (app, web) = (TestApp::with(&ON).await, Web::start().await);
    let origin = Origin {
        address: Some("203.0.113.7".parse().unwrap()),
        ..Origin::default()
    };
    let mut limited = 0;
    for number in 0..100 {
        let id = ClientId::parse(&web.url(&format!("/{number}.json"))).unwrap();
        match resolve(&app.app, &id, &origin).await {
            Ok(None) => {}
            Err(Error::Refused(Refusal::RateLimited { .. })) => limited += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(limited, 70);
    web.put(PATH, Page::json(document(&web)));
    assert!(found(&app, &web).await.is_some(), "others go on");
}

#[tokio::test]
async fn f4_no_document_is_fetched_for_who_reads_the_feed() {
    let settings = [&ON[..], &[("feed.access", "clients")]].concat();
    let (app, web) = (TestApp::with(&settings).await, Web::start().await);
    web.put(PATH, Page::json(document(&web)));
    for path in PATHS {
        let answer = app.get(path).basic(&web.url(PATH), "secret").send().await;
        refused_to_client(&answer);
    }
    assert_eq!(web.asked(PATH), 0);
}

#[tokio::test]
async fn keys_of_clients_are_fetched_and_kept() {
    let (app, web) = (TestApp::with(&ON).await, Web::start().await);
    let key = |kid: &str| json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwaaPJgHURo"});
    let mut signed = document(&web);
    signed["token_endpoint_auth_method"] = json!("private_key_jwt");
    signed["jwks_uri"] = json!(web.url("/keys"));
    web.put(PATH, Page::json(signed));
    web.put("/keys", Page::json(json!({"keys": [key("a")]})));
    let client = found(&app, &web).await.unwrap();
    let keys = async |wanted| {
        let keys = public_keys(&app.app, &client, wanted, &Origin::default())
            .await
            .unwrap();
        keys.map(|keys| keys.keys[0].kid().unwrap().to_owned())
    };
    assert_eq!(keys(Wanted::Known).await.as_deref(), Some("a"));
    web.put("/keys", Page::json(json!({"keys": [key("b")]})));
    assert_eq!(keys(Wanted::Newer).await.as_deref(), Some("a"), "too soon");
    app.wait(60);
    assert_eq!(keys(Wanted::Known).await.as_deref(), Some("a"));
    assert_eq!(keys(Wanted::Newer).await.as_deref(), Some("b"));
    assert_eq!(web.asked("/keys"), 2);
    // K6: not a set that can be used.
    app.wait(86_400);
    let weak = json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]});
    web.put("/keys", Page::json(weak));
    assert_eq!(keys(Wanted::Known).await, None);
}
