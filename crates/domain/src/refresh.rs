//! When a refresh token is good, repeated, late or stolen.
//!
//! A session has one current token T(n); n is its generation. Each token is derived from the one before, so
//! whoever presents T(n-1) can be given T(n) again without T(n) having been stored: only the digest of T(n)
//! is. [`decide`] takes what is stored and what was presented and says what to do:
//!
//! 1. T(n) gives T(n+1): [`Decision::Rotate`].
//! 2. T(n-1) is a repeat whose answer was lost or is still on its way. It gives T(n) again within `leeway` of
//!    the rotation always, and within `retry_window` unless the generation before was given late as well:
//!    [`Decision::Repeat`]. Without that last condition a thief could follow the owner for ever, one step
//!    behind.
//! 3. T(n-1) outside those windows, and anything older, is theft: [`Decision::Reused`]. Only something older
//!    that comes while the last rotation is younger than `leeway` is a late duplicate, which is refused and
//!    kills nothing: [`Decision::LateDuplicate`].
//! 4. What this session never gave is [`Decision::Unknown`], and kills nothing either.
//!
//! A token older than T(n-1) cannot be compared with anything stored. The caller has checked its keyed tag
//! before, so it was given by this server for this session.

use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use crate::Timestamp;

#[cfg(test)]
mod tests;

/// The digest of a refresh token, compared in constant time. `Debug` does not print it.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Wraps a digest.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, as stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        let differing = self
            .0
            .iter()
            .zip(&other.0)
            .fold(0, |bits, (a, b)| bits | (a ^ b));
        black_box(differing) == 0
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

/// What is stored of a session's refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshState {
    /// How many times the token has been replaced: n.
    pub generation: u64,
    /// The digest of T(n).
    pub digest: Digest,
    /// The number of the key that the chain of tokens is derived with.
    pub key: u8,
    /// When T(n) took the place of T(n-1), or when the session was made.
    pub rotated_at: Timestamp,
    /// The last generation whose token was repeated after the leeway.
    pub late_generation: Option<u64>,
}

impl RefreshState {
    /// The state of a new session, whose first token has this digest.
    pub fn first(digest: Digest, key: u8, now: Timestamp) -> Self {
        Self {
            generation: 0,
            digest,
            key,
            rotated_at: now,
            late_generation: None,
        }
    }
}

/// What is known of a token that was presented and whose tag is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    /// Its generation.
    pub generation: u64,
    /// Its digest.
    pub digest: Digest,
    /// The digest of the token that follows from it.
    pub successor: Digest,
}

/// The two windows in which a repeat is given the same answer. Both count from the last rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// The time in which a repeat is always good.
    pub leeway: Duration,
    /// The time in which it is good, though not for two generations in a row.
    pub retry_window: Duration,
}

impl Default for RefreshPolicy {
    /// Leeway 10 seconds, retry window 5 minutes.
    fn default() -> Self {
        Self {
            leeway: Duration::from_secs(10),
            retry_window: Duration::from_secs(300),
        }
    }
}

/// What to do with a presented token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Store this state in the place of the one decided upon, then give the successor of the presented token.
    Rotate(RefreshState),
    /// Give the successor of the presented token, which is the current one. If `late` is set it must be stored
    /// first: it remembers that the leeway was over.
    Repeat {
        /// The state to store, where it differs from the one decided upon.
        late: Option<RefreshState>,
    },
    /// Refuse; nothing dies.
    LateDuplicate,
    /// Refuse; nothing dies.
    Unknown,
    /// Refuse, and end the session with everything that hangs on it.
    Reused,
}

/// Decides on a presented token. A clock that was set back makes windows longer, never shorter.
pub fn decide(
    state: &RefreshState,
    presented: &Presented,
    policy: &RefreshPolicy,
    now: Timestamp,
) -> Decision {
    let age = now.since(state.rotated_at);
    match state.generation.checked_sub(presented.generation) {
        None => Decision::Unknown,
        Some(0) if presented.digest == state.digest => rotate(state, presented, now),
        Some(1) if presented.successor == state.digest => repeat(state, presented, policy, age),
        Some(0 | 1) => Decision::Unknown,
        Some(_) if age < policy.leeway => Decision::LateDuplicate,
        Some(_) => Decision::Reused,
    }
}

fn rotate(state: &RefreshState, presented: &Presented, now: Timestamp) -> Decision {
    match state.generation.checked_add(1) {
        Some(generation) => Decision::Rotate(RefreshState {
            generation,
            digest: presented.successor,
            rotated_at: now,
            ..*state
        }),
        // Out of numbers: no server lives that long.
        None => Decision::Unknown,
    }
}

fn repeat(
    state: &RefreshState,
    presented: &Presented,
    policy: &RefreshPolicy,
    age: Duration,
) -> Decision {
    if age <= policy.leeway {
        return Decision::Repeat { late: None };
    }
    let previous = presented.generation.checked_sub(1);
    let late_before = previous.is_some() && state.late_generation == previous;
    if age > policy.retry_window || late_before {
        return Decision::Reused;
    }
    let known = state.late_generation == Some(presented.generation);
    let late = RefreshState {
        late_generation: Some(presented.generation),
        ..*state
    };
    Decision::Repeat {
        late: (!known).then_some(late),
    }
}
