//! Whether every live guard has heard of a change of the keys. No guard says which keys it has, so that is concluded from
//! what each of them does.
//!
//! 1. A new key is in the key set, which every guard asks for every five minutes, while caches between may keep an answer for
//!    five more: whoever reaches this server has it after [`CARRIED`]. (One that meets a token with a key that it does not
//!    know asks at once.)
//! 2. A withdrawn key is told of in the revocation feed: whoever has taken what was published since has heard of it.
//! 3. A guard that follows the feed and takes what it is sent is live and reaches this server. Of one that takes nothing it
//!    cannot be said that it asks for keys either.

use std::time::Duration;

use symbolon_domain::Timestamp;

/// Longest time that a guard which reaches this server goes on with an older key set.
pub const CARRIED: Duration = Duration::from_secs(10 * 60);
/// A follower that has left something untaken for three heartbeats may have lost its connection.
const LONGEST_LAG: Duration = Duration::from_secs(15);
/// Within this time what was committed is published, on every node.
const PUBLISHED: Duration = Duration::from_secs(6);

/// How guards hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// By the key set, in which it is from this moment on.
    InKeySet(Timestamp),
    /// By the feed, into which it came at this moment.
    InFeed(Timestamp),
}

/// Who has heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Some guards may not have heard of it; all have at this moment.
    Spreading(Timestamp),
    /// So many guards that follow the feed do not take what they are sent.
    Unheard(usize),
    /// Every live guard.
    Everywhere,
}

/// Who has heard of it by `now`, given for how long each follower of the feed has left something untaken.
#[must_use]
pub fn reach(announced: Announced, now: Timestamp, lags: &[Duration]) -> Reach {
    let (by, longest) = match announced {
        Announced::InKeySet(at) => (at.plus(CARRIED), LONGEST_LAG),
        Announced::InFeed(at) => {
            let by = at.plus(PUBLISHED);
            let since = u64::try_from(now.millis() - by.millis()).unwrap_or(0);
            // What was left untaken after that is about something else.
            (by, Duration::from_millis(since))
        }
    };
    let unheard = lags.iter().filter(|lag| **lag > longest).count();
    match unheard {
        _ if now < by => Reach::Spreading(by),
        0 => Reach::Everywhere,
        unheard => Reach::Unheard(unheard),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_new_key_is_everywhere_when_every_key_set_was_asked_for_again() {
        let known = |after: u64, lags: &[Duration]| {
            reach(Announced::InKeySet(AT), AT.plus(seconds(after)), lags)
        };
        let by = AT.plus(CARRIED);
        assert_eq!(known(0, &[]), Reach::Spreading(by));
        assert_eq!(known(599, &[seconds(0)]), Reach::Spreading(by));
        assert_eq!(known(600, &[]), Reach::Everywhere);
        assert_eq!(known(600, &[seconds(0), seconds(15)]), Reach::Everywhere);
        let lags = [seconds(16), seconds(0), seconds(300)];
        assert_eq!(known(600, &lags), Reach::Unheard(2));
        // The set is older than the lead with which a key signs.
        assert!(CARRIED < super::super::PUBLISH_LEAD);
    }

    #[test]
    fn a_withdrawal_is_everywhere_when_nobody_waits_since_before_it() {
        let known = |after: u64, lags: &[Duration]| {
            reach(Announced::InFeed(AT), AT.plus(seconds(after)), lags)
        };
        assert_eq!(known(5, &[]), Reach::Spreading(AT.plus(PUBLISHED)));
        assert_eq!(known(6, &[seconds(0)]), Reach::Everywhere);
        assert_eq!(known(20, &[seconds(14)]), Reach::Everywhere);
        assert_eq!(known(20, &[seconds(15), seconds(0)]), Reach::Unheard(1));
    }
}
