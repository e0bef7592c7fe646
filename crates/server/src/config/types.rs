//! The types that settings are parsed into, and how.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use symbolon_token::Algorithm;
use url::{Host, Url};

use super::reader::Detail;
use crate::sealing::MasterKey;
use crate::secret::Secret;

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

/// The name of the refresh cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieName(String);

impl CookieName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for CookieName {
    fn default() -> Self {
        Self("refreshToken".to_owned())
    }
}

impl PartialEq<CookieName> for str {
    fn eq(&self, other: &CookieName) -> bool {
        self == other.0
    }
}

impl PartialEq<CookieName> for &str {
    fn eq(&self, other: &CookieName) -> bool {
        *self == other.0
    }
}

impl FromStr for CookieName {
    type Err = Detail;

    fn from_str(text: &str) -> Result<Self, Detail> {
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(usual) {
            return Err(Detail::new());
        }
        // RFC 6265bis section 4.1.3: browsers take such a cookie for `Path=/` only, and ours has another.
        if text.to_ascii_lowercase().starts_with("__host-") {
            return Err("the prefix `__Host-` is for cookies of the whole site".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for CookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The `Domain` of the refresh cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieDomain(String);

impl CookieDomain {
    /// The domain, without a dot before it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CookieDomain {
    type Err = Detail;

    fn from_str(text: &str) -> Result<Self, Detail> {
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.len() > 253 || !text.split('.').all(label) {
            return Err(Detail::new());
        }
        if text.parse::<Ipv4Addr>().is_ok() {
            return Err("a cookie of an address has no `Domain`".to_owned());
        }
        if !text.contains('.') && text != "localhost" {
            return Err("browsers refuse a cookie for a whole top-level domain".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for CookieDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes a type that is one of a few words.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal as $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// The word for it, where it is used.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl FromStr for $name {
            type Err = Detail;

            fn from_str(text: &str) -> Result<Self, Detail> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(Detail::new()) }
            }
        }
    };
}

words! {
    /// `SameSite` of the refresh cookie; [`SameSite::as_str`] is the attribute's value.
    SameSite {
        /// Sent by our own pages only.
        Strict = "strict" as "Strict",
        /// Sent when another site's link is followed, too.
        Lax = "lax" as "Lax",
        /// Sent by every page that calls us.
        None = "none" as "None",
    }
}

words! {
    /// Who may make an account.
    RegistrationMode {
        /// Everybody.
        Open = "open" as "open",
        /// Who was invited.
        Invitation = "invitation" as "invitation",
        /// Nobody: administrators make accounts.
        Closed = "closed" as "closed",
    }
}

words! {
    /// What log lines look like.
    LogFormat {
        /// Lines for people.
        Text = "text" as "text",
        /// One JSON object a line.
        Json = "json" as "json",
    }
}

/// Whatever parses itself and says nothing of use when it does not.
pub(super) fn plain<T: FromStr>(text: &str) -> Result<T, Detail> {
    text.parse().map_err(|_| Detail::new())
}

/// Whatever parses itself and says why it does not.
pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, Detail> {
    text.parse().map_err(|error: T::Err| error.to_string())
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
    scheme(text, &["redis://", "rediss://"])
}

pub(super) fn mail_url(text: &str) -> Result<(), Detail> {
    scheme(text, &["smtp://", "smtps://"])
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
    tracing_subscriber::EnvFilter::try_new(given).map_err(|error| error.to_string())?;
    // The filter takes any single word for the name of a module.
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let plain = given.split(',').filter(|part| !part.contains(['=', '[']));
    match plain
        .map(str::trim)
        .find(|part| !levels.contains(&part.to_ascii_lowercase().as_str()))
    {
        Some(word) => Err(format!("`{word}` is no level")),
        None => text(given),
    }
}
