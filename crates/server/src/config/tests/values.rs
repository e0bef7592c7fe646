//! What each setting takes and what it refuses.

use super::{only, variable};
use crate::config::{Config, Issuer, IssuerError, Sources, reference_json, reference_markdown};

#[test]
fn values_out_of_bounds_are_refused() {
    for (name, value, says) in [
        ("TOKENS__ACCESS_TTL", "9s", "from `10s` to `1d`"),
        ("TOKENS__ACCESS_TTL", "25h", "from `10s` to `1d`"),
        ("TOKENS__ACCESS_TTL", "-5m", "expected a duration"),
        ("TOKENS__ACCESS_TTL", "1.5h", "expected a duration"),
        ("TOKENS__ACCESS_TTL", "15 m", "expected a duration"),
        ("TOKENS__ACCESS_TTL", "m", "expected a duration"),
        (
            "TOKENS__ACCESS_TTL",
            "99999999999999999999d",
            "expected a duration",
        ),
        ("REFRESH__ABSOLUTE_TTL", "1000000d", "expected a duration"),
        (
            "REFRESH__IDLE_TTL",
            "31d",
            "`refresh.idle_ttl` must not be longer than `refresh.absolute_ttl`",
        ),
        (
            "REFRESH__SESSION_TTL",
            "31d",
            "`refresh.session_ttl` must not be longer",
        ),
        ("REFRESH__LEEWAY", "61s", "from `0ms` to `1m`"),
        (
            "REFRESH__RETRY_WINDOW",
            "5s",
            "`refresh.leeway` must not be longer than `refresh.retry_window`",
        ),
        ("REFRESH__RETRY_WINDOW", "2h", "from `0ms` to `1h`"),
        ("PASSWORD__MIN_LENGTH", "7", "from 8 to 64"),
        ("PASSWORD__MIN_LENGTH", "eight", "expected a whole number"),
        ("PASSWORD__HASH", "md5", "expected `argon2id` or `bcrypt`"),
        ("PASSWORD__MEMORY_KIB", "1024", "from 7168"),
        ("PASSWORD__MEMORY_KIB", "8192", "too easy to guess"),
        ("PASSWORD__BCRYPT_COST", "9", "from 10 to 16"),
        ("THROTTLE__ENABLED", "yes", "expected `true` or `false`"),
        ("REGISTRATION__MODE", "Open", "expected `open`"),
        ("LOG__LEVEL", "loud", "`loud` is no level"),
        ("LOG__FORMAT", "xml", "expected `text` or `json`"),
        ("METRICS__LISTEN", "9090", "expected an address and port"),
        ("SERVER__TRUSTED_PROXIES", "10.0.0.0/8,*", "is `*`"),
        ("DATABASE__URL", "sqlite:", "expected `sqlite:PATH`"),
        ("MAIL__URL", "smtp://localhost:25", "set `mail.from` too"),
        ("MAIL__FROM", "nobody", "expected an e-mail address"),
        (
            "MAIL__FROM",
            "a@b.c\r\nBcc: x@y.z",
            "expected an e-mail address",
        ),
        ("SERVER__DATA", "", "expected a folder"),
    ] {
        let name = format!("SYMBOLON_{name}");
        let error = only(variable(&name, value));
        assert!(
            error.starts_with(&format!("{name}: ")) && error.contains(says),
            "{error}"
        );
    }
}

#[test]
fn an_address_in_the_clear_is_for_loopback_only() {
    for issuer in [
        "https://login.example.com",
        "https://example.com:8443/auth",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://127.9.9.9:80801",
        "http://[::1]:8080",
        "http://auth.localhost",
    ] {
        let result = variable("SYMBOLON_SERVER__ISSUER", issuer);
        assert_eq!(
            result.is_ok(),
            issuer != "http://127.9.9.9:80801",
            "{issuer}"
        );
    }
    for (issuer, says) in [
        ("http://login.example.com", "http is for loopback only"),
        ("http://10.0.0.1:8080", "http is for loopback only"),
        ("http://localhost.example.com", "http is for loopback only"),
        ("http://0.0.0.0:8080", "http is for loopback only"),
        ("https://login.example.com/", "must not end with a slash"),
        ("https://login.example.com/a/", "must not end with a slash"),
        ("https://LOGIN.example.com", "normal form"),
        ("https://login.example.com:443", "normal form"),
        ("https://login.example.com/a/../b", "normal form"),
        ("https://login.example.com?x", "plain http or https URL"),
        ("https://login.example.com#x", "plain http or https URL"),
        ("https://u:p@login.example.com", "plain http or https URL"),
        ("https://login.example.com ", "plain http or https URL"),
        ("ftp://login.example.com", "plain http or https URL"),
        ("login.example.com", "plain http or https URL"),
        ("https://", "plain http or https URL"),
    ] {
        let error = only(variable("SYMBOLON_SERVER__ISSUER", issuer));
        assert!(error.contains(says), "{issuer}: {error}");
    }
}

#[test]
fn the_issuer_of_an_address_is_one_that_can_be_reached() {
    let of = |address: &str| {
        Issuer::of_address(address.parse().unwrap()).map(|issuer| issuer.to_string())
    };
    assert_eq!(of("127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080");
    assert_eq!(of("0.0.0.0:8080").unwrap(), "http://127.0.0.1:8080");
    assert_eq!(of("[::]:8080").unwrap(), "http://[::1]:8080");
    assert_eq!(of("127.0.0.1:80").unwrap(), "http://127.0.0.1");
    assert_eq!(of("192.0.2.1:8080"), Err(IssuerError::Insecure));
}

#[test]
fn origins_are_exact() {
    for (origin, fine) in [
        ("https://app.example.com", true),
        ("https://APP.example.com:443", true),
        ("*", false),
        ("null", false),
        ("https://*.example.com/x", false),
        ("https://app.example.com/path", false),
        ("https://u@app.example.com", false),
        ("app.example.com", false),
        ("file:///x", false),
    ] {
        let result = variable("SYMBOLON_CORS__ORIGINS", origin);
        assert_eq!(result.is_ok(), fine, "{origin}");
    }
    let config = variable("SYMBOLON_CORS__ORIGINS", "https://APP.example.com:443").unwrap();
    assert_eq!(config.cors.origins[0].as_str(), "https://app.example.com");
}

#[test]
fn cookies_that_browsers_would_refuse_are_refused_here() {
    for (name, value, fine) in [
        ("NAME", "rt", true),
        ("NAME", "__Host-rt", false),
        ("NAME", "a b", false),
        ("NAME", "a;b", false),
        ("NAME", "", false),
        ("DOMAIN", "example.com", true),
        ("DOMAIN", ".example.com", false),
        ("DOMAIN", "com", false),
        ("DOMAIN", "127.0.0.1", false),
        ("DOMAIN", "example.com; Path=/", false),
        ("SAME_SITE", "lax", true),
        ("SAME_SITE", "None; x", false),
    ] {
        assert_eq!(
            variable(&format!("SYMBOLON_COOKIE__{name}"), value).is_ok(),
            fine,
            "{name} {value}"
        );
    }
}

#[test]
fn every_setting_is_shown_and_in_the_reference() {
    let config = Config::load(&Sources::default()).unwrap();
    let reference = reference_markdown();
    let objects = reference_json();
    assert_eq!(config.show().len(), objects.as_array().unwrap().len());
    for shown in config.show() {
        let (section, key) = shown.name.split_once('.').unwrap();
        assert!(
            reference.contains(&format!("\n## `[{section}]`\n")),
            "{section}"
        );
        assert!(reference.contains(&format!("\n| `{key}` | ")), "{key}");
        assert_eq!(shown.source, "default");
    }
}
