//! Tokens: wiped when the last of them is dropped, and never printed.

use std::{fmt, sync::Arc};

use reqwest::header::HeaderValue;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A signed access token (RFC 9068). It lives in memory only. Clones are cheap and are the same text in memory.
#[derive(Clone)]
pub struct AccessToken(Arc<Zeroizing<String>>);

impl AccessToken {
    /// The token, for `Authorization: Bearer …` (RFC 6750 section 2.1). Whoever reads it may act as the user.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// None where the text cannot stand in a header.
    pub(crate) fn new(text: Zeroizing<String>) -> Option<Self> {
        let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(Arc::new(text)))
    }

    /// Whether both are what the same answer gave.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What stands in `Authorization`; kept out of logs and out of the tables of HTTP/2.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let text = Zeroizing::new(format!("Bearer {}", self.0.as_str()));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken")
    }
}

/// An opaque refresh token: the secret of one session, replaced at each use.
#[derive(Clone)]
pub struct RefreshToken(Zeroizing<String>);

impl RefreshToken {
    /// The token that a [`RefreshTokenStore`](crate::RefreshTokenStore) has kept.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The token, to be kept. Whoever reads it may act as the user.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) const fn hidden(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken")
    }
}

/// A text of an answer that is wiped when it is dropped.
pub(crate) struct Hidden(pub(crate) Zeroizing<String>);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_a_token() {
        let access = AccessToken::new(Zeroizing::new("eyJ.secret".to_owned())).unwrap();
        let refresh = RefreshToken::new("sbr_secret");
        let header = access.header().unwrap();
        let printed = format!("{access:?} {refresh:#?} {header:?}");
        assert!(!printed.contains("secret"), "{printed}");
        assert_eq!(header.to_str().unwrap(), "Bearer eyJ.secret");
    }

    #[test]
    fn a_token_that_would_break_a_header_is_none() {
        for text in ["", "a b", "a\r\nHost: b", "ä"] {
            assert!(AccessToken::new(Zeroizing::new(text.to_owned())).is_none());
        }
    }
}
