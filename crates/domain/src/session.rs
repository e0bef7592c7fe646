use std::time::Duration;

use crate::refresh::RefreshState;
use crate::words::words;
use crate::{Refusal, SessionId, Timestamp, UserId};

#[cfg(test)]
mod tests;

words! {
    /// How the refresh token of a session travels.
    pub enum Transport ("transport") {
        /// In a cookie that no script can read.
        Cookie => "cookie",
        /// In bodies, for programs that keep it themselves.
        Body => "body",
        /// Not at all: it stays as it is, in the cookie of the pages that sign people in for other applications.
        Page => "page",
    }
}

words! {
    /// How somebody signed in.
    pub enum SignInMethod ("sign-in method") {
        /// With the password.
        Password => "password",
        /// At another provider, which may have known them already.
        Upstream => "upstream",
        /// At another provider, which was asked for a new sign-in.
        UpstreamAnew => "upstream_anew",
    }
}

impl SignInMethod {
    /// Whether its time is that of the sign-in: another provider that was not asked for a new one may have had an old one.
    pub const fn is_new(self) -> bool {
        matches!(self, Self::Password | Self::UpstreamAnew)
    }
}

words! {
    /// Why a session was ended. Running out of time is not an ending: see [`Life`].
    pub enum EndReason ("end reason") {
        /// Its owner signed out on it.
        Logout => "logout",
        /// Its owner signed out everywhere.
        LogoutAll => "logout_all",
        /// The password was changed, on another session or by an administrator.
        PasswordChanged => "password_changed",
        /// The user was disabled.
        Disabled => "disabled",
        /// The user was deleted.
        Deleted => "deleted",
        /// Its owner (from another device) or an administrator ended it.
        Revoked => "revoked",
        /// A refresh token was used again outside the windows.
        Reused => "reused",
        /// A newer sign-in took its place: at the limit of sessions, or in the same browser.
        Replaced => "replaced",
        /// Its owner took back what they had agreed to.
        Withdrawn => "withdrawn",
        /// The sign-in that it came from has ended.
        SignedOut => "signed_out",
        /// A code was used twice.
        CodeReused => "code_reused",
    }
}

/// When and why a session was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// One sign-in on one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id; the `sid` of tokens.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The client that it was made for; `symbolon` for our own sign-in.
    pub client_id: String,
    /// Where its refresh token stands.
    pub refresh: RefreshState,
    /// How long it lives after its last use.
    pub idle_ttl: Duration,
    /// The end of its absolute life, which no use moves.
    pub expires_at: Timestamp,
    /// Whether its cookie outlives the browser (`remember`).
    pub persistent: bool,
    /// How its refresh token travels.
    pub transport: Transport,
    /// How its owner signed in for it.
    pub method: SignInMethod,
    /// The device's name, as the client gave it.
    pub device: Option<String>,
    /// The `User-Agent` of the sign-in.
    pub user_agent: Option<String>,
    /// The network address of the sign-in.
    pub address: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last gave a token.
    pub last_used_at: Timestamp,
    /// Set once it was ended.
    pub ended: Option<Ended>,
}

impl Session {
    /// The end of its idle life, never past the absolute one.
    pub fn idle_expires_at(&self) -> Timestamp {
        self.last_used_at.plus(self.idle_ttl).min(self.expires_at)
    }

    /// Whether it is alive, and if not, why. An end that was decided comes before one that merely came.
    pub fn life(&self, now: Timestamp) -> Life {
        if let Some(ended) = self.ended {
            Life::Ended(ended)
        } else if now >= self.expires_at {
            Life::AbsoluteExpired
        } else if now >= self.idle_expires_at() {
            Life::IdleExpired
        } else {
            Life::Live
        }
    }

    /// `Max-Age` of the cookie that is set by a use at `now`: the idle life, never past the absolute one.
    /// `None` for a session whose cookie goes with the browser.
    pub fn cookie_max_age(&self, now: Timestamp) -> Option<Duration> {
        self.persistent
            .then(|| self.idle_ttl.min(self.expires_at.since(now)))
    }

    /// The `exp` of an access token given at `now`: `ttl` later, but never after the session could have died
    /// without another use.
    pub fn access_expires_at(&self, now: Timestamp, ttl: Duration) -> Timestamp {
        now.plus(ttl.min(self.idle_ttl)).min(self.expires_at)
    }
}

/// The state of a session at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It may be refreshed.
    Live,
    /// It was not used for its idle life.
    IdleExpired,
    /// Its absolute life is over.
    AbsoluteExpired,
    /// It was ended.
    Ended(Ended),
}

impl Life {
    /// What a refresh of such a session is refused with; `None` if it is alive.
    pub fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Live => None,
            Self::IdleExpired | Self::AbsoluteExpired => Some(Refusal::RefreshTokenExpired),
            Self::Ended(_) => Some(Refusal::SessionRevoked),
        }
    }
}

/// How long sessions live, from the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPolicy {
    /// The idle life of a remembered session.
    pub idle_ttl: Duration,
    /// The absolute life of a remembered session.
    pub absolute_ttl: Duration,
    /// The absolute life of one that is not remembered.
    pub unremembered_ttl: Duration,
}

impl Default for SessionPolicy {
    /// Idle 7 days, absolute 30 days; 24 hours where not remembered.
    fn default() -> Self {
        Self {
            idle_ttl: Duration::from_hours(7 * 24),
            absolute_ttl: Duration::from_hours(30 * 24),
            unremembered_ttl: Duration::from_hours(24),
        }
    }
}

impl SessionPolicy {
    /// The lives of a session made at `now`. One that is not remembered has a shorter one.
    pub fn lifetimes(&self, remember: bool, now: Timestamp) -> Lifetimes {
        let absolute = if remember {
            self.absolute_ttl
        } else {
            self.absolute_ttl.min(self.unremembered_ttl)
        };
        Lifetimes {
            idle_ttl: self.idle_ttl.min(absolute),
            expires_at: now.plus(absolute),
            persistent: remember,
        }
    }
}

/// The part of a [`Session`] that follows from a [`SessionPolicy`] and `remember`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// As [`Session::idle_ttl`].
    pub idle_ttl: Duration,
    /// As [`Session::expires_at`].
    pub expires_at: Timestamp,
    /// As [`Session::persistent`].
    pub persistent: bool,
}
