//! Metadata of clients in JSON (RFC 7591 section 2): members that are not known are let be, one that is named twice or has
//! another type refuses the whole.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use symbolon_domain::ClientMetadata;

/// The JSON object that a client describes itself with.
#[derive(Deserialize)]
pub(super) struct Written {
    pub(super) client_id: Option<String>,
    client_secret: Option<IgnoredAny>,
    redirect_uris: Option<Vec<String>>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_name: Option<String>,
    scope: Option<String>,
    jwks: Option<Box<RawValue>>,
    jwks_uri: Option<String>,
    subject_type: Option<String>,
    sector_identifier_uri: Option<String>,
    id_token_signed_response_alg: Option<String>,
    post_logout_redirect_uris: Option<Vec<String>>,
    backchannel_logout_uri: Option<String>,
    require_pushed_authorization_requests: Option<bool>,
    dpop_bound_access_tokens: Option<bool>,
}

impl Written {
    /// Reads a JSON object.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        // The derived parser would take the values of an array for the members, in their order.
        let is_object = bytes.trim_ascii_start().first() == Some(&b'{');
        serde_json::from_slice(bytes).ok().filter(|_| is_object)
    }

    /// Whether it holds a secret, whatever that is.
    pub(super) fn has_secret(&self) -> bool {
        self.client_secret.is_some()
    }

    pub(super) fn metadata(self) -> ClientMetadata {
        let jwks = self.jwks.map(|jwks| jwks.get().to_owned());
        ClientMetadata {
            redirect_uris: self.redirect_uris.unwrap_or_default(),
            token_endpoint_auth_method: self.token_endpoint_auth_method,
            grant_types: self.grant_types,
            response_types: self.response_types,
            client_name: self.client_name,
            scope: self.scope,
            jwks,
            jwks_uri: self.jwks_uri,
            subject_type: self.subject_type,
            sector_identifier_uri: self.sector_identifier_uri,
            id_token_signed_response_alg: self.id_token_signed_response_alg,
            post_logout_redirect_uris: self.post_logout_redirect_uris.unwrap_or_default(),
            backchannel_logout_uri: self.backchannel_logout_uri,
            require_pushed_authorization_requests: self
                .require_pushed_authorization_requests
                .unwrap_or_default(),
            dpop_bound_access_tokens: self.dpop_bound_access_tokens.unwrap_or_default(),
        }
    }
}
