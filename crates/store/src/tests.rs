//! The statements themselves, on both engines.

use rusqlite::Connection;
use symbolon_domain::Timestamp;
use symbolon_testkit::Postgres;
use tokio_postgres::NoTls;

use crate::migrate::MIGRATIONS;
use crate::tables::sessions::of_many;
use crate::{DatabaseUrl, OpenOptions, Store, tables};

fn sqlite() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    crate::sqlite::add_functions(&connection).unwrap();
    for step in MIGRATIONS {
        connection.execute_batch(step.text).unwrap();
    }
    connection
}

fn text_of(name: &str) -> &'static str {
    tables::all()
        .into_iter()
        .find(|(known, _)| known == name)
        .unwrap()
        .1
}

#[test]
fn sqlite_prepares_every_statement() {
    let connection = sqlite();
    for (name, text) in tables::all() {
        if let Err(error) = connection.prepare(text) {
            panic!("{name}: {error}");
        }
    }
}

#[tokio::test]
async fn postgres_prepares_every_statement() {
    let Some(server) = Postgres::shared() else {
        return;
    };
    let url = server.url();
    let (parsed, options) = (url.parse::<DatabaseUrl>().unwrap(), OpenOptions::default());
    let store = Store::open(&parsed, &options).await.unwrap();
    store.migrate(Timestamp::from_millis(1)).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    for (name, text) in tables::all() {
        for text in [Some(text), of_many(text)].into_iter().flatten() {
            if let Err(error) = client.prepare(text).await {
                panic!("{name}: {error}");
            }
        }
    }
}

/// SQLite gives `$1` the place where it first stands, whatever its digit.
#[test]
fn binds_first_stand_in_order() {
    for (name, text) in tables::all() {
        let mut next = 1;
        for place in text.split('$').skip(1) {
            let digits: String = place.chars().take_while(char::is_ascii_digit).collect();
            let number: usize = digits.parse().unwrap();
            assert!(number <= next, "{name}: ${number} stands before ${next}");
            next = next.max(number + 1);
        }
        let connection = sqlite();
        assert_eq!(
            connection.prepare(text).unwrap().parameter_count(),
            next - 1,
            "{name}"
        );
    }
}

#[test]
fn no_statement_reads_a_whole_table() {
    // A handful of rows, all of them wanted.
    let whole = ["keys.LIST", "roles.LIST"];
    let connection = sqlite();
    for (name, text) in tables::all() {
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {text}"))
            .unwrap();
        let binds = statement.parameter_count();
        let nulls = rusqlite::params_from_iter(vec![rusqlite::types::Null; binds]);
        let steps = statement
            .query_map(nulls, |row| row.get::<_, String>(3))
            .unwrap();
        let steps: Vec<_> = steps.map(Result::unwrap).collect();
        // What a part of the statement has found before is no table.
        let is_part = |name: &str| {
            steps.contains(&format!("CO-ROUTINE {name}"))
                || steps.contains(&format!("MATERIALIZE {name}"))
        };
        for step in &steps {
            let good = step.strip_prefix("SCAN ").is_none_or(|scanned| {
                scanned.contains("USING") || scanned == "CONSTANT ROW" || is_part(scanned)
            });
            assert!(good || whole.contains(&name.as_str()), "{name}: {step}");
        }
    }
}

#[test]
fn hot_statements_go_straight_to_their_rows() {
    let connection = sqlite();
    for (name, expected) in [
        (
            "sessions.FIND_REFRESH",
            vec![
                "SEARCH s USING INDEX sqlite_autoindex_sessions_1 (id=?)",
                "SEARCH u USING INDEX sqlite_autoindex_users_1 (id=?)",
                "SCALAR SUBQUERY 1",
                "SEARCH role_state USING INDEX sqlite_autoindex_role_state_1 (id=?)",
            ],
        ),
        (
            "sessions.ROTATE",
            vec!["SEARCH sessions USING INDEX sqlite_autoindex_sessions_1 (id=?)"],
        ),
        (
            "users.FIND_BY_EMAIL",
            vec!["SEARCH u USING INDEX sqlite_autoindex_users_2 (email_key=?)"],
        ),
        (
            "users.FIND_BY_USERNAME",
            vec!["SEARCH u USING INDEX sqlite_autoindex_users_3 (username_key=?)"],
        ),
    ] {
        assert_eq!(plan(&connection, name), expected, "{name}");
    }
}

/// However many users there are, a page costs what its rows cost: it is one range of one index, in its order.
#[test]
fn a_page_of_users_is_one_range_of_an_index() {
    let connection = sqlite();
    let (up, down) = (
        "(created_at,id)>(?,?) AND created_at<?",
        "created_at>? AND (created_at,id)<(?,?)",
    );
    let (email, username) = (
        "email_key>? AND email_key<?",
        "username_key>? AND username_key<?",
    );
    for (list, index, range) in [
        ("CREATED_UP", "u USING INDEX users_by_creation", up),
        ("CREATED_DOWN", "u USING INDEX users_by_creation", down),
        ("STATUS_UP", "u USING INDEX users_by_status", up),
        ("STATUS_DOWN", "u USING INDEX users_by_status", down),
        ("EMAIL_UP", "u USING INDEX sqlite_autoindex_users_2", email),
        (
            "EMAIL_DOWN",
            "u USING INDEX sqlite_autoindex_users_2",
            email,
        ),
        (
            "USERNAME_UP",
            "u USING INDEX sqlite_autoindex_users_3",
            username,
        ),
        (
            "USERNAME_DOWN",
            "u USING INDEX sqlite_autoindex_users_3",
            username,
        ),
        (
            "ROLE_UP",
            "m USING COVERING INDEX sqlite_autoindex_user_roles_1",
            "role=? AND user_id>?",
        ),
        (
            "ROLE_DOWN",
            "m USING COVERING INDEX sqlite_autoindex_user_roles_1",
            "role=? AND user_id<?",
        ),
    ] {
        let steps = plan(&connection, &format!("user_lists.{list}"));
        let status = if list.starts_with("STATUS") {
            "status=? AND "
        } else {
            ""
        };
        assert_eq!(
            steps[0],
            format!("SEARCH {index} ({status}{range})"),
            "{list}"
        );
        // The user behind each row of the range, and nothing that sorts.
        let user = "SEARCH u USING INDEX sqlite_autoindex_users_1 (id=?)";
        assert!(
            steps[1..].iter().all(|step| step == user),
            "{list}: {steps:?}"
        );
    }
}

#[test]
fn a_rotation_writes_no_index() {
    let connection = sqlite();
    let index_writes = |name: &str| {
        let mut statement = connection
            .prepare(&format!("EXPLAIN {}", text_of(name)))
            .unwrap();
        let nulls =
            rusqlite::params_from_iter(vec![rusqlite::types::Null; statement.parameter_count()]);
        let steps = statement
            .query_map(nulls, |row| row.get::<_, String>(1))
            .unwrap();
        steps
            .map(Result::unwrap)
            .filter(|step| ["IdxInsert", "IdxDelete"].contains(&step.as_str()))
            .collect::<Vec<_>>()
    };
    assert_eq!(index_writes("sessions.ROTATE"), [] as [&str; 0]);
    // What such a write would look like.
    assert_eq!(index_writes("sessions.END"), ["IdxDelete", "IdxInsert"]);
}

/// The log is only ever added to; retention alone takes the oldest lines.
#[test]
fn nothing_changes_the_audit_log_but_its_purge() {
    let mut writes: Vec<_> = tables::all()
        .into_iter()
        .filter(|(_, text)| {
            let text = text.to_lowercase();
            [
                "update audit ",
                "delete from audit ",
                "into audit ",
                "replace into audit",
            ]
            .iter()
            .any(|start| text.contains(start))
        })
        .map(|(name, _)| name)
        .collect();
    writes.sort_unstable();
    assert_eq!(
        writes,
        [
            "audit.INSERT",
            "audit_chain.PURGE",
            "audit_chain.PURGE_UNCHAINED"
        ]
    );
}

/// However long the log is, a page of any list is read from where it begins, without sorting.
#[test]
fn a_page_of_the_audit_log_is_a_range_of_an_index() {
    let connection = sqlite();
    for (name, expected) in [
        (
            "audit.LIST",
            "SEARCH audit USING INDEX sqlite_autoindex_audit_1 (id>? AND id<?)",
        ),
        (
            "audit.LIST_OF_SUBJECT",
            "SEARCH audit USING INDEX audit_by_subject (subject=? AND id>? AND id<?)",
        ),
        (
            "audit.LIST_OF_ACTOR",
            "SEARCH audit USING INDEX audit_by_actor (actor=? AND id>? AND id<?)",
        ),
        (
            "audit.LIST_OF_SESSION",
            "SEARCH audit USING INDEX audit_by_session (session=? AND id>? AND id<?)",
        ),
        (
            "audit.LIST_OF_KIND",
            "SEARCH audit USING INDEX audit_by_kind (kind=? AND id>? AND id<?)",
        ),
        (
            "audit_chain.LIST",
            "SEARCH audit USING INDEX audit_seq (seq>?)",
        ),
    ] {
        assert_eq!(plan(&connection, name), [expected], "{name}");
    }
}

fn plan(connection: &Connection, name: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {}", text_of(name)))
        .unwrap();
    let nulls =
        rusqlite::params_from_iter(vec![rusqlite::types::Null; statement.parameter_count()]);
    let steps = statement
        .query_map(nulls, |row| row.get::<_, String>(3))
        .unwrap();
    steps.map(Result::unwrap).collect()
}
