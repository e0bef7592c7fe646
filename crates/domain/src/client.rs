//! OAuth applications: who may ask for tokens, where answers go, and what they may ask for.

mod definition;
mod endpoint_uri;
mod id;
mod jwks;
mod metadata;
mod origin;
mod redirect_uri;
mod secret;
#[cfg(test)]
mod tests;
mod token_text;
mod uri;

use std::collections::BTreeSet;

pub(crate) use definition::MOST_SCOPES;
pub use definition::{ClientDefinition, MOST_SECRETS};
pub use endpoint_uri::EndpointUri;
pub use id::ClientId;
pub use jwks::ClientJwks;
pub use metadata::{ClientMetadata, Described, MetadataError, OpenTerms};
pub use origin::ClientOrigin;
pub use redirect_uri::RedirectUri;
pub use secret::{ClientSecret, SecretText};
pub use token_text::{Resource, Scope};

use crate::words::words;
use crate::{DisplayName, Roles, Timestamp};

words! {
    /// Whether a client can keep a secret (RFC 6749 section 2.1).
    pub enum ClientType ("client type") {
        /// It cannot: a page, a program on somebody's device.
        Public => "public",
        /// It can: a server. It proves who it is with a secret.
        Confidential => "confidential",
    }
}

words! {
    /// Whether a client may get tokens.
    pub enum ClientStatus ("client status") {
        /// It may.
        Active => "active",
        /// It may not; its tokens are dead.
        Disabled => "disabled",
    }
}

words! {
    /// How a client comes to tokens.
    pub enum Grant ("grant") {
        /// A person signs in at a page of ours and comes back with a code (RFC 6749 section 4.1).
        AuthorizationCode => "authorization_code",
        /// It goes on with a refresh token (RFC 6749 section 6).
        RefreshToken => "refresh_token",
        /// It acts for itself (RFC 6749 section 4.4).
        ClientCredentials => "client_credentials",
        /// A person signs in on another device (RFC 8628).
        DeviceCode => "device_code",
        /// It acts on somebody's behalf with a token that it was given (RFC 8693).
        TokenExchange => "token_exchange",
    }
}

impl Grant {
    /// The `grant_type` of a token request, which is also its name in metadata (RFC 7591 section 2): extensions have a URN.
    pub const fn grant_type(self) -> &'static str {
        match self {
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            other => other.as_str(),
        }
    }

    /// The grant of a `grant_type`, byte for byte.
    pub fn of_grant_type(text: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|grant| grant.grant_type() == text)
    }
}

words! {
    /// How a client proves who it is at the token endpoint (OpenID Connect Core section 9).
    pub enum AuthMethod ("authentication method") {
        /// It does not: it is public.
        None => "none",
        /// With a secret in the header `Authorization` (RFC 6749 section 2.3.1).
        ClientSecretBasic => "client_secret_basic",
        /// With a secret in the body (RFC 6749 section 2.3.1).
        ClientSecretPost => "client_secret_post",
        /// With an assertion signed by a key of its own (RFC 7523 section 2.2).
        PrivateKeyJwt => "private_key_jwt",
    }
}

impl AuthMethod {
    /// What a client of this type does where nothing is said.
    pub const fn of(kind: ClientType) -> Self {
        match kind {
            ClientType::Public => Self::None,
            ClientType::Confidential => Self::ClientSecretBasic,
        }
    }
}

words! {
    /// What `sub` a client sees of a person (OpenID Connect Core section 8).
    pub enum SubjectType ("subject type") {
        /// The id of the account, the same for all.
        Public => "public",
        /// One that no client of another host sees.
        Pairwise => "pairwise",
    }
}

words! {
    /// Whether people are asked before a client gets tokens for them.
    pub enum ConsentPolicy ("consent policy") {
        /// They are.
        Ask => "ask",
        /// They are not: it is the owner's own app.
        Trusted => "trusted",
    }
}

/// An OAuth application as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The `client_id`.
    pub id: ClientId,
    /// Whether it can keep a secret. It stays what it was made as.
    pub kind: ClientType,
    /// What its owner decided.
    pub definition: ClientDefinition,
    /// What it may prove itself with, the oldest first: none for a public one.
    pub secrets: Vec<ClientSecret>,
    /// For compare-and-set: one more with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Client {
    /// What pairwise subjects of this client are made for (OpenID Connect Core 1.0 section 8.1): the host of its redirect
    /// URIs, or its id where it has none. Of one that describes itself it is the host that does: redirect URIs can be
    /// anybody's.
    pub fn sector(&self) -> &str {
        let document = self.id.document_host();
        let redirect = document.or_else(|| self.definition.sector());
        redirect.unwrap_or(self.id.as_str())
    }
}

impl ClientDefinition {
    /// One that may do nothing yet.
    pub fn new(name: DisplayName, kind: ClientType) -> Self {
        Self {
            name,
            redirect_uris: BTreeSet::new(),
            post_logout_redirect_uris: BTreeSet::new(),
            origins: BTreeSet::new(),
            grants: BTreeSet::new(),
            scopes: BTreeSet::new(),
            roles: Roles::default(),
            resources: BTreeSet::new(),
            auth_method: AuthMethod::of(kind),
            jwks: None,
            jwks_uri: None,
            subject_type: SubjectType::Public,
            id_token_alg: None,
            consent: ConsentPolicy::Ask,
            require_pushed: false,
            dpop_bound: false,
            backchannel_logout_uri: None,
            status: ClientStatus::Active,
        }
    }
}
