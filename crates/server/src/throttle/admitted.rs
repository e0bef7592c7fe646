//! An attempt that was let in, and what becomes of the counters when its end is known.

use symbolon_domain::Timestamp;

use super::cell::Pair;
use super::shared::Change;
use super::slots::Slot;
use super::table::Key;
use super::{ACCOUNT, NETWORK, RateLimited, Throttle, limited};

/// The counters of an attempt.
#[derive(Clone, Copy)]
pub(super) struct Lanes {
    pub(super) account: Key,
    pub(super) network: Option<Key>,
    pub(super) name: Option<Key>,
    pub(super) pair: Option<Key>,
}

/// An attempt that was let in. It counts as a failure on account and network from its start until
/// [`Admitted::succeeded`] or [`Admitted::excused`] takes that back; dropped with neither, the charge fades by itself.
/// Keep it until the hashing is done: it holds the network's place in the queue.
#[must_use = "the place in the queue goes with it"]
pub struct Admitted<'a> {
    throttle: &'a Throttle,
    /// `None` where nothing is limited, and once the end was told.
    lanes: Option<Lanes>,
    charged: Charged,
    _slot: Option<Slot<'a>>,
}

/// What was counted at the start.
#[derive(Clone, Copy, Default)]
struct Charged {
    network: bool,
    account: bool,
    name: bool,
    pair: bool,
}

impl<'a> Admitted<'a> {
    pub(super) fn new(
        throttle: &'a Throttle,
        lanes: Option<Lanes>,
        slot: Option<Slot<'a>>,
    ) -> Self {
        Self {
            throttle,
            lanes,
            charged: Charged::default(),
            _slot: slot,
        }
    }

    /// Counts the start in every lane that applies to a pair of this standing. What was counted before a lane said no
    /// is taken back.
    pub(super) fn charge(&mut self, pair: Pair, now: Timestamp) -> Result<(), RateLimited> {
        let Some(lanes) = self.lanes else {
            return Ok(());
        };
        let charged = self.try_charge(&lanes, pair, now);
        if charged.is_err() {
            self.excused(now);
        }
        charged
    }

    fn try_charge(&mut self, lanes: &Lanes, pair: Pair, now: Timestamp) -> Result<(), RateLimited> {
        let table = &self.throttle.table;
        if let (Some(key), false) = (lanes.network, pair.is_trusted(now)) {
            limited(table.update(key, now, |bits| NETWORK.take(bits, now)))?;
            self.charged.network = true;
        }
        let mut pairs = [lanes.pair, None];
        if !pair.is_known() {
            limited(table.update(lanes.account, now, |bits| ACCOUNT.take(bits, now)))?;
            self.charged.account = true;
            pairs[1] = lanes.name;
        }
        // Both are asked before either begins: what begins waits anew, and a refused attempt makes no wait longer.
        for key in pairs.into_iter().flatten() {
            limited(table.read(key, |bits| Pair::from_bits(bits).wait_at(now)))?;
        }
        for (index, key) in pairs.into_iter().enumerate() {
            let Some(key) = key else { continue };
            limited(table.update(key, now, |bits| Pair::begin(bits, now)))?;
            match index {
                0 => self.charged.pair = true,
                _ => self.charged.name = true,
            }
        }
        Ok(())
    }

    /// The password was wrong, or there is no such account.
    pub fn failed(&mut self, now: Timestamp) {
        let Some(lanes) = self.lanes.take() else {
            return;
        };
        let table = &self.throttle.table;
        for key in [lanes.pair, lanes.name].into_iter().flatten() {
            table.update(key, now, |bits| (Pair::fail(bits, now), ()));
            self.throttle.tell(Change::Failed, key);
        }
        if let Some(key) = lanes.network {
            // Whoever was trusted at the start pays now.
            if !self.charged.network {
                table.update(key, now, |bits| (NETWORK.charge(bits, now), ()));
            }
            self.throttle.tell(Change::Charged, key);
        }
        if self.charged.account {
            self.throttle.tell(Change::Charged, lanes.account);
        }
    }

    /// The password was right. The pair starts anew and is known from now on; what strangers did to the account stays,
    /// and so does what was tried under the same name: another account may have it in front of its `@`.
    pub fn succeeded(&mut self, now: Timestamp) {
        let Some(lanes) = self.lanes else { return };
        if let Some(key) = lanes.pair {
            let table = &self.throttle.table;
            table.update(key, now, |bits| (Pair::succeed(bits, now), ()));
            self.throttle.tell(Change::Succeeded, key);
            self.charged.pair = false;
        }
        self.excused(now);
    }

    /// Nothing was tried, as when there was no room to hash: it costs nothing.
    pub fn excused(&mut self, now: Timestamp) {
        let Some(lanes) = self.lanes.take() else {
            return;
        };
        let (table, charged) = (&self.throttle.table, self.charged);
        if let (Some(key), true) = (lanes.network, charged.network) {
            table.update(key, now, |bits| (NETWORK.give_back(bits, now), ()));
        }
        if charged.account {
            table.update(lanes.account, now, |bits| {
                (ACCOUNT.give_back(bits, now), ())
            });
        }
        for (key, begun) in [(lanes.pair, charged.pair), (lanes.name, charged.name)] {
            if let (Some(key), true) = (key, begun) {
                table.update(key, now, |bits| (Pair::abandon(bits, now), ()));
            }
        }
    }
}
