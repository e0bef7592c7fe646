//! Refresh: exchange a refresh token for the next one and a fresh access token (CONTRACT section 5;
//! RFC 9700 section 4.14, OAuth 2.1 section 4.3).
//!
//! 1. The token's keyed tag is checked: garbage is refused without touching the store.
//! 2. The session and its user are loaded by the id inside the token.
//! 3. A session that ended or expired, or a user who may not sign in, is refused.
//! 4. The rules decide: rotate, repeat the same answer, refuse a late duplicate, or reuse (theft).
//! 5. What was decided is committed by compare-and-set; who loses the race loads and decides again.
//! 6. The successor is derived from the presented token, so that every caller gets the same one,
//!    and an access token is signed. Nothing is answered before it is on disk.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::refresh::{Decision, Presented, RefreshPolicy, decide};
use symbolon_domain::{EndReason, Life, Refusal, Session, SessionId, Timestamp, User, UserStatus};
use symbolon_token::refresh::RefreshToken;
use zeroize::Zeroizing;

use super::access_token::{AccessToken, issue};
use super::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, overloaded};
use crate::app::App;

/// The answer to a refresh.
pub struct Refreshed {
    /// The fresh access token.
    pub access: AccessToken,
    /// The next refresh token, in its text form.
    pub refresh_token: Zeroizing<String>,
    /// The session, for the life of the cookie.
    pub session: Session,
}

/// Exchanges `presented` for its successor.
///
/// # Errors
/// `invalid_refresh_token`, `refresh_token_expired`, `refresh_token_reused`, `session_revoked`,
/// `overloaded`, or a fault of the store.
pub async fn refresh(app: &App, presented: &str, origin: &Origin) -> Result<Refreshed, Error> {
    let now = app.clock.now();
    let token = authentic(app, presented)?;
    let id = SessionId::from_bytes(token.session());
    for _ in 0..ROUNDS {
        let Some((mut session, user)) = app.store.find_refresh(id).await? else {
            return Err(Refusal::SessionRevoked.into());
        };
        check_life(&session, &user, &token, now)?;
        let successor = app.issuance()?.successor(&token)?;
        let facts = facts(&token, &successor);
        let policy = policy(app);
        let mut batch = app.store.batch();
        match decide(&session.refresh, &facts, &policy, now) {
            Decision::Rotate(next) | Decision::Repeat { late: Some(next) } => {
                batch.rotate_session(id, &session.refresh, &next, now);
                let committed = batch.commit().await;
                if lost_race(&committed) {
                    continue;
                }
                committed?;
                session.last_used_at = now;
            }
            Decision::Repeat { late: None } => {}
            Decision::LateDuplicate | Decision::Unknown => {
                return Err(Refusal::InvalidRefreshToken.into());
            }
            Decision::Reused => {
                if end_for_reuse(app, &session, origin, now).await? {
                    return Err(Refusal::RefreshTokenReused.into());
                }
                continue;
            }
        }
        let access = issue(app, &user, &session, now)?;
        return Ok(Refreshed {
            access,
            refresh_token: successor.encode(),
            session,
        });
    }
    Err(overloaded().into())
}

/// Step 1: a token that this server made, or nothing.
pub(super) fn authentic(app: &App, presented: &str) -> Result<RefreshToken, Error> {
    app.issuance()?
        .refresh_token(presented)
        .ok_or_else(|| Refusal::InvalidRefreshToken.into())
}

/// What the rules need to know of a presented token and its successor.
pub(super) fn facts(token: &RefreshToken, successor: &RefreshToken) -> Presented {
    Presented {
        generation: token.generation(),
        digest: token.digest().into(),
        successor: successor.digest().into(),
    }
}

/// The windows of the refresh rules, from the settings.
pub(super) fn policy(app: &App) -> RefreshPolicy {
    RefreshPolicy {
        leeway: app.config.refresh.leeway,
        retry_window: app.config.refresh.retry_window,
    }
}

/// Step 3.
fn check_life(
    session: &Session,
    user: &User,
    token: &RefreshToken,
    now: Timestamp,
) -> Result<(), Error> {
    match session.life(now) {
        Life::Ended(ended) => {
            // Who brings the stolen token again hears the same again; the owner hears that it is over.
            let replayed = ended.reason == EndReason::Reused
                && token.generation() < session.refresh.generation;
            let refusal = if replayed {
                Refusal::RefreshTokenReused
            } else {
                Refusal::SessionRevoked
            };
            return Err(refusal.into());
        }
        Life::IdleExpired | Life::AbsoluteExpired => {
            return Err(Refusal::RefreshTokenExpired.into());
        }
        Life::Live => {}
    }
    match user.status {
        UserStatus::Active => Ok(()),
        UserStatus::Disabled => Err(Refusal::SessionRevoked.into()),
    }
}

/// Ends the session of a stolen token, tells the guards and the audit log. False when another commit
/// came in between, so that the decision must be taken again.
pub(super) async fn end_for_reuse(
    app: &App,
    session: &Session,
    origin: &Origin,
    now: Timestamp,
) -> Result<bool, Error> {
    let mut event = origin.event(AuditKind::RefreshReused, now);
    event.subject = Some(session.user);
    event.session = Some(session.id);
    let mut batch = app.store.batch();
    batch.insert_audit(audit_id(app, now)?, &event);
    let ends = Event::SessionEnds {
        session: session.id,
        reason: EndReason::Reused,
    };
    let revocations = consequences::write(app, &mut batch, &ends, None, now);
    let committed = app.commit(batch, &revocations).await;
    if lost_race(&committed) {
        return Ok(false);
    }
    committed?;
    tracing::warn!(session = %session.id, user = %session.user, "refresh token reused: session ended");
    Ok(true)
}
