//! The authorization code (OAuth 2.1 section 4.1.3; RFC 7636 section 4.6).
//!
//! 1. The code is looked up by its digest: unknown, expired and of another client are the same answer, and change nothing.
//! 2. `redirect_uri` is the one of the request, if that named one or this one does.
//! 3. `code_verifier` is what `code_challenge` was made of. A DPoP key is the one that the code is bound to.
//! 4. A code that was used ends the session that it was used for, once all the rest is right: only who could have used it
//!    can do that (OAuth 2.1 section 4.1.3; SECURITY row A6).
//! 5. The sign-in at the browser has not ended meanwhile, whatever was granted, nor was the consent taken back.
//! 6. In one transaction the code is used up and the session begins: of many at once, one gets tokens (row A8).

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::oauth::{OAuthError, Parameters, Verifier};
use symbolon_domain::{EndReason, Life, SessionId};
use symbolon_store::CodeRow;
use symbolon_token::encoding;

use super::super::Failed;
use super::super::authorize::PREFIX;
use super::super::frozen::Frozen;
use super::super::secret_text::{digest_of, sha256};
use super::super::token::{Asked, Tokens};
use super::begin;
use crate::app::App;
use crate::flows::{Error, ROUNDS, audit_id, consequences, lost_race, overloaded};

pub(in super::super) async fn exchange(app: &App, asked: &Asked<'_>) -> Result<Tokens, Failed> {
    let parameters = asked.request.credentials.parameters;
    let text = parameters.required("code")?;
    let verifier = parameters.get("code_verifier");
    let verifier = verifier.map(Verifier::parse).transpose()?;
    let digest = digest_of(PREFIX, text).ok_or_else(OAuthError::invalid_grant)?;
    for _ in 0..ROUNDS {
        let found = app.store.find_code(digest).await?;
        let code = found.filter(|code| code.client == asked.client.id);
        let code = code.filter(|code| asked.now < code.expires_at);
        let code = code.ok_or_else(OAuthError::invalid_grant)?;
        let frozen = Frozen::read(&code.request)?;
        must_match(&frozen, parameters, verifier, asked.request.jkt.as_deref())?;
        if let Some(session) = code.session {
            end_for_reuse(app, asked, &code, session).await?;
            return Err(OAuthError::invalid_grant().into());
        }
        let user = app.store.find_user(code.user).await?;
        let user = user.ok_or_else(OAuthError::invalid_grant)?;
        let granted = &frozen.granted;
        let parent = app.store.find_session(granted.browser()).await?;
        let parent = parent.filter(|parent| parent.life(asked.now) == Life::Live);
        let parent = parent.ok_or_else(OAuthError::invalid_grant)?;
        let take = |batch: &mut symbolon_store::Batch, session| {
            batch.require_live_session(parent.id, asked.now);
            batch.take_code(digest, session, asked.now);
        };
        if let Some(tokens) = begin(app, asked, (&user, granted, &parent), take).await? {
            return Ok(tokens);
        }
    }
    Err(overloaded().into())
}

/// Steps 2 and 3.
fn must_match(
    frozen: &Frozen,
    parameters: &Parameters,
    verifier: Option<Verifier<'_>>,
    jkt: Option<&str>,
) -> Result<(), OAuthError> {
    let uri = parameters.get("redirect_uri");
    let digest = verifier.map(|verifier| sha256(verifier.as_str().as_bytes()));
    let proof = digest.map(|digest| encoding::encode(digest.as_bytes()));
    let bound = frozen.granted.jkt.as_deref();
    // OAuth 2.1 has it no more (section 10.2); clients of OAuth 2.0 say where they got the code.
    let right = uri.is_none_or(|uri| uri == frozen.redirect_uri)
        && proof.as_deref() == Some(&*frozen.challenge)
        && (bound.is_none() || bound == jkt);
    match right {
        true => Ok(()),
        false => Err(OAuthError::invalid_grant()),
    }
}

/// Step 4.
async fn end_for_reuse(
    app: &App,
    asked: &Asked<'_>,
    code: &CodeRow,
    session: SessionId,
) -> Result<(), Error> {
    let now = asked.now;
    let mut batch = app.store.batch();
    let mut event = asked.origin.event(AuditKind::CodeReused, now);
    event.subject = Some(code.user);
    event.session = Some(session);
    event.detail = Some(asked.client.id.to_string());
    batch.insert_audit(audit_id(app, now)?, &event);
    let ends = Event::SessionEnds {
        session,
        reason: EndReason::CodeReused,
    };
    let revocations = consequences::write(app, &mut batch, &ends, None, now);
    let committed = app.commit(batch, &revocations).await;
    // It has ended already.
    if lost_race(&committed) {
        return Ok(());
    }
    Ok(committed?)
}
