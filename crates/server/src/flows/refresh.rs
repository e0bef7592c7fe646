//! Refresh: exchange a refresh token for the next one and a fresh access token (CONTRACT section 5;
//! RFC 9700 section 4.14, OAuth 2.1 section 4.3).
//!
//! 1. The token's keyed tag is checked: garbage is refused without touching the store.
//! 2. Its successor is derived from it, so that every caller gets the same one. In one transaction the
//!    session and its user are loaded by the id inside the token, and what 3 and 4 decide is written.
//! 3. A session that ended or expired, or a user who may not sign in, is refused.
//! 4. The rules decide: rotate, repeat the same answer, refuse a late duplicate, or reuse (theft).
//! 5. Reuse ends the session in a transaction of its own, with its revocation, its audit row and a mail to the user; if the
//!    session changed in between, it is judged again.
//! 6. Once it is on disk, an access token is signed and both are answered.

use std::sync::Arc;

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::mail::MailKind;
use symbolon_domain::refresh::{Decision, Presented, RefreshPolicy, RefreshState, decide};
use symbolon_domain::{
    EndReason, Life, Refusal, RoleBook, Session, SessionId, Timestamp, Transport, User, UserStatus,
};
use symbolon_token::refresh::RefreshToken;
use zeroize::Zeroizing;

use super::access_token::{AccessToken, issue};
use super::login::OWN_CLIENT;
use super::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, outbox, overloaded};
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
    let rotated = rotate(app, presented, OWN_CLIENT, origin).await?;
    let session = rotated.session;
    Ok(Refreshed {
        access: issue(app, (&rotated.user, &rotated.book), &session, rotated.now)?,
        refresh_token: rotated.refresh_token,
        session,
    })
}

/// A session whose refresh token was replaced, or given again.
pub(super) struct Rotated {
    pub(super) user: User,
    /// The definitions of roles, not older than the user.
    pub(super) book: Arc<RoleBook>,
    pub(super) session: Session,
    pub(super) refresh_token: Zeroizing<String>,
    pub(super) now: Timestamp,
}

/// Steps 1 to 5, for a session of `client`; one of another client is left as it is.
pub(super) async fn rotate(
    app: &App,
    presented: &str,
    client: &str,
    origin: &Origin,
) -> Result<Rotated, Error> {
    let now = app.clock.now();
    let token = authentic(app, presented)?;
    let successor = app.issuance()?.successor(&token)?;
    let id = SessionId::from_bytes(token.session());
    let (facts, policy) = (facts(&token, &successor), policy(app));
    for _ in 0..ROUNDS {
        let client = client.to_owned();
        let judge = move |found: Option<(Session, User, i64)>| {
            let refreshes = |session: &Session| {
                session.client_id == client && session.transport != Transport::Page
            };
            match found {
                Some((session, ..)) if !refreshes(&session) => {
                    (None, Judged::Refuse(Refusal::InvalidRefreshToken))
                }
                found => judge(found, &facts, &policy, now),
            }
        };
        match app.store.update_refresh(id, now, judge).await? {
            Judged::Answer(session, user, roles) => {
                return Ok(Rotated {
                    user,
                    book: app.role_book_of(roles).await?,
                    session,
                    refresh_token: successor.encode(),
                    now,
                });
            }
            Judged::Refuse(refusal) => return Err(refusal.into()),
            Judged::Reused(session) => {
                if end_for_reuse(app, &session, origin, now).await? {
                    return Err(Refusal::RefreshTokenReused.into());
                }
            }
        }
    }
    Err(overloaded().into())
}

/// What became of a presented token.
enum Judged {
    Answer(Session, User, i64),
    Refuse(Refusal),
    Reused(Session),
}

/// Steps 3 and 4, inside the transaction: what to store next, if anything, and what to answer.
fn judge(
    found: Option<(Session, User, i64)>,
    facts: &Presented,
    policy: &RefreshPolicy,
    now: Timestamp,
) -> (Option<RefreshState>, Judged) {
    let Some((mut session, user, roles)) = found else {
        return (None, Judged::Refuse(Refusal::SessionRevoked));
    };
    if let Some(refusal) = over(&session, &user, facts, now) {
        return (None, Judged::Refuse(refusal));
    }
    match decide(&session.refresh, facts, policy, now) {
        Decision::Rotate(next) | Decision::Repeat { late: Some(next) } => {
            session.last_used_at = now;
            (Some(next), Judged::Answer(session, user, roles))
        }
        Decision::Repeat { late: None } => (None, Judged::Answer(session, user, roles)),
        Decision::LateDuplicate | Decision::Unknown => {
            (None, Judged::Refuse(Refusal::InvalidRefreshToken))
        }
        Decision::Reused => (None, Judged::Reused(session)),
    }
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

/// Step 3: why the session gives no tokens any more, if it does not.
fn over(session: &Session, user: &User, facts: &Presented, now: Timestamp) -> Option<Refusal> {
    match session.life(now) {
        // Who brings the stolen token again hears the same again; the owner hears that it is over.
        Life::Ended(ended)
            if ended.reason == EndReason::Reused
                && facts.generation < session.refresh.generation =>
        {
            Some(Refusal::RefreshTokenReused)
        }
        Life::Live if user.status == UserStatus::Disabled => Some(Refusal::SessionRevoked),
        life => life.refusal(),
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
    if let Some(user) = app.store.find_user(session.user).await? {
        outbox::tell(
            app,
            &mut batch,
            (MailKind::SessionReused, &user),
            origin,
            now,
        )?;
    }
    let committed = app.commit(batch, &revocations).await;
    if lost_race(&committed) {
        return Ok(false);
    }
    committed?;
    tracing::warn!(session = %session.id, user = %session.user, "refresh token reused: session ended");
    Ok(true)
}
