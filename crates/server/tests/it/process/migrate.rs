//! The command that brings the tables up to date.

use rusqlite::Connection as Database;
use serde_json::json;

use super::place::Place;

#[test]
fn what_is_to_be_done_to_the_tables_and_then_done() {
    let place = Place::new();
    for flag in ["--plan", "--check"] {
        let missing = place.run(&["migrate", flag]);
        assert!(missing.sentence().contains("does not exist"), "{missing:?}");
    }
    let taken = place.run(&["migrate", "--json"]).json();
    assert_eq!(taken["upToDate"], true);
    assert_eq!(taken["steps"][0]["name"], "initial");
    let done = json!({ "upToDate": true, "steps": [] });
    for flags in [
        &["--plan", "--json"][..],
        &["--check", "--json"],
        &["--json"],
    ] {
        assert_eq!(place.run(&[&["migrate"], flags].concat()).json(), done);
    }
    let said = place.run(&["migrate"]).text();
    assert_eq!(said, "The tables are up to date.\n");
    // As a program left it that did not know the last step, which only adds.
    let database = Database::open(place.data("symbolon.db")).unwrap();
    let forget = "DROP TABLE leases; DELETE FROM schema_migrations WHERE number = 13";
    database.execute_batch(forget).unwrap();
    let plan = place.run(&["migrate", "--plan"]).text();
    let lines: Vec<Vec<_>> = plan
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[1..], [["13", "leases", "yes"]]);
    // Who only looks at settings does not take it.
    place.run(&["config", "show"]).text();
    let check = place.run(&["migrate", "--check", "--json"]);
    assert_eq!((check.code, check.stderr.as_str()), (Some(2), ""));
    let shown: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
    let step = json!({ "number": 13, "name": "leases", "formerVersionGoesOn": true });
    assert_eq!(shown, json!({ "upToDate": false, "steps": [step] }));
    assert_eq!(place.run(&["migrate"]).text(), "Taken: leases.\n");
    place.run(&["migrate", "--check"]).text();
}

#[test]
fn tables_of_a_newer_or_another_program_are_refused() {
    let place = Place::new();
    place.run(&["migrate"]).text();
    let database = Database::open(place.data("symbolon.db")).unwrap();
    let refused = |sql: &str, why: &str| {
        database.execute_batch(sql).unwrap();
        for flags in [&["--plan"][..], &["--check"], &[]] {
            let outcome = place.run(&[&["migrate"], flags].concat());
            assert_eq!(outcome.code, Some(1));
            assert!(outcome.sentence().contains(why), "{outcome:?}");
        }
    };
    refused(
        "UPDATE schema_migrations SET digest = 'x' WHERE number = 1",
        "differs from the one",
    );
    refused(
        "INSERT INTO schema_migrations VALUES (1007, 'drop', 'x', 1007, 5)",
        "newer version",
    );
}
