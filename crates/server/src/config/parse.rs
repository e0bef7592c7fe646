//! How the text of a setting becomes a value.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use symbolon_token::Algorithm;

use super::reader::Detail;
use crate::sealing::MasterKey;
use crate::secret::Secret;

/// Whatever parses itself and says nothing of use when it does not.
pub(super) fn plain<T: FromStr>(text: &str) -> Result<T, Detail> {
    text.parse().map_err(|_| Detail::new())
}

/// Whatever parses itself and says why it does not.
pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, Detail> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// A duration as settings are written: `500ms`, `10s`, `15m`, `24h`, `7d`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    duration(text).ok()
}

/// A whole number and a unit: `ms`, `s`, `m`, `h` or `d`.
pub(super) fn duration(text: &str) -> Result<Duration, Detail> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "" if digits > 0 => return Err("the unit is missing".to_owned()),
        _ => return Err(Detail::new()),
    };
    // Longer than a human life means a slip of the finger, and keeps all sums of times within bounds.
    let most = 36_500 * 86_400_000;
    let total = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(millis));
    total
        .filter(|total| *total <= most)
        .map(Duration::from_millis)
        .ok_or_else(Detail::new)
}

pub(super) fn algorithm(text: &str) -> Result<Algorithm, Detail> {
    plain(text)
}

/// Text without control characters, and without blanks at its ends.
pub(super) fn text(text: &str) -> Result<String, Detail> {
    if text.trim() != text || text.chars().any(char::is_control) {
        Err(Detail::new())
    } else {
        Ok(text.to_owned())
    }
}

pub(super) fn path(text: &str) -> Result<PathBuf, Detail> {
    if text.is_empty() || text.contains('\0') {
        Err(Detail::new())
    } else {
        Ok(PathBuf::from(text))
    }
}

pub(super) fn master_key(text: &str) -> Result<(), Detail> {
    MasterKey::from_config(&Secret::new(text.to_owned()))
        .map(drop)
        .map_err(|error| error.to_string())
}

pub(super) fn database_url(text: &str) -> Result<(), Detail> {
    scheme(text, &["sqlite:", "postgres://", "postgresql://"])
}

pub(super) fn cache_url(text: &str) -> Result<(), Detail> {
    scheme(text, &["redis://", "rediss://"])?;
    // Which part is wrong is not said: it may be the password.
    let wrong = "a port or a database (the path) is no number, or a character of the password is not percent-encoded";
    redis::Client::open(text)
        .map(drop)
        .map_err(|_| wrong.to_owned())
}

pub(super) fn mail_url(text: &str) -> Result<(), Detail> {
    crate::mail::SmtpUrl::parse(text).map(drop)
}

/// The domain of addresses, in lower case, so that it can be compared.
pub(super) fn mail_domain(text: &str) -> Result<String, Detail> {
    let address = symbolon_domain::Email::parse(&format!("somebody@{text}"));
    let address = address.map_err(|_| Detail::new())?;
    Ok(address.domain())
}

/// A host as it stands in a normal URL.
pub(super) fn host(text: &str) -> Result<String, Detail> {
    let url = url::Url::parse(&format!("https://{text}/")).map_err(|_| Detail::new())?;
    let normal = url.host_str() == Some(text) && url.path() == "/" && url.port().is_none();
    normal.then(|| text.to_owned()).ok_or_else(Detail::new)
}

fn scheme(text: &str, schemes: &[&str]) -> Result<(), Detail> {
    let known = schemes
        .iter()
        .filter_map(|scheme| text.strip_prefix(scheme))
        .any(|rest| !rest.is_empty());
    if known { Ok(()) } else { Err(Detail::new()) }
}

/// `a@example.com` or `Name <a@example.com>`, on one line.
pub(super) fn mailbox(given: &str) -> Result<String, Detail> {
    let address = match given.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').ok_or_else(Detail::new)?,
        None => given,
    };
    let (local, domain) = address.rsplit_once('@').ok_or_else(Detail::new)?;
    let odd = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';');
    if local.is_empty() || domain.is_empty() || address.contains(odd) {
        Err(Detail::new())
    } else {
        text(given)
    }
}

pub(super) fn log_level(given: &str) -> Result<String, Detail> {
    if given.is_empty() {
        return Err(Detail::new());
    }
    given
        .parse::<tracing_subscriber::filter::Targets>()
        .map_err(|error| error.to_string())?;
    // The filter takes any single word for the name of a module.
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let plain = given.split(',').filter(|part| !part.contains('='));
    match plain
        .map(str::trim)
        .find(|part| !levels.contains(&part.to_ascii_lowercase().as_str()))
    {
        Some(word) => Err(format!("`{word}` is no level")),
        None => text(given),
    }
}
