//! Revocation (RFC 7009).
//!
//! 1. The client that asks has shown who it is; a public one by its id.
//! 2. A refresh token of its own ends its session, and with it every access token of it at every guard (section 2.1). One
//!    that was replaced is judged as a refresh would judge it.
//! 3. An access token of its own dies alone.
//! 4. A token of another client is left as it is, and that is said. What is no token of ours is no error (section 2.2).
//! 5. The answer comes when it is on disk: a store that does not answer is an error (SECURITY row A25).

use symbolon_domain::ending::Event;
use symbolon_domain::oauth::OAuthError;
use symbolon_domain::revocation::{Effect, Subject};
use symbolon_domain::{Client, SessionId, Timestamp};

use super::introspect::alive;
use super::{Credentials, Failed, authenticate};
use crate::app::App;
use crate::flows::logout::logout_by_refresh_token;
use crate::flows::refresh::authentic;
use crate::flows::{Error, Origin, consequences};

/// Revokes the parameter `token`.
///
/// # Errors
/// `invalid_request`, `invalid_client`, `invalid_grant` for the token of another client; a fault.
pub async fn revoke(
    app: &App,
    credentials: &Credentials<'_>,
    origin: &Origin,
) -> Result<(), Failed> {
    let now = app.clock.now();
    let client = authenticate(app, credentials, origin).await?;
    let text = credentials.parameters.required("token")?;
    if let Ok(token) = authentic(app, text) {
        let id = SessionId::from_bytes(token.session());
        let Some(authorization) = app.store.find_authorization(id).await? else {
            return Ok(());
        };
        if authorization.client != client.id {
            return Err(OAuthError::invalid_grant().into());
        }
        return Ok(logout_by_refresh_token(app, text, client.id.as_str(), origin).await?);
    }
    match alive(app, text, now)? {
        Some(claims) if claims.client_id == client.id.as_str() => {
            end_token(app, &client, claims.jti, now).await
        }
        Some(_) => Err(OAuthError::invalid_grant().into()),
        None => Ok(()),
    }
}

/// Step 3.
async fn end_token(app: &App, client: &Client, jti: String, now: Timestamp) -> Result<(), Failed> {
    tracing::debug!(client = %client.id, "an access token is revoked by its client");
    let subject = Subject::Token(jti);
    let ends = Event::TokensEnd {
        subject: &subject,
        effect: Effect::Revoked,
    };
    let mut batch = app.store.batch();
    let revocations = consequences::write(app, &mut batch, &ends, None, now);
    app.commit(batch, &revocations).await.map_err(Error::from)?;
    Ok(())
}
