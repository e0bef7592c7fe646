//! Who is signed in.

use std::fmt;

use serde::Deserialize;

/// Who is signed in, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// Nothing was asked yet. A session may have been kept since the last run: [`Client::restore`](crate::Client::restore)
    /// finds out.
    #[default]
    Unknown,
    /// This user.
    SignedIn(User),
    /// Nobody.
    SignedOut(SignedOutReason),
}

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// UUIDv7.
    pub id: String,
    /// E-mail address.
    pub email: String,
    /// Name to sign in with.
    #[serde(default)]
    pub username: Option<String>,
    /// Name to be shown.
    #[serde(default)]
    pub name: Option<String>,
    /// Names of roles, sorted.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Whether the address is known to be the user's.
    #[serde(default)]
    pub email_verified: bool,
    /// RFC 3339, UTC.
    #[serde(default)]
    pub created_at: String,
    /// RFC 3339, UTC.
    #[serde(default)]
    pub updated_at: String,
}

/// What ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignedOutReason {
    /// [`Client::logout`](crate::Client::logout).
    LoggedOut,
    /// [`Client::logout_everywhere`](crate::Client::logout_everywhere).
    LoggedOutEverywhere,
    /// No refresh token is kept: nobody has signed in here.
    NoRefreshToken,
    /// The session was ended elsewhere: a sign-out, a changed password, an administrator.
    SessionRevoked,
    /// A refresh token was used that had been replaced long before: somebody may have copied it. The session is dead.
    RefreshTokenReused,
    /// The session was not used for too long, or has reached the end of its life.
    RefreshTokenExpired,
    /// The server does not know the refresh token.
    InvalidRefreshToken,
    /// The account is disabled.
    AccountDisabled,
}

impl SignedOutReason {
    /// The server's word, or `logged_out` and `logged_out_everywhere`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::LoggedOutEverywhere => "logged_out_everywhere",
            Self::NoRefreshToken => "no_refresh_token",
            Self::SessionRevoked => "session_revoked",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::RefreshTokenExpired => "refresh_token_expired",
            Self::InvalidRefreshToken => "invalid_refresh_token",
            Self::AccountDisabled => "account_disabled",
        }
    }

    /// The reason behind a refused refresh. None for what does not end a session.
    pub(crate) fn of_refresh(code: &str) -> Option<Self> {
        [
            Self::NoRefreshToken,
            Self::SessionRevoked,
            Self::RefreshTokenReused,
            Self::RefreshTokenExpired,
            Self::InvalidRefreshToken,
            Self::AccountDisabled,
        ]
        .into_iter()
        .find(|reason| reason.code() == code)
    }
}

impl fmt::Display for SignedOutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
