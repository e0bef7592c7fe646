use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use tokio_postgres::config::Host;

use crate::OpenError;

#[cfg(test)]
mod tests;

/// Where the data is. Printing it shows neither user nor password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`: a file of the embedded database.
    Sqlite(PathBuf),
    /// `sqlite::memory:`: the embedded database without a file; gone with the store.
    SqliteMemory,
    /// `postgres://…`: a PostgreSQL server, or several of which one takes writes.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = OpenError;

    fn from_str(text: &str) -> Result<Self, OpenError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let Some(path) = text.strip_prefix("sqlite:") else {
            return Err(OpenError::Url(
                "it must begin with sqlite: or postgres://".into(),
            ));
        };
        if path == ":memory:" || path == "//:memory:" {
            return Ok(Self::SqliteMemory);
        }
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains('\0') {
            return Err(OpenError::Url(
                "sqlite: must be followed by the path of a file".into(),
            ));
        }
        if path.contains('?') {
            return Err(OpenError::Url("sqlite: takes a path and no options".into()));
        }
        Ok(Self::Sqlite(path.into()))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::SqliteMemory => f.write_str("sqlite::memory:"),
            Self::Postgres(url) => write!(f, "postgres://{}", without_credentials(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a URL demands of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    Off,
    /// From an authority that the machine trusts.
    Machine,
    /// From one in this file.
    File(String),
}

/// A `postgres://` URL as the driver reads it, and what it says of TLS, of which the driver knows less.
///
/// # Errors
/// A value of `sslmode` that there is not.
pub(crate) fn split_tls(url: &str) -> Result<(String, Tls), OpenError> {
    let Some((rest, options)) = url.rsplit_once('?') else {
        return Ok((url.to_owned(), Tls::Off));
    };
    let (mut is_wanted, mut file) = (false, None);
    let mut others = Vec::new();
    for option in options.split('&') {
        match option.split_once('=') {
            Some(("sslmode", mode)) => is_wanted = is_tls(mode)?,
            Some(("sslrootcert", path)) => file = Some(path).filter(|path| *path != "system"),
            _ => others.push(option),
        }
    }
    let tls = match (is_wanted, file) {
        (false, _) => Tls::Off,
        (true, None) => Tls::Machine,
        (true, Some(path)) => Tls::File(path.to_owned()),
    };
    others.retain(|option| !option.is_empty());
    let url = match others.is_empty() {
        true => rest.to_owned(),
        false => format!("{rest}?{}", others.join("&")),
    };
    Ok((url, tls))
}

fn is_tls(mode: &str) -> Result<bool, OpenError> {
    match mode {
        "require" | "verify-ca" | "verify-full" => Ok(true),
        "disable" | "allow" | "prefer" => Ok(false),
        _ => Err(OpenError::Url(
            "sslmode is disable, or verify-full for TLS (require and verify-ca are the same)"
                .into(),
        )),
    }
}

/// Hosts and database, from the parsed URL: cutting the text would show part of a password with an odd character.
fn without_credentials(url: &str) -> String {
    // An `@` behind the options is read as the end of the user's name, and something else as the host.
    let is_odd = url.rfind('@').is_some_and(|at| url[..at].contains('?'));
    let parsed = split_tls(url).map(|(url, _)| url.parse::<tokio_postgres::Config>());
    let (false, Ok(Ok(config))) = (is_odd, parsed) else {
        return "…".to_owned();
    };
    let hosts = config.get_hosts().iter().enumerate().map(|(place, host)| {
        let port = config.get_ports().get(place).or(config.get_ports().first());
        match (host, port) {
            (Host::Tcp(name), Some(port)) if *port != 5432 => format!("{name}:{port}"),
            (Host::Tcp(name), _) => name.clone(),
            #[cfg(unix)]
            (Host::Unix(path), _) => path.display().to_string(),
        }
    });
    let hosts: Vec<String> = hosts.collect();
    format!(
        "{}/{}",
        hosts.join(","),
        config.get_dbname().unwrap_or_default()
    )
}
