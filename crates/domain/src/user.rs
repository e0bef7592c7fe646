use crate::words::words;
use crate::{DisplayName, Email, Roles, Timestamp, UserId, Username};

words! {
    /// Whether a user may sign in.
    pub enum UserStatus ("user status") {
        /// May sign in.
        Active => "active",
        /// May not; every session is ended.
        Disabled => "disabled",
    }
}

/// A person with an account. The password's hash is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id; the `sub` of tokens.
    pub id: UserId,
    /// The address; its key is unique.
    pub email: Email,
    /// The user name; its key is unique.
    pub username: Option<Username>,
    /// The name to show.
    pub name: Option<DisplayName>,
    /// The roles.
    pub roles: Roles,
    /// Whether the user may sign in.
    pub status: UserStatus,
    /// Whether the user has shown that the address is theirs.
    pub email_verified: bool,
    /// The `ver` of tokens: rises with whatever kills or outdates every access token of the user, never falls.
    pub token_version: i64,
    /// The version of this record, for compare-and-set: one more with each change.
    pub version: i64,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When the record last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// Whether the user may sign in.
    pub fn is_active(&self) -> bool {
        self.status == UserStatus::Active
    }
}
