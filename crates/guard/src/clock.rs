//! The one place of this crate that reads a clock; tests hold it still.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Tells a guard the time. Clones tell the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { start: Instant },
    Frozen(Arc<Frozen>),
}

#[derive(Debug)]
struct Frozen {
    unix: AtomicI64,
    millis: AtomicU64,
}

/// Both times at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Seconds since 1970.
    pub(crate) unix: i64,
    /// Milliseconds since some moment, which never go backwards.
    pub(crate) millis: u64,
}

impl Clock {
    /// The clocks of the operating system.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System { start: system().1 })
    }

    /// A clock that stands at `unix` (seconds since 1970) until it is told to move.
    #[must_use]
    pub fn frozen(unix: i64) -> Self {
        Self(Source::Frozen(Arc::new(Frozen {
            unix: AtomicI64::new(unix),
            millis: AtomicU64::new(0),
        })))
    }

    /// Lets time pass on a frozen clock and all its clones. Does nothing to the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Frozen(frozen) = &self.0 {
            let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
            frozen.unix.fetch_add(seconds, Ordering::SeqCst);
            frozen.millis.fetch_add(millis(by), Ordering::SeqCst);
        }
    }

    /// Puts the time of day of a frozen clock, and of all its clones, at `unix` (seconds since 1970), as an operator
    /// would: no time passes. Does nothing to the system's clock.
    pub fn set(&self, unix: i64) {
        if let Source::Frozen(frozen) = &self.0 {
            frozen.unix.store(unix, Ordering::SeqCst);
        }
    }

    pub(crate) fn read(&self) -> Reading {
        match &self.0 {
            Source::System { start } => {
                let (wall, now) = system();
                let unix = match wall.duration_since(UNIX_EPOCH) {
                    Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
                    // Before 1970 no token is valid yet, whichever second it is.
                    Err(_) => -1,
                };
                Reading {
                    unix,
                    millis: millis(now.saturating_duration_since(*start)),
                }
            }
            Source::Frozen(frozen) => Reading {
                unix: frozen.unix.load(Ordering::SeqCst),
                millis: frozen.millis.load(Ordering::SeqCst),
            },
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the module that the ban sends callers to"
)]
fn system() -> (SystemTime, Instant) {
    (SystemTime::now(), Instant::now())
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_told_and_with_all_its_clones() {
        let clock = Clock::frozen(1_000);
        let other = clock.clone();
        clock.advance(Duration::from_millis(2_500));
        assert_eq!((other.read().unix, other.read().millis), (1_002, 2_500));
        other.set(5);
        assert_eq!((clock.read().unix, clock.read().millis), (5, 2_500));
    }

    #[test]
    fn the_system_clock_cannot_be_moved() {
        let clock = Clock::system();
        clock.set(0);
        clock.advance(Duration::from_secs(1_000_000));
        let reading = clock.read();
        assert!(reading.unix > 1_700_000_000, "some time after 2023");
        assert!(reading.millis < 900_000_000);
    }
}
