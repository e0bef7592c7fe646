//! End sessions of users.

use symbolon_domain::audit::AuditKind;
use symbolon_domain::ending::Event;
use symbolon_domain::{EndReason, Life, Refusal, SessionId, User, UserId};

use super::reload;
use crate::app::App;
use crate::flows::actor::Actor;
use crate::flows::oauth::browser;
use crate::flows::{Error, Origin, ROUNDS, audit_id, consequences, lost_race, overloaded};

/// Ends one session, whoever it belongs to. The actor needs `permission`, and all that the session's user has.
///
/// # Errors
/// `forbidden`, `not_found` for a session that is not live, `overloaded`, or a fault.
pub async fn revoke_session(
    app: &App,
    (actor, permission): (Actor, &str),
    id: SessionId,
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, permission).await?;
        let session = app.store.find_session(id).await?;
        let now = app.clock.now();
        let live = session.filter(|session| session.life(now) == Life::Live);
        let session = live.ok_or(Refusal::NotFound)?;
        let user = app.store.find_user(session.user).await?;
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        if let Some(user) = user {
            authority.may_manage(&user)?;
            batch.require_user(user.id, user.version);
        }
        let mut event = origin.event(AuditKind::SessionEnded, now);
        authority.stamp(&mut event);
        event.subject = Some(session.user);
        event.session = Some(id);
        event.detail = Some(EndReason::Revoked.as_str().to_owned());
        batch.insert_audit(audit_id(app, now)?, &event);
        let ends = Event::SessionEnds {
            session: id,
            reason: EndReason::Revoked,
        };
        let mut revocations = consequences::write(app, &mut batch, &ends, None, now);
        revocations.extend(browser::end_children(app, &mut batch, id, now).await?);
        let committed = app.commit(batch, &revocations).await;
        // One that somebody else has ended is not live in the next round.
        if !lost_race(&committed) {
            return Ok(committed?);
        }
    }
    Err(overloaded().into())
}

/// Ends a session of this user, as [`revoke_session`]; one that has ended already is as it was wanted.
///
/// # Errors
/// `forbidden`, `not_found` for a session of somebody else, `overloaded`, or a fault.
pub async fn revoke_session_of(
    app: &App,
    actor: (Actor, &str),
    (user, id): (UserId, SessionId),
    origin: &Origin,
) -> Result<(), Error> {
    let session = app.store.find_session(id).await?;
    if session.is_some_and(|session| session.user != user) {
        return Err(Refusal::NotFound.into());
    }
    match revoke_session(app, actor, id, origin).await {
        Err(Error::Refused(Refusal::NotFound)) => Ok(()),
        other => other,
    }
}

/// Ends every session of a user. The actor needs `permission`, and all that the user has.
///
/// # Errors
/// `forbidden`, `overloaded`, or a fault.
pub async fn revoke_sessions(
    app: &App,
    (actor, permission): (Actor, &str),
    mut user: User,
    origin: &Origin,
) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let authority = actor.authorize(app, permission).await?;
        authority.may_manage(&user)?;
        let now = app.clock.now();
        let mut batch = app.store.batch();
        authority.bind(&mut batch);
        let mut event = origin.event(AuditKind::SessionEnded, now);
        authority.stamp(&mut event);
        event.subject = Some(user.id);
        event.detail = Some(EndReason::Revoked.as_str().to_owned());
        batch.insert_audit(audit_id(app, now)?, &event);
        let ends = Event::AllSessionsEnd {
            user: &user,
            reason: EndReason::Revoked,
        };
        let revocations = consequences::write(app, &mut batch, &ends, Some(&user), now);
        let committed = app.commit(batch, &revocations).await;
        if !lost_race(&committed) {
            return Ok(committed?);
        }
        user = reload(app, &user).await?;
    }
    Err(overloaded().into())
}
