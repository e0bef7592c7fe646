//! The UserInfo endpoint (OpenID Connect Core 1.0 section 5.3).
//!
//! 1. The access token is one of ours, for us, alive and not revoked: an ID token is none (SECURITY row A23).
//! 2. It was given for `openid`.
//! 3. The claims are those of its scopes, and those that the request asked for.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use symbolon_domain::oauth::{OPENID, Scopes};
use symbolon_domain::{ClientId, Refusal, Scope, SessionId, UserId};
use symbolon_guard::Verified;

use super::Failed;
use super::claims::{self, Place};
use crate::app::App;
use crate::flows::Origin;
use crate::flows::clients::resolve;

/// What an access token that was checked tells of its person.
///
/// # Errors
/// `invalid_token` where the person is gone, `insufficient_scope`; a fault.
pub async fn userinfo(
    app: &App,
    verified: &Verified,
    origin: &Origin,
) -> Result<Map<String, Value>, Failed> {
    let token = verified.claims();
    // Our own sign-in has `*` among them, which is no scope of a client.
    let words = token.scope.split(' ');
    let scopes: BTreeSet<_> = words.flat_map(Scope::parse).collect();
    let scopes = Scopes::from(scopes);
    if !scopes.contains(OPENID) {
        return Err(Refusal::InsufficientScope.into());
    }
    let user: UserId = token.sub.parse().map_err(|_| Refusal::InvalidToken)?;
    let session: Option<SessionId> = token.sid.as_deref().and_then(|sid| sid.parse().ok());
    let user = app.store.find_user(user).await?;
    let user = user.ok_or(Refusal::InvalidToken)?;
    let authorization = match session {
        Some(session) => app.store.find_authorization(session).await?,
        None => None,
    };
    let asked = authorization.and_then(|authorization| authorization.claims);
    let mut all = Map::new();
    let sub = match ClientId::parse(&token.client_id) {
        Ok(id) => match resolve(app, &id, origin).await? {
            Some(client) => claims::subject(app, &client, user.id)?,
            None => return Err(Refusal::InvalidToken.into()),
        },
        // Our own sign-in.
        Err(_) => user.id.to_string(),
    };
    all.insert("sub".to_owned(), json!(sub));
    all.extend(claims::of(
        &user,
        &scopes,
        asked.as_deref(),
        Place::Userinfo,
    ));
    Ok(all)
}
