//! `GET /`, `/api/openapi.json`, `/api/docs`

use std::collections::HashSet;

use crate::app::TestApp;
use crate::document::{document, operations};

#[tokio::test]
async fn the_document_is_served_as_it_is_built() {
    let app = TestApp::start().await;
    let answer = app.get("/api/openapi.json").send().await;
    assert_eq!(
        answer.expect(200).header("content-type"),
        Some("application/json")
    );
    assert_eq!(answer.json(), *document());
    assert!(document()["openapi"].as_str().unwrap().starts_with("3.1."));
}

#[test]
fn every_operation_has_a_name_of_its_own_and_a_tag() {
    let tags: HashSet<_> = document()["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    let mut names = HashSet::new();
    for (method, path, operation) in operations() {
        let name = operation["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{method} {path} has no operationId"));
        assert!(names.insert(name), "{name} names two operations");
        let own = operation["tags"].as_array().unwrap();
        assert!(
            own.len() == 1 && tags.contains(&own[0]),
            "{method} {path}: {own:?}"
        );
        assert!(
            operation["summary"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{method} {path} says nothing"
        );
    }
}

#[test]
fn every_operation_tells_how_it_works_and_how_it_refuses() {
    for (method, path, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{method} {path} never works"
        );
        for (status, response) in responses
            .iter()
            .filter(|(status, _)| status.as_str() >= "400")
        {
            let kinds: Vec<_> = response["content"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(kind, _)| kind)
                .collect();
            // OAuth has bodies of its own for what is wrong with a request.
            let own = path.starts_with("/oauth/") && ["400", "401"].contains(&status.as_str());
            let kind = match own {
                true => "application/json",
                false => "application/problem+json",
            };
            assert_eq!(kinds, [kind], "{method} {path} {status}");
        }
        if operation.get("requestBody").is_some() {
            let invalid = match path.starts_with("/oauth/") {
                true => "400",
                false => "422",
            };
            assert!(
                ["413", "415", invalid]
                    .iter()
                    .all(|status| responses.contains_key(*status)),
                "{method} {path}"
            );
        }
        if method != "GET" {
            assert!(
                responses.contains_key("403"),
                "{method} {path} may be refused as cross-site"
            );
        }
        let protected = operation["security"]
            .as_array()
            .is_some_and(|list| list.iter().any(|one| one.get("bearer").is_some()));
        if protected {
            assert!(
                responses.contains_key("401"),
                "{method} {path} needs a token"
            );
        }
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let text = document().to_string();
    let references = text
        .split(r#""$ref":"#)
        .skip(1)
        .map(|rest| rest.split('"').nth(1).unwrap());
    for reference in references {
        assert!(
            document()
                .pointer(reference.trim_start_matches('#'))
                .is_some(),
            "{reference}"
        );
    }
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let app = TestApp::start().await;
    let page = app.get("/api/docs").send().await;
    assert_eq!(
        page.expect(200).header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        !policy.contains("http") && !policy.contains('*') && policy.contains("script-src 'self';"),
        "{policy}"
    );
    let html = page.text();
    assert!(!html.contains("://") && !html.contains("\"//"), "{html}");
    let linked = html.split(['"']).filter(|part| part.starts_with('/'));
    let mut kinds = Vec::new();
    for path in linked {
        let file = app.get(path).send().await;
        assert!(!file.expect(200).body.is_empty());
        kinds.push(file.header("content-type").unwrap().to_owned());
        if path.ends_with(".css") {
            assert!(
                !file.text().contains("url(http") && !file.text().contains("@import"),
                "{path}"
            );
        }
    }
    let (script, style) = ("text/javascript; charset=utf-8", "text/css; charset=utf-8");
    assert_eq!(kinds, [style, style, script, script]);
    app.get("/api/docs/other.js")
        .send()
        .await
        .problem(404, "not_found");
    app.get("/api/docs/..%2F..%2FCargo.toml")
        .send()
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn the_root_leads_to_the_page() {
    let app = TestApp::start().await;
    let answer = app.get("/").send().await;
    assert_eq!(answer.expect(307).header("location"), Some("/api/docs"));
}
