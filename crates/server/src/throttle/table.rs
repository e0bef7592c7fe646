//! A table of fixed size. A key has eight places it can be in; when all are taken, the one that says least goes.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use symbolon_domain::Timestamp;

use super::cell::weight;

/// 64 × 512 × 8 cells of 16 bytes: 4 MiB when all shards are in use.
const SHARDS: usize = 64;
const BUCKETS: usize = 512;
const WAYS: usize = 8;

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Account = 1,
    Network = 2,
    Pair = 3,
    Registration = 4,
    Name = 5,
    Setup = 6,
    Mail = 7,
    Profile = 8,
    Client = 9,
    Document = 10,
    UserCode = 11,
    OpenRequest = 12,
    Arrival = 13,
}

impl Lane {
    const ALL: [Self; 13] = [
        Self::Account,
        Self::Network,
        Self::Pair,
        Self::Registration,
        Self::Name,
        Self::Setup,
        Self::Mail,
        Self::Profile,
        Self::Client,
        Self::Document,
        Self::UserCode,
        Self::OpenRequest,
        Self::Arrival,
    ];
}

/// Where a counter is, and the tag by which it is known there. Two keys that share both share a counter: with 60 bits
/// that nobody can aim at, it does not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    place: usize,
    tag: u64,
}

impl Key {
    /// As it is told to other nodes.
    pub(super) fn to_bytes(self) -> [u8; 16] {
        let place = self.place as u64;
        (u128::from(place) << 64 | u128::from(self.tag)).to_be_bytes()
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_be_bytes(bytes);
        Self {
            place: usize::try_from(both >> 64).unwrap_or(0),
            tag: both as u64,
        }
    }

    /// What it counts; nothing where another node knows more kinds.
    pub(super) fn lane(self) -> Option<Lane> {
        let kind = self.tag & 0xf;
        Lane::ALL.into_iter().find(|lane| *lane as u64 == kind)
    }
}

/// A tag and what is counted under it; a free cell is all zero.
type Cell = [u64; 2];

pub(super) struct Table {
    seed: [u8; 16],
    /// That of all nodes, where they count together.
    shared_seed: OnceLock<[u8; 16]>,
    shards: Vec<Mutex<Vec<Cell>>>,
}

impl Table {
    pub(super) fn new(seed: [u8; 16]) -> Self {
        // A shard takes its memory when it is first written to: an idle server has none.
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            seed,
            shared_seed: OnceLock::new(),
            shards,
        }
    }

    /// Gives keys that other nodes know from now on.
    pub(super) fn share(&self, seed: [u8; 16]) {
        let _set_once = self.shared_seed.set(seed);
    }

    pub(super) fn key(&self, lane: Lane, parts: &[&[u8]]) -> Key {
        let mut context = Context::new(&SHA256);
        context.update(self.shared_seed.get().unwrap_or(&self.seed));
        context.update(&[lane as u8]);
        for part in parts {
            context.update(part);
        }
        let digest = context.finish();
        let (place, rest) = digest.as_ref().split_at(8);
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .take(8)
                .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        // The low bits of the tag say what the cell is; never zero, which is a free cell.
        let tag = number(rest) & !0xf | lane as u64;
        Key {
            place: usize::try_from(number(place) >> 32).unwrap_or(0),
            tag,
        }
    }

    /// Reads a counter: zero where there is none.
    pub(super) fn read<T>(&self, key: Key, read: impl FnOnce(u64) -> T) -> T {
        let shard = self.shard(key);
        let bucket = shard.get(bucket(key)).unwrap_or_default();
        let found = bucket
            .iter()
            .find(|cell| cell[0] == key.tag)
            .map_or(0, |cell| cell[1]);
        drop(shard);
        read(found)
    }

    /// Changes a counter, from zero where there is none.
    pub(super) fn update<T>(
        &self,
        key: Key,
        now: Timestamp,
        change: impl FnOnce(u64) -> (u64, T),
    ) -> T {
        let mut shard = self.shard(key);
        if shard.is_empty() {
            *shard = vec![[0; 2]; BUCKETS * WAYS];
        }
        let bucket = &mut shard[bucket(key)];
        let index = bucket.iter().position(|cell| cell[0] == key.tag);
        let (bits, answer) = change(index.map_or(0, |index| bucket[index][1]));
        let index = index.or_else(|| (bits != 0).then(|| least(bucket, now)));
        if let Some(index) = index {
            bucket[index] = if bits == 0 { [0; 2] } else { [key.tag, bits] };
        }
        answer
    }

    fn shard(&self, key: Key) -> MutexGuard<'_, Vec<Cell>> {
        self.shards[key.place % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The places of a key within its shard.
fn bucket(key: Key) -> Range<usize> {
    let start = key.place / SHARDS % BUCKETS * WAYS;
    start..start + WAYS
}

/// The place whose contents would be missed least.
fn least(bucket: &[Cell], now: Timestamp) -> usize {
    let weigh = |cell: &Cell| match cell {
        [0, _] => 0,
        [tag, bits] => 1 + weight(is_pair(*tag), *bits, now),
    };
    (0..bucket.len())
        .min_by_key(|index| weigh(&bucket[*index]))
        .unwrap_or(0)
}

/// Whether the cell of this tag is one of [`super::cell::Pair`].
fn is_pair(tag: u64) -> bool {
    [Lane::Pair as u64, Lane::Name as u64].contains(&(tag & 0xf))
}
