//! What the refresh cookie may be called, and where it goes (RFC 6265bis).

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use super::reader::Detail;

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
