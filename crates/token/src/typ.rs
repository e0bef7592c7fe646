//! The `typ` header, which tells one kind of token from another (RFC 8725
//! section 3.11).

use std::borrow::Cow;

/// What kind of token it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typ {
    /// `at+jwt`: an access token (RFC 9068 section 2.1).
    AtJwt,
    /// `JWT`: a token of no declared kind (RFC 7519 section 5.1), such as an ID token.
    Jwt,
    /// Any other media type, for command-line use and further profiles.
    Other(Cow<'static, str>),
}

impl Typ {
    /// The header value as we write it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::AtJwt => "at+jwt",
            Self::Jwt => "JWT",
            Self::Other(name) => name,
        }
    }

    /// Whether a header value names this kind.
    ///
    /// A value without a `/` is read as if `application/` stood before it
    /// (RFC 7515 section 4.1.9); media types ignore letter case.
    pub fn matches(&self, header_value: &str) -> bool {
        bare(self.as_str()).eq_ignore_ascii_case(bare(header_value))
    }
}

impl From<&str> for Typ {
    fn from(name: &str) -> Self {
        [Self::AtJwt, Self::Jwt]
            .into_iter()
            .find(|known| known.matches(name))
            .unwrap_or_else(|| Self::Other(Cow::Owned(name.to_owned())))
    }
}

fn bare(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match media_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => media_type,
    }
}
