//! Users of Supabase: rows of its table `auth.users`, as `COPY … TO … CSV HEADER` or a dashboard writes them, or as
//! JSON.

use serde::Deserialize;
use serde_json::Value;

use super::{Found, Read};
use crate::transfer::fields::{Any, Fields};
use crate::transfer::{Record, Secret};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct User {
    id: Any,
    email: Any,
    encrypted_password: Any,
    email_confirmed_at: Any,
    /// Until 2021 there was one for address and telephone number.
    confirmed_at: Any,
    created_at: Any,
    banned_until: Any,
    deleted_at: Any,
    /// What the user says of himself, in JSON.
    raw_user_meta_data: Value,
}

pub(super) fn read(user: User) -> Read {
    let mut fields = Fields::default();
    if fields.text("/deleted_at", user.deleted_at).is_some() {
        return Ok(Found::Other("a user who was deleted"));
    }
    let foreign_id = fields.text("/id", user.id);
    let confirmed = match user.email_confirmed_at {
        Any::Nothing => user.confirmed_at,
        given => given,
    };
    let record = Record {
        id: foreign_id.as_deref().and_then(|id| id.parse().ok()),
        foreign_id,
        email: fields.text("/email", user.email),
        username: None,
        name: name(&user.raw_user_meta_data),
        roles: Vec::new(),
        disabled: false,
        disabled_until: fields.moment("/banned_until", user.banned_until),
        email_verified: fields.moment("/email_confirmed_at", confirmed).is_some(),
        created_at: fields.moment("/created_at", user.created_at),
        secret: fields
            .text("/encrypted_password", user.encrypted_password)
            .map_or(Secret::None, Secret::Hash),
    };
    fields.found(record)
}

/// Users of providers have `full_name`, those of one's own pages often `name`.
fn name(given: &Value) -> Option<String> {
    let parsed;
    let given = match given {
        Value::String(text) => {
            parsed = serde_json::from_str::<Value>(text).ok()?;
            &parsed
        }
        given => given,
    };
    ["name", "full_name"]
        .iter()
        .find_map(|field| given[field].as_str())
        .map(str::to_owned)
}
