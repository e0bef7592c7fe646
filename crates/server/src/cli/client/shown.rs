//! A client as a command shows it.

use std::collections::BTreeSet;

use serde::Serialize;
use symbolon_domain::{Client, ClientDefinition, ClientJwks};
use symbolon_token::{Algorithm, Jwks};

use super::super::Failed;
use super::super::output::Output;
use crate::rfc3339;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    id: String,
    name: String,
    r#type: &'static str,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    origins: Vec<String>,
    grants: Vec<String>,
    scopes: Vec<String>,
    roles: Vec<String>,
    resources: Vec<String>,
    #[serde(flatten)]
    metadata: Metadata,
    status: &'static str,
    secrets: Vec<ShownSecret>,
    created_at: String,
    updated_at: String,
}

/// How it proves who it is, and what it wants of tokens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    auth_method: &'static str,
    jwks: Option<Jwks>,
    jwks_uri: Option<String>,
    subject_type: &'static str,
    id_token_alg: Option<&'static str>,
    consent: &'static str,
    require_pushed: bool,
    dpop_bound: bool,
    backchannel_logout_uri: Option<String>,
}

impl From<&ClientDefinition> for Metadata {
    fn from(parts: &ClientDefinition) -> Self {
        let uri = parts.backchannel_logout_uri.as_ref();
        Self {
            auth_method: parts.auth_method.as_str(),
            jwks: parts.jwks.as_ref().map(ClientJwks::keys).cloned(),
            jwks_uri: parts.jwks_uri.as_ref().map(ToString::to_string),
            subject_type: parts.subject_type.as_str(),
            id_token_alg: parts.id_token_alg.map(Algorithm::as_str),
            consent: parts.consent.as_str(),
            require_pushed: parts.require_pushed,
            dpop_bound: parts.dpop_bound,
            backchannel_logout_uri: uri.map(ToString::to_string),
        }
    }
}

impl Metadata {
    /// What people see of it: what is not as usual.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let keys = self.jwks.as_ref().map(|jwks| {
            let names = jwks.keys.iter();
            let names: Vec<_> = names.map(|key| key.kid().unwrap_or("(no kid)")).collect();
            names.join(" ")
        });
        let switches = [
            (self.require_pushed, "pushed requests"),
            (self.dpop_bound, "bound tokens"),
        ];
        let switches: Vec<_> = switches
            .into_iter()
            .filter_map(|(on, name)| on.then_some(name))
            .collect();
        let rows = [
            ("authentication", Some(self.auth_method.to_owned())),
            ("keys", keys),
            ("keys at", self.jwks_uri.clone()),
            ("subjects", Some(self.subject_type.to_owned())),
            ("ID tokens", self.id_token_alg.map(str::to_owned)),
            ("consent", Some(self.consent.to_owned())),
            (
                "demands",
                (!switches.is_empty()).then(|| switches.join(", ")),
            ),
            ("sign-outs told to", self.backchannel_logout_uri.clone()),
        ];
        let rows = rows.into_iter();
        rows.filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

/// How to recognise a secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownSecret {
    id: String,
    ends_with: String,
    created_at: String,
}

impl From<&Client> for Shown {
    fn from(client: &Client) -> Self {
        let parts = &client.definition;
        let secrets = client.secrets.iter().map(|secret| ShownSecret {
            id: secret.id.to_string(),
            ends_with: secret.hint.clone(),
            created_at: rfc3339::text(secret.created_at),
        });
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
            metadata: Metadata::from(parts),
            status: parts.status.as_str(),
            secrets: secrets.collect(),
            created_at: rfc3339::text(client.created_at),
            updated_at: rfc3339::text(client.updated_at),
        }
    }
}

fn texts(items: &BTreeSet<impl ToString>) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

impl Shown {
    /// The line of a list.
    pub(super) fn row(&self) -> [String; 6] {
        [
            self.id.clone(),
            self.name.clone(),
            self.r#type.to_owned(),
            self.grants.join(" "),
            self.roles.join(" "),
            self.status.to_owned(),
        ]
    }

    pub(super) fn print(&self, output: &Output) -> Result<(), Failed> {
        let mut rows = vec![
            ("id", self.id.clone()),
            ("name", self.name.clone()),
            ("type", self.r#type.to_owned()),
            ("redirect URIs", self.redirect_uris.join(" ")),
            ("after sign-out", self.post_logout_redirect_uris.join(" ")),
            ("origins", self.origins.join(" ")),
            ("grants", self.grants.join(" ")),
            ("scopes", self.scopes.join(" ")),
            ("roles", self.roles.join(" ")),
            ("resources", self.resources.join(" ")),
        ];
        rows.extend(self.metadata.rows());
        rows.push(("status", self.status.to_owned()));
        for secret in &self.secrets {
            let (id, end, at) = (&secret.id, &secret.ends_with, &secret.created_at);
            rows.push(("secret", format!("{id} …{end} of {at}")));
        }
        rows.push(("created", self.created_at.clone()));
        rows.push(("updated", self.updated_at.clone()));
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(field, value)| [field.to_owned(), value])
            .collect();
        output.table(self, ["FIELD", "VALUE"], &rows)
    }
}
