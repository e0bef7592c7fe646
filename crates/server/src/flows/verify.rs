//! Forward authentication: whether a request with this access token may pass, and who is behind it.
//!
//! 1. The token is judged as on our own routes: signature, claims, time, revocations.
//! 2. What the proxy demands is judged by the token alone, as guards do.
//! 3. The user is looked up for the name and address that the token does not carry.

use symbolon_domain::{Refusal, User, UserStatus};

use super::Error;
use super::authenticate::check;
use crate::app::App;

/// What a token must allow.
#[derive(Clone, Debug, Default)]
pub struct Demand<'a> {
    /// One of these roles.
    pub roles: Option<Vec<&'a str>>,
    /// This permission; the scope `*` has every one.
    pub permission: Option<&'a str>,
    /// This scope.
    pub scope: Option<&'a str>,
}

impl Demand<'_> {
    /// Each of them as guards judge it.
    fn all(&self) -> impl Iterator<Item = symbolon_guard::Demand> {
        use symbolon_guard::Demand as One;
        let roles = self.roles.as_ref();
        let roles = roles.map(|roles| One::any_role(roles.iter().copied()));
        let permission = self.permission.map(One::permission);
        [roles, permission, self.scope.map(One::scope)]
            .into_iter()
            .flatten()
    }
}

/// A request that may pass.
pub struct Passed {
    /// Who is behind it.
    pub user: User,
    /// The token's roles, separated by commas.
    pub groups: String,
}

/// Judges a token.
///
/// # Errors
/// `invalid_token`, `token_expired`, `token_revoked` or `token_stale`; `forbidden` or `insufficient_scope`; a fault.
pub async fn verify(app: &App, token: &str, demand: &Demand<'_>) -> Result<Passed, Error> {
    let verified = check(app, token, app.clock.now())?;
    let claims = verified.claims();
    for demand in demand.all() {
        if !demand.is_met(claims) {
            return Err(match demand.scope_name() {
                Some(_) => Refusal::InsufficientScope,
                None => Refusal::Forbidden,
            }
            .into());
        }
    }
    let user = claims.sub.parse().map_err(|_| Refusal::InvalidToken)?;
    let user = app.store.find_user(user).await?;
    // A deleted or disabled user has a revocation; the row is the last word all the same.
    let user = user.filter(|user| user.status == UserStatus::Active);
    Ok(Passed {
        user: user.ok_or(Refusal::TokenRevoked)?,
        groups: claims.roles.join(","),
    })
}
