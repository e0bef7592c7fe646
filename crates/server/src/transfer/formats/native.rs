//! Our own format, as [`crate::transfer::write`] writes it.

use serde::Deserialize;
use symbolon_domain::UserStatus;
use zeroize::Zeroizing;

use super::{Found, Read};
use crate::transfer::fields::{Any, Fields};
use crate::transfer::{Record, Secret};

/// The members, and the columns.
pub(super) const FIELDS: [&str; 10] = [
    "id",
    "email",
    "username",
    "name",
    "roles",
    "status",
    "emailVerified",
    "createdAt",
    "passwordHash",
    "password",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct User {
    id: Any,
    email: Any,
    username: Any,
    name: Any,
    roles: Any,
    status: Any,
    email_verified: Any,
    created_at: Any,
    password_hash: Any,
    password: Any,
}

pub(super) fn read(user: User) -> Read {
    let mut fields = Fields::default();
    let foreign_id = fields.text("/id", user.id);
    let id = foreign_id.as_deref().map(str::parse).transpose();
    if id.is_err() {
        fields.malformed("/id", "malformed_id", "This is not a UUID.");
    }
    let status = fields.text("/status", user.status);
    let status = status.map_or(Ok(UserStatus::Active), |status| status.parse());
    if status.is_err() {
        fields.malformed(
            "/status",
            "unknown_status",
            "A status is `active` or `disabled`.",
        );
    }
    let hash = fields.text("/passwordHash", user.password_hash);
    let plain = fields.text("/password", user.password).map(Zeroizing::new);
    let record = Record {
        id: id.unwrap_or_default(),
        foreign_id,
        email: fields.text("/email", user.email),
        username: fields.text("/username", user.username),
        name: fields.text("/name", user.name),
        roles: fields.words("/roles", user.roles),
        disabled: status == Ok(UserStatus::Disabled),
        disabled_until: None,
        email_verified: fields.flag("/emailVerified", user.email_verified),
        created_at: fields.moment("/createdAt", user.created_at),
        secret: match (hash, plain) {
            (Some(hash), None) => Secret::Hash(hash),
            (None, Some(plain)) => Secret::Plain(plain),
            (None, None) => Secret::None,
            (Some(_), Some(_)) => {
                let says = "A user has a password or the hash of one.";
                fields.malformed("/password", "password_twice", says);
                Secret::None
            }
        },
    };
    fields.found(record)
}

impl Fields {
    /// The record, unless something was wrong.
    pub(super) fn found(self, record: Record) -> Read {
        if self.errors.is_empty() {
            Ok(Found::User(record))
        } else {
            Err(self.errors)
        }
    }
}
