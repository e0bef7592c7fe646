//! A user as the API shows it.

use serde::Serialize;
use symbolon_domain::User;
use utoipa::ToSchema;
use uuid::Uuid;

/// A person with an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserBody<'a> {
    /// UUIDv7.
    id: Uuid,
    /// E-mail address.
    #[schema(example = "ada@example.com")]
    email: &'a str,
    /// Name to sign in with.
    #[schema(example = "ada", nullable)]
    username: Option<&'a str>,
    /// Name to be shown.
    #[schema(example = "Ada Lovelace", nullable)]
    name: Option<&'a str>,
    /// Names of roles, sorted.
    #[schema(example = json!(["user"]))]
    roles: Vec<&'a str>,
    /// Whether the address is known to be the user's.
    email_verified: bool,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl<'a> From<&'a User> for UserBody<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id.uuid(),
            email: user.email.as_str(),
            username: user.username.as_ref().map(|username| username.as_str()),
            name: user.name.as_ref().map(|name| name.as_str()),
            roles: user.roles.iter().map(|role| role.as_str()).collect(),
            email_verified: user.email_verified,
            created_at: crate::rfc3339::text(user.created_at),
            updated_at: crate::rfc3339::text(user.updated_at),
        }
    }
}
