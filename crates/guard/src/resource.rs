//! What the owner of a resource tells clients about it (RFC 9728), and what a refusal asks of them (RFC 6750,
//! RFC 9470).

use serde::Serialize;

use symbolon_token::dpop::ALGORITHM_NAMES;

use crate::{demand::Demand, denied::Denied, guard::Guard};

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

    /// The value of `WWW-Authenticate` that goes with a refusal (RFC 6750 section 3, RFC 9728 section 5.1, RFC 9470
    /// section 3), where one does. `demands` are those to be met next time: it names the scope of them where that is
    /// missing, and all that they ask of the sign-in where that is not enough. Where the guard judges proofs it names the
    /// scheme `DPoP` too (RFC 9449 section 7.1).
    #[must_use]
    pub fn challenge(&self, denied: Denied, demands: &[Demand]) -> Option<String> {
        let (error, is_of_the_proof) = match denied {
            Denied::NoToken => (None, false),
            Denied::InvalidProof | Denied::NonceNeeded => (proof_error(denied), true),
            Denied::Forbidden | Denied::MalformedRequest | Denied::Overloaded => return None,
            Denied::Invalid
            | Denied::Expired
            | Denied::Revoked
            | Denied::Stale
            | Denied::InsufficientUserAuthentication
            | Denied::InsufficientScope => (token_error(denied), false),
        };
        let wanted = wanted(denied, demands);
        let bearer = error.filter(|_| !is_of_the_proof);
        let mut challenge = self.challenge_of("Bearer", bearer, &wanted);
        if self.shared.settings.address.is_some() {
            challenge.push_str(", ");
            challenge.push_str(&self.challenge_of("DPoP", error, &wanted));
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
        wanted: &[(&str, String)],
    ) -> String {
        let mut parameters = Vec::new();
        if let Some(url) = self.metadata_url() {
            parameters.push(format!("resource_metadata=\"{url}\""));
        }
        if let Some((error, description)) = error {
            parameters.push(format!("error=\"{error}\""));
            parameters.push(format!("error_description=\"{description}\""));
        }
        let wanted = wanted.iter();
        parameters.extend(wanted.map(|(name, value)| format!("{name}=\"{value}\"")));
        match parameters.is_empty() {
            true => scheme.to_owned(),
            false => format!("{scheme} {}", parameters.join(", ")),
        }
    }
}

/// The parameters that say what would do: `scope` (RFC 6750 section 3), `max_age` and `acr_values` (RFC 9470 section 3).
fn wanted(denied: Denied, demands: &[Demand]) -> Vec<(&'static str, String)> {
    let mut wanted = Vec::new();
    if denied == Denied::InsufficientScope {
        let scope = demands.iter().find_map(Demand::scope_name);
        let scope = scope.filter(|scope| is_quotable(scope));
        wanted.extend(scope.map(|scope| ("scope", scope.to_owned())));
    }
    if denied == Denied::InsufficientUserAuthentication {
        // One sign-in is to meet them all.
        let max_age = demands.iter().filter_map(Demand::max_age_seconds).min();
        wanted.extend(max_age.map(|seconds| ("max_age", seconds.to_string())));
        let mut lists = demands.iter().filter_map(Demand::acr_values);
        let mut values = lists.next().unwrap_or_default().to_vec();
        for list in lists {
            values.retain(|value| list.contains(value));
        }
        values.retain(|value| is_quotable(value));
        if !values.is_empty() {
            wanted.push(("acr_values", values.join(" ")));
        }
    }
    wanted
}

/// RFC 6749 section 3.3: others cannot be scopes, nor one of many in a list, and would end the quotes.
fn is_quotable(word: &str) -> bool {
    let quotable = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    !word.is_empty() && word.bytes().all(quotable)
}

/// RFC 6750 section 3.1, RFC 9470 section 3: the error and its description.
const fn token_error(denied: Denied) -> Option<(&'static str, &'static str)> {
    Some(match denied {
        Denied::Expired => ("invalid_token", "The access token expired"),
        Denied::Revoked => ("invalid_token", "The access token was revoked"),
        Denied::Stale => ("invalid_token", "The access token is stale"),
        Denied::InsufficientUserAuthentication => (
            "insufficient_user_authentication",
            "The person must sign in again",
        ),
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
