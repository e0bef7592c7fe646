use super::*;

#[test]
fn forms() {
    let parse = |text: &str| text.parse::<DatabaseUrl>();
    assert_eq!(
        parse("sqlite:a/b.db").unwrap(),
        DatabaseUrl::Sqlite("a/b.db".into())
    );
    assert_eq!(
        parse("sqlite:/a b.db").unwrap(),
        DatabaseUrl::Sqlite("/a b.db".into())
    );
    assert_eq!(
        parse("sqlite:///a.db").unwrap(),
        DatabaseUrl::Sqlite("/a.db".into())
    );
    assert_eq!(parse("sqlite::memory:").unwrap(), DatabaseUrl::SqliteMemory);
    for url in ["postgres://h1,h2/db", "postgresql:///db?host=/run"] {
        assert_eq!(parse(url).unwrap(), DatabaseUrl::Postgres(url.into()));
    }
    for bad in [
        "",
        "sqlite:",
        "sqlite:a?mode=ro",
        "mysql://h/db",
        "a.db",
        "sqlite:a\0b",
    ] {
        assert!(matches!(parse(bad), Err(OpenError::Url(_))), "{bad:?}");
    }
}

#[test]
fn printing_shows_no_credentials() {
    for (url, shown) in [
        (
            "postgres://me:secret@h1:1,h2:2/db?options=secret",
            "postgres://h1:1,h2:2/db",
        ),
        ("postgresql://h/db", "postgres://h/db"),
        (
            "postgres://me:secret@h/db?sslmode=verify-full&sslrootcert=/secret.pem",
            "postgres://h/db",
        ),
        ("postgres://me:s%40cret@h/db", "postgres://h/db"),
        ("postgres://h/db?password=secret", "postgres://h/db"),
        ("postgres://h/db?password=secret@secret", "postgres://…"),
        (
            "postgres:///db?user=me&password=secret&host=/run/pg",
            "postgres:///run/pg/db",
        ),
        ("postgres://me:secret@h:notaport/db", "postgres://…"),
    ] {
        let url: DatabaseUrl = url.parse().unwrap();
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), shown);
    }
}

#[test]
fn what_a_url_says_of_tls() {
    let file = || Tls::File("/ca.pem".into());
    for (url, rest, tls) in [
        ("postgres://h/db", "postgres://h/db", Tls::Off),
        ("postgres://h/db?a=b", "postgres://h/db?a=b", Tls::Off),
        (
            "postgres://h/db?sslmode=disable",
            "postgres://h/db",
            Tls::Off,
        ),
        (
            "postgres://h/db?sslmode=require",
            "postgres://h/db",
            Tls::Machine,
        ),
        (
            "postgres://me:a?b&&c@h/db?sslmode=require&password=a?b",
            "postgres://me:a?b&&c@h/db?password=a?b",
            Tls::Machine,
        ),
        (
            "postgres://me:a?b&&c@h/db",
            "postgres://me:a?b&&c@h/db",
            Tls::Off,
        ),
        (
            "postgres://h/db?sslmode=verify-full&sslrootcert=system&a=b",
            "postgres://h/db?a=b",
            Tls::Machine,
        ),
        (
            "postgres://h/db?sslrootcert=/ca.pem&a=b&sslmode=verify-ca",
            "postgres://h/db?a=b",
            file(),
        ),
    ] {
        assert_eq!(split_tls(url).unwrap(), (rest.to_owned(), tls), "{url}");
    }
    for bad in [
        "sslmode=verify_full",
        "sslmode=prefer",
        "sslmode=",
        "sslrootcert=/ca.pem",
        "sslmode=disable&sslrootcert=/ca.pem",
        "sslmode=require&sslrootcert=ca.pem",
        "sslmode=require&sslrootcert=",
        "sslmode=require&sslrootcert=/my%20ca.pem",
    ] {
        let refused = split_tls(&format!("postgres://h/db?{bad}")).unwrap_err();
        assert!(matches!(refused, OpenError::Url(_)), "{bad}: {refused:?}");
    }
}
