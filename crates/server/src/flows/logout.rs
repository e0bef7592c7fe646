//! Sign out: this session by its access token or its refresh token, or every session of the user.
//!
//! Each writes its revocation in the same transaction that ends the session, so that no guard can hear
//! of the one without the other being true.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::refresh::{Decision, decide};
use symbolon_domain::{EndReason, Life, Refusal, SessionId, UserId};

use super::authenticate::Caller;
use super::oauth::browser;
use super::refresh::{authentic, end_for_reuse, facts, policy};
use super::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, overloaded};
use crate::app::App;

/// Ends the caller's session.
///
/// # Errors
/// A fault or an overloaded store; a session that has already ended is no error.
pub async fn logout(app: &App, caller: &Caller, origin: &Origin) -> Result<(), Error> {
    end_own(app, caller.session, caller.user, EndReason::Logout, origin).await?;
    Ok(())
}

/// Ends a session of the user who asks, and what hangs on it. False when it had ended already.
pub(super) async fn end_own(
    app: &App,
    session: SessionId,
    user: UserId,
    reason: EndReason,
    origin: &Origin,
) -> Result<bool, Error> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let mut batch = app.store.batch();
        let mut event = origin.own_event(AuditKind::SessionEnded, now, user, Some(session));
        event.detail = Some(reason.as_str().to_owned());
        batch.insert_audit(audit_id(app, now)?, &event);
        let ends = Event::SessionEnds { session, reason };
        let mut revocations = consequences::write(app, &mut batch, &ends, None, now);
        revocations.extend(browser::end_children(app, &mut batch, session, now).await?);
        let committed = app.commit(batch, &revocations).await;
        if !lost_race(&committed) {
            committed?;
            return Ok(true);
        }
        // Somebody else has ended it, or a client's session has just been hung on it.
        let found = app.store.find_session(session).await?;
        if found.is_none_or(|found| found.ended.is_some()) {
            return Ok(false);
        }
    }
    Err(overloaded().into())
}

/// Ends the session of a refresh token of `client`, for one whose access token has expired. Whatever is not a
/// token of a live session of it changes nothing and is no error.
///
/// # Errors
/// A fault or an overloaded store.
pub async fn logout_by_refresh_token(
    app: &App,
    presented: &str,
    client: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let Ok(token) = authentic(app, presented) else {
        return Ok(());
    };
    let successor = app.issuance()?.successor(&token)?;
    let facts = facts(&token, &successor);
    let id = SessionId::from_bytes(token.session());
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let Some((session, _)) = app.store.find_refresh(id).await? else {
            return Ok(());
        };
        if session.life(now) != Life::Live || session.client_id != client {
            return Ok(());
        }
        match decide(&session.refresh, &facts, &policy(app), now) {
            Decision::Rotate(_) | Decision::Repeat { .. } => {
                // False: it was ended in between, which is what was asked for.
                end_own(app, id, session.user, EndReason::Logout, origin).await?;
                return Ok(());
            }
            Decision::Reused => {
                if end_for_reuse(app, &session, origin, now).await? {
                    return Ok(());
                }
            }
            Decision::LateDuplicate | Decision::Unknown => return Ok(()),
        }
    }
    Err(overloaded().into())
}

/// Ends every session of the caller, this one included.
///
/// # Errors
/// `invalid_token` when the user is gone, or a fault.
pub async fn logout_all(app: &App, caller: &Caller, origin: &Origin) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let user = app
            .store
            .find_user(caller.user)
            .await?
            .ok_or(Refusal::InvalidToken)?;
        let mut batch = app.store.batch();
        let event = origin.own_event(AuditKind::LogoutAll, now, user.id, Some(caller.session));
        batch.insert_audit(audit_id(app, now)?, &event);
        let ends = Event::AllSessionsEnd {
            user: &user,
            reason: EndReason::LogoutAll,
        };
        let revocations = consequences::write(app, &mut batch, &ends, Some(&user), now);
        let committed = app.commit(batch, &revocations).await;
        if lost_race(&committed) {
            continue;
        }
        return Ok(committed?);
    }
    Err(overloaded().into())
}
