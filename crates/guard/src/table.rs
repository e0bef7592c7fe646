//! A compact hash table of feed keys, written by one and read by many.
//!
//! It is made for this one use. An entry costs 21 bytes (29 with a mark), and slots are 60 to 75 % full, so that memory
//! grows smoothly, where a table that doubles would take twice as much just after a step. Nothing is ever removed
//! singly: expiry builds a table anew, so probing needs no tombstones.

use std::{
    hash::{BuildHasher, RandomState},
    mem,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::entry::FeedKey;

/// Enough that a rebuilt shard of a million entries (4,000 of them) is a matter of microseconds.
const SHARDS: usize = 256;

/// Hashes feed keys. They are uniform already, but whoever may choose an id can search for ids whose keys agree in many
/// bits; a secret seed costs a nanosecond and makes that useless.
#[derive(Clone, Copy)]
pub(crate) struct Seed([u64; 2]);

impl Seed {
    /// A seed of this process.
    pub(crate) fn random() -> Self {
        let state = RandomState::new();
        Self([state.hash_one(0_u8), state.hash_one(1_u8)])
    }

    pub(crate) fn hash(self, bytes: &FeedKey) -> u64 {
        let both = u128::from_le_bytes(*bytes);
        let product =
            u128::from(both as u64 ^ self.0[0]) * u128::from((both >> 64) as u64 ^ self.0[1]);
        product as u64 ^ (product >> 64) as u64
    }
}

/// Open addressing over parallel arrays. A miss reads only `tags`, which for a million entries fit a processor's cache.
struct Table<M> {
    /// 0 is an empty slot.
    tags: Vec<u8>,
    keys: Vec<FeedKey>,
    /// Seconds since 1970; the largest value never expires.
    untils: Vec<u32>,
    marks: Vec<M>,
    len: usize,
}

impl<M: Copy + Ord + Default> Table<M> {
    fn with_slots(slots: usize) -> Self {
        Self {
            tags: vec![0; slots],
            keys: vec![[0; 16]; slots],
            untils: vec![0; slots],
            marks: vec![M::default(); slots],
            len: 0,
        }
    }

    const fn is_full(&self) -> bool {
        self.len * 4 >= self.tags.len() * 3
    }

    /// The slot that holds the key, or the empty one where it would go. The table is neither full nor without slots.
    fn slot(&self, hash: u64, key: &FeedKey) -> usize {
        let tag = tag(hash);
        // The shard took the high bits and the tag the next ones: what is left, scaled to any number of slots.
        let mut slot = ((u128::from(hash << 16) * self.tags.len() as u128) >> 64) as usize;
        loop {
            let found = self.tags[slot];
            if found == 0 || (found == tag && self.keys[slot] == *key) {
                return slot;
            }
            slot += 1;
            if slot == self.tags.len() {
                slot = 0;
            }
        }
    }

    fn find(&self, hash: u64, key: &FeedKey) -> Option<M> {
        if self.len == 0 {
            return None;
        }
        let slot = self.slot(hash, key);
        (self.tags[slot] != 0).then(|| self.marks[slot])
    }

    /// Whether the key is new. Of two statements about one key the wider counts, in whatever order they come.
    fn put(&mut self, hash: u64, key: &FeedKey, until: u32, mark: M) -> bool {
        let slot = self.slot(hash, key);
        let new = self.tags[slot] == 0;
        if new {
            self.tags[slot] = tag(hash);
            self.keys[slot] = *key;
            self.untils[slot] = until;
            self.marks[slot] = mark;
            self.len += 1;
        } else {
            self.untils[slot] = self.untils[slot].max(until);
            self.marks[slot] = self.marks[slot].max(mark);
        }
        new
    }

    /// A copy with those that live past `now`, and room for `more`.
    fn rebuilt(&self, seed: Seed, now: u32, more: usize) -> Self {
        let live = |slot: &usize| self.tags[*slot] != 0 && self.untils[*slot] > now;
        let len = (0..self.tags.len()).filter(live).count();
        let mut copy = Self::with_slots((len + more) * 4 / 3 + 1);
        for slot in (0..self.tags.len()).filter(live) {
            let key = &self.keys[slot];
            copy.put(seed.hash(key), key, self.untils[slot], self.marks[slot]);
        }
        copy
    }

    fn any_dead(&self, now: u32) -> bool {
        self.tags
            .iter()
            .zip(&self.untils)
            .any(|(tag, until)| *tag != 0 && *until <= now)
    }
}

const fn tag(hash: u64) -> u8 {
    let tag = (hash >> 48) as u8;
    if tag == 0 { 1 } else { tag }
}

/// Seconds as they are kept. What does not fit lives for ever, which is the safe side.
fn seconds(time: i64) -> u32 {
    u32::try_from(time.max(0)).unwrap_or(u32::MAX)
}

/// Keys with marks, in shards with a lock each. Readers never wait for more than a few stores into memory: tables are
/// copied under the read lock and only swapped under the write lock.
///
/// **Writers must be serialised** by the owner.
pub(crate) struct Marks<M> {
    shards: Box<[RwLock<Table<M>>]>,
    seed: Seed,
    /// Lets the many sets that are mostly empty answer without a lock.
    len: AtomicUsize,
}

impl<M: Copy + Ord + Default> Marks<M> {
    pub(crate) fn new(seed: Seed) -> Self {
        let shards = (0..SHARDS)
            .map(|_| RwLock::new(Table::with_slots(0)))
            .collect();
        Self {
            shards,
            seed,
            len: AtomicUsize::new(0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    pub(crate) fn find(&self, key: &FeedKey) -> Option<M> {
        if self.len() == 0 {
            return None;
        }
        let hash = self.seed.hash(key);
        read(self.shard(hash)).find(hash, key)
    }

    pub(crate) fn put(&self, key: &FeedKey, until: i64, mark: M) {
        let hash = self.seed.hash(key);
        let shard = self.shard(hash);
        let grown = {
            let table = read(shard);
            // Nothing dies here: `now` is 0 and the floor of `until` is 1.
            table
                .is_full()
                .then(|| table.rebuilt(self.seed, 0, table.len / 4 + 6))
        };
        let mut table = write(shard);
        let old = grown.map(|grown| mem::replace(&mut *table, grown));
        let new = table.put(hash, key, seconds(until).max(1), mark);
        drop(table);
        drop(old);
        if new {
            self.len.fetch_add(1, Ordering::Release);
        }
    }

    /// Drops what dies at `now` or before, and says how many.
    pub(crate) fn expire(&self, now: i64) -> usize {
        // The largest time is kept for ever, whatever the clock says.
        let now = seconds(now).min(u32::MAX - 1);
        let mut dropped = 0;
        for shard in &self.shards {
            let rest = {
                let table = read(shard);
                table
                    .any_dead(now)
                    .then(|| table.rebuilt(self.seed, now, 2))
            };
            if let Some(rest) = rest {
                let mut table = write(shard);
                dropped += table.len - rest.len;
                let old = mem::replace(&mut *table, rest);
                drop(table);
                drop(old);
            }
        }
        self.len.fetch_sub(dropped, Ordering::Release);
        dropped
    }

    fn shard(&self, hash: u64) -> &RwLock<Table<M>> {
        &self.shards[(hash >> 56) as usize % SHARDS]
    }
}

// A lock is poisoned only by a panic amid a write, and no write here can leave a table half made.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
