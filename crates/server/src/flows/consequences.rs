//! Writes what the end of a sign-in kills, as `domain::ending` has decided it, into a batch.

use symbolon_domain::ending::{Event, Sessions, consequences, revocation_until};
use symbolon_domain::revocation::Revocation;
use symbolon_domain::{EndReason, SessionId, Timestamp, User};
use symbolon_store::Batch;

use crate::app::App;

/// Adds the ends of sessions and the new token version to `batch`, and returns the revocations that must be
/// committed with it by [`App::commit`]. `user` is the row that was loaded, where the event changes it.
pub(super) fn write(
    app: &App,
    batch: &mut Batch,
    event: &Event<'_>,
    user: Option<&User>,
    now: Timestamp,
) -> Vec<Revocation> {
    let decided = consequences(event, revocation_until(now, app.longest_access_ttl()));
    if let (Some(_), Some(user)) = (decided.token_version, user) {
        batch.bump_token_version(user.id, user.version, now);
    }
    if let Some(reason) = decided.reason {
        match decided.sessions {
            Sessions::None => batch,
            Sessions::One(session) => batch.end_session(session, now, reason),
            Sessions::AllOf(user) => batch.end_user_sessions(user, None, now, reason),
            // Each of the others has a revocation; one that began since they were listed makes the batch stale.
            Sessions::AllBut(user, kept) => {
                batch.end_other_sessions(user, kept, decided.revocations.len(), (now, reason))
            }
        };
    }
    decided.revocations
}

/// The revocations of sessions that a batch ends by a statement about all of them.
pub(super) fn of_each(
    app: &App,
    sessions: &[SessionId],
    reason: EndReason,
    now: Timestamp,
) -> Vec<Revocation> {
    let until = revocation_until(now, app.longest_access_ttl());
    let ends = sessions.iter().map(|session| Event::SessionEnds {
        session: *session,
        reason,
    });
    ends.flat_map(|ends| consequences(&ends, until).revocations)
        .collect()
}
