//! Where clients reach a resource: what the `htu` of their proofs begins with (RFC 9449 section 4.2).

use reqwest::Url;

use crate::discover::DiscoverError;

/// Where clients reach a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Fixed(String),
    Host { scheme: &'static str },
}

impl Address {
    /// This address, and behind it the path of each request as the resource sees it: `https://api.example`, or
    /// `https://api.example/v1` behind a proxy that takes `/v1` away.
    pub fn fixed(url: impl Into<String>) -> Self {
        Self(Kind::Fixed(url.into()))
    }

    /// `https` and what each request says in its header `Host`. Only for a resource that nobody reaches under a name
    /// that is not its own: a proxy or a server that refuses other names must stand in front of it.
    #[must_use]
    pub const fn from_host() -> Self {
        Self(Kind::Host { scheme: "https" })
    }

    /// As [`from_host`](Self::from_host), with `http`, for development.
    #[must_use]
    pub const fn from_host_without_tls() -> Self {
        Self(Kind::Host { scheme: "http" })
    }

    /// The scheme, host and port of a URL.
    pub(crate) fn origin_of(url: &str) -> Result<Self, DiscoverError> {
        let mut url = Url::parse(url).map_err(|error| refused(error.to_string()))?;
        url.set_path("");
        url.set_query(None);
        Self::fixed(url).checked()
    }

    /// The same, if it can stand before a path.
    pub(crate) fn checked(self) -> Result<Self, DiscoverError> {
        match self.0 {
            Kind::Fixed(url) => Ok(Self(Kind::Fixed(trimmed(parse(&url)?)))),
            Kind::Host { .. } => Ok(self),
        }
    }

    /// The URI of a request for a path, whose header `Host` is given. None where that header is needed and absent.
    #[cfg(feature = "axum")]
    pub(crate) fn uri(&self, path: &str, host: Option<&str>) -> Option<String> {
        match (&self.0, host) {
            (Kind::Fixed(base), _) => Some(format!("{base}{path}")),
            (Kind::Host { scheme }, Some(host)) if host.bytes().all(is_of_a_host) => {
                Some(format!("{scheme}://{host}{path}"))
            }
            (Kind::Host { .. }, _) => None,
        }
    }
}

/// A name or an address and a port, and nothing that begins a path.
#[cfg(feature = "axum")]
fn is_of_a_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
}

fn refused(reason: String) -> DiscoverError {
    DiscoverError::Setting {
        name: "address",
        reason,
    }
}

fn parse(text: &str) -> Result<Url, DiscoverError> {
    let url = Url::parse(text).map_err(|error| refused(error.to_string()))?;
    let is_plain = matches!(url.scheme(), "https" | "http")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match is_plain {
        true => Ok(url),
        false => Err(refused("not a plain https address".to_owned())),
    }
}

fn trimmed(url: Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}
