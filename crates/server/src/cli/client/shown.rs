//! A client as a command shows it.

use std::collections::BTreeSet;

use serde::Serialize;
use symbolon_domain::Client;

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
    status: &'static str,
    secrets: Vec<ShownSecret>,
    created_at: String,
    updated_at: String,
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
            ("status", self.status.to_owned()),
        ];
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
