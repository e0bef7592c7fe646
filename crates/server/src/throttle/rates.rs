//! How many of each are free, and how fast they are forgotten.

use std::time::Duration;

use super::cell::Rate;
use super::table::Lane;

/// Failures on one network that cost nothing, and how fast they are forgotten.
pub(super) const NETWORK: Rate = Rate {
    burst: 60,
    each: Duration::from_secs(1),
};
/// Failures on one account from networks that never signed in to it.
pub(super) const ACCOUNT: Rate = Rate {
    burst: 100,
    each: Duration::from_secs(36),
};
/// Accounts that one network may make.
pub(super) const REGISTRATION: Rate = Rate {
    burst: 100,
    each: Duration::from_secs(10),
};
/// Changes of one's own profile.
pub(super) const PROFILE: Rate = Rate {
    burst: 60,
    each: Duration::from_secs(2),
};
/// Tries at the set-up token from one network.
pub(super) const SETUP: Rate = Rate {
    burst: 10,
    each: Duration::from_secs(60),
};
/// Mails that one network may cause by naming addresses.
pub(super) const MAIL: Rate = Rate {
    burst: 60,
    each: Duration::from_secs(20),
};
/// Clients that one network may register.
pub(super) const CLIENT: Rate = Rate {
    burst: 20,
    each: Duration::from_secs(180),
};
/// Documents that one network may have fetched.
pub(super) const DOCUMENT: Rate = Rate {
    burst: 30,
    each: Duration::from_secs(20),
};
/// Codes of devices that one network, or one person, may type: a guess hits one of 2^34.
pub(super) const USER_CODE: Rate = Rate {
    burst: 30,
    each: Duration::from_secs(30),
};
/// Requests of clients that prove nothing which one network may have kept here.
pub(super) const OPEN_REQUEST: Rate = Rate {
    burst: 60,
    each: Duration::from_secs(2),
};
/// Answers of other providers that one network may have us ask about.
pub(super) const ARRIVAL: Rate = Rate {
    burst: 120,
    each: Duration::from_secs(1),
};

impl Lane {
    /// How fast a counter of this kind is emptied; nothing for one of a pair.
    pub(super) fn rate(self) -> Option<Rate> {
        Some(match self {
            Self::Account => ACCOUNT,
            Self::Network => NETWORK,
            Self::Registration => REGISTRATION,
            Self::Setup => SETUP,
            Self::Mail => MAIL,
            Self::Profile => PROFILE,
            Self::Client => CLIENT,
            Self::Document => DOCUMENT,
            Self::UserCode => USER_CODE,
            Self::OpenRequest => OPEN_REQUEST,
            Self::Arrival => ARRIVAL,
            Self::Pair | Self::Name => return None,
        })
    }
}
