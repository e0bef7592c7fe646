//! URLs that others compare byte for byte: the issuer, and the origins of pages.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use url::{Host, Url};

use super::reader::Detail;

/// The public URL of the server and the `iss` of its tokens, compared byte for byte by all who verify them. It has no
/// slash at its end, no query and no fragment, and is https unless its host is loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    text: String,
    origin: String,
}

/// Why a text is no issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Not a URL, not http or https, or with a query, a fragment or a user.
    #[error("it is not a plain http or https URL")]
    Malformed,
    /// `https://example.com/`
    #[error("it must not end with a slash")]
    TrailingSlash,
    /// Written in another way than the one that all software agrees on.
    #[error("it must be in normal form: lower-case host, no default port, no dot segments")]
    NotNormal,
    /// http outside loopback: passwords and tokens could be read on the way.
    #[error(
        "http is for loopback only: others could read passwords and tokens on the way; put TLS before it and use https"
    )]
    Insecure,
}

impl Issuer {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port, as browsers write them in `Origin`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The issuer of a server that has none set: `http://` and its address. An unspecified address (`0.0.0.0`) counts as
    /// loopback.
    ///
    /// # Errors
    /// `Insecure` for an address that others can reach: there the owner must say what the server is called.
    pub fn of_address(address: SocketAddr) -> Result<Self, IssuerError> {
        let mut address = address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        let port = if address.port() == 80 {
            String::new()
        } else {
            format!(":{}", address.port())
        };
        let host = if address.is_ipv4() {
            address.ip().to_string()
        } else {
            format!("[{}]", address.ip())
        };
        format!("http://{host}{port}").parse()
    }
}

impl FromStr for Issuer {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, IssuerError> {
        let url = web_url(text).ok_or(IssuerError::Malformed)?;
        if text.ends_with('/') {
            return Err(IssuerError::TrailingSlash);
        }
        if url.as_str().trim_end_matches('/') != text {
            return Err(IssuerError::NotNormal);
        }
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(IssuerError::Insecure);
        }
        Ok(Self {
            text: text.to_owned(),
            origin: url.origin().ascii_serialization(),
        })
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A scheme, a host and a port: whose pages may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin(String);

impl WebOrigin {
    /// As browsers write it in `Origin`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebOrigin {
    type Err = Detail;

    fn from_str(text: &str) -> Result<Self, Detail> {
        let url = web_url(text).ok_or_else(Detail::new)?;
        if url.path() != "/" {
            return Err("an origin has no path".to_owned());
        }
        Ok(Self(url.origin().ascii_serialization()))
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An http or https URL with a host, and without a user, query or fragment.
fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    // The parser forgives blanks and control characters; whoever compares the text does not.
    let clean = text.bytes().all(|byte| byte.is_ascii_graphic());
    let plain = url.username().is_empty()
        && url.password().is_none()
        && !text.contains(['?', '#', '@', '\\']);
    (clean && plain && matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
