//! Mail that the server sends, and what the links in it prove.

use std::time::Duration;

use uuid::Uuid;

use crate::words::words;
use crate::{Email, Timestamp, UserId};

mod locale;
#[cfg(test)]
mod tests;

pub use locale::Locale;

/// How long a link is good after the mail with it was made.
pub const LINK_LIFE: Duration = Duration::from_secs(30 * 60);
/// How long an invitation is good.
pub const INVITATION_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a change of address may wait for its confirmations. Longer than a link, for links go out again when mail
/// could not be handed in for a while.
pub const CHANGE_LIFE: Duration = Duration::from_secs(24 * 3600);
/// How long it is tried to hand in a mail.
pub const DELIVERY_LIFE: Duration = Duration::from_secs(3 * 24 * 3600);
/// The same for one that was refused for good: long enough to mend a mistake in the settings.
const REFUSED_LIFE: Duration = Duration::from_secs(3600);
/// The first pause before the next try; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(4 * 3600);

words! {
    /// What a mail is about.
    pub enum MailKind ("mail kind") {
        /// Confirm the address of an account.
        VerifyEmail => "verify_email",
        /// Somebody used an address that already has an account.
        AddressInUse => "address_in_use",
        /// Choose a new password. Sent only where there is an account.
        ResetPassword => "reset_password",
        /// Confirm a change of address, at the new one.
        ChangeEmailNew => "change_email_new",
        /// Confirm a change of address, at the one before.
        ChangeEmailOld => "change_email_old",
        /// The address was changed; to the one before.
        EmailChanged => "email_changed",
        /// Somebody signed in from a device that was not seen before.
        NewDevice => "new_device",
        /// The password was changed.
        PasswordChanged => "password_changed",
        /// The password was reset, or set by an administrator.
        PasswordReset => "password_reset",
        /// A refresh token was used twice, and its session ended.
        SessionReused => "session_reused",
        /// An administrator invites somebody to make an account.
        Invitation => "invitation",
    }
}

words! {
    /// What a link proves.
    pub enum ProofKind ("proof kind") {
        /// That the address of an account is the holder's.
        VerifyEmail => "verify_email",
        /// That whoever wants another password gets the account's mail.
        ResetPassword => "reset_password",
        /// That the new address of a change is the holder's.
        ChangeEmailNew => "change_email_new",
        /// That the holder of the former address agrees to a change.
        ChangeEmailOld => "change_email_old",
        /// That the holder was invited.
        Invitation => "invitation",
    }
}

words! {
    /// What became of a mail.
    pub enum MailState ("mail state") {
        /// It is to be handed in.
        Waiting => "waiting",
        /// A mail server has accepted it.
        Sent => "sent",
        /// There was nothing to send: no such account, or what it was about is over.
        Void => "void",
        /// It was given up.
        Dead => "dead",
    }
}

impl MailKind {
    /// What the link in it proves; nothing for those without.
    pub const fn proof(self) -> Option<ProofKind> {
        match self {
            Self::VerifyEmail => Some(ProofKind::VerifyEmail),
            Self::ResetPassword => Some(ProofKind::ResetPassword),
            Self::ChangeEmailNew => Some(ProofKind::ChangeEmailNew),
            Self::ChangeEmailOld => Some(ProofKind::ChangeEmailOld),
            Self::Invitation => Some(ProofKind::Invitation),
            Self::AddressInUse
            | Self::EmailChanged
            | Self::NewDevice
            | Self::PasswordChanged
            | Self::PasswordReset
            | Self::SessionReused => None,
        }
    }

    /// Whether anybody can cause it by naming an address. The others tell of what has happened to an account.
    pub const fn is_asked_for(self) -> bool {
        self.proof().is_some() || matches!(self, Self::AddressInUse)
    }

    /// How many of its sort one address gets in an hour.
    pub const fn hourly(self) -> u32 {
        if self.is_asked_for() { 5 } else { 20 }
    }
}

/// A mail that is to go out. It holds no secret: a link is made when it is rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its id, a UUIDv7, of which the `Message-ID` is made.
    pub id: Uuid,
    /// What it is about.
    pub kind: MailKind,
    /// Who gets it.
    pub recipient: Email,
    /// The language of whoever caused it; the user's own comes first where it is known.
    pub locale: Locale,
    /// The user or the invitation that it is about, where that was known when it was written.
    pub subject: Option<Uuid>,
    /// The other address of a change.
    pub about: Option<Email>,
    /// From which network address it was caused.
    pub address: Option<String>,
    /// With which browser or program.
    pub user_agent: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
}

/// What a link proves, as it is kept: the digest of its token only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Its id, from which the token is derived under a key.
    pub id: Uuid,
    /// What it proves.
    pub kind: ProofKind,
    /// Of which user or invitation.
    pub subject: Uuid,
    /// The address that the mail went to.
    pub email: Email,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it proves nothing.
    pub expires_at: Timestamp,
}

impl Proof {
    /// Whether it still proves `kind` at `now`. That it was not used or replaced, the store says.
    pub fn is_good(&self, kind: ProofKind, now: Timestamp) -> bool {
        self.kind == kind && now < self.expires_at
    }
}

/// A change of address that waits to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailChange {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub user: UserId,
    /// The new address.
    pub email: Email,
    /// Whether it was confirmed at the new address.
    pub new_confirmed: bool,
    /// Whether it was confirmed at the former one, or need not be.
    pub old_confirmed: bool,
    /// From when on it cannot be confirmed any more.
    pub expires_at: Timestamp,
}

impl EmailChange {
    /// The change after the link `kind` was followed.
    #[must_use]
    pub fn confirmed(mut self, kind: ProofKind) -> Self {
        self.new_confirmed |= kind == ProofKind::ChangeEmailNew;
        self.old_confirmed |= kind == ProofKind::ChangeEmailOld;
        self
    }

    /// Whether everybody has agreed, so that it happens.
    pub const fn is_complete(&self) -> bool {
        self.new_confirmed && self.old_confirmed
    }
}

/// What to do with a mail that could not be handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Try again then.
    At(Timestamp),
    /// Give it up.
    GiveUp,
}

/// When to try again after `attempts` tries. The pause grows from a minute to four hours, less up to a quarter of it by
/// `chance`, so that many that failed together do not come back together. `refused` tells that the server said no, and
/// did not ask to come back (RFC 5321 section 4.2.1).
pub fn retry(
    created_at: Timestamp,
    attempts: u32,
    refused: bool,
    now: Timestamp,
    chance: u16,
) -> Retry {
    let doublings = attempts.saturating_sub(1).min(16);
    let pause = FIRST_PAUSE
        .saturating_mul(1 << doublings)
        .min(LONGEST_PAUSE);
    let pause = pause - pause / 4 * u32::from(chance) / u32::from(u16::MAX);
    let life = if refused { REFUSED_LIFE } else { DELIVERY_LIFE };
    let next = now.plus(pause);
    if next > created_at.plus(life) {
        Retry::GiveUp
    } else {
        Retry::At(next)
    }
}

/// Whether a sign-in comes from a device that was not seen: `seen` are the kinds of program and the networks of the
/// user's sessions, live and recent. One that is the first of all is not new.
pub fn is_new_device<T: PartialEq>(device: &T, seen: &[T]) -> bool {
    !seen.is_empty() && !seen.contains(device)
}
