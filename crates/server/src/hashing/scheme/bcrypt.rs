//! bcrypt in its own notation.

use super::super::{HashError, Unusable};

/// bcrypt looks at no byte past this one. What is longer is refused, never cut.
pub(in super::super) const BCRYPT_LONGEST: usize = 72;
/// Two to the power of this many rounds: about a second on one core. More only where more is configured.
const MOST_COST: u32 = 14;

/// A stored hash, read.
pub(super) struct Stored {
    pub(super) cost: u32,
    text: String,
}

impl Stored {
    /// A well-formed hash of nothing.
    pub(super) fn dummy(cost: u32) -> Self {
        Self {
            cost,
            text: format!("$2b${cost:02}${}", ".".repeat(53)),
        }
    }

    pub(super) fn read(text: &str, configured: u32) -> Result<Self, Unusable> {
        let parts = text.parse::<::bcrypt::HashParts>();
        let cost = parts.map_err(|_| Unusable::Malformed)?.get_cost();
        if cost > MOST_COST.max(configured) {
            return Err(Unusable::TooCostly);
        }
        if cost < 4 {
            return Err(Unusable::Malformed);
        }
        Ok(Self {
            cost,
            text: text.to_owned(),
        })
    }

    /// bcrypt would cut a longer password: the work is done, and the verdict is no.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        ::bcrypt::verify(password, &self.text).unwrap_or(false) && fits(password)
    }
}

pub(super) fn hash(password: &[u8], cost: u32, salt: [u8; 16]) -> Result<String, HashError> {
    if !fits(password) {
        return Err(HashError::fault(
            "the password is longer than bcrypt can hash",
        ));
    }
    ::bcrypt::hash_with_salt(password, cost, salt)
        .map(|parts| parts.format_for_version(::bcrypt::Version::TwoB))
        .map_err(HashError::fault)
}

pub(super) fn fits(password: &[u8]) -> bool {
    password.len() <= BCRYPT_LONGEST && !password.contains(&0)
}
