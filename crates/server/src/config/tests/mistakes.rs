//! Every mistake is told, with its place and what was meant.

use super::{File, mistakes, only, variable};
use crate::config::{Config, Sources};

#[test]
fn every_mistake_is_told_at_once() {
    let found = mistakes(
        "many",
        "[server]\nlisten = \"8080\"\nlistne = \"x\"\n[tokens]\naccess_ttl = 900\nalgorithm = \"none\"\n[sever]\ndata = \"x\"\n",
    );
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(
        found
            .iter()
            .any(|m| m == "3: unknown setting `server.listne`: did you mean `server.listen`?"),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|m| m == "7: unknown section `sever`: did you mean `server`?"),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|m| m == "2: `server.listen` is `8080`: expected an address and port such as `127.0.0.1:8080`"),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|m| m.starts_with(
            "5: `tokens.access_ttl` is `900`: the unit is missing; expected a duration"
        )),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|m| m.starts_with("6: `tokens.algorithm` is `none`: expected `ES256`")),
        "{found:#?}"
    );
}

#[test]
fn unknown_names_are_refused_wherever_they_are() {
    assert_eq!(
        mistakes("top", "listen = \"x\"\n"),
        ["1: unknown setting `listen`: did you mean `server.listen`?"]
    );
    assert_eq!(
        mistakes("empty-section", "\n[log]\n[loggs]\n"),
        ["3: unknown section `loggs`: did you mean `log`?"]
    );
    assert_eq!(
        mistakes("not-secret", "[server]\ndata_file = \"x\"\n"),
        ["2: unknown setting `server.data_file`: did you mean `server.data`?"]
    );
    assert_eq!(
        only(variable("SYMBOLON_SERVER__LISTNE", "x")),
        "SYMBOLON_SERVER__LISTNE: unknown setting `server.listne`: did you mean `server.listen` (`SYMBOLON_SERVER__LISTEN`)?"
    );
    assert!(
        only(variable("SYMBOLON_DATABASE__URLFILE", "x"))
            .ends_with("(`SYMBOLON_DATABASE__URL_FILE`)?")
    );
    assert!(only(variable("SYMBOLON_NOPE__NOPE", "x")).contains("did you mean"));
    assert!(
        only(variable("SYMBOLON_LISTEN", "x"))
            .ends_with("did you mean `server.listen` (`SYMBOLON_SERVER__LISTEN`)?")
    );
    assert!(
        only(Config::load(
            &Sources::default().with_option("server.lsten", Some(String::new()))
        ))
        .contains("server.listen")
    );
}

#[test]
fn what_others_put_into_the_environment_is_left_alone() {
    // Kubernetes adds these to every pod beside a service named `symbolon`.
    for name in [
        "SYMBOLON_SERVICE_HOST",
        "SYMBOLON_PORT",
        "SYMBOLON_PORT_8080_TCP_ADDR",
        "OTHER_SERVER__LISTEN",
        "SYMBOLON",
    ] {
        variable(name, "tcp://10.0.0.1:8080").unwrap();
    }
}

#[test]
fn a_list_or_a_table_where_a_value_is_wanted_is_refused() {
    let found = mistakes(
        "shapes",
        "[server]\nlisten = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\ndata = { a = 1 }\ntrusted_proxies = [[]]\n",
    );
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(
        found
            .iter()
            .any(|m| m.starts_with("2: `server.listen` is `a list`")),
        "{found:#?}"
    );
}

#[test]
fn a_file_that_is_not_toml_is_told_by_line_and_not_shown() {
    let found = mistakes("syntax", "[database]\nurl = \"postgres://u:hunter2@h/d\n");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("2: this is not TOML: ") && !found[0].contains("hunter2"),
        "{found:?}"
    );
    let file = File::new("binary", b"\xff\xfe");
    assert!(
        only(Config::load(
            &Sources::default().with_file(Some(file.0.clone()))
        ))
        .contains("cannot be read")
    );
}
