//! `symbolon config`, `openapi` and the help of every command.

use std::collections::BTreeSet;

use serde_json::Value;

use super::place::Place;

const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn find<'a>(shown: &'a Value, name: &str) -> &'a Value {
    let settings = shown.as_array().unwrap();
    let found = settings.iter().find(|setting| setting["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {shown}"))
}

#[test]
fn config_check_says_whether_all_is_well() {
    let place = Place::new();
    place.run(&["config", "check"]).text();
    assert_eq!(place.run(&["config", "check", "--json"]).json()["ok"], true);
    place.write(
        "symbolon.toml",
        "[tokens]\naccess_tll = \"15m\"\n[refresh]\nleeway = \"2h\"\n",
    );
    let ended = place.run(&["config", "check"]);
    assert_eq!(ended.code, Some(1));
    // Every mistake at once, a line each.
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{ended:?}");
    assert!(
        lines[0].contains("symbolon.toml:2") && lines[0].contains("`tokens.access_ttl`"),
        "{ended:?}"
    );
    assert!(
        lines[1].contains("symbolon.toml:4") && lines[1].contains("refresh.leeway"),
        "{ended:?}"
    );
    let ended = place.run(&["config", "check", "--json"]);
    let said: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(said["code"], "bad_settings");
    assert!(
        !place.path("symbolon-data").exists(),
        "looking at settings makes nothing"
    );
}

#[test]
fn config_check_reads_the_files_of_the_pages() {
    let place = Place::new();
    place.write("logo.txt", "no picture");
    place.write("symbolon.toml", "[pages]\nlogo = \"logo.txt\"\n");
    let ended = place.run(&["config", "check"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("neither PNG"), "{ended:?}");
    let served = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(served.stderr.lines().last(), ended.stderr.lines().last());
    place.write("symbolon.toml", "[pages]\nfolder = \"own\"\n");
    std::fs::create_dir(place.path("own")).unwrap();
    place.write("own/register.html", "{% if %}");
    let ended = place.run(&["config", "check"]);
    assert!(ended.stderr.contains("register.html"), "{ended:?}");
    place.write("own/register.html", "<p>Nobody comes in.</p>");
    place.run(&["config", "check"]).text();
}

#[test]
fn config_check_finds_what_stops_a_start() {
    let place = Place::new();
    let database = "postgres://db.example.com/symbolon?sslmode=prefer";
    let ended = place.run(&["config", "check", "--database", database]);
    assert!(ended.sentence().contains("sslmode"), "{ended:?}");
    let served = place.run(&["serve", "--listen", "127.0.0.1:0", "--database", database]);
    assert_eq!(served.stderr, ended.stderr);
    place.write("symbolon.toml", "[mail]\ntemplates = \"letters\"\n");
    std::fs::create_dir(place.path("letters")).unwrap();
    place.write("letters/layout.html", "{% if %}");
    let ended = place.run(&["config", "check"]);
    let served = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(served.sentence(), ended.sentence());
}

#[test]
fn config_show_names_values_and_sources_and_no_secret() {
    let place = Place::new()
        .with("server.master_key", SECRET)
        .with("mail.url", "smtps://robot:hunter2@mail.example.com")
        .with("mail.from", "robot@example.com");
    place.write("symbolon.toml", "[tokens]\naccess_ttl = \"5m\"\n");
    let database = "postgres://symbolon:correct-horse@db.example.com/symbolon";
    let arguments = ["config", "show", "--database", database];
    let table = place.run(&arguments);
    let json = place.run(&[&arguments[..], &["--json"]].concat());
    for shown in [&table, &json] {
        assert_eq!(shown.code, Some(0), "{shown:?}");
        assert!(
            shown
                .stderr
                .starts_with("settings that the database keeps are not shown: "),
            "{shown:?}"
        );
        assert!(!shown.stderr.contains("correct-horse"), "{shown:?}");
    }
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    for text in [&table, &json.to_string()] {
        for secret in [SECRET, "hunter2", "correct-horse"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let ttl = find(&json, "tokens.access_ttl");
    assert_eq!(ttl["value"], "5m");
    assert!(
        ttl["source"].as_str().unwrap().contains("symbolon.toml:2"),
        "{ttl}"
    );
    assert_eq!(find(&json, "database.url")["source"], "--database");
    assert_eq!(
        find(&json, "throttle.enabled")["source"],
        "SYMBOLON_THROTTLE__ENABLED"
    );
    assert_eq!(find(&json, "cookie.name")["source"], "default");
    assert!(table.contains("tokens.access_ttl"));
}

#[test]
fn config_reference_names_every_setting() {
    let place = Place::new();
    let shown = place.run(&["config", "show", "--json"]).json();
    let reference = place.run(&["config", "reference", "--json"]).json();
    let text = place.run(&["config", "reference"]).text();
    for setting in shown.as_array().unwrap() {
        let name = setting["name"].as_str().unwrap();
        assert!(reference.to_string().contains(name), "{name}");
        let (_, key) = name.split_once('.').unwrap();
        assert!(text.contains(key), "{name}");
    }
}

#[test]
fn openapi_prints_the_document_that_is_served() {
    let place = Place::new();
    let printed = place.run(&["openapi"]).json();
    assert!(printed["openapi"].as_str().unwrap().starts_with("3.1"));
    let server = place.serve();
    let reply = server
        .connect()
        .call("GET", "/api/openapi.json", None, None);
    assert_eq!(reply.unwrap().expect(200).json(), printed);
    server.stop();
}

/// The subcommands that a help names.
fn subcommands(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("Commands:\n") else {
        return Vec::new();
    };
    let names = list.lines().take_while(|line| line.starts_with("  "));
    let names = names.filter(|line| !line.starts_with("   "));
    let words = names.map(|line| line.split_whitespace().next().unwrap().to_owned());
    words.filter(|name| name != "help").collect()
}

#[test]
fn every_help_works_and_names_what_exists() {
    let place = Place::new();
    let mut waiting = vec![Vec::<String>::new()];
    let mut seen = 0;
    while let Some(path) = waiting.pop() {
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = place.run(&arguments).text();
        seen += 1;
        for common in ["--config", "--data", "--database", "--json"] {
            assert!(help.contains(common), "{path:?} does not take {common}");
        }
        let children = subcommands(&help);
        for line in help.lines().filter(|line| line.starts_with("  ")) {
            names_children_only(&place, &path, line.trim(), &children);
        }
        names_known_options_only(&path, &help);
        waiting.extend(
            children
                .into_iter()
                .map(|child| [path.clone(), vec![child]].concat()),
        );
    }
    assert!(seen > 20, "{seen} helps");
    let version = place.run(&["--version"]).text();
    assert_eq!(version, format!("symbolon {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(place.run(&["nonsense"]).code, Some(2));
    assert!(
        !place.path("symbolon-data").exists(),
        "a help makes nothing"
    );
}

/// A line such as `user  Users: add, list` names the subcommands of `user`, all and only those.
fn names_children_only(place: &Place, path: &[String], line: &str, children: &[String]) {
    let Some((name, about)) = line.split_once(char::is_whitespace) else {
        return;
    };
    let list = about
        .rsplit_once(": ")
        .map(|(_, list)| list.trim_end_matches('.'));
    let (true, Some(list)) = (children.iter().any(|child| child == name), list) else {
        return;
    };
    let arguments: Vec<&str> = path
        .iter()
        .map(String::as_str)
        .chain([name, "--help"])
        .collect();
    let help = place.run(&arguments).text();
    let real: BTreeSet<_> = subcommands(&help).into_iter().collect();
    let named: BTreeSet<_> = list.split(", ").map(ToOwned::to_owned).collect();
    if !real.is_empty() {
        assert_eq!(named, real, "{path:?} {line}");
    }
}

/// An option that a sentence mentions is one that is taken.
fn names_known_options_only(path: &[String], help: &str) {
    let words = help.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    let options: BTreeSet<_> = words
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .collect();
    for option in options {
        let defined = help.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with(&format!("{option} "))
                || line == option
                || line.contains(&format!("-h, {option}"))
                || line.contains(&format!("-V, {option}"))
                || line.contains(&format!("-f, {option}"))
        });
        assert!(defined, "{path:?} mentions {option}");
    }
}
