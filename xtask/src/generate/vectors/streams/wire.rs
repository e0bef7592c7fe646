//! The stream as bytes on the wire.

use anyhow::Result;

use super::super::NOW;
use super::super::feed::{Snapshot, Written};

/// The text of one connection.
#[derive(Clone, Default)]
pub(super) struct Text(pub(super) String);

pub(super) fn snapshot_json(epoch: &'static str, seq: u64, entries: &[Written]) -> Result<String> {
    let snapshot = Snapshot {
        epoch,
        seq,
        now: NOW,
        entries: entries.to_vec(),
    };
    Ok(serde_json::to_string(&snapshot)?)
}

impl Text {
    pub(super) fn snapshot(epoch: &'static str, seq: u64, entries: &[Written]) -> Result<Self> {
        let json = snapshot_json(epoch, seq, entries)?;
        Ok(Self::default().event("snapshot", Some(&format!("{epoch}:{seq}")), &json))
    }

    pub(super) fn revocation(self, entry: &Written) -> Result<Self> {
        Ok(self.event(
            "revocation",
            Some(&format!("e1:{}", entry.seq)),
            &entry.json()?,
        ))
    }

    pub(super) fn heartbeat(self, seq: u64) -> Self {
        self.heartbeat_at(NOW, seq)
    }

    /// One that tells another time, in seconds since 1970.
    pub(super) fn heartbeat_at(self, now: i64, seq: u64) -> Self {
        self.event(
            "heartbeat",
            None,
            &format!(r#"{{"now":{now},"seq":{seq}}}"#),
        )
    }

    pub(super) fn event(self, name: &str, id: Option<&str>, data: &str) -> Self {
        let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        self.raw(&format!("event: {name}\n{id}data: {data}\n\n"))
    }

    pub(super) fn raw(mut self, text: &str) -> Self {
        self.0.push_str(text);
        self
    }

    /// The last `bytes` bytes never came.
    pub(super) fn cut(mut self, bytes: usize) -> Self {
        self.0.truncate(self.0.len().saturating_sub(bytes));
        self
    }

    pub(super) fn lines_end_in(self, end: &str) -> Self {
        Self(self.0.replace('\n', end))
    }
}
