//! `GET /`, `/api/openapi.json`, `/api/docs`, and what documents say of tests

use std::collections::HashSet;
use std::path::Path;

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
            responses.keys().any(|status| status < &"4".to_owned()),
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
            assert_eq!(kinds, [kind_of(path, status)], "{method} {path} {status}");
        }
        if operation.get("requestBody").is_some() {
            let wrong: &[&str] = match (path.starts_with("/oauth/"), path) {
                (false, _) => &["413", "415", "422"],
                (true, "/oauth/register") => &["400", "413", "415"],
                // A body that is no form is an invalid request.
                (true, _) => &["400", "413"],
            };
            let all = wrong.iter().all(|status| responses.contains_key(*status));
            assert!(all, "{method} {path}");
        }
        // Those of OAuth are meant for pages of others.
        if method != "GET" && !path.starts_with("/oauth/") {
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

/// How errors are told: in words of OAuth, on a page, or as problems.
fn kind_of(path: &str, status: &str) -> &'static str {
    match path {
        "/oauth/authorize" | "/oauth/logout" => "text/html",
        "/oauth/register" if status != "400" => "application/problem+json",
        path if path.starts_with("/oauth/") => "application/json",
        _ => "application/problem+json",
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
    assert_eq!(answer.expect(303).header("location"), Some("/sign-in"));
}

/// `FILE::TEST` in backquotes, FILE below `crates/server/tests` or from the root; `FILE::STEP` of a program in JavaScript.
#[test]
fn every_test_that_the_checklist_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("docs/conformance.md")).unwrap();
    let named: HashSet<_> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.split_once("::"))
        .collect();
    assert!(named.len() > 30, "{}", named.len());
    for (file, test) in named {
        let folder = match file.starts_with("crates/") {
            true => root.clone(),
            false => root.join("crates/server/tests"),
        };
        let source = std::fs::read_to_string(folder.join(file));
        let source = source.unwrap_or_else(|error| panic!("{file}: {error}"));
        let is_there = match file.ends_with(".js") {
            true => source.contains(&format!("step('{test}'")),
            false => source.contains(&format!("fn {test}(")),
        };
        assert!(is_there, "{file} has no {test}");
    }
}

/// Modules of the plans, each with a test or with the reason why there is none.
#[test]
fn every_module_of_the_checklist_has_a_test_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("docs/conformance.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `oidcc-"));
    let mut counted = 0;
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let reason =
            cells[1].starts_with("not covered: ") || cells[1].starts_with("not supported: ");
        assert!(cells[1].contains("::") || reason, "{row}");
        counted += 1;
    }
    assert_eq!(counted, 75);
}
