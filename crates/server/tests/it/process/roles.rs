//! `symbolon role`

use serde_json::{Value, json};

use super::place::{PASSWORD, Place};

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

fn json(place: &Place, line: &str) -> Value {
    let line = format!("{line} --json");
    place.run(&words(&line)).json()
}

#[test]
fn roles_are_made_shown_edited_and_deleted() {
    let place = Place::new();
    place.serve().stop();
    json(&place, "role add clerk --permission orders:read");
    let made = json(
        &place,
        "role add boss --include clerk --permission staff:read --permission staff:write",
    );
    assert_eq!(made["permissions"], json!(["staff:read", "staff:write"]));
    let all = json!(["orders:read", "staff:read", "staff:write"]);
    assert_eq!(made["effectivePermissions"], all);
    assert_eq!(json(&place, "role show boss"), made);
    let table = place.run(&["role", "list"]).text();
    assert!(
        table.starts_with("NAME") && table.lines().count() == 5,
        "{table}"
    );

    let described = ["role", "edit", "boss", "--description", "Runs the shop"];
    place.run(&described).text();
    let shown = json(&place, "role show boss");
    assert_eq!(shown["description"], "Runs the shop");
    assert_eq!(shown["effectivePermissions"], all, "the rest stays");
    let emptied = json(&place, "role edit boss --no-permissions --no-includes");
    assert_eq!(emptied["effectivePermissions"], json!([]));
    assert_eq!(emptied["description"], "Runs the shop");

    place.run(&words("role delete boss")).text();
    let names: Vec<_> = json(&place, "role list")
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["name"].clone())
        .collect();
    assert_eq!(names, ["admin", "clerk", "user"]);
}

#[test]
fn an_edited_role_counts_at_once_on_a_running_server() {
    let place = Place::new();
    let server = place.serve();
    place
        .run(&words("role add clerk --permission orders:read"))
        .text();
    let add = words("user add ada@example.com --role clerk --password-stdin");
    place.run_with(&add, PASSWORD.as_bytes()).text();
    let device = server.sign_in("ada@example.com");
    place
        .run(&words("role edit clerk --permission orders:write"))
        .text();
    assert_eq!(server.until_refused(&device.access).1, "token_stale");
    let refused = place.run(&words("role delete clerk --json"));
    assert_eq!(refused.failure().0, "conflict");
    server.stop();
}

#[test]
fn what_is_wrong_with_a_role_is_said() {
    let place = Place::new();
    place.serve().stop();
    for (line, code) in [
        ("role add Clerk", "role_malformed"),
        ("role add clerk --permission orders", "permission_malformed"),
        ("role add clerk --include nobody", "validation_failed"),
        ("role add admin", "conflict"),
        ("role edit admin --no-permissions", "forbidden"),
        ("role edit clerk --no-includes", "not_found"),
        ("role delete user", "forbidden"),
        ("role show clerk", "not_found"),
    ] {
        let line = format!("{line} --json");
        let ended = place.run(&words(&line));
        assert_eq!(
            (ended.code, ended.failure().0.as_str()),
            (Some(1), code),
            "{line}"
        );
    }
}
