//! Settings that the database keeps.

use std::collections::BTreeMap;

use super::super::{Config, RegistrationMode, Sources, stored_names};

fn stored(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}

fn source(config: &Config, name: &str) -> String {
    let shown = config.show().iter().find(|shown| shown.name == name);
    shown.unwrap().source.clone()
}

#[test]
fn the_database_wins_over_a_default_and_over_nothing_else() {
    let closed = stored(&[("registration.mode", "closed")]);
    let plain = Config::load(&Sources::default()).unwrap();
    let config = plain.with_stored(&closed).unwrap();
    assert_eq!(config.registration.mode, RegistrationMode::Closed);
    assert_eq!(source(&config, "registration.mode"), "database");
    assert_eq!(source(&config, "tokens.access_ttl"), "default");
    // What is deleted there has its default again.
    let config = config.with_stored(&stored(&[])).unwrap();
    assert_eq!(config.registration.mode, RegistrationMode::Open);

    let sources = Sources::default().with_variable("SYMBOLON_REGISTRATION__MODE", "invitation");
    let config = Config::load(&sources)
        .unwrap()
        .with_stored(&closed)
        .unwrap();
    assert_eq!(config.registration.mode, RegistrationMode::Invitation);
    let written =
        Config::load(&Sources::default().with_variable("SYMBOLON_REGISTRATION__MODE", "open"));
    let config = written.unwrap().with_stored(&closed).unwrap();
    assert_eq!(
        config.registration.mode,
        RegistrationMode::Open,
        "even as the default says"
    );
}

#[test]
fn only_settings_that_may_be_kept_there_are_taken_from_it() {
    let config = Config::load(&Sources::default()).unwrap();
    let foreign = stored(&[("password.min_length", "64"), ("nonsense", "x")]);
    assert_eq!(config.with_stored(&foreign).unwrap().password.min_length, 8);
    assert!(stored_names().any(|name| name == "registration.mode"));
    assert!(!stored_names().any(|name| name.contains("server.") || name.contains("url")));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let config = Config::load(&Sources::default()).unwrap();
    let errors = config
        .with_stored(&stored(&[("registration.mode", "maybe")]))
        .unwrap_err();
    assert_eq!(
        errors.to_string(),
        "database: `registration.mode` is `maybe`: expected `open`, `invitation` or `closed`"
    );
    // Nor may it be kept where it does not count.
    let sources = Sources::default().with_variable("SYMBOLON_REGISTRATION__MODE", "open");
    let config = Config::load(&sources).unwrap();
    let maybe = stored(&[("registration.mode", "maybe")]);
    assert!(config.with_stored(&maybe).is_ok());
    assert!(config.check_stored(&maybe).is_err());
}

#[test]
fn nothing_secret_is_printed_with_what_was_written() {
    let secret = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let sources = Sources::default().with_variable("SYMBOLON_SERVER__MASTER_KEY", secret);
    let config = Config::load(&sources).unwrap();
    let printed = format!("{:?}", config.with_stored(&stored(&[])).unwrap());
    assert!(!printed.contains(secret), "{printed}");
}
