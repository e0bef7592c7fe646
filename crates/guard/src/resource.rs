//! What the owner of a resource tells clients about it (RFC 9728), and what a refusal asks of them (RFC 6750).

use serde::Serialize;

use symbolon_token::dpop::ALGORITHM_NAMES;

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
    /// The algorithms of proofs of possession, where the guard judges them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop_signing_alg_values_supported: Option<Vec<&'static str>>,
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
            dpop_signing_alg_values_supported: settings
                .address
                .is_some()
                .then(|| ALGORITHM_NAMES.split(' ').collect()),
        })
    }

    /// Where that document is, as challenges tell.
    #[must_use]
    pub fn metadata_url(&self) -> Option<&str> {
        self.shared.settings.resource_metadata.as_deref()
    }

    /// The value of `WWW-Authenticate` that goes with a refusal (RFC 6750 section 3, RFC 9728 section 5.1), where one
    /// does. `scope` is the one that was missing. Where the guard judges proofs it names the scheme `DPoP` too
    /// (RFC 9449 section 7.1).
    #[must_use]
    pub fn challenge(&self, denied: Denied, scope: Option<&str>) -> Option<String> {
        let (error, is_of_the_proof) = match denied {
            Denied::NoToken => (None, false),
            Denied::InvalidProof | Denied::NonceNeeded => (proof_error(denied), true),
            Denied::Forbidden | Denied::MalformedRequest | Denied::Overloaded => return None,
            Denied::Invalid
            | Denied::Expired
            | Denied::Revoked
            | Denied::Stale
            | Denied::InsufficientScope => (token_error(denied), false),
        };
        let bearer = error.filter(|_| !is_of_the_proof);
        let mut challenge = self.challenge_of("Bearer", bearer, scope);
        if self.shared.settings.address.is_some() {
            challenge.push_str(", ");
            challenge.push_str(&self.challenge_of("DPoP", error, scope));
            let separator = if challenge.ends_with("DPoP") {
                " "
            } else {
                ", "
            };
            challenge.push_str(separator);
            challenge.push_str(&format!("algs=\"{ALGORITHM_NAMES}\""));
        }
        Some(challenge)
    }

    fn challenge_of(
        &self,
        scheme: &str,
        error: Option<(&str, &str)>,
        scope: Option<&str>,
    ) -> String {
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
        match parameters.is_empty() {
            true => scheme.to_owned(),
            false => format!("{scheme} {}", parameters.join(", ")),
        }
    }
}

/// RFC 6750 section 3.1: the error and its description.
const fn token_error(denied: Denied) -> Option<(&'static str, &'static str)> {
    Some(match denied {
        Denied::Expired => ("invalid_token", "The access token expired"),
        Denied::Revoked => ("invalid_token", "The access token was revoked"),
        Denied::Stale => ("invalid_token", "The access token is stale"),
        Denied::InsufficientScope => (
            "insufficient_scope",
            "The token's scope does not allow this",
        ),
        _ => ("invalid_token", "The access token is not valid"),
    })
}

/// RFC 9449 sections 7.1 and 9.
const fn proof_error(denied: Denied) -> Option<(&'static str, &'static str)> {
    Some(match denied {
        Denied::NonceNeeded => ("use_dpop_nonce", "The proof needs the nonce of this answer"),
        _ => ("invalid_dpop_proof", "The proof is not valid"),
    })
}
