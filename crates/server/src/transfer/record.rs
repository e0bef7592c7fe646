use symbolon_domain::{Timestamp, UserId};
use zeroize::Zeroizing;

use crate::hashing::Unusable;

/// A user as a file has them: nothing of it is checked yet.
#[derive(Default)]
pub struct Record {
    /// What the other system calls the user.
    pub foreign_id: Option<String>,
    /// The same, where it can be the id here too.
    pub id: Option<UserId>,
    /// E-mail address.
    pub email: Option<String>,
    /// Name to sign in with.
    pub username: Option<String>,
    /// Name to be shown.
    pub name: Option<String>,
    /// Roles.
    pub roles: Vec<String>,
    /// Whether the user may not sign in.
    pub disabled: bool,
    /// The same for a time: until then.
    pub disabled_until: Option<Timestamp>,
    /// Whether the address is known to be theirs.
    pub email_verified: bool,
    /// When the account was made.
    pub created_at: Option<Timestamp>,
    /// What proves that it is them.
    pub secret: Secret,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// A password as a file has it.
#[derive(Default)]
pub enum Secret {
    /// None: the user cannot sign in with one before it is set.
    #[default]
    None,
    /// Its hash in some notation.
    Hash(String),
    /// A hash that cannot be written in any notation that is known here.
    Unusable(Unusable),
    /// As it is typed.
    Plain(Zeroizing<String>),
}
