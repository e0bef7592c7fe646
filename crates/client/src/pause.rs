//! How long to wait before trying again.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// The first wait, at most.
const SHORTEST: Duration = Duration::from_millis(100);
/// What waits grow to.
pub(crate) const LONGEST: Duration = Duration::from_secs(5);

/// Numbers that differ between clients, so that they do not all come back at once (Marsaglia's xorshift).
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    /// Another sequence at each call.
    pub(crate) fn by_chance() -> Self {
        // Each state is seeded by the system, which is chance enough for clients not to come back all at once.
        Self::seeded(RandomState::new().hash_one(0_u8))
    }

    /// The same sequence for the same seed.
    pub(crate) const fn seeded(seed: u64) -> Self {
        // The one seed of which nothing but itself comes.
        Self(if seed == 0 { 1 } else { seed })
    }

    /// Between half and the whole of `whole`.
    pub(crate) fn of(&mut self, whole: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let share = u32::try_from((self.0 >> 20) % 1_024).unwrap_or_default();
        whole / 2 + whole * share / 2_048
    }
}

/// What the next wait is at most, after so many failures: it doubles up to a bound.
pub(crate) fn whole(failures: u32) -> Duration {
    let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
    SHORTEST.saturating_mul(factor).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_differ() {
        let wholes: Vec<u128> = (1..=8)
            .map(|failures| whole(failures).as_millis())
            .collect();
        assert_eq!(wholes, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        let mut jitter = Jitter::by_chance();
        let several: std::collections::HashSet<Duration> = (0..50)
            .map(|_| jitter.of(LONGEST))
            .inspect(|wait| assert!((LONGEST / 2..=LONGEST).contains(wait)))
            .collect();
        assert!(several.len() > 10);
    }

    #[test]
    fn a_seed_gives_the_same_waits_each_time() {
        let waits = |seed| {
            let mut jitter = Jitter::seeded(seed);
            (0..9).map(|_| jitter.of(LONGEST)).collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
        assert_eq!(waits(0), waits(1));
    }
}
