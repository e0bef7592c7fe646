//! How long to wait before trying again.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// Waits that double, so that an issuer that is down is not asked all the time, and differ, so that its guards do not all
/// come back at once.
#[derive(Clone, Debug)]
pub(crate) struct Pause {
    next: Duration,
}

impl Pause {
    const SHORTEST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);

    /// How long to wait now: between half and the whole of what it has grown to.
    pub(crate) fn next(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(Self::LONGEST);
        // Each state is seeded by the system, which is chance enough for guards not to come back all at once.
        let chance = RandomState::new().hash_one(0_u8) % 1_024;
        whole / 2 + whole * u32::try_from(chance).unwrap_or_default() / 2_048
    }

    /// Whether nothing has failed since the beginning.
    pub(crate) fn is_short(&self) -> bool {
        self.next == Self::SHORTEST
    }

    /// Begins from the beginning.
    pub(crate) fn reset(&mut self) {
        self.next = Self::SHORTEST;
    }
}

impl Default for Pause {
    fn default() -> Self {
        Self {
            next: Self::SHORTEST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_differ() {
        let mut pause = Pause::default();
        let taken: Vec<u128> = (0..9).map(|_| pause.next().as_millis()).collect();
        for (pause, whole) in taken
            .iter()
            .zip([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
        {
            assert!((whole / 2..=whole).contains(pause), "{pause} of {whole}");
        }
        pause.reset();
        assert!(pause.next() <= Pause::SHORTEST);
        let several: std::collections::HashSet<Duration> = (0..20)
            .map(|_| {
                Pause {
                    next: Pause::LONGEST,
                }
                .next()
            })
            .collect();
        assert!(several.len() > 5);
    }
}
