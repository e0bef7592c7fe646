use crate::Problem;

use super::token_text::text_type;
use super::uri::{Host, split};

/// In bytes.
const MAX_LENGTH: usize = 2_000;

text_type! {
    /// Where a browser is sent with an answer: an absolute URI without a fragment, kept and compared byte for byte.
    ///
    /// `https`; or `http` to this machine: an address of loopback (RFC 8252 section 7.3), or `localhost`, which section 8.3
    /// advises against and which MCP clients use; or a scheme of an app's own, with a dot (section 7.1). No wildcard, no user, nothing that one program reads as another host or path than
    /// the next.
    RedirectUri
}

impl RedirectUri {
    /// Reads a redirect URI.
    ///
    /// # Errors
    /// `redirect_uri_malformed`, `redirect_uri_insecure`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let parts = split(text).filter(|_| text.len() <= MAX_LENGTH);
        let parts = parts.ok_or_else(malformed)?;
        if parts.climbs() {
            return Err(malformed());
        }
        match parts.scheme {
            "https" | "http" => {
                let host = parts.authority.and_then(Host::of).ok_or_else(malformed)?;
                if parts.scheme == "http" && !host.is_this_machine() {
                    return Err(insecure());
                }
            }
            // Those that browsers act upon, such as javascript and data, have none.
            scheme if scheme.contains('.') => {
                let named = parts.authority.is_some_and(|name| !name.is_empty());
                let clean = parts.authority.is_none_or(|name| !name.contains('@'));
                if !clean || (!named && !parts.path.starts_with('/')) {
                    return Err(malformed());
                }
            }
            _ => return Err(insecure()),
        }
        Ok(Self(text.into()))
    }

    /// The host that it leads to, without its port; the scheme, where it is that of an app.
    pub fn host(&self) -> &str {
        let Some(parts) = split(&self.0) else {
            return &self.0;
        };
        match (parts.scheme, parts.authority.and_then(Host::of)) {
            ("https" | "http", Some(host)) => host.name,
            (scheme, _) => scheme,
        }
    }

    /// Whether `given` is this one: byte for byte, save the port on this machine (RFC 8252 section 7.3). The name and the
    /// addresses of this machine are each another host.
    pub fn admits(&self, given: &Self) -> bool {
        self == given
            || self
                .without_port()
                .is_some_and(|own| Some(own) == given.without_port())
    }

    /// Whether it belongs to a site, so that the browser makes sure of who gets what is sent there: `https`.
    pub fn is_of_a_site(&self) -> bool {
        self.as_str().starts_with("https:")
    }

    /// What a browser's policy names it by: scheme and authority, or the scheme of an app.
    pub fn source(&self) -> String {
        match split(self.as_str()) {
            Some(parts) if matches!(parts.scheme, "https" | "http") => {
                format!("{}://{}", parts.scheme, parts.authority.unwrap_or_default())
            }
            Some(parts) => format!("{}:", parts.scheme),
            None => String::new(),
        }
    }

    /// What stands before and behind the port, for this machine by `http`.
    fn without_port(&self) -> Option<(&str, &str)> {
        let parts = split(self.as_str()).filter(|parts| parts.scheme == "http")?;
        let host = parts.authority.and_then(Host::of)?;
        let host = Some(host).filter(Host::is_this_machine)?;
        let rest = self.as_str().strip_prefix("http://")?;
        let rest = rest.get(parts.authority?.len()..)?;
        Some((host.name, rest))
    }
}

fn malformed() -> Problem {
    Problem::new(
        "redirect_uri_malformed",
        "A redirect URI is absolute and exact: 2,000 characters at most, a lower-case scheme and host, no user, no \
         fragment, no wildcard in the host, no dot segments.",
    )
}

fn insecure() -> Problem {
    Problem::new(
        "redirect_uri_insecure",
        "A redirect URI begins with https://, or with http:// and this machine (127.0.0.1, localhost), or with a \
         scheme of the app's own that has a dot, such as com.example.app:/.",
    )
}
