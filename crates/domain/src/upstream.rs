//! People who sign in at another provider to come to us: who they are here.
//!
//! 1. A person is known by the pair of the provider's issuer and the subject there, and by nothing else.
//! 2. An identity is linked to an account by the account's owner alone, who gives its password; never because of an
//!    address, verified or not (SECURITY rows H1, H2).
//! 3. Who is nobody's yet gets an account where anybody may make one. Where the address has an account already, its owner
//!    may link. Where nobody may make one, only who has shown the provider that the address is theirs hears of it.
//! 4. Who is disabled stays out (row L14).

#[cfg(test)]
mod tests;

use crate::{Email, Problem, Timestamp, User, UserId};

/// Longest subject (OpenID Connect Core 1.0 section 2) and issuer, in bytes.
const MOST_SUBJECT: usize = 255;
const MOST_ISSUER: usize = 1_000;

/// Somebody at a provider. Compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ForeignIdentity {
    issuer: Box<str>,
    subject: Box<str>,
}

impl ForeignIdentity {
    /// The person whom a provider calls so.
    ///
    /// # Errors
    /// `identity_malformed`
    pub fn new(issuer: &str, subject: &str) -> Result<Self, Problem> {
        let good = |text: &str, most| {
            (1..=most).contains(&text.len()) && !text.chars().any(char::is_control)
        };
        if !good(issuer, MOST_ISSUER) || !good(subject, MOST_SUBJECT) {
            let sentence = "The provider has no name for the person that can be kept.";
            return Err(Problem::new("identity_malformed", sentence));
        }
        Ok(Self {
            issuer: issuer.into(),
            subject: subject.into(),
        })
    }

    /// The provider.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The person there.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

/// Whose an identity is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityLink {
    /// The identity.
    pub identity: ForeignIdentity,
    /// The account.
    pub user: UserId,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used to sign in.
    pub last_used_at: Timestamp,
}

/// What is known when somebody comes from a provider.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Whose the identity is.
    pub owner: Option<&'a User>,
    /// The address that the provider tells, and whether it says that it is the person's.
    pub email: Option<(&'a Email, bool)>,
    /// Whether there is an account of that address.
    pub is_taken: bool,
    /// Whether anybody may make an account with that address.
    pub is_open: bool,
    /// Whether nobody signs in before the address is confirmed.
    pub must_be_verified: bool,
}

/// What becomes of who comes from a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Signs in to the account that the identity is of.
    SignIn,
    /// An account is made.
    Register,
    /// Refused: the account is disabled.
    Disabled,
    /// Refused: nobody may make an account.
    Closed,
    /// Refused so far: there is an account of that address, whose owner may link by its password.
    Taken,
    /// Refused: the provider tells no address.
    NoAddress,
    /// Refused: the provider does not say that the address is the person's.
    Unverified,
}

/// Decides.
pub fn arrive(facts: &Facts<'_>) -> Arrival {
    match facts.owner {
        Some(owner) if owner.is_active() => return Arrival::SignIn,
        Some(_) => return Arrival::Disabled,
        None => {}
    }
    match facts.email {
        Some((_, true)) if facts.is_taken => Arrival::Taken,
        // Before what tells of accounts to anybody who names an address.
        _ if !facts.is_open => Arrival::Closed,
        None => Arrival::NoAddress,
        // The same: where addresses are to be confirmed, nothing does.
        Some((_, false)) if facts.must_be_verified || facts.is_taken => Arrival::Unverified,
        Some(_) => Arrival::Register,
    }
}
