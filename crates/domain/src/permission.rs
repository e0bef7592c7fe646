use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::Problem;

#[cfg(test)]
mod tests;

/// In characters.
const MAX_LENGTH: usize = 64;
/// What stands for every permission.
const EVERY: &str = "*";

/// One permission: `thing:verb`, such as `orders:read`.
///
/// Of `a`-`z`, `0`-`9`, `.`, `_` and `-` with colons between the parts, each part beginning with a letter or digit,
/// 64 characters at most: names are compared byte by byte and travel space-separated in a token's `scope`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission(Box<str>);

impl Permission {
    /// Reads a permission.
    ///
    /// # Errors
    /// `permission_malformed`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let part_is_good = |part: &str| {
            part.bytes().next().is_some_and(is_plain)
                && part.bytes().all(|b| is_plain(b) || b"._-".contains(&b))
        };
        let parts = text.split(':').count();
        if parts < 2 || !text.split(':').all(part_is_good) || text.len() > MAX_LENGTH {
            return Err(Problem::new(
                "permission_malformed",
                "A permission is thing:verb, such as orders:read: lower-case letters a to z, digits, '.', '_' and '-', \
                 64 characters at most.",
            ));
        }
        Ok(Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Permission {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::parse(text)
    }
}

/// A set of permissions: every one there is, or those named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permissions {
    /// Every one, also those that nobody has thought of yet: `*`.
    Every,
    /// These.
    Named(BTreeSet<Permission>),
}

impl Default for Permissions {
    /// None.
    fn default() -> Self {
        Self::Named(BTreeSet::new())
    }
}

impl Permissions {
    /// Reads names separated by spaces, as [`fmt::Display`] writes them; `*` among them is every permission.
    ///
    /// # Errors
    /// `permission_malformed` for the first bad name.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::from_names(text.split(' ').filter(|name| !name.is_empty()))
    }

    /// Reads names; `*` among them is every permission.
    ///
    /// # Errors
    /// `permission_malformed` for the first bad name.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Problem> {
        let mut named = BTreeSet::new();
        let mut every = false;
        for name in names {
            if name == EVERY {
                every = true;
            } else {
                named.insert(Permission::parse(name)?);
            }
        }
        Ok(if every {
            Self::Every
        } else {
            Self::Named(named)
        })
    }

    /// Whether this permission is among them; `name` need not be one that exists.
    pub fn allow(&self, name: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Named(named) => named.iter().any(|one| one.as_str() == name),
        }
    }

    /// Whether each of `others` is among them.
    pub fn include(&self, others: &Self) -> bool {
        match (self, others) {
            (Self::Every, _) => true,
            (Self::Named(_), Self::Every) => false,
            (Self::Named(ours), Self::Named(theirs)) => theirs.is_subset(ours),
        }
    }

    /// Adds those of `others`.
    pub fn add(&mut self, others: &Self) {
        match (&mut *self, others) {
            (Self::Every, _) => {}
            (_, Self::Every) => *self = Self::Every,
            (Self::Named(ours), Self::Named(theirs)) => ours.extend(theirs.iter().cloned()),
        }
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Every => vec![EVERY],
            Self::Named(named) => named.iter().map(Permission::as_str).collect(),
        }
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
    }
}
