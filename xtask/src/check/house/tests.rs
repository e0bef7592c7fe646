use super::{empty_word, file_name, length, machine_paths, manifest, rust};

fn lines(file: &str, source: &str) -> Vec<usize> {
    rust(file, source)
        .iter()
        .map(|finding| finding.at.rsplit(':').next().unwrap().parse().unwrap())
        .collect()
}

#[test]
fn refused_words_are_found_where_they_are_code() {
    let source = "\
        #[allow(dead_code)]\n\
        #[cfg_attr(test, allow(unused))]\n\
        #[test] #[ignore = \"slow\"]\n\
        fn f() { todo!() }\n\
        fn get_user() {}\n\
        struct TokenManager;\n\
        // todo!() and #[allow(x)]\n\
        const A: &str = \"fn get_user\";\n\
        fn getter() { x.get_user() }\n";
    let mut found = lines("crates/domain/src/a.rs", source);
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn names_that_others_gave_are_not_refused() {
    let source = "impl Layer for A {\n type Service = B;\n}\nstruct Service;\ntype Services = C;\n";
    assert_eq!(lines("crates/guard/src/a.rs", source), [4, 5]);
}

#[test]
fn only_tests_are_kept_from_sleeping() {
    let source =
        "fn f() { sleep(d) }\n#[cfg(test)]\nmod tests {\n fn g() { tokio::time::sleep(d) }\n}\n";
    assert_eq!(lines("crates/server/src/jobs.rs", source), [4]);
    assert_eq!(lines("crates/server/tests/it/main.rs", source), [1, 4]);
}

#[test]
fn published_crates_ask_for_docs() {
    assert_eq!(lines("crates/token/src/lib.rs", "mod a;"), [1]);
    assert!(lines("crates/token/src/lib.rs", "#![warn(missing_docs)]").is_empty());
}

#[test]
fn empty_words_are_found_however_they_are_written() {
    assert_eq!(empty_word("UserService"), Some("service"));
    assert_eq!(empty_word("string_utils"), Some("utils"));
    assert_eq!(empty_word("HelperFor"), Some("helper"));
    assert_eq!(empty_word("ServicesX"), Some("services"));
    assert_eq!(empty_word("Utilisation"), None);
    assert!(file_name("crates/server/src/http/helpers/a.rs").is_some());
    assert!(file_name("docs/service.md").is_none());
}

#[test]
fn long_files_are_refused_save_tests() {
    let long = "x\n".repeat(501);
    assert!(length("crates/server/src/app.rs", &long).is_some());
    assert!(length("crates/server/src/app/tests.rs", &long).is_none());
    assert!(length("crates/server/tests/it/refresh.rs", &long).is_none());
    assert!(length("docs/guide.md", &long).is_none());
}

#[test]
fn paths_of_a_machine_are_refused() {
    let text = format!("a\nsee {}{}x\n", "/ro", "ot/");
    assert_eq!(machine_paths("README.md", &text)[0].at, "README.md:2");
    assert!(machine_paths("README.md", "/var/lib/symbolon").is_empty());
}

#[test]
fn every_package_takes_the_lints_of_the_workspace() {
    let found = |text| manifest("a/Cargo.toml", text).unwrap().len();
    assert_eq!(found("[package]\nname = \"a\"\n"), 1);
    assert_eq!(
        found("[package]\nname = \"a\"\n[lints]\nworkspace = true\n"),
        0
    );
    assert_eq!(found("[workspace]\nmembers = []\n"), 0);
}
