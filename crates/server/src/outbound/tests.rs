use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::*;

/// A server on loopback, and where it is.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn f1_addresses_are_refused_before_anything_is_sent() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let base = serve(Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { "{}" }
    }))
    .await;
    let port = base.rsplit_once(':').unwrap().1;
    let strict = Outbound::new(false);
    for url in [
        "http://127.0.0.1:PORT/",
        "https://127.0.0.1:PORT/",
        "https://localhost:PORT/",
        "https://[::1]:PORT/",
        "https://[::ffff:127.0.0.1]:PORT/",
        "https://2130706433:PORT/",
        "https://0x7f000001:PORT/",
        "https://0177.0.0.1:PORT/",
        "https://127.1:PORT/",
        "https://0.0.0.0:PORT/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://[fd00::1]/",
        "http://example.com/",
        "https://ada@127.0.0.1:PORT/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "//127.0.0.1/",
        "",
    ] {
        let url = url.replace("PORT", port);
        let refused = strict.fetch(&url, 100).await.unwrap_err();
        assert_eq!(refused, OutboundError::Forbidden, "{url}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    let open = Outbound::new(true);
    assert_eq!(open.fetch(&base, 100).await.unwrap().body, b"{}");
    // By its number only: a name may lead elsewhere the next time.
    let named = format!("http://localhost:{port}/");
    let refused = open.fetch(&named, 100).await.unwrap_err();
    assert_eq!(refused, OutboundError::Forbidden);
    let inner = open.fetch("http://10.0.0.1/", 100).await.unwrap_err();
    assert_eq!(inner, OutboundError::Forbidden);
}

#[tokio::test]
async fn f2_no_redirect_is_followed() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let inner = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { "secret" }
    };
    let router = Router::new()
        .route("/", get(|| async { Redirect::temporary("/inner") }))
        .route("/inner", get(inner));
    let base = serve(router).await;
    let outbound = Outbound::new(true);
    let answer = outbound.fetch(&base, 100).await.unwrap();
    assert_eq!((answer.status, calls.load(Ordering::SeqCst)), (307, 0));
}

#[tokio::test]
async fn answers_are_bounded() {
    let long = || async { "x".repeat(101) };
    let router = Router::new()
        .route("/", get(|| async { "x".repeat(100) }))
        .route("/long", get(long));
    let base = serve(router).await;
    let outbound = Outbound::new(true);
    assert_eq!(outbound.fetch(&base, 100).await.unwrap().body.len(), 100);
    let refused = outbound.fetch(&format!("{base}/long"), 100).await;
    assert_eq!(refused.unwrap_err(), OutboundError::TooLong);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let refused = outbound.fetch(&gone, 100).await;
    assert_eq!(refused.unwrap_err(), OutboundError::Unreachable);
}

#[tokio::test]
async fn f4_a_slow_host_has_few_calls_at_once() {
    let (begun, go_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (counted, gate, full) = (
        Arc::clone(&begun),
        Arc::clone(&go_on),
        Arc::new(Notify::new()),
    );
    let told = Arc::clone(&full);
    let slow = move || {
        let gate = Arc::clone(&gate);
        if counted.fetch_add(1, Ordering::SeqCst) + 1 == MOST_PER_HOST {
            told.notify_one();
        }
        async move {
            let _passed = gate.acquire().await;
            "{}"
        }
    };
    let base = serve(Router::new().route("/", get(slow))).await;
    let other = serve(Router::new().route("/", get(|| async { "{}" }))).await;
    let outbound = Arc::new(Outbound::new(true));
    let waiting: Vec<_> = (0..MOST_PER_HOST)
        .map(|_| {
            let (outbound, base) = (Arc::clone(&outbound), base.clone());
            tokio::spawn(async move { outbound.fetch(&base, 100).await })
        })
        .collect();
    full.notified().await;
    let refused = outbound.fetch(&base, 100).await.unwrap_err();
    assert_eq!(refused, OutboundError::Busy);
    // The same address is the same host, whatever its port.
    let refused = outbound.fetch(&other, 100).await.unwrap_err();
    assert_eq!(refused, OutboundError::Busy);
    go_on.add_permits(MOST_PER_HOST);
    for call in waiting {
        assert_eq!(call.await.unwrap().unwrap().status, 200);
    }
    assert_eq!(outbound.fetch(&other, 100).await.unwrap().status, 200);
}

#[tokio::test]
async fn forms_and_credentials_are_sent() {
    let echo = |headers: HeaderMap, body: String| async move {
        let header = headers.get("authorization").cloned();
        format!(
            "{} {body}",
            header.as_ref().map_or("", |it| it.to_str().unwrap())
        )
    };
    let base = serve(Router::new().route("/", post(echo).get(echo))).await;
    let outbound = Outbound::new(true);
    let said = async |sent, credentials| {
        let call = Call {
            url: &base,
            sent,
            credentials,
            most: 1_000,
        };
        String::from_utf8(outbound.call(call).await.unwrap().body).unwrap()
    };
    let form = Sent::Form(&[("code", "a b&c"), ("x", "\u{e4}")]);
    // RFC 6749 section 2.3.1: "a:b" and "c d", each encoded.
    let basic = Credentials::Basic("a:b", "c d");
    assert_eq!(
        said(form, basic).await,
        "Basic YSUzQWI6Yytk code=a+b%26c&x=%C3%A4"
    );
    assert_eq!(
        said(Sent::Nothing, Credentials::Bearer("t")).await,
        "Bearer t "
    );
}
