//! What holds for every request: ids, methods, sizes, media types, headers (SECURITY rows C8, C9, N).

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use symbolon_domain::audit::AuditKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::app::TestApp;
use crate::document::operations;
use crate::people::PASSWORD;

#[tokio::test]
async fn a_plain_request_id_is_kept_and_any_other_replaced() {
    let app = TestApp::start().await;
    for id in [
        "a",
        "0199b0f0-0000-7000-8000-000000000000",
        "A.b_c-9",
        &"x".repeat(64),
    ] {
        let answer = app.get("/healthz").header("x-request-id", id).send().await;
        assert_eq!(answer.header("x-request-id"), Some(id));
        let problem = app
            .get("/nowhere")
            .header("x-request-id", id)
            .send()
            .await
            .problem(404, "not_found");
        assert_eq!(problem["requestId"], id);
    }
    let mut seen = HashSet::new();
    for id in [
        "",
        "a b",
        "a/b",
        "<script>",
        "\"",
        &"x".repeat(65),
        "é",
        "{}",
    ] {
        let answer = app.get("/healthz").header("x-request-id", id).send().await;
        let given = answer.header("x-request-id").unwrap();
        assert!(
            given != id && seen.insert(given.to_owned()),
            "{id} gave {given}"
        );
    }
}

#[tokio::test]
async fn the_request_id_is_in_the_audit_log() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    app.post("/api/login")
        .header("x-request-id", "find-me")
        .json(&body)
        .send()
        .await
        .expect(200);
    let lines = app.audit(AuditKind::LoginSucceeded).await;
    assert_eq!(lines[0].request_id.as_deref(), Some("find-me"));
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let app = TestApp::start().await;
    for path in [
        "/nowhere",
        "/api",
        "/api/",
        "/api/login/",
        "/API/login",
        "//api/login",
        "/api/admin",
        "/api/admin/nothing",
        "/%2e%2e/etc",
        "/api/docs/",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            app.request(method, path)
                .send()
                .await
                .problem(404, "not_found");
        }
    }
}

#[tokio::test]
async fn c9_n12_other_methods_are_not_allowed() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let paths: HashSet<&str> = operations().map(|(_, path, _)| path).collect();
    for path in paths {
        let known: HashSet<String> = operations()
            .filter(|(_, other, _)| *other == path)
            .map(|(method, ..)| method)
            .collect();
        for method in [
            "GET",
            "PUT",
            "POST",
            "PATCH",
            "DELETE",
            "TRACE",
            "FROBNICATE",
        ] {
            if known.contains(method) {
                continue;
            }
            let answer = app
                .request(method, path)
                .bearer(&device.access)
                .json(&json!({}))
                .send()
                .await;
            answer.problem(405, "method_not_allowed");
            let allow = answer
                .header("allow")
                .unwrap_or_else(|| panic!("{method} {path} does not say what is allowed"));
            let allowed: HashSet<String> =
                allow.split(',').map(|one| one.trim().to_owned()).collect();
            assert!(
                known.is_subset(&allowed) && !allowed.contains(method),
                "{method} {path}: {allow}"
            );
        }
    }
    let overridden = app
        .get("/api/logout")
        .bearer(&device.access)
        .header("x-http-method-override", "POST");
    overridden.send().await.problem(405, "method_not_allowed");
    app.assert_signed_in(&device).await;
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let app = TestApp::start().await;
    let device = app.user().await;
    let answer = app
        .request("HEAD", "/api/user/profile")
        .bearer(&device.access)
        .send()
        .await;
    assert_eq!(answer.expect(200).body.len(), 0);
    for path in ["/api/login", "/api/logout", "/api/refresh"] {
        assert_eq!(
            app.request("HEAD", path)
                .send()
                .await
                .expect(405)
                .body
                .len(),
            0
        );
    }
}

#[tokio::test]
async fn c8_n6_only_json_is_read() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD}).to_string();
    let post = |kind: &str| {
        app.post("/api/login")
            .header("content-type", kind)
            .body(body.clone())
            .send()
    };
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin1",
        "application/jsonp",
        "application/json, text/plain",
        "text/json",
        "application/merge-patch+json",
        "",
    ] {
        post(kind).await.problem(415, "unsupported_media_type");
    }
    app.post("/api/login")
        .body(body.clone())
        .send()
        .await
        .problem(415, "unsupported_media_type");
    for kind in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
    ] {
        post(kind).await.expect(200);
    }
    let utf16: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let answer = app
        .post("/api/login")
        .header("content-type", "application/json")
        .body(utf16)
        .send()
        .await;
    answer.problem(400, "malformed_request");
}

#[tokio::test]
async fn n5_headers_that_must_be_single() {
    let app = TestApp::start().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let kinds = app
        .post("/api/login")
        .header("content-type", "text/plain")
        .json(&body);
    kinds.send().await.problem(400, "malformed_request");
    let hosts = app
        .get("/healthz")
        .header("host", "a.example")
        .header("host", "b.example");
    hosts.send().await.problem(400, "malformed_request");
    let lengths = b"POST /api/refresh HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ";
    app.raw(lengths).await.expect(400);
    let both = b"POST /api/refresh HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let answer = app.raw(both).await;
    assert!(matches!(answer.status, 400 | 401), "{answer:?}");
}

#[tokio::test]
async fn n5_a_request_without_a_host_is_malformed() {
    let app = TestApp::start().await;
    app.raw(b"GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n")
        .await
        .problem(400, "malformed_request");
    app.raw(b"GET /healthz HTTP/1.0\r\n\r\n").await.expect(200);
}

#[tokio::test]
async fn n1_too_much_is_refused() {
    let app = TestApp::start().await;
    app.get(&format!("/healthz?{}", "x".repeat(8 * 1024)))
        .send()
        .await
        .expect(414)
        .json();
    app.get(&format!("/healthz?{}", "x".repeat(7 * 1024)))
        .send()
        .await
        .expect(200);
    // So long that the parser gives up before it is known which part of the head is to blame.
    let uri = app.get(&format!("/{}", "x".repeat(64 * 1024))).send().await;
    assert!(matches!(uri.status, 414 | 431), "{uri:?}");
    app.get("/healthz")
        .header("x-large", &"x".repeat(64 * 1024))
        .send()
        .await
        .expect(431);
    let many = (0..300).fold(app.get("/healthz"), |request, number| {
        request.header(&format!("x-{number}"), "1")
    });
    many.send().await.expect(431);
    let body = format!(r#"{{"email":"{}"}}"#, "x".repeat(64 * 1024));
    app.post("/api/login")
        .text_json(&body)
        .send()
        .await
        .problem(413, "payload_too_large");
    let mut chunked = b"POST /api/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..33 {
        chunked.extend(b"1000\r\n");
        chunked.extend(vec![b' '; 0x1000]);
        chunked.extend(b"\r\n");
    }
    app.raw(&chunked).await.problem(413, "payload_too_large");
}

#[tokio::test]
async fn n1_a_length_that_is_too_large_is_refused_before_the_body_comes() {
    let app = TestApp::start().await;
    let head = b"POST /api/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
        content-length: 2000000\r\n\r\n";
    app.raw(head).await.problem(413, "payload_too_large");
}

#[tokio::test]
async fn n2_a_connection_that_brings_no_request_is_closed() {
    let app = TestApp::start().await;
    let waiting = ["", "P", "PRI * HTTP/2.0\r\n", "GET /healthz HT"].map(async |bytes| {
        let mut connection = TcpStream::connect(app.address).await.unwrap();
        connection.write_all(bytes.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let closed = connection.read_to_end(&mut answer);
        let closed = timeout(Duration::from_secs(45), closed).await;
        assert!(closed.is_ok(), "{bytes:?} keeps its place");
    });
    join_all(waiting).await;
}

#[tokio::test]
async fn n12_requests_that_are_none() {
    let app = TestApp::start().await;
    for bytes in [
        "GET /healthz\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: x\r\nbad header: 1\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n",
        "POST /api/login HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        "POST /api/login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
    ] {
        assert_eq!(app.raw(bytes.as_bytes()).await.status, 400, "{bytes:?}");
    }
    let connect = app.raw(b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\nconnection: close\r\n\r\n").await;
    assert!(matches!(connect.status, 400 | 404 | 405), "{connect:?}");
    let absolute = app.raw(b"GET http://evil.example/healthz HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n").await;
    absolute.expect(200);
    app.get("/healthz").send().await.expect(200);
}

#[tokio::test]
async fn every_answer_keeps_browsers_from_foolish_things() {
    // The client of these tests looks at the headers of each answer; here are those that depend on the settings.
    let app = TestApp::start().await;
    assert_eq!(
        app.get("/healthz")
            .send()
            .await
            .header("strict-transport-security"),
        None
    );
    let app = TestApp::with(&[("server.issuer", "https://login.example.com")]).await;
    for path in ["/healthz", "/nowhere", "/api/docs"] {
        let answer = app.get(path).send().await;
        assert_eq!(
            answer.header("strict-transport-security"),
            Some("max-age=63072000; includeSubDomains")
        );
    }
    assert_eq!(
        app.get("/healthz").send().await.header("cache-control"),
        Some("no-store")
    );
}
