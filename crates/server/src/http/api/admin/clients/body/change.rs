//! What a request says of a client.

mod read;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use symbolon_domain::{ClientId, ClientType, Refusal};
use utoipa::ToSchema;

pub(in crate::http::api::admin::clients) use self::read::Base;
use self::read::{TYPES, word};
use super::super::super::super::super::body::{missing, nullable};
use crate::flows::clients::New;

/// A new client. Lists that are absent are empty.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::http) struct NewClient {
    /// Its `client_id`: 1 to 64 of `A`-`Z`, `a`-`z`, `0`-`9`, `.`, `_` and `-`. One is drawn where there is none.
    #[schema(example = "shop")]
    id: Option<String>,
    /// `public` or `confidential`. It stays what it is made as.
    #[schema(required, nullable = false, example = "public")]
    r#type: Option<String>,
    /// The name that people see.
    #[schema(required, nullable = false, example = "Shop")]
    name: Option<String>,
    /// `https`, `http` on a loopback address, or an app's own scheme with a dot; no fragment, no wildcard; 20 at most.
    #[schema(example = json!(["https://shop.example.com/callback"]))]
    redirect_uris: Option<Vec<String>>,
    /// As `redirectUris`.
    post_logout_redirect_uris: Option<Vec<String>>,
    /// `https://host`, exactly as browsers write them; 20 at most.
    origins: Option<Vec<String>>,
    /// `authorization_code`, `refresh_token`, `client_credentials`, `device_code`, `token_exchange`.
    #[schema(example = json!(["authorization_code", "refresh_token"]))]
    grants: Option<Vec<String>>,
    /// What it may ask for; 100 at most.
    scopes: Option<Vec<String>>,
    /// Its own roles; 20 at most.
    roles: Option<Vec<String>>,
    /// The APIs that it may ask tokens for; 20 at most.
    resources: Option<Vec<String>>,
    /// How it proves who it is: `none` for a public client; `client_secret_basic` (where nothing is said),
    /// `client_secret_post` or `private_key_jwt` for a confidential one.
    auth_method: Option<String>,
    /// Its public keys: a JWK set of 1 to 10. Null takes them away.
    #[serde(default, deserialize_with = "nullable_json")]
    #[schema(value_type = Option<Object>)]
    jwks: Option<Option<Box<RawValue>>>,
    /// Where its public keys are, in the place of `jwks`. Null takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "https://shop.example.com/keys")]
    jwks_uri: Option<Option<String>>,
    /// `public` (where nothing is said) or `pairwise`, for which all redirect URIs have one host.
    subject_type: Option<String>,
    /// What its ID tokens are signed with: `ES256`, `EdDSA`, `RS256` or `PS256`. Null: the server's choice.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "RS256")]
    id_token_alg: Option<Option<String>>,
    /// `ask` (where nothing is said), or `trusted` for the owner's own apps: people are not asked.
    consent: Option<String>,
    /// Whether its requests must be pushed first (RFC 9126).
    require_pushed: Option<bool>,
    /// Whether all of its tokens are bound to a key of its own (RFC 9449).
    dpop_bound: Option<bool>,
    /// Where it is told that a session has ended. Null takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "https://shop.example.com/logged-out")]
    backchannel_logout_uri: Option<Option<String>>,
    /// `active` or `disabled`.
    status: Option<String>,
}

/// A client's whole definition. What came later may be absent, and has its default then.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::http) struct WholeClient {
    /// The name that people see.
    #[schema(required, nullable = false, example = "Shop")]
    name: Option<String>,
    /// Where codes go.
    #[schema(required, nullable = false, example = json!(["https://shop.example.com/callback"]))]
    redirect_uris: Option<Vec<String>>,
    /// Where a browser may go after it was signed out.
    #[schema(required, nullable = false)]
    post_logout_redirect_uris: Option<Vec<String>>,
    /// Whose pages may call the token endpoint.
    #[schema(required, nullable = false)]
    origins: Option<Vec<String>>,
    /// How it comes to tokens.
    #[schema(required, nullable = false, example = json!(["authorization_code"]))]
    grants: Option<Vec<String>>,
    /// What it may ask for.
    #[schema(required, nullable = false)]
    scopes: Option<Vec<String>>,
    /// Its own roles.
    #[schema(required, nullable = false)]
    roles: Option<Vec<String>>,
    /// The APIs that it may ask tokens for.
    #[schema(required, nullable = false)]
    resources: Option<Vec<String>>,
    /// How it proves who it is: `none` for a public client; `client_secret_basic` (where nothing is said),
    /// `client_secret_post` or `private_key_jwt` for a confidential one.
    auth_method: Option<String>,
    /// Its public keys: a JWK set of 1 to 10. Null takes them away.
    #[serde(default, deserialize_with = "nullable_json")]
    #[schema(value_type = Option<Object>)]
    jwks: Option<Option<Box<RawValue>>>,
    /// Where its public keys are, in the place of `jwks`. Null takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "https://shop.example.com/keys")]
    jwks_uri: Option<Option<String>>,
    /// `public` (where nothing is said) or `pairwise`, for which all redirect URIs have one host.
    subject_type: Option<String>,
    /// What its ID tokens are signed with: `ES256`, `EdDSA`, `RS256` or `PS256`. Null: the server's choice.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "RS256")]
    id_token_alg: Option<Option<String>>,
    /// `ask` (where nothing is said), or `trusted` for the owner's own apps: people are not asked.
    consent: Option<String>,
    /// Whether its requests must be pushed first (RFC 9126).
    require_pushed: Option<bool>,
    /// Whether all of its tokens are bound to a key of its own (RFC 9449).
    dpop_bound: Option<bool>,
    /// Where it is told that a session has ended. Null takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "https://shop.example.com/logged-out")]
    backchannel_logout_uri: Option<Option<String>>,
    /// `active` or `disabled`.
    #[schema(required, nullable = false, example = "active")]
    status: Option<String>,
}

/// What to change of a client. A field that is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::http) struct ClientChange {
    /// The name that people see.
    name: Option<String>,
    /// Where codes go.
    redirect_uris: Option<Vec<String>>,
    /// Where a browser may go after it was signed out.
    post_logout_redirect_uris: Option<Vec<String>>,
    /// Whose pages may call the token endpoint.
    origins: Option<Vec<String>>,
    /// How it comes to tokens.
    grants: Option<Vec<String>>,
    /// What it may ask for.
    scopes: Option<Vec<String>>,
    /// Its own roles.
    roles: Option<Vec<String>>,
    /// The APIs that it may ask tokens for.
    resources: Option<Vec<String>>,
    /// How it proves who it is: `none` for a public client; `client_secret_basic` (where nothing is said),
    /// `client_secret_post` or `private_key_jwt` for a confidential one.
    auth_method: Option<String>,
    /// Its public keys: a JWK set of 1 to 10. Null takes them away.
    #[serde(default, deserialize_with = "nullable_json")]
    #[schema(value_type = Option<Object>)]
    jwks: Option<Option<Box<RawValue>>>,
    /// Where its public keys are, in the place of `jwks`. Null takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "https://shop.example.com/keys")]
    jwks_uri: Option<Option<String>>,
    /// `public` (where nothing is said) or `pairwise`, for which all redirect URIs have one host.
    subject_type: Option<String>,
    /// What its ID tokens are signed with: `ES256`, `EdDSA`, `RS256` or `PS256`. Null: the server's choice.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "RS256")]
    id_token_alg: Option<Option<String>>,
    /// `ask` (where nothing is said), or `trusted` for the owner's own apps: people are not asked.
    consent: Option<String>,
    /// Whether its requests must be pushed first (RFC 9126).
    require_pushed: Option<bool>,
    /// Whether all of its tokens are bound to a key of its own (RFC 9449).
    dpop_bound: Option<bool>,
    /// Where it is told that a session has ended. Null takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "https://shop.example.com/logged-out")]
    backchannel_logout_uri: Option<Option<String>>,
    /// `active` or `disabled`.
    status: Option<String>,
}

impl NewClient {
    /// Reads every field.
    pub(in crate::http::api::admin::clients) fn read(self) -> Result<New, Refusal> {
        let mut faults = Vec::new();
        let id = self.id.as_deref().map(ClientId::chosen).transpose();
        let id = id
            .map_err(|problem| faults.push(problem.at("/id")))
            .unwrap_or_default();
        let kind = word::<ClientType>(self.r#type.as_deref(), ("/type", TYPES), &mut faults);
        if self.r#type.is_none() {
            faults.push(missing("/type"));
        }
        let Some(name) = self.name else {
            faults.push(missing("/name"));
            return Err(Refusal::Validation(faults));
        };
        let change = ClientChange {
            name: Some(name),
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            origins: self.origins,
            grants: self.grants,
            scopes: self.scopes,
            roles: self.roles,
            resources: self.resources,
            auth_method: self.auth_method,
            jwks: self.jwks,
            jwks_uri: self.jwks_uri,
            subject_type: self.subject_type,
            id_token_alg: self.id_token_alg,
            consent: self.consent,
            require_pushed: self.require_pushed,
            dpop_bound: self.dpop_bound,
            backchannel_logout_uri: self.backchannel_logout_uri,
            status: self.status,
        };
        // What is said of a type that is none is read as if it were public.
        let base = Base::New(kind.unwrap_or(ClientType::Public));
        let definition = change.read(base, &mut faults);
        match (kind, definition, faults.is_empty()) {
            (Some(kind), Some(definition), true) => Ok(New {
                id,
                kind,
                definition,
            }),
            _ => Err(Refusal::Validation(faults)),
        }
    }
}

impl TryFrom<WholeClient> for ClientChange {
    type Error = Refusal;

    fn try_from(whole: WholeClient) -> Result<Self, Refusal> {
        let absent = [
            (whole.name.is_none(), "/name"),
            (whole.redirect_uris.is_none(), "/redirectUris"),
            (
                whole.post_logout_redirect_uris.is_none(),
                "/postLogoutRedirectUris",
            ),
            (whole.origins.is_none(), "/origins"),
            (whole.grants.is_none(), "/grants"),
            (whole.scopes.is_none(), "/scopes"),
            (whole.roles.is_none(), "/roles"),
            (whole.resources.is_none(), "/resources"),
            (whole.status.is_none(), "/status"),
        ];
        let absent = absent.iter().filter(|(absent, _)| *absent);
        let faults: Vec<_> = absent.map(|(_, pointer)| missing(pointer)).collect();
        if !faults.is_empty() {
            return Err(Refusal::Validation(faults));
        }
        Ok(Self {
            name: whole.name,
            redirect_uris: whole.redirect_uris,
            post_logout_redirect_uris: whole.post_logout_redirect_uris,
            origins: whole.origins,
            grants: whole.grants,
            scopes: whole.scopes,
            roles: whole.roles,
            resources: whole.resources,
            auth_method: whole.auth_method,
            jwks: whole.jwks,
            jwks_uri: whole.jwks_uri,
            subject_type: whole.subject_type,
            id_token_alg: whole.id_token_alg,
            consent: whole.consent,
            require_pushed: whole.require_pushed,
            dpop_bound: whole.dpop_bound,
            backchannel_logout_uri: whole.backchannel_logout_uri,
            status: whole.status,
        })
    }
}

/// A JSON value that may be absent, null or there: `None`, `Some(None)`, `Some(Some(value))`.
fn nullable_json<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Box<RawValue>>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}
