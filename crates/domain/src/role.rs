use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::Problem;

#[cfg(test)]
mod tests;

/// In characters.
const MAX_LENGTH: usize = 64;

/// The name of a role: 1 to 64 of `a`-`z`, `0`-`9`, `.`, `_`, `:` and `-`, with a letter or digit first.
///
/// Lower case only and no spaces: names are compared byte by byte and travel space-separated.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleName(Cow<'static, str>);

impl RoleName {
    /// The built-in role with every permission.
    pub const ADMIN: Self = Self(Cow::Borrowed("admin"));
    /// The built-in role with none.
    pub const USER: Self = Self(Cow::Borrowed("user"));

    /// Reads the name of a role.
    ///
    /// # Errors
    /// `role_malformed`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let first_allowed = text.bytes().next().is_some_and(is_plain);
        let all_allowed = text.bytes().all(|b| is_plain(b) || b"._:-".contains(&b));
        if !first_allowed || !all_allowed || text.len() > MAX_LENGTH {
            return Err(Problem::new(
                "role_malformed",
                "A role's name has 1 to 64 lower-case letters a to z, digits, '.', '_', ':' and '-'.",
            ));
        }
        Ok(match text {
            "admin" => Self::ADMIN,
            "user" => Self::USER,
            other => Self(Cow::Owned(other.to_owned())),
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for RoleName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RoleName {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::parse(text)
    }
}

/// The roles of a user: sorted, each once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Roles(Vec<RoleName>);

impl Roles {
    /// Sorts the names and drops repeats.
    pub fn new(mut names: Vec<RoleName>) -> Self {
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    /// Reads names separated by spaces, as [`fmt::Display`] writes them. The empty text is no role.
    ///
    /// # Errors
    /// `role_malformed` for the first bad name.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let names = text
            .split(' ')
            .filter(|name| !name.is_empty())
            .map(RoleName::parse);
        names.collect::<Result<Vec<_>, _>>().map(Self::new)
    }

    /// Whether the role is among them.
    pub fn contains(&self, role: impl AsRef<str>) -> bool {
        self.0
            .binary_search_by(|name| name.as_str().cmp(role.as_ref()))
            .is_ok()
    }

    /// Whether [`RoleName::ADMIN`] is among them.
    pub fn is_admin(&self) -> bool {
        self.contains(RoleName::ADMIN)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in order.
    pub fn as_slice(&self) -> &[RoleName] {
        &self.0
    }

    /// The names, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, RoleName> {
        self.0.iter()
    }

    /// The names as strings, in order, as the claim `roles` has them.
    pub fn to_strings(&self) -> Vec<String> {
        self.0.iter().map(RoleName::to_string).collect()
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, name) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for Roles {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::parse(text)
    }
}

impl FromIterator<RoleName> for Roles {
    fn from_iter<I: IntoIterator<Item = RoleName>>(names: I) -> Self {
        Self::new(names.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Roles {
    type Item = &'a RoleName;
    type IntoIter = std::slice::Iter<'a, RoleName>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
