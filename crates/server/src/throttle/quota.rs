//! What is left of a limit, as it is told to clients.

use std::time::Duration;

use symbolon_domain::Timestamp;

use super::cell::{FREE_FAILURES, Pair, Rate};

/// One limit and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Its name.
    pub policy: &'static str,
    /// How many fit.
    pub limit: u32,
    /// In which time; `None` where the wait grows with each failure.
    pub window: Option<Duration>,
    /// How many more fit now.
    pub remaining: u32,
    /// When all of them would fit again, or the next one where the wait grows.
    pub reset: Option<Duration>,
}

impl Quota {
    pub(super) fn of_rate(policy: &'static str, rate: Rate, bits: u64, now: Timestamp) -> Self {
        let (remaining, reset) = rate.left(bits, now);
        Self {
            policy,
            limit: rate.burst,
            window: Some(rate.each * rate.burst),
            remaining,
            reset: Some(reset),
        }
    }

    /// Of several pairs that all must let an attempt in.
    pub(super) fn of_pairs(policy: &'static str, pairs: &[Pair], now: Timestamp) -> Self {
        let left = pairs.iter().map(|pair| pair.left(now)).min();
        let waits = pairs.iter().filter_map(|pair| pair.wait_at(now));
        Self {
            policy,
            limit: FREE_FAILURES.into(),
            window: None,
            remaining: left.unwrap_or(FREE_FAILURES.into()),
            reset: waits.max(),
        }
    }
}
