//! What a route asks of a token beyond being good.
//!
//! A demand of the sign-in is that of RFC 9470:
//!
//! 1. The token says when the person signed in (`auth_time`) and how (`acr`): section 6.1, RFC 9068 section 2.2.1.
//! 2. Where that is not enough for a route, the answer is 401 `insufficient_user_authentication`, and the challenge says
//!    what would be: section 3.
//! 3. The client takes `max_age` and `acr_values` out of the challenge into an authorization request: section 4.
//! 4. The token that comes of it tells of the new sign-in. A refreshed one tells of the old: a refresh signs nobody in.

use std::time::Duration;

use symbolon_token::AccessClaims;

#[cfg(feature = "follow")]
use crate::denied::Denied;

/// The permission that stands for all of them.
const EVERY_PERMISSION: &str = "*";

/// What a token must allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand(What);

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Roles(Box<[Box<str>]>),
    Permission(Box<str>),
    Scope(Box<str>),
    /// In seconds.
    SignedInWithin(i64),
    Acr(Box<[Box<str>]>),
}

impl Demand {
    /// Its owner has one of these roles (claim `roles`). With no role at all nobody passes.
    pub fn any_role<R: Into<Box<str>>>(roles: impl IntoIterator<Item = R>) -> Self {
        Self(What::Roles(roles.into_iter().map(Into::into).collect()))
    }

    /// Its owner has this permission: the claim `scope` holds it, or `*`.
    pub fn permission(permission: impl Into<Box<str>>) -> Self {
        Self(What::Permission(permission.into()))
    }

    /// It was given with this scope: the claim `scope` holds exactly it.
    pub fn scope(scope: impl Into<Box<str>>) -> Self {
        Self(What::Scope(scope.into()))
    }

    /// The person signed in no longer ago than this, in whole seconds (claim `auth_time`; RFC 9470 section 3). A token
    /// that does not say when does not pass.
    #[must_use]
    pub fn signed_in_within(age: Duration) -> Self {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        Self(What::SignedInWithin(seconds))
    }

    /// The person signed in in one of these ways (claim `acr`; RFC 9470 section 3), the best first. With none at all
    /// nobody passes.
    pub fn acr<A: Into<Box<str>>>(values: impl IntoIterator<Item = A>) -> Self {
        Self(What::Acr(values.into_iter().map(Into::into).collect()))
    }

    /// Whether the token meets it, whatever the time is. A demand for a recent sign-in is never met here: see
    /// [`is_met_at`](Self::is_met_at).
    #[must_use]
    pub fn is_met(&self, claims: &AccessClaims) -> bool {
        // RFC 6749 section 3.3: spaces, and nothing else, are between scopes. Nothing is no scope, though it stands
        // between two spaces.
        let holds = |wanted: &str| {
            let mut scopes = claims.scope.split(' ');
            !wanted.is_empty() && scopes.any(|scope| scope == wanted)
        };
        match &self.0 {
            What::Roles(roles) => {
                let has = |role: &str| claims.roles.iter().any(|one| one == role);
                roles.iter().any(|role| has(role))
            }
            What::Permission(permission) => {
                holds(permission) || (!permission.is_empty() && holds(EVERY_PERMISSION))
            }
            What::Scope(scope) => holds(scope),
            What::SignedInWithin(_) => false,
            What::Acr(values) => {
                let acr = claims.acr.as_deref();
                acr.is_some_and(|acr| values.iter().any(|value| **value == *acr))
            }
        }
    }

    /// Whether the token meets it at `now`, in seconds since 1970, where clocks may differ by `leeway` seconds.
    #[must_use]
    pub fn is_met_at(&self, claims: &AccessClaims, now: i64, leeway: i64) -> bool {
        let What::SignedInWithin(seconds) = self.0 else {
            return self.is_met(claims);
        };
        claims.auth_time.is_some_and(|auth_time| {
            let age = now.saturating_sub(auth_time);
            // Nobody signs in in the future.
            (leeway.saturating_neg()..=seconds.saturating_add(leeway)).contains(&age)
        })
    }

    /// Why a request is refused whose token does not meet it.
    #[cfg(feature = "follow")]
    #[must_use]
    pub const fn denied(&self) -> Denied {
        match self.0 {
            What::Roles(_) | What::Permission(_) => Denied::Forbidden,
            What::Scope(_) => Denied::InsufficientScope,
            What::SignedInWithin(_) | What::Acr(_) => Denied::InsufficientUserAuthentication,
        }
    }

    /// The scope that is demanded, where it is one, for a challenge (RFC 6750 section 3).
    #[must_use]
    pub fn scope_name(&self) -> Option<&str> {
        match &self.0 {
            What::Scope(scope) => Some(scope),
            _ => None,
        }
    }

    /// How many seconds ago the sign-in may be, where that is demanded, for a challenge (RFC 9470 section 3).
    #[must_use]
    pub const fn max_age_seconds(&self) -> Option<i64> {
        match self.0 {
            What::SignedInWithin(seconds) => Some(seconds),
            _ => None,
        }
    }

    /// The ways to sign in of which one is demanded, the best first, for a challenge (RFC 9470 section 3).
    #[must_use]
    pub fn acr_values(&self) -> Option<&[Box<str>]> {
        match &self.0 {
            What::Acr(values) => Some(values),
            _ => None,
        }
    }
}

#[cfg(all(test, feature = "follow"))]
mod tests;
