//! What happens to a guard, for its owner's own metrics and alarms.

use std::fmt;

/// Something that happened to a [`Guard`](crate::Guard), beside the requests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The feed answers.
    Connected,
    /// The feed was lost, or could not be reached; the guard tries again.
    Disconnected {
        /// In words.
        reason: String,
    },
    /// A snapshot was taken.
    Snapshot {
        /// The number of its last entry.
        seq: u64,
    },
    /// An entry was heeded: from now on its tokens are refused.
    Applied {
        /// Its number.
        seq: u64,
    },
    /// An event of the feed could not be read; the guard takes a new snapshot.
    Malformed {
        /// In words.
        reason: String,
    },
    /// The issuer's keys were fetched.
    KeysFetched {
        /// How many there are.
        keys: usize,
    },
    /// The issuer's keys could not be fetched; the old ones stay.
    KeysFailed {
        /// In words.
        reason: String,
    },
    /// The feed has not been heard for longer than the staleness bound.
    Stale,
    /// The feed is heard again.
    Fresh,
    /// This machine's clock differs from the issuer's by 2 seconds or more (`Some`), or does no more.
    Skew {
        /// Seconds by which the issuer's is ahead.
        seconds: Option<i64>,
    },
}

type Hook = dyn Fn(&Event) + Send + Sync;

/// Whom to tell. Called in the guard's own task and, for [`Event::Stale`], in requests: it must not block.
pub(crate) struct Observer(pub(crate) Option<Box<Hook>>);

impl Observer {
    pub(crate) fn tell(&self, event: Event) {
        if let Some(hook) = &self.0 {
            hook(&event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Observer(..)"
        } else {
            "Observer(none)"
        })
    }
}
