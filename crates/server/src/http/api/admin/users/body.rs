//! Accounts as administrators see and send them.

use serde::{Deserialize, Serialize};
use symbolon_domain::{FieldError, Refusal};

use utoipa::ToSchema;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::super::super::super::body::{missing, nullable};
use crate::flows::users::{Fields, New, UserRow};
use crate::rfc3339::text as rfc3339;

/// A person with an account, as administrators see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct AccountBody {
    /// UUIDv7.
    id: Uuid,
    /// E-mail address.
    #[schema(example = "ada@example.com")]
    email: String,
    /// Name to sign in with.
    #[schema(example = "ada", nullable, required)]
    username: Option<String>,
    /// Name to be shown.
    #[schema(example = "Ada Lovelace", nullable, required)]
    name: Option<String>,
    /// Names of roles, sorted.
    #[schema(example = json!(["user"]))]
    roles: Vec<String>,
    /// Whether the address is known to be the user's.
    email_verified: bool,
    /// `active` or `disabled`.
    #[schema(example = "active")]
    status: &'static str,
    /// RFC 3339, UTC. Not part of the version: a sign-in changes nothing of what a user is.
    #[schema(format = DateTime, nullable, required)]
    last_login_at: Option<String>,
    /// One more with each change; the number in the `ETag`.
    #[schema(example = 1)]
    version: i64,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<&UserRow> for AccountBody {
    fn from(
        UserRow {
            user,
            last_login_at,
        }: &UserRow,
    ) -> Self {
        Self {
            id: user.id.uuid(),
            email: user.email.to_string(),
            username: user.username.as_ref().map(ToString::to_string),
            name: user.name.as_ref().map(ToString::to_string),
            roles: user.roles.to_strings(),
            email_verified: user.email_verified,
            status: user.status.as_str(),
            last_login_at: last_login_at.map(rfc3339),
            version: user.version,
            created_at: rfc3339(user.created_at),
            updated_at: rfc3339(user.updated_at),
        }
    }
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::http) struct NewAccount {
    /// E-mail address.
    #[schema(required, nullable = false, example = "ada@example.com")]
    email: Option<String>,
    /// Password. Without one nobody can sign in until one is set.
    #[schema(example = "correct horse battery")]
    password: Option<String>,
    /// Name to sign in with.
    #[schema(example = "ada")]
    username: Option<String>,
    /// Name to be shown.
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
    /// Names of roles; `user` where none are given. Nobody can give what they do not have.
    #[schema(example = json!(["user"]))]
    roles: Option<Vec<String>>,
    /// Whether the address is known to be the user's.
    email_verified: Option<bool>,
}

impl From<NewAccount> for New {
    fn from(body: NewAccount) -> Self {
        Self {
            fields: Fields {
                email: body.email,
                email_verified: body.email_verified,
                username: Some(body.username),
                name: Some(body.name),
                roles: body.roles,
                status: None,
            },
            password: body.password.map(Zeroizing::new),
        }
    }
}

/// What to change of an account. A field that is absent stays; `null` clears a username or a name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::http) struct AccountChange {
    /// E-mail address. Another one counts as not verified unless `emailVerified` says so.
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// Whether the address is known to be the user's.
    email_verified: Option<bool>,
    /// Name to sign in with.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "ada")]
    username: Option<Option<String>>,
    /// Name to be shown.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "Ada Lovelace")]
    name: Option<Option<String>>,
    /// Names of roles: all of them. Nobody can give what they do not have.
    #[schema(example = json!(["user"]))]
    roles: Option<Vec<String>>,
    /// `active` or `disabled`.
    #[schema(example = "disabled")]
    status: Option<String>,
}

impl From<AccountChange> for Fields {
    fn from(body: AccountChange) -> Self {
        Self {
            email: body.email,
            email_verified: body.email_verified,
            username: body.username,
            name: body.name,
            roles: body.roles,
            status: body.status,
        }
    }
}

/// Everything of an account that can be set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::http) struct WholeAccount {
    /// E-mail address.
    #[schema(required, nullable = false, example = "ada@example.com")]
    email: Option<String>,
    /// Whether the address is known to be the user's.
    #[schema(required, nullable = false)]
    email_verified: Option<bool>,
    /// Name to sign in with.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, required, example = "ada")]
    username: Option<Option<String>>,
    /// Name to be shown.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, required, example = "Ada Lovelace")]
    name: Option<Option<String>>,
    /// Names of roles.
    #[schema(required, nullable = false, example = json!(["user"]))]
    roles: Option<Vec<String>>,
    /// `active` or `disabled`.
    #[schema(required, nullable = false, example = "active")]
    status: Option<String>,
}

impl TryFrom<WholeAccount> for Fields {
    type Error = Refusal;

    fn try_from(body: WholeAccount) -> Result<Self, Refusal> {
        let absent = [
            (body.email.is_none(), "/email"),
            (body.email_verified.is_none(), "/emailVerified"),
            (body.username.is_none(), "/username"),
            (body.name.is_none(), "/name"),
            (body.roles.is_none(), "/roles"),
            (body.status.is_none(), "/status"),
        ];
        let absent = absent.iter().filter(|(absent, _)| *absent);
        let errors: Vec<FieldError> = absent.map(|(_, pointer)| missing(pointer)).collect();
        if !errors.is_empty() {
            return Err(Refusal::Validation(errors));
        }
        Ok(Self {
            email: body.email,
            email_verified: body.email_verified,
            username: body.username,
            name: body.name,
            roles: body.roles,
            status: body.status,
        })
    }
}

/// A password for somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NewPassword {
    /// The new password.
    #[schema(required, nullable = false, example = "correct horse battery")]
    password: Option<String>,
}

impl NewPassword {
    /// As it was typed.
    ///
    /// # Errors
    /// `validation_failed`.
    pub(super) fn text(self) -> Result<Zeroizing<String>, Refusal> {
        let text = self.password.map(Zeroizing::new);
        text.ok_or_else(|| Refusal::Validation(vec![missing("/password")]))
    }
}
