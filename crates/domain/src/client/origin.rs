use crate::Problem;

use super::token_text::text_type;
use super::uri::{Host, split};

text_type! {
    /// A scheme, a host and a port whose pages may call, as browsers write them in `Origin`: `https`, or `http` on
    /// loopback.
    ClientOrigin
}

impl ClientOrigin {
    /// Reads an origin.
    ///
    /// # Errors
    /// `origin_malformed`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let exact = split(text).is_some_and(|parts| {
            let host = parts.authority.and_then(Host::of);
            let plain = parts.path.is_empty() && parts.query.is_none();
            plain && host.is_some_and(|host| is_good(parts.scheme, &host))
        });
        if !exact {
            return Err(Problem::new(
                "origin_malformed",
                "An origin is https:// and a host, with a port if it is not 443, and nothing behind; http:// is for \
                 loopback only.",
            ));
        }
        Ok(Self(text.into()))
    }
}

fn is_good(scheme: &str, host: &Host<'_>) -> bool {
    match scheme {
        // Browsers leave the default port out.
        "https" => host.port != Some("443"),
        "http" => host.is_this_machine() && host.port != Some("80"),
        _ => false,
    }
}
