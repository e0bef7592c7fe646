//! What a guard counts.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::Serialize;

use crate::denied::Denied;

/// What a guard did and how it stands, at one moment. Counters start at 0 with the guard.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Metrics {
    /// Tokens that were let through.
    pub accepted: u64,
    /// Requests that were refused, by [`Denied::code`].
    pub rejected: BTreeMap<&'static str, u64>,
    /// Connections to the feed after the first.
    pub reconnects: u64,
    /// Snapshots taken.
    pub snapshots: u64,
    /// Entries heeded one by one, without those of snapshots.
    pub applied: u64,
    /// Events of the feed that could not be read; each made the guard take a new snapshot.
    pub malformed: u64,
    /// Times that the issuer's keys were asked for.
    pub key_fetches: u64,
    /// Those of them that brought no keys.
    pub key_failures: u64,
    /// Times that the issuer was asked about a token.
    pub introspections: u64,
    /// Whether a snapshot was taken and the feed was heard within the staleness bound.
    pub fresh: bool,
    /// Seconds since the feed was heard; none before the first snapshot.
    pub seconds_since_heard: Option<f64>,
    /// Subjects that live revocations name.
    pub entries: usize,
    /// The epoch of the feed.
    pub epoch: Option<String>,
    /// The number of the last entry that is heeded.
    pub seq: u64,
    /// Seconds by which the issuer's clock is ahead of this machine's, where that is 2 or more; tokens are judged by
    /// the issuer's clock then.
    pub skew: i64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    Accepted,
    Reconnect,
    Snapshot,
    Applied,
    Malformed,
    KeyFetch,
    KeyFailure,
    Introspection,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    plain: [AtomicU64; 8],
    rejected: [AtomicU64; Denied::ALL.len()],
}

impl Counts {
    pub(crate) fn count(&self, what: Count) {
        self.plain[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn reject(&self, denied: Denied) {
        self.rejected[denied as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn value(&self, what: Count) -> u64 {
        self.plain[what as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn rejected(&self) -> BTreeMap<&'static str, u64> {
        Denied::ALL
            .into_iter()
            .map(|denied| {
                let count = self.rejected[denied as usize].load(Ordering::Relaxed);
                (denied.code(), count)
            })
            .collect()
    }
}
