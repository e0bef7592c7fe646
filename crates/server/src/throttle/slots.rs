//! How much of the hashing queue one network may have at once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a network is counted under.
pub(super) type Network = [u8; 9];

/// Attempts that are under way, by network. It has a row for each network with one, and no other: as many as
/// there are requests at a time, which connections bound.
#[derive(Debug, Default)]
pub(super) struct Slots(Mutex<HashMap<Network, usize>>);

impl Slots {
    /// Takes a place unless the network has `most` already.
    pub(super) fn take(&self, network: Network, most: usize) -> Option<Slot<'_>> {
        let mut running = self.lock();
        let count = running.entry(network).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Slot {
            slots: self,
            network,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that is taken until it is dropped.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    slots: &'a Slots,
    network: Network,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut running = self.slots.lock();
        if let Some(count) = running.get_mut(&self.network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                running.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    #[test]
    fn places_come_back_and_leave_nothing() {
        let slots = Slots::default();
        let taken: Vec<_> = (0..5).filter_map(|_| slots.take([1; 9], 3)).collect();
        assert_eq!(taken.len(), 3);
        assert!(slots.take([2; 9], 3).is_some(), "another network");
        drop(taken);
        assert!(slots.take([1; 9], 1).is_some());
        assert!(slots.lock().is_empty());
    }
}
