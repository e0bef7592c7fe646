//! Writes what the end of a sign-in kills, as `domain::ending` has decided it, into a batch: the one place where sessions end,
//! so that no client that is to be told of it is forgotten.

use symbolon_domain::ending::{Consequences, Event, Sessions, consequences, revocation_until};
use symbolon_domain::oauth::is_told;
use symbolon_domain::revocation::Revocation;
use symbolon_domain::{ClientId, EndReason, SessionId, Timestamp, User, UserId};
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
        end(batch, &decided, (now, reason));
    }
    decided.revocations
}

/// Ends sessions, and notes those whose clients are to be told (OpenID Connect Back-Channel Logout 1.0).
fn end(batch: &mut Batch, decided: &Consequences, (now, reason): (Timestamp, EndReason)) {
    match decided.sessions {
        Sessions::None => {}
        Sessions::One(session) => {
            batch.end_session(session, now, reason);
            if is_told(reason) {
                batch.insert_session_logout(session, now);
            }
        }
        Sessions::AllOf(user) => {
            batch.end_user_sessions(user, None, now, reason);
            batch.insert_user_logouts(user, now);
        }
        // Each of the others has a revocation; one that began since they were listed makes the batch stale.
        Sessions::AllBut(user, kept) => {
            let others = decided.revocations.len();
            batch.end_other_sessions(user, kept, others, (now, reason));
            batch.insert_user_logouts(user, now);
        }
    }
}

/// Sessions of clients that end together.
pub(super) enum Together<'a> {
    /// Those that end with a browser's.
    OfBrowser(SessionId),
    /// Those of a client for a user.
    OfClient(UserId, &'a ClientId),
}

/// The same for sessions that one statement ends; the batch is stale unless it ends these `live` ones.
pub(super) fn write_together(
    app: &App,
    batch: &mut Batch,
    which: &Together<'_>,
    live: &[SessionId],
    (now, reason): (Timestamp, EndReason),
) -> Vec<Revocation> {
    match *which {
        Together::OfBrowser(browser) => {
            batch.end_browser_sessions(browser, live.len(), (now, reason));
            batch.insert_browser_logouts(browser, now);
        }
        Together::OfClient(user, client) => {
            batch.end_client_sessions((user, client), live.len(), (now, reason));
            batch.insert_client_logouts((user, client), now);
        }
    }
    let until = revocation_until(now, app.longest_access_ttl());
    let ends = live.iter().map(|session| Event::SessionEnds {
        session: *session,
        reason,
    });
    ends.flat_map(|ends| consequences(&ends, until).revocations)
        .collect()
}
