//! The signed-in user's own devices.

use symbolon_domain::{EndReason, Life, Refusal, Session, SessionId, UserId};
use uuid::Uuid;

use super::authenticate::Caller;
use super::login::MOST_SESSIONS;
use super::logout::end_own;
use super::page::Page;
use super::{Error, Origin};
use crate::app::App;

/// What it takes to see the sessions of others.
pub const READ: &str = "sessions:read";
/// What it takes to end them.
pub const WRITE: &str = "sessions:write";

/// The caller's live sessions, newest first; at most [`MOST_SESSIONS`].
///
/// # Errors
/// A fault of the store.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Session>, Error> {
    Ok(app
        .store
        .list_sessions(caller.user, app.clock.now(), MOST_SESSIONS)
        .await?)
}

/// Ends one of the caller's sessions.
///
/// # Errors
/// `not_found` for a session that is not live or not the caller's, or a fault.
pub async fn end(app: &App, caller: &Caller, id: SessionId, origin: &Origin) -> Result<(), Error> {
    let session = app.store.find_session(id).await?.ok_or(Refusal::NotFound)?;
    if session.user != caller.user || session.life(app.clock.now()) != Life::Live {
        return Err(Refusal::NotFound.into());
    }
    if end_own(app, id, caller.user, EndReason::Revoked, origin).await? {
        Ok(())
    } else {
        Err(Refusal::NotFound.into())
    }
}

/// Ends every session of the caller but this one.
///
/// # Errors
/// `overloaded`, or a fault; what was ended until then stays ended.
pub async fn end_others(app: &App, caller: &Caller, origin: &Origin) -> Result<(), Error> {
    for session in list(app, caller).await? {
        if session.id != caller.session {
            end_own(app, session.id, caller.user, EndReason::Revoked, origin).await?;
        }
    }
    Ok(())
}

/// Which sessions an administrator wants to see.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Of this user only.
    pub user: Option<UserId>,
    /// Those that are not alive as well, as long as they are stored.
    pub dead: bool,
}

/// A page of sessions, the newest first.
///
/// # Errors
/// A fault of the store.
pub async fn page(
    app: &App,
    filter: Filter,
    limit: u32,
    after: Option<Uuid>,
) -> Result<Page<Session, Uuid>, Error> {
    let live_at = (!filter.dead).then(|| app.clock.now());
    let after = after.map(SessionId::new);
    let more = limit.saturating_add(1);
    let rows = app
        .store
        .page_sessions(filter.user, live_at, after, more)
        .await?;
    Ok(Page::of(rows, limit, |session| session.id.uuid()))
}

/// The session of this id, alive or not.
///
/// # Errors
/// `not_found`, or a fault of the store.
pub async fn show(app: &App, id: SessionId) -> Result<Session, Error> {
    Ok(app.store.find_session(id).await?.ok_or(Refusal::NotFound)?)
}
