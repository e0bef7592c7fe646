//! The one place that reads the time. A flow asks once and hands `now` down; tests freeze it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use symbolon_domain::Timestamp;

/// Tells the wall-clock time, to the millisecond. Clones tell the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// The operating system's, and by how many milliseconds it is put right.
    System(Arc<AtomicI64>),
    Frozen(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of the operating system.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System(Arc::default()))
    }

    /// A clock that stands at `at` until it is told to move.
    #[must_use]
    pub fn frozen(at: Timestamp) -> Self {
        Self(Source::Frozen(Arc::new(AtomicI64::new(at.millis()))))
    }

    /// The time. A system clock that stands before 1970 reads as negative milliseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System(correction) => {
                let correction = correction.load(Ordering::Relaxed);
                Timestamp::from_millis(system_millis().saturating_add(correction))
            }
            Source::Frozen(millis) => Timestamp::from_millis(millis.load(Ordering::SeqCst)),
        }
    }

    /// Puts the system's clock, and every clone of it, forward or back by so many milliseconds, for this process alone. A frozen
    /// one stays.
    pub fn correct(&self, millis: i64) {
        if let Source::System(correction) = &self.0 {
            correction.fetch_add(millis, Ordering::Relaxed);
        }
    }

    /// Moves a frozen clock, and every clone of it, forward. Does nothing to the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Frozen(millis) = &self.0 {
            millis.fetch_add(signed_millis(by), Ordering::SeqCst);
        }
    }

    /// Puts a frozen clock, and every clone of it, at `at`: backwards too. Does nothing to the system's clock.
    pub fn set(&self, at: Timestamp) {
        if let Source::Frozen(millis) = &self.0 {
            millis.store(at.millis(), Ordering::SeqCst);
        }
    }
}

/// Measures how long work takes. It never goes backwards, and it is no time of day.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the module that the ban sends callers to"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the module that the ban sends callers to"
    )]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Waits until so much time has passed since the start: what took less shows no difference in its time.
    pub async fn reach(&self, time: Duration) {
        tokio::time::sleep(time.saturating_sub(self.elapsed())).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the module that the ban sends callers to"
)]
fn system_millis() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => signed_millis(since),
        Err(before) => -signed_millis(before.duration()),
    }
}

fn signed_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_told_and_with_all_its_clones() {
        let clock = Clock::frozen(Timestamp::from_millis(1_000));
        let other = clock.clone();
        assert_eq!(other.now().millis(), 1_000);
        clock.advance(Duration::from_secs(2));
        assert_eq!(other.now().millis(), 3_000);
        other.set(Timestamp::from_millis(5));
        assert_eq!(clock.now().millis(), 5);
    }

    #[test]
    fn the_system_clock_cannot_be_moved() {
        let clock = Clock::system();
        clock.set(Timestamp::from_millis(0));
        clock.advance(Duration::from_secs(1));
        assert!(
            clock.now().millis() > 1_700_000_000_000,
            "some time after 2023"
        );
    }

    #[test]
    fn the_system_clock_is_put_right_for_all_its_clones_and_no_other() {
        let (clock, right) = (Clock::system(), Clock::system());
        let other = clock.clone();
        clock.correct(60_000);
        assert!(other.now().since(right.now()) >= Duration::from_secs(59));
        clock.correct(-60_000);
        assert!(other.now().since(right.now()) < Duration::from_secs(30));
        let frozen = Clock::frozen(Timestamp::from_millis(5));
        frozen.correct(1);
        assert_eq!(frozen.now().millis(), 5);
    }
}
