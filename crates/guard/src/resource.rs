//! What the owner of a resource tells clients about it (RFC 9728), and what a refusal asks of them (RFC 6750).

use serde::Serialize;

use crate::{denied::Denied, guard::Guard};

/// The metadata document of a protected resource (RFC 9728 section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ResourceMetadata<'a> {
    /// The resource's own address.
    pub resource: &'a str,
    /// The issuers whose tokens it takes.
    pub authorization_servers: [&'a str; 1],
    /// How a token is to be sent: in the header only.
    pub bearer_methods_supported: [&'a str; 1],
    /// The scopes that it knows.
    pub scopes_supported: &'a [String],
}

impl Guard {
    /// The document to serve at [`metadata_url`](Self::metadata_url), where the
    /// [resource](crate::GuardBuilder::resource) was named.
    #[must_use]
    pub fn resource_metadata(&self) -> Option<ResourceMetadata<'_>> {
        let settings = &self.shared.settings;
        Some(ResourceMetadata {
            resource: settings.resource.as_deref()?,
            authorization_servers: [&settings.issuer],
            bearer_methods_supported: ["header"],
            scopes_supported: &settings.scopes,
        })
    }

    /// Where that document is, as challenges tell.
    #[must_use]
    pub fn metadata_url(&self) -> Option<&str> {
        self.shared.settings.resource_metadata.as_deref()
    }

    /// The value of `WWW-Authenticate` that goes with a refusal (RFC 6750 section 3, RFC 9728 section 5.1), where one
    /// does. `scope` is the one that was missing.
    #[must_use]
    pub fn challenge(&self, denied: Denied, scope: Option<&str>) -> Option<String> {
        let error = match denied {
            Denied::NoToken => None,
            Denied::Invalid => Some(("invalid_token", "The access token is not valid")),
            Denied::Expired => Some(("invalid_token", "The access token expired")),
            Denied::Revoked => Some(("invalid_token", "The access token was revoked")),
            Denied::Stale => Some(("invalid_token", "The access token is stale")),
            Denied::InsufficientScope => Some((
                "insufficient_scope",
                "The token's scope does not allow this",
            )),
            Denied::Forbidden | Denied::MalformedRequest | Denied::Overloaded => return None,
        };
        let mut parameters = Vec::new();
        if let Some(url) = self.metadata_url() {
            parameters.push(format!("resource_metadata=\"{url}\""));
        }
        if let Some((error, description)) = error {
            parameters.push(format!("error=\"{error}\""));
            parameters.push(format!("error_description=\"{description}\""));
        }
        // RFC 6749 section 3.3: others cannot be scopes, and would end the quotes.
        let quotable = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        if let Some(scope) = scope.filter(|scope| scope.bytes().all(quotable)) {
            parameters.push(format!("scope=\"{scope}\""));
        }
        Some(match parameters.is_empty() {
            true => "Bearer".to_owned(),
            false => format!("Bearer {}", parameters.join(", ")),
        })
    }
}
