//! The one place of this crate that reads a clock and waits; tests hold it still.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Tells a client how much time has passed, whatever happens to the time of day. Clones tell the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { start: Instant },
    Frozen(Arc<AtomicU64>),
}

impl Clock {
    /// The monotonic clock of the operating system. On some systems it stands still while the machine is asleep: a
    /// token that has expired meanwhile is found out by its refusal.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System { start: now() })
    }

    /// A clock that stands still until it is told to move, or until the client has something to wait for: then it moves
    /// by as much, and nobody waits.
    #[must_use]
    pub fn frozen() -> Self {
        Self(Source::Frozen(Arc::default()))
    }

    /// Lets time pass on a frozen clock and all its clones. Does nothing to the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Frozen(passed) = &self.0 {
            passed.fetch_add(millis(by), Ordering::SeqCst);
        }
    }

    /// How much time has passed since the clock was made, in whole milliseconds.
    #[must_use]
    pub fn passed(&self) -> Duration {
        Duration::from_millis(self.millis())
    }

    /// Milliseconds since some moment, which never go backwards.
    pub(crate) fn millis(&self) -> u64 {
        match &self.0 {
            Source::System { start } => millis(now().saturating_duration_since(*start)),
            Source::Frozen(passed) => passed.load(Ordering::SeqCst),
        }
    }

    /// Waits until so much time has passed.
    pub(crate) async fn wait(&self, duration: Duration) {
        match &self.0 {
            Source::System { .. } => tokio::time::sleep(duration).await,
            Source::Frozen(_) => {
                self.advance(duration);
                tokio::task::yield_now().await;
            }
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
fn now() -> Instant {
    Instant::now()
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frozen_clock_moves_when_told_or_waited_for_and_with_all_its_clones() {
        let clock = Clock::frozen();
        let other = clock.clone();
        clock.advance(Duration::from_millis(2_500));
        other.wait(Duration::from_secs(3_600)).await;
        assert_eq!(clock.passed(), Duration::from_millis(3_602_500));
    }

    #[test]
    fn the_system_clock_cannot_be_moved() {
        let clock = Clock::system();
        clock.advance(Duration::from_secs(1_000_000));
        assert!(clock.passed() < Duration::from_secs(900_000));
    }
}
