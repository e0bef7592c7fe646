use core::time::Duration;

use crate::{EndReason, Timestamp};

/// How long it is tried to tell a client that a session has ended.
pub const LOGOUT_DELIVERY: Duration = Duration::from_secs(24 * 3600);
/// How long a client that does not answer is left alone, with all else that it is to be told.
pub const SILENCE: Duration = Duration::from_secs(60);
/// Before the second try and those behind it; the last one holds for all further ones.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1_800),
    Duration::from_secs(7_200),
];

/// What came of telling a client that a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoutOutcome {
    /// The client knows.
    Heard,
    /// The client says no, or must not be called: it is not told again.
    Refused,
    /// It is tried again then.
    Again(Timestamp),
    /// It was tried long enough.
    GivenUp,
}

/// What follows from the status of a client's answer (OpenID Connect Back-Channel Logout 1.0 section 2.8), or from there being
/// none, after `attempts` tries to tell it of a session that ended at `ended_at`.
pub fn logout_outcome(
    status: Option<u16>,
    (ended_at, attempts): (Timestamp, u32),
    now: Timestamp,
) -> LogoutOutcome {
    match status {
        // 204 is what frameworks make of an answer without a body.
        Some(200 | 204) => return LogoutOutcome::Heard,
        // The token was not taken, or signing out failed; or there is nothing there that signs out.
        Some(400 | 501) => return LogoutOutcome::Refused,
        _ => {}
    }
    let [pauses @ .., longest] = &PAUSES;
    let tried = attempts.saturating_sub(1) as usize;
    let next = now.plus(*pauses.get(tried).unwrap_or(longest));
    if next > ended_at.plus(LOGOUT_DELIVERY) {
        LogoutOutcome::GivenUp
    } else {
        LogoutOutcome::Again(next)
    }
}

/// Whether the client of one session that ends is told. Who ended it by itself, by revoking its refresh token, knows: a
/// person signs out on sessions of our own, and those of clients end with them for another reason.
pub fn is_told(reason: EndReason) -> bool {
    reason != EndReason::Logout
}
