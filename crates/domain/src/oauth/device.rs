use core::time::Duration;

use super::ErrorCode;
use crate::{Timestamp, UserId};

/// Letters of user codes: no vowels, so that they spell nothing, and none that look like others (RFC 8628 section 6.1).
pub const USER_CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a user code: 34 bits.
const LETTERS: usize = 8;
/// How long a device waits between two questions, at first.
pub const DEVICE_INTERVAL: Duration = Duration::from_secs(5);
/// How much longer after each question that came too soon (RFC 8628 section 3.5).
pub const SLOW_DOWN: Duration = Duration::from_secs(5);

/// What a person types to tell which device they mean: eight letters, shown as `BCDF-GHJK`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// Reads what was typed: case and anything that is no letter do not count (RFC 8628 section 6.1).
    pub fn parse(text: &str) -> Option<Self> {
        let letters = text.chars().filter(|letter| letter.is_alphanumeric());
        let upper = letters.map(|letter| letter.to_ascii_uppercase());
        let code: String = upper.take(LETTERS + 1).collect();
        let good = code.len() == LETTERS && code.bytes().all(|b| USER_CODE_LETTERS.contains(&b));
        good.then_some(Self(code))
    }

    /// Eight letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is shown.
    pub fn shown(&self) -> String {
        let (head, tail) = self.0.split_at(LETTERS / 2);
        format!("{head}-{tail}")
    }
}

/// How far a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// Nobody has typed the code yet, or nobody has decided.
    Pending,
    /// This person agreed.
    Approved(UserId),
    /// Somebody refused.
    Denied,
    /// The tokens were given.
    Used,
}

/// What a device hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// The tokens of this person.
    Tokens(UserId),
    /// An error; the pause that holds from now on.
    Refuse(ErrorCode, Duration),
}

/// What a device that asks at `now` hears (RFC 8628 section 3.5), `last` being its question before and `pause` the wait that
/// was asked of it.
pub fn poll(
    state: DeviceState,
    (last, pause): (Option<Timestamp>, Duration),
    (expires_at, now): (Timestamp, Timestamp),
) -> Poll {
    let refuse = |code| Poll::Refuse(code, pause);
    if now >= expires_at {
        return refuse(ErrorCode::ExpiredToken);
    }
    if last.is_some_and(|last| now < last.plus(pause)) {
        return Poll::Refuse(ErrorCode::SlowDown, pause.saturating_add(SLOW_DOWN));
    }
    match state {
        DeviceState::Pending => refuse(ErrorCode::AuthorizationPending),
        DeviceState::Denied => refuse(ErrorCode::AccessDenied),
        DeviceState::Used => refuse(ErrorCode::InvalidGrant),
        DeviceState::Approved(user) => Poll::Tokens(user),
    }
}
