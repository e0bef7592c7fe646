use crate::Problem;

use super::token_text::text_type;
use super::uri::{Host, split};

/// In bytes.
const MAX_LENGTH: usize = 2_000;

text_type! {
    /// What the server itself calls for a client: an absolute `https` URI without a user and a fragment; or `http` to an
    /// address of loopback, written as a number.
    EndpointUri
}

impl EndpointUri {
    /// Reads a URI that is to be called.
    ///
    /// # Errors
    /// `endpoint_uri_malformed`, `endpoint_uri_insecure`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let parts = split(text).filter(|_| text.len() <= MAX_LENGTH);
        let parts = parts.ok_or_else(malformed)?;
        if !matches!(parts.scheme, "https" | "http") {
            return Err(insecure());
        }
        let host = parts.authority.and_then(Host::of).ok_or_else(malformed)?;
        if parts.climbs() {
            return Err(malformed());
        }
        if parts.scheme == "http" && !host.is_loopback() {
            return Err(insecure());
        }
        Ok(Self(text.into()))
    }
}

fn malformed() -> Problem {
    Problem::new(
        "endpoint_uri_malformed",
        "This is an absolute URI: 2,000 characters at most, a lower-case scheme and host, no user, no fragment, no dot \
         segments.",
    )
}

fn insecure() -> Problem {
    Problem::new(
        "endpoint_uri_insecure",
        "This begins with https://, or with http:// and a loopback address such as 127.0.0.1.",
    )
}
