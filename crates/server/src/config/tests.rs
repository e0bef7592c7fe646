//! Sources, the order in which they win, mistakes and secrets.

mod mistakes;
mod secrets;
mod stored;
mod upstream;
mod values;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::{Config, ConfigErrors, LogFormat, RegistrationMode, SameSite, Sources};
use crate::hashing::{HashAlgorithm, HashOptions};

/// A file of this test's own, gone with it.
struct File(PathBuf);

impl File {
    fn new(test: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = std::env::temp_dir().join(format!(
            "symbolon-config-{}-{test}.toml",
            std::process::id()
        ));
        fs::write(&path, contents).unwrap();
        Self(path)
    }

    fn text(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn from_toml(test: &str, toml: &str) -> Result<Config, ConfigErrors> {
    let file = File::new(test, toml);
    Config::load(&Sources::default().with_file(Some(file.0.clone())))
}

/// The mistakes in a file, each from its line number on.
fn mistakes(test: &str, toml: &str) -> Vec<String> {
    let errors = from_toml(test, toml).unwrap_err();
    errors
        .0
        .iter()
        .map(|error| error.to_string().split_once(".toml:").unwrap().1.to_owned())
        .collect()
}

fn variable(name: &str, value: &str) -> Result<Config, ConfigErrors> {
    Config::load(&Sources::default().with_variable(name, value))
}

fn only(errors: Result<Config, ConfigErrors>) -> String {
    let errors = errors.unwrap_err();
    assert_eq!(errors.0.len(), 1, "{errors}");
    errors.to_string()
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.data, PathBuf::from("./symbolon-data"));
    assert!(config.server.issuer.is_none() && config.server.master_key.is_none());
    assert!(config.server.trusted_proxies.is_empty() && config.cors.origins.is_empty());
    assert_eq!(config.server.drain, Duration::ZERO);
    assert!(config.database.url.is_none() && config.cache.url.is_none());
    assert!(
        config.mail.url.is_none() && config.mail.from.is_none() && config.metrics.listen.is_none()
    );
    assert_eq!(config.tokens.access_ttl, minutes(15));
    assert_eq!(
        (config.tokens.audience, config.tokens.algorithm),
        (None, symbolon_token::Algorithm::Es256)
    );
    assert_eq!(config.refresh.idle_ttl, minutes(7 * 24 * 60));
    assert_eq!(config.refresh.absolute_ttl, minutes(30 * 24 * 60));
    assert_eq!(config.refresh.session_ttl, minutes(24 * 60));
    assert_eq!(
        (config.refresh.leeway, config.refresh.retry_window),
        (Duration::from_secs(10), minutes(5))
    );
    assert_eq!(config.cookie.name.as_str(), "refreshToken");
    assert_eq!(
        (config.cookie.domain, config.cookie.same_site),
        (None, SameSite::Strict)
    );
    let hashing = HashOptions::from(&config.password);
    assert_eq!(
        (hashing.algorithm, hashing.memory_kib, hashing.iterations),
        (HashAlgorithm::Argon2id, 47_104, 1)
    );
    assert_eq!(
        (hashing.parallelism, hashing.bcrypt_cost, hashing.queue),
        (1, 12, 256)
    );
    assert_eq!(config.password.min_length, 8);
    assert_eq!(config.registration.mode, RegistrationMode::Open);
    assert!(config.throttle.enabled);
    assert_eq!(
        (config.log.format, config.log.level.as_str()),
        (LogFormat::Text, "info")
    );
}

#[test]
fn a_file_sets_the_server_and_its_tokens() {
    let config = from_toml(
        "server",
        r#"
        [server]
        listen = "[::1]:0"
        issuer = "https://login.example.com/tenant"
        data = "/var/lib/symbolon"
        trusted_proxies = ["10.0.0.0/8", "::1"]
        master_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
        drain = "5s"
        [database]
        url = "postgres://u:p@a,b/name"
        [cache]
        url = "redis://localhost:6379"
        [tokens]
        access_ttl = "5m"
        audience = "https://api.example.com"
        algorithm = "EdDSA"
        [refresh]
        idle_ttl = "1d"
        absolute_ttl = "2d"
        session_ttl = "1h"
        leeway = "500ms"
        retry_window = "1s"
        "#,
    )
    .unwrap();
    assert_eq!(config.server.listen.to_string(), "[::1]:0");
    let issuer = config.server.issuer.unwrap();
    assert_eq!(
        (issuer.as_str(), issuer.origin()),
        (
            "https://login.example.com/tenant",
            "https://login.example.com"
        )
    );
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert!(config.server.master_key.is_some());
    assert_eq!(config.server.drain, Duration::from_secs(5));
    assert_eq!(
        config.database.url.unwrap().expose(),
        "postgres://u:p@a,b/name"
    );
    assert_eq!(config.cache.url.unwrap().expose(), "redis://localhost:6379");
    assert_eq!(
        config.tokens.audience.as_deref(),
        Some("https://api.example.com")
    );
    assert_eq!(
        (config.tokens.access_ttl, config.tokens.algorithm),
        (minutes(5), symbolon_token::Algorithm::EdDsa)
    );
    assert_eq!(config.refresh.leeway, Duration::from_millis(500));
    assert_eq!(config.refresh.session_ttl, minutes(60));
}

#[test]
fn a_file_sets_all_the_rest() {
    let config = from_toml(
        "rest",
        r#"
        cookie = { name = "__Secure-rt", domain = "example.com", same_site = "none" }
        password.hash = "bcrypt"
        password.min_length = 15
        password.bcrypt_cost = 10
        registration.mode = "invitation"
        throttle.enabled = false
        cors.origins = ["https://app.example.com", "http://localhost:5173/"]
        mail = { url = "smtps://u:p@mail.example.com", from = "Sign-in <no-reply@example.com>" }
        log = { format = "json", level = "info,symbolon=debug" }
        metrics.listen = "127.0.0.1:9090"
        "#,
    )
    .unwrap();
    assert_eq!(config.cookie.name.as_str(), "__Secure-rt");
    assert_eq!(config.cookie.same_site.as_str(), "None");
    assert_eq!(
        (config.password.hash, config.password.min_length),
        (HashAlgorithm::Bcrypt, 15)
    );
    assert_eq!(config.registration.mode, RegistrationMode::Invitation);
    let origins: Vec<_> = config
        .cors
        .origins
        .iter()
        .map(|origin| origin.as_str())
        .collect();
    assert_eq!(
        origins,
        ["https://app.example.com", "http://localhost:5173"]
    );
    assert!(!config.throttle.enabled);
    assert_eq!(
        config.mail.from.as_deref(),
        Some("Sign-in <no-reply@example.com>")
    );
    assert_eq!(
        (config.log.format, config.log.level.as_str()),
        (LogFormat::Json, "info,symbolon=debug")
    );
    assert_eq!(config.metrics.listen.unwrap().port(), 9090);
}

#[test]
fn later_sources_win() {
    let file = File::new(
        "order",
        "[server]\nlisten = \"127.0.0.1:1\"\ndata = \"from-file\"\n[log]\nformat = \"json\"\n",
    );
    let sources = Sources::default()
        .with_file(Some(file.0.clone()))
        .with_variable("SYMBOLON_SERVER__LISTEN", "127.0.0.1:2")
        .with_variable("SYMBOLON_SERVER__DATA", "from-variable")
        .with_option("server.listen", Some("127.0.0.1:3".to_owned()))
        .with_option("server.data", None);
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.server.data, PathBuf::from("from-variable"));
    assert_eq!(config.log.format, LogFormat::Json);
    let source = |name| {
        config
            .show()
            .iter()
            .find(|shown| shown.name == name)
            .unwrap()
            .source
            .clone()
    };
    assert_eq!(source("server.listen"), "--listen");
    assert_eq!(source("server.data"), "SYMBOLON_SERVER__DATA");
    assert_eq!(source("log.format"), format!("{}:5", file.text()));
    assert_eq!(source("log.level"), "default");
}

#[test]
fn the_default_file_is_read_if_it_is_there() {
    let file = File::new("default-file", "[log]\nformat = \"json\"\n");
    let sources = Sources {
        default_file: Some(file.0.clone()),
        ..Sources::default()
    };
    assert_eq!(Config::load(&sources).unwrap().log.format, LogFormat::Json);
    let other = File::new("instead", "");
    assert_eq!(
        Config::load(&sources.clone().with_file(Some(other.0.clone())))
            .unwrap()
            .log
            .format,
        LogFormat::Text
    );
    drop(file);
    assert_eq!(Config::load(&sources).unwrap().log.format, LogFormat::Text);
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let error = only(Config::load(
        &Sources::default().with_file(Some(PathBuf::from("/no/such.toml"))),
    ));
    assert!(
        error.starts_with("/no/such.toml: this file cannot be read: "),
        "{error}"
    );
}

#[test]
fn variables_hold_lists_and_nothing() {
    let config = variable("SYMBOLON_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1,").unwrap();
    assert_eq!(config.server.trusted_proxies.len(), 2);
    let file = File::new("empty", "[server]\nissuer = \"https://a.example\"\n");
    let sources = Sources::default()
        .with_file(Some(file.0.clone()))
        .with_variable("SYMBOLON_SERVER__ISSUER", "");
    assert!(Config::load(&sources).unwrap().server.issuer.is_none());
}
