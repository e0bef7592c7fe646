//! The refresh token of a client (OAuth 2.1 section 4.3; RFC 9700 section 4.14; CONTRACT section 5).
//!
//! 1. The session is the client's own, and the DPoP key the one that it is bound to (RFC 9449 section 5): what is wrong here
//!    changes nothing, for only who could have used the token can give it away.
//! 2. `scope` is within what was granted; the next refresh has all of it again (OAuth 2.1 section 4.3.1).
//! 3. The token is replaced, by the same rules as that of our own sign-in.

use symbolon_domain::oauth::{Authorization, ErrorCode, OAuthError, Scopes};
use symbolon_domain::{Client, Refusal, SessionId};

use super::super::Failed;
use super::super::token::{Asked, Tokens};
use super::{narrowed, tokens};
use crate::app::App;
use crate::flows::Error;
use crate::flows::refresh::{authentic, rotate};

pub(in super::super) async fn refresh(app: &App, asked: &Asked<'_>) -> Result<Tokens, Failed> {
    let parameters = asked.request.credentials.parameters;
    let presented = parameters.required("refresh_token")?;
    let mut authorization = find(app, &asked.client, presented).await?;
    if authorization.jkt.is_some() && authorization.jkt != asked.request.jkt {
        return Err(OAuthError::invalid_grant().into());
    }
    if let Some(text) = parameters.get("scope") {
        let narrower = Scopes::parse(text)?;
        if !authorization.scopes.cover(&narrower) {
            let sentence = "The parameter scope asks for more than was granted.";
            return Err(OAuthError::new(ErrorCode::InvalidScope, sentence).into());
        }
        authorization.scopes = narrower;
    }
    // One from before the client's tokens were to be bound.
    authorization.jkt = authorization.jkt.or_else(|| bound_by(asked));
    authorization.resources = narrowed(&authorization.resources, parameters)?;
    let client = asked.client.id.as_str();
    let rotated = rotate(app, presented, client, asked.origin).await;
    let rotated = rotated.map_err(|error| match error {
        Error::Refused(
            Refusal::InvalidRefreshToken
            | Refusal::RefreshTokenExpired
            | Refusal::RefreshTokenReused
            | Refusal::SessionRevoked,
        ) => Failed::OAuth(OAuthError::invalid_grant()),
        other => Failed::Other(other),
    })?;
    let holder = (&rotated.user, &*rotated.book);
    let facts = (holder, &rotated.session, &authorization);
    tokens(app, asked, facts, (Some(rotated.refresh_token), None)).await
}

/// The key that a client's tokens are bound to although this session is not.
fn bound_by(asked: &Asked<'_>) -> Option<String> {
    let jkt = asked.request.jkt.clone();
    jkt.filter(|_| asked.client.definition.dpop_bound)
}

/// Step 1: what a refresh token of this client stands for.
pub(in super::super) async fn find(
    app: &App,
    client: &Client,
    presented: &str,
) -> Result<Authorization, Failed> {
    let token = authentic(app, presented).map_err(|error| match error {
        Error::Refused(_) => Failed::OAuth(OAuthError::invalid_grant()),
        other => Failed::Other(other),
    })?;
    let id = SessionId::from_bytes(token.session());
    let found = app.store.find_authorization(id).await?;
    let own = found.filter(|found| found.client == client.id);
    Ok(own.ok_or_else(OAuthError::invalid_grant)?)
}
