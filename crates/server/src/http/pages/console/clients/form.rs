//! A client as a form, and a form as a client. Fields have the names that the API has for them; lists stand one entry a
//! line.

use std::fmt::Display;

use serde_json::{Map, Value as Json};
use symbolon_domain::{Client, ClientDefinition, ClientType};

use super::super::super::super::api::admin::clients::definition;
use super::super::super::form::{Filled, Form};
use crate::flows::Error;

/// Lists that stand one entry a line.
const LINES: [&str; 5] = [
    "redirectUris",
    "postLogoutRedirectUris",
    "origins",
    "scopes",
    "resources",
];
/// Lists of boxes.
const BOXES: [&str; 2] = ["grants", "roles"];
const WORDS: [&str; 3] = ["authMethod", "subjectType", "consent"];
/// What is absent where nothing is typed.
const NULLABLE: [&str; 3] = ["jwksUri", "idTokenAlg", "backchannelLogoutUri"];
const SWITCHES: [&str; 2] = ["requirePushed", "dpopBound"];

fn lines<T: Display>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = all.into_iter().map(|one| one.to_string()).collect();
    all.join("\n")
}

/// The form of a client as it is.
pub(super) fn of(client: &Client) -> Filled {
    let known = &client.definition;
    let words = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<Vec<_>>();
    Filled::default()
        .with("name", known.name.as_str())
        .with("redirectUris", lines(&known.redirect_uris))
        .with(
            "postLogoutRedirectUris",
            lines(&known.post_logout_redirect_uris),
        )
        .with("origins", lines(&known.origins))
        .with("scopes", lines(&known.scopes))
        .with("resources", lines(&known.resources))
        .with(
            "grants",
            words(known.grants.iter().map(|grant| grant.as_str()).collect()),
        )
        .with(
            "roles",
            words(known.roles.iter().map(|role| role.as_str()).collect()),
        )
        .with("authMethod", known.auth_method.as_str())
        .with("subjectType", known.subject_type.as_str())
        .with("consent", known.consent.as_str())
        .with("idTokenAlg", lines(known.id_token_alg))
        .with("jwks", lines(&known.jwks))
        .with("jwksUri", lines(&known.jwks_uri))
        .with("backchannelLogoutUri", lines(&known.backchannel_logout_uri))
        .with("requirePushed", known.require_pushed)
        .with("dpopBound", known.dpop_bound)
}

/// What a form makes of a client.
///
/// # Errors
/// `validation_failed`, with every field at fault.
pub(super) fn read(form: &Form, former: &Client) -> Result<ClientDefinition, Error> {
    let mut fields = fields(form);
    for name in SWITCHES {
        fields.insert(name.to_owned(), form.has(name).into());
    }
    definition(&fields, Ok(&former.definition))
}

/// What the form of a new one makes, on top of what the kind of application brings.
///
/// # Errors
/// The same.
pub(super) fn read_new(
    form: &Form,
    kind: ClientType,
    brought: Map<String, Json>,
) -> Result<ClientDefinition, Error> {
    let mut all = brought;
    for (name, value) in fields(form) {
        if form.has(&name) {
            all.insert(name, value);
        }
    }
    definition(&all, Err(kind))
}

fn fields(form: &Form) -> Map<String, Json> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Json| fields.insert(name.to_owned(), value);
    put("name", form.get("name").trim().into());
    for name in LINES {
        let entries = form.get(name).split_whitespace();
        put(name, entries.map(Json::from).collect());
    }
    for name in BOXES {
        put(name, form.all(name).map(Json::from).collect());
    }
    for name in WORDS {
        if let Some(word) = form.text(name) {
            put(name, word.into());
        }
    }
    for name in NULLABLE {
        put(name, form.text(name).map_or(Json::Null, Json::from));
    }
    // What is no JSON is told as what it is: no key set.
    let jwks = form.text("jwks");
    let jwks = jwks.map(|text| serde_json::from_str(&text).unwrap_or(Json::String(text)));
    put("jwks", jwks.unwrap_or_default());
    fields
}
