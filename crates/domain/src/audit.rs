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
        /// An administrator brought many accounts in from a file; one line when it begins, one when it ends.
        UsersImported => "users_imported",
        /// An administrator took every account out.
        UsersExported => "users_exported",
        /// Someone signed in.
        LoginSucceeded => "login_succeeded",
        /// Someone tried to sign in and could not.
        LoginFailed => "login_failed",
        /// A signed-in user gave a wrong password where it was asked for again.
        PasswordRefused => "password_refused",
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
        /// A role was made.
        RoleCreated => "role_created",
        /// A role got another definition.
        RoleChanged => "role_changed",
        /// A role was deleted.
        RoleDeleted => "role_deleted",
        /// An OAuth client was made.
        ClientCreated => "client_created",
        /// An OAuth client got another definition.
        ClientChanged => "client_changed",
        /// An OAuth client was deleted.
        ClientDeleted => "client_deleted",
        /// An OAuth client got another secret.
        ClientSecretAdded => "client_secret_added",
        /// A secret of an OAuth client was deleted.
        ClientSecretDeleted => "client_secret_deleted",
        /// A person agreed to what a client asked for.
        ConsentGiven => "consent_given",
        /// What a person had agreed to was taken back.
        ConsentWithdrawn => "consent_withdrawn",
        /// A client was given tokens for a person.
        ClientSignedIn => "client_signed_in",
        /// A client exchanged a token of a person for one of its own.
        TokenExchanged => "token_exchanged",
        /// An authorization code was used again.
        CodeReused => "code_reused",
        /// A setting that is kept in the database changed.
        SettingChanged => "setting_changed",
        /// A user, or who became one, came with an identity of another provider, which is theirs from now on.
        IdentityLinked => "identity_linked",
        /// An identity of another provider is no user's any more.
        IdentityUnlinked => "identity_unlinked",
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
        /// The first administrator was made with the token that the server printed.
        SetupCompleted => "setup_completed",
        /// Somebody tried to with another token.
        SetupRefused => "setup_refused",
        /// Somebody asked for a link to choose another password.
        PasswordResetAsked => "password_reset_asked",
        /// A user chose another password by such a link.
        PasswordReset => "password_reset",
        /// A user has shown that the address is theirs.
        EmailVerified => "email_verified",
        /// A user asked for another address.
        EmailChangeAsked => "email_change_asked",
        /// The address was changed.
        EmailChanged => "email_changed",
        /// Somebody was invited.
        UserInvited => "user_invited",
        /// An invitation was withdrawn.
        InvitationWithdrawn => "invitation_withdrawn",
        /// The revocation feed began another epoch.
        FeedRenewed => "feed_renewed",
        /// The oldest lines of this log were dropped, as its retention says.
        AuditPurged => "audit_purged",
        /// The server found that this log is not what it was when it last looked.
        AuditBroken => "audit_broken",
        /// All data was moved to another database.
        DatabaseMoved => "database_moved",
        /// What this version does not know: a newer one wrote it, or somebody meddled. Never written.
        Unknown => "unknown",
    }
}

words! {
    /// How something ended for who tried it.
    pub enum Outcome ("outcome") {
        /// It was done.
        Success => "success",
        /// It was refused, or should not have happened.
        Failure => "failure",
    }
}

impl AuditKind {
    /// How what it tells of ended.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::LoginFailed
            | Self::PasswordRefused
            | Self::RefreshReused
            | Self::CodeReused
            | Self::SetupRefused
            | Self::AuditBroken => Outcome::Failure,
            _ => Outcome::Success,
        }
    }
}

words! {
    /// Why a sign-in failed: for operators, never for who tried it.
    pub enum LoginFailure ("reason of a failed sign-in") {
        /// Nobody has that name or address.
        UnknownUser => "unknown_user",
        /// The password was another one.
        WrongPassword => "wrong_password",
        /// The password was right, the account disabled.
        AccountDisabled => "account_disabled",
        /// The password was right, the address has to be confirmed first.
        EmailNotVerified => "email_not_verified",
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
