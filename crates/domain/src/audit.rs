//! What is written down about who did what.

use crate::words::words;
use crate::{SessionId, Timestamp, UserId};

words! {
    /// What happened.
    pub enum AuditKind ("audit kind") {
        /// Someone made an account.
        UserRegistered => "user_registered",
        /// An administrator made an account.
        UserCreated => "user_created",
        /// Someone signed in.
        LoginSucceeded => "login_succeeded",
        /// Someone tried to sign in and could not.
        LoginFailed => "login_failed",
        /// A refresh token was used again outside the windows.
        RefreshReused => "refresh_reused",
        /// A session was ended.
        SessionEnded => "session_ended",
        /// A user signed out everywhere.
        LogoutAll => "logout_all",
        /// A user changed the password.
        PasswordChanged => "password_changed",
        /// An administrator set a user's password.
        PasswordSet => "password_set",
        /// A user's name or user name changed.
        ProfileChanged => "profile_changed",
        /// A user's roles changed.
        RolesChanged => "roles_changed",
        /// A user was disabled.
        UserDisabled => "user_disabled",
        /// A user was enabled.
        UserEnabled => "user_enabled",
        /// A user was deleted.
        UserDeleted => "user_deleted",
        /// A key was made.
        KeyCreated => "key_created",
        /// Another key signs from now on.
        KeyRotated => "key_rotated",
        /// A key was withdrawn, with every token that it signed.
        KeyWithdrawn => "key_withdrawn",
        /// Tokens were killed, or are to be renewed, by a statement about them alone.
        TokensRevoked => "tokens_revoked",
        /// The revocation feed began another epoch.
        FeedRenewed => "feed_renewed",
    }
}

/// One line of the audit log. Holds no token and no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: AuditKind,
    /// Who did it, where that is known; nobody for the command line.
    pub actor: Option<UserId>,
    /// To whom.
    pub subject: Option<UserId>,
    /// On which session.
    pub session: Option<SessionId>,
    /// From which network address.
    pub address: Option<String>,
    /// With which browser or program.
    pub user_agent: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// What else there is to say.
    pub detail: Option<String>,
}

impl AuditEvent {
    /// An event of which nothing else is known yet.
    pub fn new(at: Timestamp, kind: AuditKind) -> Self {
        Self {
            at,
            kind,
            actor: None,
            subject: None,
            session: None,
            address: None,
            user_agent: None,
            request_id: None,
            detail: None,
        }
    }
}
