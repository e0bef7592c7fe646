//! What several nodes count together: each tells the others how attempts ended there, and adds what it hears. No message gives a
//! charge back: whoever lets only some of them through would lift a limit. A success forgets the failures of its own pair alone, as
//! it does at its own node.

use symbolon_domain::Timestamp;

use super::Throttle;
use super::cell::Pair;
use super::table::{Key, Lane};

/// How the other nodes are told; it must not wait.
pub(super) type Tell = Box<dyn Fn(Counted) + Send + Sync>;

/// What became of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Charged = 1,
    Failed = 2,
    Succeeded = 3,
}

/// A counter, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    change: Change,
    key: Key,
}

impl Counted {
    /// How long it is in a message.
    pub const BYTES: usize = 17;

    /// The change, then the counter's place and tag, the highest byte first.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (change, key) = bytes.split_at_mut(1);
        change.fill(self.change as u8);
        key.copy_from_slice(&self.key.to_bytes());
        bytes
    }

    /// Nothing where the bytes are of another form.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (change, key) = bytes.split_first()?;
        let all = [Change::Charged, Change::Failed, Change::Succeeded];
        let key = Key::from_bytes(key.try_into().ok()?);
        // Another node may know more of both.
        key.lane()?;
        let change = all.into_iter().find(|one| *one as u8 == *change)?;
        Some(Self { change, key })
    }
}

impl Throttle {
    /// Counts with other nodes from now on, which have the same `seed`; `tell` tells them, and does not wait. To be
    /// called before anything is counted.
    pub(crate) fn share(&self, seed: [u8; 16], tell: Tell) {
        self.table.share(seed);
        let _set_once = self.others.set(tell);
    }

    /// Adds what another node has counted.
    pub fn hear(&self, counted: Counted, now: Timestamp) {
        if !self.enabled {
            return;
        }
        let key = counted.key;
        let (change, rate) = (counted.change, key.lane().and_then(Lane::rate));
        self.table.update(key, now, |bits| {
            let changed = match (change, rate) {
                (Change::Charged, Some(rate)) => rate.charge(bits, now),
                (Change::Failed, None) => Pair::failed_elsewhere(bits, now),
                (Change::Succeeded, None) => Pair::succeeded_elsewhere(bits, now),
                _ => bits,
            };
            (changed, ())
        });
    }

    /// Tells the other nodes, where there are some.
    pub(super) fn tell(&self, change: Change, key: Key) {
        if let Some(tell) = self.others.get() {
            tell(Counted { change, key });
        }
    }
}

#[cfg(test)]
mod tests;
