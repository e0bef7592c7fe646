//! Texts that tokens carry.

use crate::Problem;

/// A text that is known to be well-formed: `as_str`, `Display`, `FromStr` by its `parse`, order by bytes.
macro_rules! text_type {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// As it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Problem;

            fn from_str(text: &str) -> Result<Self, $crate::Problem> {
                Self::parse(text)
            }
        }
    };
}

pub(super) use text_type;

/// In bytes.
const MOST_SCOPE: usize = 64;
const MOST_RESOURCE: usize = 256;

text_type! {
    /// A scope that a client may ask for, such as `openid` or `orders:read`: 1 to 64 of the characters of RFC 6749
    /// section 3.3, save `<`, `>`, `&`, `'` and `*`, which stand for something else where scopes are shown or judged.
    Scope
}

impl Scope {
    /// Reads a scope.
    ///
    /// # Errors
    /// `scope_malformed`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let is_allowed = |b: u8| b.is_ascii_graphic() && !b"\"\\<>&'*".contains(&b);
        if text.is_empty() || text.len() > MOST_SCOPE || !text.bytes().all(is_allowed) {
            return Err(Problem::new(
                "scope_malformed",
                "A scope is a word such as openid or orders:read: 64 characters at most, no spaces, no quotes.",
            ));
        }
        Ok(Self(text.into()))
    }
}

text_type! {
    /// An API for which a client may ask tokens, as their `aud` names it: a word or an absolute URI without a fragment
    /// (RFC 8707 section 2), 256 bytes at most.
    Resource
}

impl Resource {
    /// Reads the name of an API.
    ///
    /// # Errors
    /// `resource_malformed`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let is_allowed = |b: u8| b.is_ascii_graphic() && !b"\"\\<>#`{}|^'".contains(&b);
        if text.is_empty() || text.len() > MOST_RESOURCE || !text.bytes().all(is_allowed) {
            return Err(Problem::new(
                "resource_malformed",
                "A resource is named by a word or by an absolute URI without a fragment: 256 characters at most.",
            ));
        }
        Ok(Self(text.into()))
    }

    /// Whether it is an absolute URI, as a request names it (RFC 8707 section 2).
    pub fn is_uri(&self) -> bool {
        super::uri::split(self.as_str()).is_some()
    }
}
