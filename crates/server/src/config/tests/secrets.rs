//! Secrets from files, and where they must not be seen.

use super::{File, from_toml, mistakes, only, variable};
use crate::config::{Config, Sources};

#[test]
fn a_secret_may_be_in_a_file_with_one_newline() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    for (number, contents) in [key.to_owned(), format!("{key}\n"), format!("{key}\r\n")]
        .iter()
        .enumerate()
    {
        let secret = File::new(&format!("secret-{number}"), contents);
        let config = variable("SYMBOLON_SERVER__MASTER_KEY_FILE", &secret.text()).unwrap();
        assert_eq!(config.server.master_key.unwrap().expose(), key);
    }
    let secret = File::new("two-newlines", format!("{key}\n\n"));
    assert!(
        only(variable("SYMBOLON_SERVER__MASTER_KEY_FILE", &secret.text()))
            .contains("is not usable")
    );
    let url = File::new("url", "sqlite:x.db\n");
    let config = from_toml(
        "url-file",
        &format!("[database]\nurl_file = \"{}\"\n", url.text()),
    )
    .unwrap();
    assert_eq!(config.database.url.unwrap().expose(), "sqlite:x.db");
}

#[test]
fn a_secret_is_given_once_in_one_source_and_a_later_source_wins() {
    let secret = File::new("once", "sqlite:from-file.db\n");
    let both = format!(
        "[database]\nurl = \"sqlite:a.db\"\nurl_file = \"{}\"\n",
        secret.text()
    );
    let found = mistakes("both", &both);
    assert!(
        found[0].contains("`database.url` is given twice"),
        "{found:?}"
    );
    let file = File::new(
        "wins",
        format!("[database]\nurl_file = \"{}\"\n", secret.text()),
    );
    let sources = Sources::default()
        .with_file(Some(file.0.clone()))
        .with_option("database.url", Some("sqlite:b.db".into()));
    assert_eq!(
        Config::load(&sources)
            .unwrap()
            .database
            .url
            .unwrap()
            .expose(),
        "sqlite:b.db"
    );
}

#[test]
fn a_secrets_file_that_is_not_there_is_an_error() {
    let error = only(variable("SYMBOLON_CACHE__URL_FILE", "/no/such/secret"));
    assert!(
        error.starts_with(
            "SYMBOLON_CACHE__URL_FILE: `cache.url_file`: the file `/no/such/secret` cannot be read"
        ),
        "{error}"
    );
}

#[test]
fn p9_secrets_are_in_no_message_and_no_output() {
    for (name, value) in [
        ("SYMBOLON_SERVER__MASTER_KEY", "hunter2"),
        ("SYMBOLON_DATABASE__URL", "mysql://u:hunter2@h/d"),
        ("SYMBOLON_CACHE__URL", "hunter2"),
        ("SYMBOLON_MAIL__URL", "http://u:hunter2@h"),
    ] {
        let error = only(variable(name, value));
        assert!(
            !error.contains("hunter2") && error.starts_with(name),
            "{error}"
        );
    }
    let config = variable("SYMBOLON_DATABASE__URL", "postgres://u:hunter2@h/d").unwrap();
    let shown = serde_json::to_string(config.show()).unwrap();
    assert!(
        !shown.contains("hunter2") && shown.contains("postgres://(secret)"),
        "{shown}"
    );
    assert!(!format!("{config:?}").contains("hunter2"));
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let config = variable("SYMBOLON_SERVER__MASTER_KEY", key).unwrap();
    assert!(!format!("{config:?}{:?}", config.show()).contains(key));
}
