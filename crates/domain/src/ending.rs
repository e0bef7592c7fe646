//! What an event in a user's life ends: sessions, and the access tokens that are still on their way.

use std::time::Duration;

use crate::revocation::{Effect, Revocation, Subject};
use crate::{EndReason, SessionId, Timestamp, User, UserId};

#[cfg(test)]
mod tests;

/// How much longer a revocation is kept than any token it can hit: the most leeway that a verifier may be given.
const SLACK: Duration = Duration::from_secs(60);

/// When a revocation made at `now` may be forgotten, `access_ttl` being the longest life of an access token
/// that may be on its way: no such token can be alive then.
pub fn revocation_until(now: Timestamp, access_ttl: Duration) -> Timestamp {
    now.plus(access_ttl).plus(SLACK)
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// One session is to end: logout, revoked by its owner or an administrator, reuse, replaced.
    SessionEnds {
        /// Which.
        session: SessionId,
        /// Why.
        reason: EndReason,
    },
    /// All sessions of a user are to end: logout everywhere, disabled, deleted, password set by an administrator.
    AllSessionsEnd {
        /// Whose, as stored before the event.
        user: &'a User,
        /// Why.
        reason: EndReason,
    },
    /// The password was changed on one session, so that all others are to end.
    PasswordChanged {
        /// Whose.
        user: UserId,
        /// The session that goes on.
        kept: SessionId,
        /// The live sessions of the user; `kept` may be among them.
        live: &'a [SessionId],
    },
    /// The user's roles changed: tokens that name the former ones are stale, sessions go on.
    RolesChanged {
        /// Whose, as stored before the event.
        user: &'a User,
    },
    /// An operator kills tokens, or wants them to be renewed; sessions go on.
    TokensEnd {
        /// Which. To be renewed, not those of a session: its next tokens would be hit as well.
        subject: &'a Subject,
        /// What becomes of them.
        effect: Effect,
    },
}

/// Which sessions to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// None.
    None,
    /// This one.
    One(SessionId),
    /// All of this user.
    AllOf(UserId),
    /// All of this user but this one.
    AllBut(UserId, SessionId),
}

/// What follows from an event. All of it is to be written in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consequences {
    /// The sessions to end.
    pub sessions: Sessions,
    /// Why they end; `None` if none does.
    pub reason: Option<EndReason>,
    /// The user's new token version, which the next tokens carry.
    pub token_version: Option<i64>,
    /// The revocations to write.
    pub revocations: Vec<Revocation>,
}

/// What follows from an event. `until` is that of [`revocation_until`].
pub fn consequences(event: &Event<'_>, until: Timestamp) -> Consequences {
    match *event {
        Event::SessionEnds { session, reason } => Consequences {
            sessions: Sessions::One(session),
            reason: Some(reason),
            token_version: None,
            revocations: vec![session_revoked(session, until)],
        },
        Event::AllSessionsEnd { user, reason } => Consequences {
            sessions: Sessions::AllOf(user.id),
            reason: Some(reason),
            token_version: Some(next_version(user)),
            revocations: vec![versions_end(user, Effect::Revoked, until)],
        },
        Event::PasswordChanged { user, kept, live } => Consequences {
            sessions: Sessions::AllBut(user, kept),
            reason: Some(EndReason::PasswordChanged),
            token_version: None,
            // One by one: a statement about the user would hit the session that goes on as well.
            revocations: live
                .iter()
                .filter(|session| **session != kept)
                .map(|session| session_revoked(*session, until))
                .collect(),
        },
        Event::RolesChanged { user } => Consequences {
            sessions: Sessions::None,
            reason: None,
            token_version: Some(next_version(user)),
            revocations: vec![versions_end(user, Effect::Stale, until)],
        },
        Event::TokensEnd { subject, effect } => Consequences {
            sessions: Sessions::None,
            reason: None,
            token_version: None,
            revocations: vec![Revocation {
                subject: subject.clone(),
                effect,
                until,
            }],
        },
    }
}

fn session_revoked(session: SessionId, until: Timestamp) -> Revocation {
    Revocation {
        subject: Subject::Session(session),
        effect: Effect::Revoked,
        until,
    }
}

/// By version and not by time, so that a sign-in within the same second is not hit.
fn versions_end(user: &User, effect: Effect, until: Timestamp) -> Revocation {
    Revocation {
        subject: Subject::User {
            id: user.id,
            below: next_version(user),
        },
        effect,
        until,
    }
}

fn next_version(user: &User) -> i64 {
    user.token_version.saturating_add(1)
}
