//! What the revocation feed says.

use anyhow::{Context as _, Result};
use serde::Serialize;
use symbolon_guard::{Entry, Parts};
use symbolon_token::{encoding, feed_key};

use super::NOW;
use super::members::{CLIENT, JTI, SID, SUB};

/// A name in the feed, and what it stands for.
#[derive(Serialize)]
pub(super) struct Named {
    kind: &'static str,
    id: &'static str,
    key: String,
}

pub(super) fn named() -> Vec<Named> {
    let ids = [
        ("session", SID),
        ("user", SUB),
        ("token", JTI),
        ("client", CLIENT),
        ("client", "https://client.example/Größe"),
        ("key", super::forge::ES256),
        ("all", ""),
        ("session", ""),
    ];
    let name = |(kind, id)| Named {
        kind,
        id,
        key: key(kind, id),
    };
    ids.into_iter().map(name).collect()
}

pub(super) fn key(kind: &str, id: &str) -> String {
    encoding::encode(&feed_key(kind, id))
}

/// An entry as the feed writes it.
#[derive(Clone, Serialize)]
pub(super) struct Written {
    pub(super) seq: u64,
    pub(super) kind: &'static str,
    pub(super) key: String,
    pub(super) effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) below: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<i64>,
    pub(super) until: i64,
}

impl Written {
    /// An entry that nothing bounds, revoking for as long as any token of these vectors lives.
    pub(super) fn new(seq: u64, kind: &'static str, id: &str) -> Self {
        Self {
            seq,
            kind,
            key: key(kind, id),
            effect: "revoked",
            below: None,
            before: None,
            until: NOW + 900,
        }
    }

    pub(super) fn user(seq: u64, id: &str, below: i64) -> Self {
        Self {
            below: Some(below),
            ..Self::new(seq, "user", id)
        }
    }

    /// Of kind `client` or `all`.
    pub(super) fn before(seq: u64, kind: &'static str, id: &str, before: i64) -> Self {
        Self {
            before: Some(before),
            ..Self::new(seq, kind, id)
        }
    }

    pub(super) fn effect(self, effect: &'static str) -> Self {
        Self { effect, ..self }
    }

    pub(super) fn until(self, until: i64) -> Self {
        Self { until, ..self }
    }

    /// The entry as the guard's core takes it.
    pub(super) fn entry(&self) -> Result<Entry> {
        let parts = Parts {
            kind: self.kind,
            key: encoding::decode_exact(self.key.as_bytes())?,
            effect: self.effect,
            below: self.below,
            before: self.before,
            until: self.until,
        };
        Entry::try_from(parts).with_context(|| format!("entry {}", self.seq))
    }

    pub(super) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }
}

/// The body of `GET /api/revocations`, and of the event `snapshot`.
#[derive(Clone, Serialize)]
pub(super) struct Snapshot {
    pub(super) epoch: &'static str,
    pub(super) seq: u64,
    pub(super) now: i64,
    pub(super) entries: Vec<Written>,
}
