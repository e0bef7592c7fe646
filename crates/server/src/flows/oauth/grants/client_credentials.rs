//! A client acts for itself (OAuth 2.1 section 4.2).
//!
//! 1. Only a confidential client can (section 4.2): a public one cannot have this grant.
//! 2. The scopes are among those that it may ask for; what names a permission is among those of its own roles. There is no
//!    person, so no `openid` and no `offline_access` (SECURITY row A18).
//! 3. No session, no refresh token: it asks again. Its tokens die when it is disabled, deleted or gets other roles.

use symbolon_domain::oauth::{
    ErrorCode, OAuthError, OFFLINE_ACCESS, OPENID, scopes_of, targets_of,
};
use symbolon_domain::{ClientType, Effective, Scope};

use super::super::Failed;
use super::super::token::{Asked, Tokens};
use crate::app::App;
use crate::flows::access_token;

pub(in super::super) async fn give(app: &App, asked: &Asked<'_>) -> Result<Tokens, Failed> {
    if asked.client.kind == ClientType::Public {
        let sentence = "Only a confidential client can act for itself.";
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, sentence).into());
    }
    let parameters = asked.request.credentials.parameters;
    let wanted = scopes_of(&asked.client, parameters)?;
    let resources = targets_of(&asked.client, parameters)?;
    let roles = &asked.client.definition.roles;
    let holds = match roles.iter().next() {
        Some(_) => app.role_book().await?.effective(roles),
        None => Effective::default(),
    };
    let of_people = |scope: &Scope| matches!(scope.as_str(), OPENID | OFFLINE_ACCESS);
    let mut scopes = wanted.held_by(&holds.permissions);
    if parameters.get("scope").is_none() {
        scopes = scopes.without(of_people);
    } else if scopes != wanted || scopes.iter().any(of_people) {
        let sentence = "The client has no role that allows all of these scopes, or there is one for people among them.";
        return Err(OAuthError::new(ErrorCode::InvalidScope, sentence).into());
    }
    let jkt = asked.request.jkt.as_deref();
    let access = access_token::issue_to_client(
        app,
        &asked.client,
        (&scopes, &holds, &resources),
        (jkt, asked.now),
    )?;
    Ok(Tokens {
        access,
        token_type: if jkt.is_some() { "DPoP" } else { "Bearer" },
        issued_token_type: None,
        refresh_token: None,
        id_token: None,
        scopes,
    })
}
