//! `symbolon plan`, `diff`, `apply` and `state export`, beside a running server.

use std::thread;

use serde_json::{Value, json};

use super::place::{PASSWORD, Place, finish};
use super::running::Server;

const STATE: &str = r#"
[settings]
registration.mode = "closed"

[[role]]
name = "boss"
permissions = ["staff:write"]
includes = ["clerk"]

[[role]]
name = "clerk"
permissions = ["orders:read"]

[[client]]
id = "shop"
type = "confidential"
name = "Shop"
redirect_uris = ["https://shop.example.com/cb"]
grants = ["authorization_code", "client_credentials"]
roles = ["boss"]
"#;

fn run(place: &Place, line: &str) -> super::place::Outcome {
    place.run(&line.split(' ').collect::<Vec<_>>())
}

fn started(place: &Place) {
    place.serve().stop();
}

fn names(changes: &Value) -> Vec<String> {
    let name = |change: &Value| {
        let text = |member: &str| change[member].as_str().unwrap().to_owned();
        format!("{} {} {}", text("act"), text("kind"), text("name"))
    };
    changes.as_array().unwrap().iter().map(name).collect()
}

/// What `plan` says, and how it ends.
fn planned(place: &Place, more: &str) -> (Option<i32>, Vec<String>) {
    let ended = run(place, &format!("plan -f state.toml --json{more}"));
    let changes = serde_json::from_slice(&ended.stdout).unwrap();
    (ended.code, names(&changes))
}

fn may_register(server: &Server, email: &str) -> bool {
    let body = json!({ "email": email, "password": PASSWORD });
    let status = server
        .connect()
        .post("/api/register", &body)
        .unwrap()
        .status;
    assert!([201, 403].contains(&status), "{status}");
    status == 201
}

#[test]
fn a_state_is_planned_applied_and_exported() {
    let place = Place::new();
    started(&place);
    place.write("state.toml", STATE);
    let all = [
        "add setting registration.mode",
        "add role clerk",
        "add role boss",
        "add client shop",
    ];
    let all = all.map(str::to_owned).to_vec();
    assert_eq!(planned(&place, ""), (Some(2), all.clone()));
    let plan = run(&place, "plan -f state.toml");
    let plan = String::from_utf8(plan.stdout).unwrap();
    println!("{plan}");
    assert!(
        plan.ends_with("4 to add, 0 to change, 0 to delete.\n"),
        "{plan}"
    );
    assert_eq!(
        run(&place, "role show boss --json").failure().0,
        "not_found",
        "a plan changes nothing"
    );

    let refused = run(&place, "apply -f state.toml --json");
    assert_eq!(refused.failure().0, "not_confirmed");
    assert_eq!(planned(&place, "").1, all);
    let done = run(&place, "apply -f state.toml --yes --json").json();
    assert_eq!(names(&done), all);
    assert_eq!(planned(&place, ""), (Some(0), vec![]));
    assert_eq!(
        run(&place, "apply -f state.toml").text(),
        "Nothing to change.\n"
    );

    let exported = run(&place, "state export").text();
    println!("{exported}");
    place.write("state.toml", &exported);
    for prune in ["", " --prune"] {
        assert_eq!(planned(&place, prune), (Some(0), vec![]), "{exported}");
    }
    assert_eq!(run(&place, "state export").text(), exported);
}

#[test]
fn what_changes_is_shown_field_by_field_and_goes_only_when_asked() {
    let place = Place::new();
    started(&place);
    place.write("state.toml", STATE);
    run(&place, "apply -f state.toml --yes").text();
    place.write(
        "state.toml",
        "[[role]]\nname = \"clerk\"\npermissions = [\"orders:read\", \"orders:write\"]\n",
    );
    let diff = run(&place, "diff -f state.toml");
    assert_eq!(diff.code, Some(2));
    assert_eq!(
        String::from_utf8(diff.stdout).unwrap(),
        "--- role clerk\n+++ role clerk\n-permissions = [\"orders:read\"]\n\
         +permissions = [\"orders:read\", \"orders:write\"]\n"
    );
    assert_eq!(planned(&place, "").1, ["change role clerk"]);
    let pruned = [
        "delete setting registration.mode",
        "change role clerk",
        "delete client shop",
        "delete role boss",
    ];
    assert_eq!(planned(&place, " --prune").1, pruned);
}

#[test]
fn a_role_that_somebody_has_is_not_pruned() {
    let place = Place::new();
    started(&place);
    place.write("state.toml", STATE);
    run(&place, "apply -f state.toml --yes").text();
    place.write(
        "state.toml",
        "[[role]]\nname = \"clerk\"\npermissions = [\"orders:read\", \"orders:write\"]\n",
    );
    // A user has the role: nothing at all is done.
    let add = [
        "user",
        "add",
        "ada@example.com",
        "--role",
        "boss",
        "--password-stdin",
    ];
    place.run_with(&add, PASSWORD.as_bytes()).text();
    let refused = run(&place, "apply -f state.toml --prune --yes");
    assert!(
        refused
            .sentence()
            .contains("role boss: Users have this role"),
        "{refused:?}"
    );
    run(&place, "client show shop").text();
    run(&place, "user set-roles ada@example.com --role user").text();
    run(&place, "apply -f state.toml --prune --yes").text();
    let listed = run(&place, "revocations list --json").json();
    let kinds: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"client"),
        "the tokens of a deleted client are dead: {listed}"
    );
    assert_eq!(run(&place, "client list --json").json(), json!([]));
    let roles = run(&place, "role list --json").json();
    let roles: Vec<_> = roles
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["name"].clone())
        .collect();
    assert_eq!(roles, ["admin", "clerk", "user"]);
}

#[test]
fn a_running_server_takes_up_what_is_applied() {
    let place = Place::new();
    let server = place.serve();
    assert!(may_register(&server, "ada@example.com"));
    place.write("state.toml", STATE);
    run(&place, "apply -f state.toml --yes").text();
    let mut open = may_register(&server, "a@example.com");
    for number in 0..1_000 {
        if !open {
            break;
        }
        open = may_register(&server, &format!("a{number}@example.com"));
    }
    assert!(!open, "registration stays open");
    run(&place, "user set-roles ada@example.com --role boss").text();
    let device = server.sign_in("ada@example.com");
    place.write("state.toml", STATE.replace("orders:read", "orders:write"));
    run(&place, "apply -f state.toml --yes").text();
    assert_eq!(server.until_refused(&device.access).1, "token_stale");
    let shown = run(&place, "config show --json").json();
    let mode = shown
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "registration.mode");
    assert_eq!(mode.unwrap()["source"], "database");
    assert_eq!(mode.unwrap()["value"], "closed");
    server.stop();
    // It is there at the next start, and what is set elsewhere wins.
    let server = place.serve();
    assert!(!may_register(&server, "b@example.com"));
    server.stop();
    let place = place.with("registration.mode", "open");
    let server = place.serve();
    assert!(may_register(&server, "b@example.com"));
    server.stop();
    let shown = run(&place, "config show --json").json();
    let mode = shown
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "registration.mode");
    assert_eq!(mode.unwrap()["source"], "SYMBOLON_REGISTRATION__MODE");
}

#[test]
fn what_is_wrong_is_told_with_file_line_and_key_and_nothing_is_done() {
    let place = Place::new();
    started(&place);
    let client = "[[client]]\nid = \"app\"\ntype = \"public\"\n";
    for (text, said) in [
        (
            "[[role]]\nname = \"a\"\nincludes = [\"gone\"]\n".to_owned(),
            "state.toml:3: role a, `includes`: There is no such role",
        ),
        (
            "[[role]]\nname = \"admin\"\n".to_owned(),
            "state.toml:2: role admin, `name`: A built-in role",
        ),
        (
            format!("{client}grants = [\"authorization_code\"]\n"),
            "state.toml:1: client app, `redirect_uris`: ",
        ),
        (
            format!("{client}roles = [\"user\"]\n"),
            "state.toml:4: client app, `roles`: Only a confidential",
        ),
        (
            "[settings]\nregistration.mode = \"sometimes\"\n".to_owned(),
            "state.toml:2: setting registration.mode: `registration.mode` is `sometimes`",
        ),
        (
            "[[role]]\nnaem = \"a\"\n".to_owned(),
            "did you mean `name`?",
        ),
    ] {
        place.write("state.toml", &text);
        for command in ["plan -f state.toml", "apply -f state.toml --yes"] {
            let ended = run(&place, command);
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(
                ended.stderr.contains(said),
                "{said} is not in {}",
                ended.stderr
            );
        }
    }
    let missing = run(&place, "plan -f nowhere.toml --json");
    assert_eq!(missing.failure().0, "no_file");
    assert_eq!(
        run(&place, "role list --json")
            .json()
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn m7_a_secret_comes_by_reference_and_leaves_no_trace() {
    let place = Place::new();
    started(&place);
    let (first, second) = (
        "first-secret-of-the-robot-0123456789",
        "second-secret-of-the-robot-012345678",
    );
    place.write("secret", format!("{first}\n"));
    let robot = "[[client]]\nid = \"robot\"\ntype = \"confidential\"\n";
    place.write("state.toml", format!("{robot}secret_file = \"secret\"\n"));
    let plan = String::from_utf8(run(&place, "plan -f state.toml").stdout).unwrap();
    assert!(
        plan.contains("= \"…6789\"") && !plan.contains(first),
        "{plan}"
    );
    run(&place, "apply -f state.toml --yes").text();
    assert_eq!(planned(&place, ""), (Some(0), vec![]));
    place.write("state.toml", format!("{robot}secret_env = \"ROBOT\"\n"));
    let mut command = place.command(&["apply", "-f", "state.toml", "--yes", "--prune"]);
    command.env("ROBOT", second);
    let done = finish(command, b"").text();
    assert!(done.contains("gone") && !done.contains(second), "{done}");
    let shown = run(&place, "client show robot --json").json();
    assert_eq!(shown["secrets"].as_array().unwrap().len(), 1);
    assert_eq!(shown["secrets"][0]["endsWith"], "5678");
    let exported = run(&place, "state export").text();
    let of_secrets = |line: &str| line.starts_with("secret");
    assert!(!exported.lines().any(of_secrets), "{exported}");
    for (path, contents) in place.files() {
        let holds = |text: &str| {
            contents
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        let is_its_own = path.ends_with("secret");
        assert!(is_its_own || (!holds(first) && !holds(second)), "{path:?}");
    }
    place.write("state.toml", format!("{robot}secret = \"{first}\"\n"));
    let refused = run(&place, "plan -f state.toml");
    assert!(
        refused
            .sentence()
            .starts_with("state.toml:4: a secret is not written here"),
        "{refused:?}"
    );
}

/// Of two at once each does all that it said, one after the other: nothing of one is in the other.
#[test]
fn two_at_once_leave_the_state_of_one() {
    let place = Place::new();
    started(&place);
    let state = |word: &str| {
        let mut text = format!("[settings]\nregistration.mode = \"{word}\"\n");
        for role in ["a", "b", "c"] {
            text.push_str(&format!(
                "[[role]]\nname = \"{role}\"\npermissions = [\"{word}:x\"]\n"
            ));
        }
        for client in ["d", "e"] {
            text.push_str(&format!(
                "[[client]]\nid = \"{client}\"\ntype = \"public\"\nname = \"{word}\"\n"
            ));
        }
        text
    };
    for word in ["open", "closed", "invitation"] {
        place.write(word, state(word));
    }
    thread::scope(|scope| {
        for word in ["open", "closed", "invitation"] {
            let place = &place;
            scope.spawn(move || run(place, &format!("apply -f {word} --yes")).text());
        }
    });
    let same =
        ["open", "closed", "invitation"].map(|word| run(&place, &format!("plan -f {word}")).code);
    let matching = same.iter().filter(|code| **code == Some(0)).count();
    assert_eq!(matching, 1, "{same:?}");
}
