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

impl DatabaseUrl {
    /// Whether all that it says of a connection can be obeyed. Nothing is connected to.
    ///
    /// # Errors
    /// [`OpenError::Url`], in the words of [`crate::Store::open`].
    pub fn check(&self) -> Result<(), OpenError> {
        match self {
            Self::Postgres(url) => crate::postgres::check(url),
            Self::Sqlite(_) | Self::SqliteMemory => Ok(()),
        }
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
/// A value of `sslmode` that there is not, or an `sslrootcert` that cannot be or means nothing.
pub(crate) fn split_tls(url: &str) -> Result<(String, Tls), OpenError> {
    // As the driver looks for them: a `?` may be in what stands before the first `@`.
    let host = url.find('@').map_or(0, |at| at + 1);
    let Some(start) = url[host..].find('?').map(|at| host + at) else {
        return Ok((url.to_owned(), Tls::Off));
    };
    let (mut mode, mut file) = (None, None);
    let mut others = Vec::new();
    for option in url[start + 1..].split('&') {
        match option.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value),
            Some(("sslrootcert", value)) => file = Some(value),
            _ => others.push(option),
        }
    }
    let tls = match (is_tls(mode)?, file) {
        (false, None) => Tls::Off,
        (false, Some(_)) => {
            return Err(refused(
                "sslrootcert means nothing without sslmode=verify-full",
            ));
        }
        (true, None | Some("system")) => Tls::Machine,
        (true, Some(path)) if path.starts_with('/') && !path.contains('%') => {
            Tls::File(path.to_owned())
        }
        // Servers that follow a move read the same from folders of their own.
        (true, Some(_)) => {
            return Err(refused(
                "sslrootcert must be an absolute path (such as /etc/ssl/ca.pem) without %, or the word system",
            ));
        }
    };
    let rest = &url[..start];
    Ok(match others.is_empty() {
        _ if mode.is_none() => (url.to_owned(), tls),
        true => (rest.to_owned(), tls),
        false => (format!("{rest}?{}", others.join("&")), tls),
    })
}

fn is_tls(mode: Option<&str>) -> Result<bool, OpenError> {
    match mode {
        Some("require" | "verify-ca" | "verify-full") => Ok(true),
        Some("disable") | None => Ok(false),
        Some(_) => Err(refused(
            "sslmode is disable, or verify-full for TLS (require and verify-ca are the same)",
        )),
    }
}

fn refused(why: &str) -> OpenError {
    OpenError::Url(why.into())
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
