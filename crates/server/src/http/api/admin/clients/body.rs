//! Clients as JSON.

mod change;

use std::collections::BTreeSet;

use serde::Serialize;
use symbolon_domain::{Client, ClientJwks, ClientSecret};
use symbolon_token::{Algorithm, Jwks};
use utoipa::ToSchema;

pub(super) use self::change::{Base, ClientChange, NewClient, WholeClient};
use crate::rfc3339::text as rfc3339;

/// A client: an OAuth application.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct ClientBody {
    /// Its `client_id`.
    #[schema(example = "shop")]
    id: String,
    /// The name that people see. Text: whoever shows it escapes it.
    #[schema(example = "Shop")]
    name: String,
    /// `public` or `confidential`: whether it can keep a secret.
    r#type: &'static str,
    /// Where codes go, byte for byte.
    #[schema(example = json!(["https://shop.example.com/callback"]))]
    redirect_uris: Vec<String>,
    /// Where a browser may go after it was signed out.
    post_logout_redirect_uris: Vec<String>,
    /// Whose pages may call the token endpoint.
    #[schema(example = json!(["https://shop.example.com"]))]
    origins: Vec<String>,
    /// How it comes to tokens: `authorization_code`, `refresh_token`, `client_credentials`, `device_code`,
    /// `token_exchange`.
    #[schema(example = json!(["authorization_code", "refresh_token"]))]
    grants: Vec<String>,
    /// What it may ask for.
    #[schema(example = json!(["openid", "orders:read"]))]
    scopes: Vec<String>,
    /// Its own roles, for when it acts for itself.
    roles: Vec<String>,
    /// The APIs that it may ask tokens for.
    resources: Vec<String>,
    /// How it proves who it is: `none`, `client_secret_basic`, `client_secret_post`, `private_key_jwt`.
    #[schema(example = "none")]
    auth_method: &'static str,
    /// Its public keys, where they are kept here: a JWK set.
    #[schema(value_type = Option<Object>, nullable, required)]
    jwks: Option<Jwks>,
    /// Where its public keys are, where they are not.
    #[schema(nullable, required)]
    jwks_uri: Option<String>,
    /// `public`: it sees the ids of users; `pairwise`: it sees others, which no client of another host sees.
    #[schema(example = "public")]
    subject_type: &'static str,
    /// What its ID tokens are signed with: `ES256`, `EdDSA`, `RS256` or `PS256`; without it, the server's choice.
    #[schema(nullable, required)]
    id_token_alg: Option<&'static str>,
    /// `ask`, or `trusted`: people are not asked, for it is the owner's own app.
    #[schema(example = "ask")]
    consent: &'static str,
    /// Whether its requests must be pushed first.
    require_pushed: bool,
    /// Whether all of its tokens are bound to a key of its own.
    dpop_bound: bool,
    /// Where it is told that a session has ended.
    #[schema(nullable, required)]
    backchannel_logout_uri: Option<String>,
    /// `active` or `disabled`.
    status: &'static str,
    /// What it can prove itself with: how to recognise each secret, never the secret.
    secrets: Vec<SecretBody>,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// How to recognise a secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct SecretBody {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// Its last characters.
    ends_with: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A secret that was just made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct NewSecretBody {
    /// Its id.
    #[schema(format = Uuid)]
    pub(super) id: String,
    /// The secret. It is shown this once.
    #[schema(example = "sbs_7CwnIYlgcwyLWdSbqgCvGt6KsbpAbxZ0F3dZrZ3eyN0")]
    pub(super) secret: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub(super) created_at: String,
}

impl From<&ClientSecret> for SecretBody {
    fn from(secret: &ClientSecret) -> Self {
        Self {
            id: secret.id.to_string(),
            ends_with: secret.hint.clone(),
            created_at: rfc3339(secret.created_at),
        }
    }
}

impl From<&Client> for ClientBody {
    fn from(client: &Client) -> Self {
        let parts = &client.definition;
        Self {
            id: client.id.to_string(),
            name: parts.name.to_string(),
            r#type: client.kind.as_str(),
            redirect_uris: texts(&parts.redirect_uris),
            post_logout_redirect_uris: texts(&parts.post_logout_redirect_uris),
            origins: texts(&parts.origins),
            grants: texts(&parts.grants),
            scopes: texts(&parts.scopes),
            roles: parts.roles.to_strings(),
            resources: texts(&parts.resources),
            auth_method: parts.auth_method.as_str(),
            jwks: parts.jwks.as_ref().map(ClientJwks::keys).cloned(),
            jwks_uri: parts.jwks_uri.as_ref().map(ToString::to_string),
            subject_type: parts.subject_type.as_str(),
            id_token_alg: parts.id_token_alg.map(Algorithm::as_str),
            consent: parts.consent.as_str(),
            require_pushed: parts.require_pushed,
            dpop_bound: parts.dpop_bound,
            backchannel_logout_uri: parts
                .backchannel_logout_uri
                .as_ref()
                .map(ToString::to_string),
            status: parts.status.as_str(),
            secrets: client.secrets.iter().map(SecretBody::from).collect(),
            created_at: rfc3339(client.created_at),
            updated_at: rfc3339(client.updated_at),
        }
    }
}

fn texts(items: &BTreeSet<impl ToString>) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}
