//! What the 8 bytes of a cell mean, and how they change. All of it is arithmetic on its arguments.
//!
//! The upper 44 bits are a time in milliseconds since 1970; the lower 20 are counts. Zero is a cell that says nothing.

use std::time::Duration;

use symbolon_domain::Timestamp;

const COUNT_BITS: u32 = 20;
/// No debt and no wait reaches further than this into the future.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// Failures of a pair that cost no waiting.
pub(super) const FREE_FAILURES: u8 = 5;
/// Attempts of a pair that may run at once while none has failed.
const RUNNING: u8 = 32;
/// An attempt that has run for longer than this was given up.
const GIVEN_UP: Duration = Duration::from_secs(30);
/// A pair's failures are forgotten after a quiet day.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

fn time_of(bits: u64) -> u64 {
    bits >> COUNT_BITS
}

fn millis(now: Timestamp) -> u64 {
    u64::try_from(now.millis()).unwrap_or(0) & (u64::MAX >> COUNT_BITS)
}

fn in_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A leaky bucket as a generic cell rate: the cell holds the time at which the bucket is empty again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// How many fit at once.
    pub(super) burst: u32,
    /// How long one takes to leak out.
    pub(super) each: Duration,
}

impl Rate {
    /// How long until one more fits; `None` when it does now.
    pub(super) fn wait(self, bits: u64, now: Timestamp) -> Option<Duration> {
        let full = in_millis(self.each) * u64::from(self.burst - 1);
        let over = time_of(bits)
            .saturating_sub(millis(now))
            .saturating_sub(full);
        (over > 0).then(|| Duration::from_millis(over).min(LONGEST_WAIT))
    }

    /// Puts one in, whether it fits or not. The debt is bounded, so that the wait is.
    pub(super) fn charge(self, bits: u64, now: Timestamp) -> u64 {
        let now = millis(now);
        let most = now + in_millis(self.each) * u64::from(self.burst) + in_millis(LONGEST_WAIT);
        (time_of(bits).max(now) + in_millis(self.each)).min(most) << COUNT_BITS
    }

    /// Puts one in if it fits.
    pub(super) fn take(self, bits: u64, now: Timestamp) -> (u64, Option<Duration>) {
        match self.wait(bits, now) {
            None => (self.charge(bits, now), None),
            wait => (bits, wait),
        }
    }

    /// How many more fit now, and how long until all of them would.
    pub(super) fn left(self, bits: u64, now: Timestamp) -> (u32, Duration) {
        let debt = Duration::from_millis(time_of(bits).saturating_sub(millis(now)));
        let used = in_millis(debt).div_ceil(in_millis(self.each).max(1));
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        let most = self.each * self.burst + LONGEST_WAIT;
        (self.burst.saturating_sub(used), debt.min(most))
    }

    /// Takes one out again.
    pub(super) fn give_back(self, bits: u64, now: Timestamp) -> u64 {
        let time = time_of(bits).saturating_sub(in_millis(self.each));
        if time <= millis(now) {
            0
        } else {
            time << COUNT_BITS
        }
    }
}

/// One account from one network: when it was last tried, how often it failed since it last succeeded, how many attempts
/// are running, and whether it ever succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pair {
    time: u64,
    failures: u8,
    running: u8,
    known: bool,
}

impl Pair {
    pub(super) fn from_bits(bits: u64) -> Self {
        let [failures, running, flags, ..] = bits.to_le_bytes();
        Self {
            time: time_of(bits),
            failures,
            running,
            known: flags & 1 == 1,
        }
    }

    fn to_bits(self) -> u64 {
        self.time << COUNT_BITS
            | u64::from(self.known) << 16
            | u64::from(self.running) << 8
            | u64::from(self.failures)
    }

    /// It has signed in before.
    pub(super) fn is_known(self) -> bool {
        self.known
    }

    /// It has signed in before, and nothing speaks against it: its neighbours' failures do not hold it up.
    pub(super) fn is_trusted(self, now: Timestamp) -> bool {
        let pair = self.at(now);
        pair.known && pair.failures == 0 && pair.running == 0
    }

    /// Starts an attempt, or says how long it must wait.
    pub(super) fn begin(bits: u64, now: Timestamp) -> (u64, Option<Duration>) {
        let mut pair = Self::from_bits(bits).at(now);
        let wait = pair.wait(now);
        if wait.is_some() {
            return (bits, wait);
        }
        pair.time = millis(now);
        pair.running = pair.running.saturating_add(1);
        (pair.to_bits(), None)
    }

    /// Ends an attempt that failed.
    pub(super) fn fail(bits: u64, now: Timestamp) -> u64 {
        let pair = Self::from_bits(bits).at(now);
        let failures = pair.failures.saturating_add(1);
        Self {
            time: millis(now),
            failures,
            running: pair.running.saturating_sub(1),
            ..pair
        }
        .to_bits()
    }

    /// Ends an attempt that succeeded.
    pub(super) fn succeed(bits: u64, now: Timestamp) -> u64 {
        let pair = Self::from_bits(bits).at(now);
        Self {
            time: millis(now),
            failures: 0,
            running: pair.running.saturating_sub(1),
            known: true,
        }
        .to_bits()
    }

    /// Another node ended one that failed. What runs here is not touched.
    pub(super) fn failed_elsewhere(bits: u64, now: Timestamp) -> u64 {
        let pair = Self::from_bits(bits).at(now);
        Self {
            time: millis(now),
            failures: pair.failures.saturating_add(1),
            ..pair
        }
        .to_bits()
    }

    /// Another node ended one that succeeded.
    pub(super) fn succeeded_elsewhere(bits: u64, now: Timestamp) -> u64 {
        let pair = Self::from_bits(bits).at(now);
        Self {
            time: millis(now),
            failures: 0,
            known: true,
            ..pair
        }
        .to_bits()
    }

    /// Ends an attempt of which nothing is to be said.
    pub(super) fn abandon(bits: u64, now: Timestamp) -> u64 {
        let pair = Self::from_bits(bits).at(now);
        let running = pair.running.saturating_sub(1);
        if running == 0 && pair.failures == 0 && !pair.known {
            return 0;
        }
        Self { running, ..pair }.to_bits()
    }

    /// It is known that it has signed in before.
    pub(super) fn recognize(bits: u64) -> u64 {
        let pair = Self::from_bits(bits);
        Self {
            known: true,
            ..pair
        }
        .to_bits()
    }

    /// How long the next attempt must wait.
    pub(super) fn wait_at(self, now: Timestamp) -> Option<Duration> {
        self.at(now).wait(now)
    }

    /// How many more failures cost no wait beyond the present one.
    pub(super) fn left(self, now: Timestamp) -> u32 {
        let pair = self.at(now);
        if pair.wait(now).is_some() {
            return 0;
        }
        // Who has waited may try once.
        let used = pair.failures.saturating_add(pair.running);
        FREE_FAILURES.saturating_sub(used).max(1).into()
    }

    /// What is left of it now.
    fn at(mut self, now: Timestamp) -> Self {
        let quiet = millis(now).saturating_sub(self.time);
        if quiet > in_millis(GIVEN_UP) {
            self.running = 0;
        }
        if quiet > in_millis(FORGOTTEN) {
            self.failures = 0;
        }
        self
    }

    fn wait(self, now: Timestamp) -> Option<Duration> {
        let used = self.failures.saturating_add(self.running);
        if used < FREE_FAILURES || (self.failures == 0 && self.running < RUNNING) {
            return None;
        }
        // A clock that was set back must not lengthen the wait.
        let since = millis(now).saturating_sub(self.time);
        let delay = in_millis(Self::delay(self.failures));
        (since < delay).then(|| Duration::from_millis(delay - since))
    }

    /// The wait that follows a number of failures.
    fn delay(failures: u8) -> Duration {
        let doublings = u32::from(failures.saturating_sub(FREE_FAILURES)).min(10);
        Duration::from_secs(1 << doublings).min(LONGEST_WAIT)
    }
}

/// How much would be lost with a cell: the least is crowded out first.
pub(super) fn weight(is_pair: bool, bits: u64, now: Timestamp) -> u64 {
    if is_pair {
        let pair = Pair::from_bits(bits).at(now);
        u64::from(pair.failures) * 4 + u64::from(pair.known) * 10 + u64::from(pair.running.min(1))
    } else {
        // A minute of debt weighs as much as a failure of a pair.
        (time_of(bits).saturating_sub(millis(now)) / 15_000).min(255)
    }
}
