//! A message between nodes: who tells it, when, what, and a tag that only they can make.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lc_rs::hmac;
use symbolon_domain::Timestamp;

use crate::throttle::Counted;

/// The length of a node's name.
pub(super) const NAME: usize = 16;
/// The most facts that one message tells.
pub(super) const MOST: usize = 512;
const NUMBER: usize = 8;
const TIME: usize = 8;
const TAG: usize = 32;
/// How far a message's time may be from that of who hears it.
const FRESH: Duration = Duration::from_secs(30);
/// How many nodes are known at once; what others tell is not heard.
const SENDERS: usize = 256;

/// Something that other nodes are to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// A revocation was committed.
    Revoked,
    /// An attempt was counted.
    Counted(Counted),
}

impl Fact {
    const BYTES: usize = Counted::BYTES;

    fn write(self, message: &mut Vec<u8>) {
        match self {
            Self::Revoked => message.extend([0; Self::BYTES]),
            Self::Counted(counted) => message.extend(counted.to_bytes()),
        }
    }

    /// Nothing where it is of a version that this one does not know.
    fn read(bytes: &[u8]) -> Option<Self> {
        match bytes.iter().all(|byte| *byte == 0) {
            true => Some(Self::Revoked),
            false => Counted::from_bytes(bytes).map(Self::Counted),
        }
    }
}

/// Writes the messages of one node.
pub(super) struct Writer {
    key: hmac::Key,
    name: [u8; NAME],
    number: u64,
}

impl Writer {
    pub(super) fn new(key: hmac::Key, name: [u8; NAME]) -> Self {
        let number = 0;
        Self { key, name, number }
    }

    /// The name, the number of the message, the time in milliseconds, the facts, and the tag (HMAC-SHA-256, RFC 2104)
    /// of all that.
    pub(super) fn write(&mut self, facts: &[Fact], now: Timestamp) -> Vec<u8> {
        self.number += 1;
        let mut message = self.name.to_vec();
        message.extend(self.number.to_be_bytes());
        message.extend(now.millis().to_be_bytes());
        for fact in facts.iter().take(MOST) {
            fact.write(&mut message);
        }
        let tag = hmac::sign(&self.key, &message);
        message.extend(tag.as_ref());
        message
    }
}

/// Reads those of the others, each once.
pub(super) struct Reader {
    key: hmac::Key,
    name: [u8; NAME],
    /// The number of the last message of each, and the latest time that one had.
    heard: BTreeMap<[u8; NAME], (u64, i64)>,
}

impl Reader {
    pub(super) fn new(key: hmac::Key, name: [u8; NAME]) -> Self {
        Self {
            key,
            name,
            heard: BTreeMap::new(),
        }
    }

    /// What is told. Nothing where the message is one's own, too long, not of a node, late, or was heard before.
    pub(super) fn read(&mut self, message: &[u8], now: Timestamp) -> Vec<Fact> {
        self.facts(message, now).map_or_else(Vec::new, |facts| {
            facts
                .chunks_exact(Fact::BYTES)
                .filter_map(Fact::read)
                .collect()
        })
    }

    fn facts<'a>(&mut self, message: &'a [u8], now: Timestamp) -> Option<&'a [u8]> {
        if message.len() > NAME + NUMBER + TIME + MOST * Fact::BYTES + TAG {
            return None;
        }
        let (text, tag) = message.split_at_checked(message.len().checked_sub(TAG)?)?;
        let (name, rest) = text.split_first_chunk::<NAME>()?;
        let (number, rest) = rest.split_first_chunk::<NUMBER>()?;
        let (time, facts) = rest.split_first_chunk::<TIME>()?;
        if *name == self.name || hmac::verify(&self.key, text, tag).is_err() {
            return None;
        }
        let (number, time) = (u64::from_be_bytes(*number), i64::from_be_bytes(*time));
        let is_fresh = |time: i64| Duration::from_millis(time.abs_diff(now.millis())) <= FRESH;
        if !is_fresh(time) || self.heard.get(name).is_some_and(|last| number <= last.0) {
            return None;
        }
        // Whose latest message is no longer fresh has no other one that is.
        self.heard.retain(|_, last| is_fresh(last.1));
        if self.heard.len() >= SENDERS && !self.heard.contains_key(name) {
            return None;
        }
        let latest = self.heard.get(name).map_or(time, |last| last.1.max(time));
        self.heard.insert(*name, (number, latest));
        facts.len().is_multiple_of(Fact::BYTES).then_some(facts)
    }
}

#[cfg(test)]
mod tests;
