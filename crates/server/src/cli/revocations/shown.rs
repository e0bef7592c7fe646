//! A revocation as commands show it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use symbolon_domain::Timestamp;
use symbolon_domain::revocation;
use symbolon_token::encoding;

use super::super::output::Output;
use crate::flows::explain::printable;
use crate::rfc3339;

/// An entry as the feed writes it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(in super::super) struct Entry {
    pub(super) seq: i64,
    kind: String,
    key: String,
    effect: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    below: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<i64>,
    until: i64,
}

impl From<&revocation::Entry> for Entry {
    fn from(entry: &revocation::Entry) -> Self {
        Self {
            seq: entry.seq,
            kind: entry.kind.as_str().to_owned(),
            key: encoding::encode(&entry.key),
            effect: entry.effect.as_str().to_owned(),
            below: entry.below,
            before: entry.before,
            until: entry.until_s,
        }
    }
}

impl TryFrom<&Entry> for revocation::Entry {
    type Error = Malformed;

    fn try_from(entry: &Entry) -> Result<Self, Malformed> {
        Ok(Self {
            seq: entry.seq,
            kind: entry.kind.parse().map_err(|_| Malformed)?,
            key: encoding::decode_exact(entry.key.as_bytes()).map_err(|_| Malformed)?,
            effect: entry.effect.parse().map_err(|_| Malformed)?,
            below: entry.below,
            before: entry.before,
            until_s: entry.until,
        })
    }
}

/// The entry is none that this version knows.
pub(in super::super) struct Malformed;

impl Entry {
    /// Number, kind, key, effect, which tokens are hit, until when.
    pub(super) fn cells(&self) -> [String; 6] {
        let hits = match (self.below, self.before) {
            (Some(below), _) => format!("version below {below}"),
            (None, Some(before)) => format!("issued by {}", time(before)),
            (None, None) => String::new(),
        };
        [
            self.seq.to_string(),
            printable(&self.kind),
            printable(&self.key),
            printable(&self.effect),
            hits,
            time(self.until),
        ]
    }
}

/// What is told by `tail`.
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum Told {
    Snapshot {
        epoch: String,
        seq: i64,
        /// How many there are, by kind.
        entries: BTreeMap<String, u64>,
    },
    Revocation(Entry),
    Heartbeat {
        now: i64,
        seq: i64,
    },
}

impl Told {
    /// One line, with no newline.
    pub(super) fn line(&self, output: &Output) -> String {
        if output.is_json() {
            return serde_json::to_string(self).unwrap_or_default();
        }
        match self {
            Self::Snapshot {
                epoch,
                seq,
                entries,
            } => {
                let counts: Vec<_> = entries
                    .iter()
                    .map(|(kind, count)| format!("{count} {}", printable(kind)))
                    .collect();
                let counts = match counts.is_empty() {
                    true => "nothing is revoked".to_owned(),
                    false => counts.join(", "),
                };
                format!("snapshot  {}:{seq}  {counts}", printable(epoch))
            }
            Self::Revocation(entry) => {
                let [seq, kind, key, effect, hits, until] = entry.cells();
                let line = format!("{seq}  {kind:<7}  {key}  {effect:<7}  until {until}  {hits}");
                line.trim_end().to_owned()
            }
            Self::Heartbeat { now, seq } => format!("heartbeat  {seq}  {}", time(*now)),
        }
    }
}

fn time(seconds: i64) -> String {
    rfc3339::text(Timestamp::from_seconds(seconds))
}
