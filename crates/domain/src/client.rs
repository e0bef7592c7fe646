//! OAuth applications: who may ask for tokens, where answers go, and what they may ask for.

mod definition;
mod id;
mod origin;
mod redirect_uri;
mod secret;
#[cfg(test)]
mod tests;
mod token_text;
mod uri;

use std::collections::BTreeSet;

pub use definition::{ClientDefinition, MOST_SECRETS};
pub use id::ClientId;
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

impl ClientDefinition {
    /// One that may do nothing yet.
    pub fn new(name: DisplayName) -> Self {
        Self {
            name,
            redirect_uris: BTreeSet::new(),
            post_logout_redirect_uris: BTreeSet::new(),
            origins: BTreeSet::new(),
            grants: BTreeSet::new(),
            scopes: BTreeSet::new(),
            roles: Roles::default(),
            resources: BTreeSet::new(),
            status: ClientStatus::Active,
        }
    }
}
