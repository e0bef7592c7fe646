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
    let has_scope = |wanted: &str| claims.scope.split(' ').any(|scope| scope == wanted);
    let has_role = |wanted: &&str| claims.roles.iter().any(|role| role == wanted);
    if demand
        .roles
        .as_ref()
        .is_some_and(|roles| !roles.iter().any(has_role))
    {
        return Err(Refusal::Forbidden.into());
    }
    if demand
        .permission
        .is_some_and(|wanted| !has_scope(wanted) && !has_scope("*"))
    {
        return Err(Refusal::Forbidden.into());
    }
    if demand.scope.is_some_and(|wanted| !has_scope(wanted)) {
        return Err(Refusal::InsufficientScope.into());
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
