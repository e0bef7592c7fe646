//! Files of every layout, whole and broken.

use std::io::Cursor;

use super::{Format, Place, Records, Said};

fn open(format: Format, text: impl AsRef<[u8]>) -> Result<Records, String> {
    let read = Box::new(Cursor::new(text.as_ref().to_vec()));
    Records::open(format, read, None).map_err(|error| error.0)
}

/// The number of each piece with the address that it tells of, or the code of what is wrong with it.
fn all(records: &mut Records) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    while let Some((number, said)) = records.read().unwrap() {
        let what = match said {
            Said::User(record) => record.email.unwrap_or_default(),
            Said::Other(why) => why.to_owned(),
            Said::Broken(errors) => errors[0].code.to_owned(),
        };
        found.push((number, what));
    }
    found
}

fn read(format: Format, text: impl AsRef<[u8]>) -> Vec<(u64, String)> {
    all(&mut open(format, text).unwrap())
}

fn numbered(found: &[(u64, &str)]) -> Vec<(u64, String)> {
    let owned = found
        .iter()
        .map(|(number, text)| (*number, (*text).to_owned()));
    owned.collect()
}

#[test]
fn lines_are_numbered_and_blank_ones_passed_over() {
    let text = "\u{feff}\n{\"email\":\"a@x\"}\r\n\n  \n{\"email\":\"b@x\"}\n{\"email\":\"c@x\"}";
    let expected = numbered(&[(2, "a@x"), (5, "b@x"), (6, "c@x")]);
    assert_eq!(read(Format::Jsonl, text), expected);
    assert_eq!(read(Format::Jsonl, ""), []);
    assert_eq!(read(Format::Jsonl, "\n\n"), []);
}

#[test]
fn a_broken_line_is_told_and_the_rest_goes_on() {
    let long = format!("{{\"email\":\"{}\"}}", "a".repeat(1 << 20));
    let lines = [
        "{\"email\":",
        "[\"a@x\"]",
        "\"a@x\"",
        "{\"email\":\"a@x\"} {}",
        "{\"email\":\"a@x\",\"email\":\"b@x\"}",
        "{\"email\":\"a@x\",\"admin\":true}",
        "{\"email\":{\"a\":1}}",
        "{\"email\":\"a@x\",\"emailVerified\":\"maybe\"}",
        "{\"email\":\"a@x\",\"createdAt\":\"yesterday\"}",
        "{\"email\":\"a@x\",\"roles\":[1]}",
        "{\"email\":\"a@x\",\"status\":\"gone\"}",
        "{\"email\":\"a@x\",\"id\":\"5\"}",
        "{\"email\":\"a@x\",\"password\":\"p\",\"passwordHash\":\"h\"}",
        &long,
        "{\"email\":\"good@x\"}",
    ];
    let codes: Vec<_> = read(Format::Jsonl, lines.join("\n"))
        .into_iter()
        .map(|(_, code)| code)
        .collect();
    let expected = [
        "malformed_json",
        "malformed_json",
        "malformed_json",
        "malformed_json",
        "duplicate_field",
        "unknown_field",
        "type_mismatch",
        "type_mismatch",
        "type_mismatch",
        "type_mismatch",
        "unknown_status",
        "malformed_id",
        "password_twice",
        "too_long",
        "good@x",
    ];
    assert_eq!(codes, expected);
    let odd = read(Format::Jsonl, b"{\"email\":\"\xff\"}\n{\"email\":\"b@x\"}");
    assert_eq!(odd, numbered(&[(1, "malformed_json"), (2, "b@x")]));
}

#[test]
fn what_is_wrong_quotes_nothing_of_the_file() {
    for text in [
        "{\"email\":\"secret@x\"} secret",
        "\"secret\"",
        "{\"secret\":1}",
        "{\"email\":\"a@x\",\"createdAt\":\"secret\"}",
    ] {
        let mut records = open(Format::Jsonl, text).unwrap();
        let (_, said) = records.read().unwrap().unwrap();
        assert!(!format!("{said:?}").contains("secret"), "{said:?}");
    }
    let credentials = "{\"users\":[{\"credentials\":\"secret\"}]}";
    let mut records = open(Format::Keycloak, credentials).unwrap();
    let (_, said) = records.read().unwrap().unwrap();
    assert!(!format!("{said:?}").contains("secret"), "{said:?}");
}

#[test]
fn rows_are_those_of_rfc_4180() {
    let text = "\u{feff}email,name,roles\r\n\
        a@x,\"A, \"\"B\"\"\r\nC\",\r\n\
        \r\n\
        b@x,,\"user staff\"\n\
        c@x,only two\n\
        d@x,é,user";
    let expected = numbered(&[(2, "a@x"), (5, "b@x"), (6, "wrong_columns"), (7, "d@x")]);
    assert_eq!(read(Format::Csv, text), expected);
    let mut records = open(Format::Csv, text).unwrap();
    let Some((_, Said::User(record))) = records.read().unwrap() else {
        panic!("a user")
    };
    assert_eq!(record.name.as_deref(), Some("A, \"B\"\r\nC"));
    assert!(record.roles.is_empty());
    let broken = read(Format::Csv, b"email\n\xff\nb@x\n");
    assert_eq!(broken, numbered(&[(2, "malformed_utf8"), (3, "b@x")]));
}

#[test]
fn a_quote_that_is_not_closed_costs_no_memory() {
    let text = format!("email\na@x\n\"b@x\n{}", "c@x\n".repeat(1 << 19));
    let expected = numbered(&[(2, "a@x"), (3, "too_long")]);
    assert_eq!(read(Format::Csv, text), expected);
    let wide = format!("email\n{}\nb@x\n", ",".repeat(5000));
    assert_eq!(
        read(Format::Csv, wide),
        numbered(&[(2, "too_long"), (3, "b@x")])
    );
}

#[test]
fn a_header_must_name_the_address_and_nothing_that_is_not_known() {
    for text in [
        "",
        "\n",
        "name\nA\n",
        "email,email\na@x,a@x\n",
        "email,admin\na@x,1\n",
    ] {
        assert!(open(Format::Csv, text).is_err(), "{text:?}");
    }
    assert!(open(Format::Supabase, "id,phone\n1,2\n").is_err());
    assert!(open(Format::Supabase, "id,email,whatever\n1,a@x,2\n").is_ok());
}

#[test]
fn elements_are_found_wherever_the_list_is() {
    let user = r#"{"username":"a\"]}","email":"a@x","attributes":{"x":["}","\\"]}}"#;
    let expected = numbered(&[(1, "a@x"), (2, "b@x")]);
    for text in [
        format!("[{user},{{\"email\":\"b@x\"}}]"),
        format!(" \n[ {user} ,\n {{\"email\":\"b@x\"}} ]\n"),
        format!(
            "{{\"realm\":\"users\",\"n\":-1.5,\"x\":null,\"users\" : [{user},{{\"email\":\"b@x\"}}],\"y\":1}}"
        ),
        format!(
            "{{\"a\":{{\"users\":[1]}},\"b\":\"\\\"users\\\":[\",\"users\":[{user},{{\"email\":\"b@x\"}}]}}"
        ),
    ] {
        assert_eq!(read(Format::Keycloak, &text), expected, "{text}");
    }
    assert_eq!(read(Format::Keycloak, "{\"users\":[]}"), []);
    assert_eq!(read(Format::Keycloak, "[]"), []);
}

#[test]
fn what_is_no_list_of_users_is_said() {
    for text in [
        "",
        "null",
        "{}",
        "{\"realm\":\"shop\"}",
        "{\"users\":{}}",
        "{\"users\"",
        "{users:[]}",
        "id,email\n",
    ] {
        assert!(open(Format::Keycloak, text).is_err(), "{text:?}");
    }
}

#[test]
fn a_broken_element_is_told_and_the_rest_goes_on() {
    let long = "a".repeat(1 << 20);
    let text = format!(
        "[1,\"x\",{{\"email\":true}},{{\"email\" \"b\"}},,{{\"email\":\"{long}\"}},{{\"email\":\"c@x\"}}"
    );
    let found = read(Format::Keycloak, text);
    let codes: Vec<&str> = found.iter().map(|(_, code)| code.as_str()).collect();
    let expected = [
        "malformed_json",
        "malformed_json",
        "type_mismatch",
        "malformed_json",
        "malformed_json",
        "too_long",
        "c@x",
        "cut_short",
    ];
    assert_eq!(codes, expected);
}

#[test]
fn a_file_is_read_on_from_any_place() {
    let jsonl = "{\"email\":\"a@x\"}\n\n{\"email\":\"b@x\"}\nbroken\n{\"email\":\"c@x\"}";
    let csv = "email,name\r\na@x,\"A\r\nB\"\r\n\r\nb@x,\r\nc@x,C\r\n";
    let list = "{\"realm\":\"r\",\"users\":[{\"email\":\"a@x\"}, {\"email\":\"b@x\"},{\"email\":\"c@x\"}],\"x\":1}";
    for (format, text) in [
        (Format::Jsonl, jsonl),
        (Format::Csv, csv),
        (Format::Keycloak, list),
    ] {
        let whole = read(format, text);
        let mut records = open(format, text).unwrap();
        for read in 0..=whole.len() {
            let place = records.place();
            let mut again = open(format, text).unwrap();
            again.skip_to(&place).unwrap();
            assert_eq!(all(&mut again), whole[read..], "{format} after {read}");
            records.read().unwrap();
        }
    }
}

#[test]
fn another_file_in_the_place_of_the_first_shows() {
    let text = "{\"email\":\"a@x\"}\n{\"email\":\"b@x\"}\n";
    let mut records = open(Format::Jsonl, text).unwrap();
    records.read().unwrap();
    let place = records.place();
    let other = text.replace("a@x", "z@x");
    assert!(open(Format::Jsonl, other).unwrap().skip_to(&place).is_err());
    assert!(open(Format::Jsonl, "{}").unwrap().skip_to(&place).is_err());
    let wrong = Place {
        digest: String::new(),
        ..place
    };
    assert!(open(Format::Jsonl, text).unwrap().skip_to(&wrong).is_err());
}

#[test]
fn the_hash_parameters_of_firebase_are_read_and_never_quoted() {
    let text = "hash_config {\n  algorithm: SCRYPT,\n  base64_signer_key: c2VjcmV0,\n  base64_salt_separator: Bw==,\n  rounds: 8,\n  mem_cost: 14,\n}\n";
    let project = super::parse_hash_config(text).unwrap();
    assert_eq!(*project.signer_key, b"secret");
    assert_eq!((project.rounds, project.mem_cost), (8, 14));
    assert_eq!(project.salt_separator, [7]);
    let json = r#"{"algorithm":"SCRYPT","base64_signer_key":"c2VjcmV0","base64_salt_separator":"Bw==","rounds":8,"mem_cost":14}"#;
    assert!(super::parse_hash_config(json).is_ok());
    for (from, to) in [
        ("SCRYPT", "STANDARD_SCRYPT"),
        ("rounds", "round"),
        ("14", "x"),
        ("c2VjcmV0", "c2VjcmV0!"),
    ] {
        let Err(error) = super::parse_hash_config(&text.replace(from, to)) else {
            panic!("{from}")
        };
        assert!(!error.0.contains("c2Vj"), "{error}");
    }
}
