use symbolon_domain::setup::{Present, Wanted, steps};
use symbolon_domain::{FieldError, Problem, RoleName};

use super::{read, render};
use crate::config::Sources;

const SECRET: &str = "0123456789abcdef0123456789abWXYZ";

const WHOLE: &str = r#"
[settings]
registration.mode = "closed"

[[role]]
name = "boss"
description = "Runs the \"shop\""
permissions = ["staff:write"]
includes = ["clerk"]

[[role]]
name = "clerk"
permissions = ["orders:read", "orders:write"]

[[client]]
id = "robot"
type = "confidential"
name = "Robot"
grants = ["client_credentials"]
roles = ["clerk"]
secret_env = "ROBOT_SECRET"

[[client]]
id = "shop"
type = "public"
redirect_uris = ["https://shop.example.com/cb"]
grants = ["authorization_code", "refresh_token"]
status = "disabled"
"#;

fn sources() -> Sources {
    Sources::default().with_variable("ROBOT_SECRET", SECRET)
}

fn wanted(text: &str) -> Wanted {
    read("state.toml", text, &sources())
        .unwrap_or_else(|errors| panic!("{errors}"))
        .wanted
}

/// What is wrong with a file, line by line.
fn wrong(text: &str) -> Vec<String> {
    let errors = read("state.toml", text, &sources()).unwrap_err();
    errors.0.iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_file_is_read() {
    let wanted = wanted(WHOLE);
    assert_eq!(wanted.settings["registration.mode"], "closed");
    let boss = &wanted.roles[&RoleName::parse("boss").unwrap()];
    assert_eq!(boss.description, "Runs the \"shop\"");
    assert_eq!(boss.includes.to_string(), "clerk");
    let [robot, shop] = wanted.clients.values().collect::<Vec<_>>()[..] else {
        panic!("two clients");
    };
    let secret = robot.secret.as_ref().unwrap();
    assert_eq!(secret.hint, "WXYZ");
    assert_eq!(
        shop.definition.name.as_str(),
        "shop",
        "its id, where it has no name"
    );
    assert_eq!(shop.definition.status.as_str(), "disabled");
}

#[test]
fn what_is_written_reads_the_same() {
    let mut wanted = wanted(WHOLE);
    for client in wanted.clients.values_mut() {
        client.secret = None;
    }
    let text = render(&wanted);
    assert_eq!(
        read("again", &text, &Sources::default()).unwrap().wanted,
        wanted,
        "{text}"
    );
    assert_eq!(render(&wanted), text);
    assert!(
        !text.contains("secret = ") && !text.contains("secret_env"),
        "{text}"
    );
    assert_eq!(render(&Wanted::default()), "");
}

#[test]
fn any_text_is_quoted() {
    for odd in [
        "a\"b",
        "a\\b",
        "'",
        "#",
        "\u{e4} \u{1f600}",
        "a\tb",
        "\u{7f}",
    ] {
        let mut wanted = Wanted::default();
        let entry = symbolon_domain::setup::RoleEntry {
            description: odd.to_owned(),
            ..Default::default()
        };
        wanted.roles.insert(RoleName::parse("r").unwrap(), entry);
        let text = render(&wanted);
        let again = read("again", &text, &Sources::default()).unwrap().wanted;
        assert_eq!(again, wanted, "{text}");
    }
}

/// A file, and what is wrong with it.
const MISTAKES: &[(&str, &str)] = &[
    (
        "[setings]",
        "state.toml:1: unknown key `setings`: did you mean `settings`?",
    ),
    (
        "[[roles]]\nname = \"a\"",
        "state.toml:1: unknown key `roles`: did you mean `role`?",
    ),
    (
        "[role]\nname = \"a\"",
        "state.toml:1: `role` is a list of tables: write [[role]]",
    ),
    ("[[role]]", "state.toml:1: a role needs `name`"),
    (
        "[[role]]\nname = \"a\"\npermision = []",
        "state.toml:3: unknown key `permision` of a role: did you mean `permissions`?",
    ),
    (
        "[[role]]\nname = 7",
        "state.toml:2: `name` takes a text in quotes",
    ),
    (
        "[[role]]\nname = \"a\"\nincludes = \"b\"",
        "state.toml:3: `includes` takes a list of texts in quotes",
    ),
    (
        "[[role]]\nname = \"a\"\npermissions = [1]",
        "state.toml:3: `permissions` takes a list of texts in quotes",
    ),
    (
        "[[role]]\nname = \"a\"\n[[role]]\nname = \"a\"",
        "state.toml:4: `name`: there are two roles `a`",
    ),
    (
        "[[client]]\nid = \"a\"\ntype = \"secret\"",
        "state.toml:3: `type`: expected public or confidential",
    ),
    (
        "[[client]]\nid = \"a\"",
        "state.toml:1: a client needs `type`",
    ),
    (
        "[[client]]\nid = \"a\"\ntype = \"public\"\ndpop_bound = 1",
        "state.toml:4: `dpop_bound` takes true or false",
    ),
    (
        "[[client]]\nid = \"a\"\ntype = \"public\"\nconsent = \"no\"",
        "state.toml:4: `consent`: expected ask or trusted",
    ),
    (
        "[settings]\nregistration.mod = \"open\"",
        "state.toml:2: unknown setting `registration.mod`: did you mean `registration.mode`?",
    ),
    (
        "[settings]\nserver.listen = \"x\"",
        "state.toml:2: `server.listen` is not kept in the database: set it in symbolon.toml",
    ),
];

#[test]
fn every_mistake_is_named_with_its_line() {
    for (text, said) in MISTAKES {
        assert_eq!(wrong(text), [*said]);
    }
    let several = "[[role]]\nname = \"A\"\npermissions = [\"x\"]\n[[client]]\nid = \"b\"\ntype = \"public\"\norigins = [\n  \"https://a.example\",\n  \"https://b.example/\",\n]";
    let lines: Vec<_> = wrong(several)
        .iter()
        .map(|said| said[..13].to_owned())
        .collect();
    assert_eq!(lines, ["state.toml:2:", "state.toml:3:", "state.toml:9:"]);
    assert!(wrong("a = ")[0].starts_with("state.toml:1: this is not TOML"));
}

#[test]
fn a_secret_is_named_and_never_written() {
    let client = |lines: &str| format!("[[client]]\nid = \"a\"\ntype = \"confidential\"\n{lines}");
    let plain = wrong(&client("secret = \"hunter2-hunter2-hunter2-hunter2-\""));
    assert!(
        plain[0].starts_with("state.toml:4: a secret is not written here: write secret_file"),
        "{plain:?}"
    );
    for lines in [
        "secret_env = \"MISSING\"",
        "secret_file = \"/nonexistent/secret\"",
    ] {
        assert!(
            wrong(&client(lines))[0].starts_with("state.toml:4: `secret_"),
            "{lines}"
        );
    }
    let both = client("secret_env = \"ROBOT_SECRET\"\nsecret_file = \"x\"");
    assert!(wrong(&both)[0].contains("one of them is enough"));
    let sources = Sources::default().with_variable("SHORT", "hunter2");
    let short = read("state.toml", &client("secret_env = \"SHORT\""), &sources).unwrap_err();
    let short = short.to_string();
    assert!(
        short.contains("32 to 512") && !short.contains("hunter2"),
        "{short}"
    );
    // Nor in what is not TOML.
    let broken = wrong("[[client]]\nsecret = hunter2").join("\n");
    assert!(!broken.contains("hunter2"), "{broken}");
}

#[test]
fn what_the_rules_say_is_found_in_the_file() {
    let text = "[[role]]\nname = \"a\"\nincludes = [\"b\"]\n\n[[client]]\nid = \"c\"\ntype = \"public\"\nroles = [\"a\"]\n";
    let file = read("state.toml", text, &Sources::default()).unwrap();
    let faults = steps(&file.wanted, &Present::default(), false).unwrap_err();
    let said: Vec<_> = faults
        .into_iter()
        .map(|fault| {
            let (thing, error) = (fault.thing, fault.error);
            let pointer = format!("/{}/{}{}", thing.kind(), thing.name(), error.pointer);
            let located = file.locate(&FieldError { pointer, ..error });
            located
                .to_string()
                .split(": ")
                .take(2)
                .collect::<Vec<_>>()
                .join(": ")
        })
        .collect();
    assert_eq!(
        said,
        [
            "state.toml:3: role a, `includes`",
            "state.toml:8: client c, `roles`"
        ]
    );
    let elsewhere = Problem::new("x", "Wrong.").at("/client/c/redirectUris/0");
    assert_eq!(
        file.locate(&elsewhere).to_string(),
        "state.toml:5: client c, `redirect_uris`: Wrong."
    );
    let nowhere = Problem::new("x", "Wrong.").at("/role/gone");
    assert_eq!(
        file.locate(&nowhere).to_string(),
        "state.toml: role gone: Wrong."
    );
}
