//! The signed-in user's own devices.

use symbolon_domain::{EndReason, Life, Refusal, Session, SessionId};

use super::authenticate::Caller;
use super::login::SESSIONS_PER_USER;
use super::logout::end_own;
use super::{Error, Origin};
use crate::app::App;

/// What it takes to see the sessions of others.
pub const READ: &str = "sessions:read";
/// What it takes to end them.
pub const WRITE: &str = "sessions:write";

/// The caller's live sessions, newest first; at most [`SESSIONS_PER_USER`].
///
/// # Errors
/// A fault of the store.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Session>, Error> {
    Ok(app
        .store
        .list_sessions(caller.user, app.clock.now(), SESSIONS_PER_USER)
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
