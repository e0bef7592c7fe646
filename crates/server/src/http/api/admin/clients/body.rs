//! Clients as JSON.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use symbolon_domain::{
    Client, ClientDefinition, ClientId, ClientSecret, ClientStatus, ClientType, DisplayName,
    FieldError, Grant, Problem as Wrong, Refusal, Roles,
};
use utoipa::ToSchema;

use super::super::super::super::body::missing;
use crate::flows::clients::New;
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
    /// How it comes to tokens: `authorization_code`, `refresh_token`, `client_credentials`, `device_code`.
    #[schema(example = json!(["authorization_code", "refresh_token"]))]
    grants: Vec<String>,
    /// What it may ask for.
    #[schema(example = json!(["openid", "orders:read"]))]
    scopes: Vec<String>,
    /// Its own roles, for when it acts for itself.
    roles: Vec<String>,
    /// The APIs that it may ask tokens for.
    resources: Vec<String>,
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
    /// `authorization_code`, `refresh_token`, `client_credentials`, `device_code`.
    #[schema(example = json!(["authorization_code", "refresh_token"]))]
    grants: Option<Vec<String>>,
    /// What it may ask for; 100 at most.
    scopes: Option<Vec<String>>,
    /// Its own roles; 20 at most.
    roles: Option<Vec<String>>,
    /// The APIs that it may ask tokens for; 20 at most.
    resources: Option<Vec<String>>,
    /// `active` or `disabled`.
    status: Option<String>,
}

/// A client's whole definition.
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
    /// `active` or `disabled`.
    status: Option<String>,
}

impl NewClient {
    /// Reads every field.
    pub(super) fn read(self) -> Result<New, Refusal> {
        let mut faults = Vec::new();
        let id = self.id.as_deref().map(ClientId::parse).transpose();
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
            status: self.status,
        };
        let definition = change.read(None, &mut faults);
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
            status: whole.status,
        })
    }
}

const TYPES: (&str, &str) = ("type_unknown", "A client is public or confidential.");
const STATUSES: (&str, &str) = ("status_unknown", "A client is active or disabled.");
const GRANTS: (&str, &str) = (
    "grant_unknown",
    "There are authorization_code, refresh_token, client_credentials and device_code.",
);

impl ClientChange {
    /// The definition that comes of it; a field that is absent is that of `former`. Nothing where there is no name.
    pub(super) fn read(
        &self,
        former: Option<&ClientDefinition>,
        faults: &mut Vec<FieldError>,
    ) -> Option<ClientDefinition> {
        let name = match self.name.as_deref().map(DisplayName::parse) {
            Some(Ok(name)) => Some(name),
            Some(Err(problem)) => {
                faults.push(problem.at("/name"));
                None
            }
            None => former.map(|former| former.name.clone()),
        };
        let status = word::<ClientStatus>(self.status.as_deref(), ("/status", STATUSES), faults);
        let base = match former {
            Some(former) => former.clone(),
            None => ClientDefinition::new(name.clone()?),
        };
        let grant = |word: &str| {
            let known = word.parse::<Grant>();
            known.map_err(|_| Wrong::new(GRANTS.0, GRANTS.1))
        };
        let mut set = Sets { faults };
        Some(ClientDefinition {
            redirect_uris: set.of(&self.redirect_uris, "/redirectUris", base.redirect_uris),
            post_logout_redirect_uris: set.of(
                &self.post_logout_redirect_uris,
                "/postLogoutRedirectUris",
                base.post_logout_redirect_uris,
            ),
            origins: set.of(&self.origins, "/origins", base.origins),
            grants: set.by(&self.grants, "/grants", base.grants, grant),
            scopes: set.of(&self.scopes, "/scopes", base.scopes),
            roles: {
                let former = base.roles.iter().cloned().collect();
                Roles::from_iter(set.of(&self.roles, "/roles", former))
            },
            resources: set.of(&self.resources, "/resources", base.resources),
            status: status.unwrap_or(base.status),
            name: name?,
        })
    }
}

/// Reads lists, and keeps what is wrong with them.
struct Sets<'f> {
    faults: &'f mut Vec<FieldError>,
}

impl Sets<'_> {
    fn of<T: FromStr<Err = Wrong> + Ord>(
        &mut self,
        given: &Option<Vec<String>>,
        pointer: &str,
        former: BTreeSet<T>,
    ) -> BTreeSet<T> {
        self.by(given, pointer, former, str::parse)
    }

    fn by<T: Ord>(
        &mut self,
        given: &Option<Vec<String>>,
        pointer: &str,
        former: BTreeSet<T>,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> BTreeSet<T> {
        let Some(given) = given else {
            return former;
        };
        let mut found = BTreeSet::new();
        for (index, text) in given.iter().enumerate() {
            match read(text) {
                Ok(one) => drop(found.insert(one)),
                Err(problem) => self.faults.push(problem.at(format!("{pointer}/{index}"))),
            }
        }
        found
    }
}

fn word<T: FromStr>(
    given: Option<&str>,
    (pointer, (code, sentence)): (&str, (&'static str, &str)),
    faults: &mut Vec<FieldError>,
) -> Option<T> {
    let read = given?.parse();
    read.map_err(|_| faults.push(Wrong::new(code, sentence).at(pointer)))
        .ok()
}
