use std::collections::BTreeSet;
use std::fmt;

use super::{ErrorCode, OAuthError};
use crate::client::MOST_SCOPES;
use crate::{Permission, Permissions, Problem, Scope};

/// Scopes of one request at most: as many as a client can have, so that what it may ask for can be asked for, and read again.
const MOST: usize = MOST_SCOPES;
/// The scope that makes a request one of OpenID Connect.
pub const OPENID: &str = "openid";
/// The scope for tokens that outlive the sign-in (OpenID Connect Core 1.0 section 11).
pub const OFFLINE_ACCESS: &str = "offline_access";
/// The scope for the names of roles in access tokens.
pub const ROLES: &str = "roles";

/// A set of scopes (RFC 6749 section 3.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Reads scopes that are separated by spaces.
    ///
    /// # Errors
    /// `invalid_scope`.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let mut scopes = BTreeSet::new();
        for (count, word) in text.split(' ').filter(|word| !word.is_empty()).enumerate() {
            let scope = Scope::parse(word).ok().filter(|_| count < MOST);
            let refused = || {
                let sentence = "The parameter scope has too many scopes, or one that is none.";
                OAuthError::new(ErrorCode::InvalidScope, sentence)
            };
            scopes.insert(scope.ok_or_else(refused)?);
        }
        Ok(Self(scopes))
    }

    /// Reads scopes that were kept, as [`fmt::Display`] writes them, however many they have become.
    ///
    /// # Errors
    /// `scope_malformed`.
    pub fn kept(text: &str) -> Result<Self, Problem> {
        let words = text.split(' ').filter(|word| !word.is_empty());
        words.map(Scope::parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this one is among them.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|one| one.as_str() == scope)
    }

    /// Whether all of `others` are among them.
    pub fn cover(&self, others: &Self) -> bool {
        others.0.is_subset(&self.0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Those of both.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        Self(self.0.union(&others.0).cloned().collect())
    }

    /// Without these.
    #[must_use]
    pub fn without(&self, these: impl Fn(&Scope) -> bool) -> Self {
        Self(self.0.iter().filter(|one| !these(one)).cloned().collect())
    }

    /// Without those that name a permission which `held` does not have: a client never gets more than whom it acts for.
    #[must_use]
    pub fn held_by(&self, held: &Permissions) -> Self {
        let is_held = |scope: &&Scope| {
            Permission::parse(scope.as_str()).is_err() || held.allow(scope.as_str())
        };
        Self(self.0.iter().filter(is_held).cloned().collect())
    }
}

impl From<BTreeSet<Scope>> for Scopes {
    fn from(scopes: BTreeSet<Scope>) -> Self {
        Self(scopes)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{scope}")?;
        }
        Ok(())
    }
}
