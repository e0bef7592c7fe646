use serde_json::json;

use super::{dependency_findings, source_findings};

/// The lines of the file that are refused.
fn refused(file: &str, source: &str) -> Vec<usize> {
    let mut lines: Vec<usize> = source_findings(file, source)
        .iter()
        .map(|finding| finding.at.rsplit(':').next().unwrap().parse().unwrap())
        .collect();
    lines.sort_unstable();
    lines
}

#[test]
fn token_sees_nothing_of_ours_and_nothing_that_waits() {
    let source = "\
        use symbolon_domain::User;\n\
        use std::time::{Duration, Instant};\n\
        async fn f() {}\n\
        fn g() { tokio::spawn(h) }\n\
        use {serde::Serialize, symbolon_store as s};\n\
        use std::time::Duration as D;\n";
    assert_eq!(
        refused("crates/token/src/jws/sign.rs", source),
        [1, 2, 3, 4, 5]
    );
}

#[test]
fn test_code_may_look_over_the_wall() {
    let source = "fn f() {}\n#[cfg(test)]\nmod tests {\n use tokio::test;\n}\n#[cfg(test)] use symbolon_domain::X;\n";
    assert!(refused("crates/token/src/lib.rs", source).is_empty());
}

#[test]
fn domain_sees_token_alone_and_draws_no_numbers() {
    let source = "use symbolon_token::Algorithm;\nuse symbolon_store::Store;\nfn f() { uuid::Uuid::now_v7() }\nuse aws_lc_rs::rand;\n";
    assert_eq!(refused("crates/domain/src/user.rs", source), [2, 3, 4]);
}

#[test]
fn only_store_writes_sql() {
    let source = "const A: &str = \"\\\n  SELECT id FROM users\";\nconst B: &str = \"UPDATE users SET x = 1\";\nconst C: &str = \"UPDATE your client\";\n";
    assert_eq!(refused("crates/server/src/jobs.rs", source), [1, 3]);
    assert!(refused("crates/store/src/statements.rs", source).is_empty());
}

#[test]
fn flows_know_no_http() {
    let source = "\
        use axum::Json;\n\
        use crate::http::Problem;\n\
        use super::super::http::Problem as P;\n\
        fn f(code: &StatusCode) {}\n\
        let http = x.http;\n\
        fn g() -> http::Response<()> {}\n\
        use super::login;\n";
    assert_eq!(
        refused("crates/server/src/flows/refresh.rs", source),
        [1, 2, 3, 4, 6]
    );
    assert!(refused("crates/server/src/http/mod.rs", source).is_empty());
}

#[test]
fn doors_reach_neither_the_store_nor_a_signing_key() {
    let source = "\
        use symbolon_store::Store;\n\
        fn f() { app.store.find_user(id) }\n\
        fn g() { flag.store(true) }\n\
        use symbolon_token::SigningKey;\n\
        use symbolon_domain::User;\n\
        fn h() { crate::flows::symbolon_store::open() }\n";
    for file in [
        "crates/server/src/cli/user.rs",
        "crates/server/src/http.rs",
        "crates/server/src/pages/login.rs",
    ] {
        assert_eq!(refused(file, source), [1, 2, 4, 6], "{file}");
    }
    assert!(refused("crates/server/src/https.rs", source).is_empty());
}

#[test]
fn dependencies_are_held_to_the_same_wall() {
    let dependency = |name: &str, kind: Option<&str>| json!({"name": name, "kind": kind});
    let metadata = json!({"packages": [
        {"name": "symbolon-store", "dependencies": [dependency("symbolon-domain", None), dependency("symbolon-token", None)]},
        {"name": "symbolon-guard", "dependencies": [dependency("symbolon-token", None), dependency("tower", None)]},
        {"name": "symbolon-token", "dependencies": [dependency("tokio", Some("dev")), dependency("tokio-postgres", None)]},
        {"name": "tower", "dependencies": [dependency("tokio", None)]},
    ]});
    let said: Vec<String> = dependency_findings(&metadata)
        .unwrap()
        .into_iter()
        .map(|finding| finding.says)
        .collect();
    assert_eq!(
        said,
        [
            "store must not depend on `symbolon_token`",
            "token must not depend on `tokio_postgres`"
        ]
    );
}
