//! Proofs that came, for as long as they are good.

use std::{
    collections::HashSet,
    mem,
    sync::{Mutex, PoisonError},
};

use symbolon_token::{
    dpop::{AHEAD, LONGEST_MAX_AGE, Proof},
    feed_key,
};

use super::ProofRejection;
use crate::entry::FeedKey;

/// Two generations, each of a span of time in which every proof dies that was good at its beginning: what came in the
/// last span and in this one is remembered, so that nothing is forgotten while it is good and nothing needs a sweep.
#[derive(Debug)]
pub(super) struct Replays {
    /// Seconds.
    span: i64,
    /// Of one generation.
    capacity: usize,
    generations: Mutex<Generations>,
}

#[derive(Debug)]
struct Generations {
    /// The number of the span that `young` is of; it only rises.
    span: i64,
    young: HashSet<FeedKey>,
    old: HashSet<FeedKey>,
}

impl Replays {
    pub(super) fn new(max_age_seconds: u32, capacity: usize) -> Self {
        Self {
            span: i64::from(max_age_seconds.min(LONGEST_MAX_AGE)) + AHEAD + 1,
            capacity: capacity.div_ceil(2),
            generations: Mutex::new(Generations {
                span: i64::MIN,
                young: HashSet::new(),
                old: HashSet::new(),
            }),
        }
    }

    /// Remembers a proof that is good at `now`.
    pub(super) fn note(&self, proof: &Proof, now: i64) -> Result<(), ProofRejection> {
        // 128 bits of a hash: whoever finds two proofs that share it has two proofs of his own.
        let id = feed_key("dpop", &format!("{}:{}", proof.jkt, proof.jti));
        let span = now.div_euclid(self.span);
        let mut generations = self
            .generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let dropped = generations.turn(span);
        let verdict = generations.add(id, self.capacity);
        drop(generations);
        // Large ones take a while to be freed, which nobody should wait for.
        drop(dropped);
        verdict
    }
}

impl Generations {
    /// Begins the span of that number, unless it has begun, and gives what is dead.
    fn turn(&mut self, span: i64) -> Option<[HashSet<FeedKey>; 2]> {
        if span <= self.span {
            return None;
        }
        let is_next = self.span.checked_add(1) == Some(span);
        self.span = span;
        let last = mem::take(&mut self.young);
        let (old, dead) = if is_next {
            (last, HashSet::new())
        } else {
            (HashSet::new(), last)
        };
        Some([mem::replace(&mut self.old, old), dead])
    }

    fn add(&mut self, id: FeedKey, capacity: usize) -> Result<(), ProofRejection> {
        if self.old.contains(&id) || self.young.contains(&id) {
            return Err(ProofRejection::Replayed);
        }
        if self.young.len() >= capacity {
            return Err(ProofRejection::Full);
        }
        self.young.insert(id);
        Ok(())
    }
}
