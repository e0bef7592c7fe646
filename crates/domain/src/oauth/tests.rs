use std::collections::BTreeSet;

use super::*;
use crate::{
    Client, ClientDefinition, ClientId, ClientType, DisplayName, Grant, RedirectUri, Resource,
    Roles, Scope, Timestamp,
};

mod backchannel;
mod descriptions;
mod destination;
mod device;
mod exchange;
mod granted;
mod next;
mod parameters;
mod pkce;
mod request;
mod scopes;
mod uris;

const CALLBACK: &str = "https://good.example/cb";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A client with these redirect URIs, that may ask for some scopes and APIs.
fn client(kind: ClientType, uris: &[&str]) -> Client {
    let uri = |text: &&str| RedirectUri::parse(text).unwrap();
    let resource = |text: &&str| Resource::parse(text).unwrap();
    let resources = ["https://api.example.com/", "urn:example:api", "orders"];
    let definition = ClientDefinition {
        redirect_uris: uris.iter().map(uri).collect(),
        grants: BTreeSet::from([Grant::AuthorizationCode]),
        scopes: ["openid", "email", OFFLINE_ACCESS, "orders:read"]
            .map(|text| Scope::parse(text).unwrap())
            .into(),
        resources: resources.iter().map(resource).collect(),
        roles: Roles::default(),
        ..ClientDefinition::new(DisplayName::parse("Shop").unwrap(), kind)
    };
    Client {
        id: ClientId::parse("shop").unwrap(),
        kind,
        definition,
        secrets: Vec::new(),
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn read(pairs: &[(&str, &str)]) -> Result<Parameters, OAuthError> {
    let pairs = pairs
        .iter()
        .map(|&(name, value)| (name.into(), value.into()));
    Parameters::read(pairs)
}

/// What a result says: the code of the error, or `good`.
fn said<T>(outcome: &Result<T, OAuthError>) -> &'static str {
    outcome
        .as_ref()
        .err()
        .map_or("good", |error| error.code.as_str())
}

fn scopes_from(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}
