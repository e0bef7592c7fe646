//! Reads server-sent events (WHATWG HTML section 9.2.5) of the feed.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::shown::{Entry, Told};

/// The longest event: a snapshot of some two million revocations.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// Puts events together from the pieces in which they come.
#[derive(Default)]
pub(super) struct Events {
    /// What has come of a line.
    line: Vec<u8>,
    name: String,
    data: String,
    id: Option<String>,
    /// The id of the last whole event.
    pub(super) last_id: Option<String>,
}

#[derive(Deserialize)]
struct Snapshot {
    epoch: String,
    seq: i64,
    entries: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

#[derive(Deserialize)]
struct Heartbeat {
    now: i64,
    seq: i64,
}

impl Events {
    /// Those after the event of this id.
    pub(super) fn after(last_id: Option<String>) -> Self {
        Self {
            last_id,
            ..Self::default()
        }
    }

    /// The events that a piece completes.
    ///
    /// # Errors
    /// Why the stream cannot be understood.
    pub(super) fn read(&mut self, mut piece: &[u8]) -> Result<Vec<Told>, String> {
        let mut told = Vec::new();
        while let Some(at) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = piece.split_at(at);
            self.line.extend_from_slice(line);
            piece = rest.get(1..).unwrap_or_default();
            let line = std::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            let line = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
            told.extend(self.take(line)?);
        }
        self.line.extend_from_slice(piece);
        if self.line.len() + self.data.len() > MOST_BYTES {
            return Err("an event is too long".to_owned());
        }
        Ok(told)
    }

    /// Forgets what has come of an event: the connection was lost.
    pub(super) fn reset(&mut self) {
        *self = Self::after(self.last_id.take());
    }

    fn take(&mut self, line: &str) -> Result<Option<Told>, String> {
        if line.is_empty() {
            return self.end();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "id" => self.id = Some(value.to_owned()),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            _ => {}
        }
        Ok(None)
    }

    fn end(&mut self) -> Result<Option<Told>, String> {
        let (name, data) = (
            std::mem::take(&mut self.name),
            std::mem::take(&mut self.data),
        );
        let id = self.id.take();
        let unreadable = |error: serde_json::Error| format!("event {name}: {error}");
        let told = match name.as_str() {
            "snapshot" => {
                let snapshot: Snapshot = serde_json::from_str(&data).map_err(unreadable)?;
                let mut entries = BTreeMap::new();
                for Kind { kind } in snapshot.entries {
                    *entries.entry(kind).or_insert(0) += 1;
                }
                Told::Snapshot {
                    epoch: snapshot.epoch,
                    seq: snapshot.seq,
                    entries,
                }
            }
            "revocation" => {
                let entry: Entry = serde_json::from_str(&data).map_err(unreadable)?;
                Told::Revocation(entry)
            }
            "heartbeat" => {
                let Heartbeat { now, seq } = serde_json::from_str(&data).map_err(unreadable)?;
                Told::Heartbeat { now, seq }
            }
            _ => return Ok(None),
        };
        self.last_id = id.or(self.last_id.take());
        Ok(Some(told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\n\
        event: snapshot\nid: e1:3\ndata: {\"epoch\":\"e1\",\"seq\":3,\"now\":1,\ndata: \"entries\":[{\"kind\":\"user\"},{\"kind\":\"user\"}]}\n\n\
        event: later\ndata: x\n\n\
        event:revocation\r\nid:e1:4\r\ndata:{\"seq\":4,\"kind\":\"session\",\"key\":\"k\",\"effect\":\"revoked\",\"until\":9}\r\n\r\n\
        event: heartbeat\ndata: {\"now\":1,\"seq\":4}\n\n";

    #[test]
    fn events_are_read_however_they_are_cut() {
        let mut whole = Events::default();
        let told = whole.read(STREAM.as_bytes()).unwrap();
        let lines: Vec<_> = told
            .iter()
            .map(|told| serde_json::to_string(told).unwrap())
            .collect();
        assert_eq!(
            lines,
            [
                r#"{"event":"snapshot","epoch":"e1","seq":3,"entries":{"user":2}}"#,
                r#"{"event":"revocation","seq":4,"kind":"session","key":"k","effect":"revoked","until":9}"#,
                r#"{"event":"heartbeat","now":1,"seq":4}"#,
            ]
        );
        assert_eq!(whole.last_id.as_deref(), Some("e1:4"));
        let mut bytewise = Events::default();
        let pieces = STREAM.as_bytes().iter();
        let again: Vec<_> = pieces
            .flat_map(|byte| bytewise.read(&[*byte]).unwrap())
            .collect();
        assert_eq!(again, told);
    }

    #[test]
    fn what_is_cut_off_counts_for_nothing() {
        let mut events = Events::default();
        events.read(STREAM.as_bytes()).unwrap();
        assert_eq!(
            events
                .read(b"event: revocation\nid: e1:5\ndata: {")
                .unwrap(),
            []
        );
        events.reset();
        assert_eq!(events.last_id.as_deref(), Some("e1:4"));
        assert_eq!(
            events
                .read(b"event: heartbeat\ndata: {\"now\":1,\"seq\":4}\n\n")
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn what_cannot_be_understood_is_an_error() {
        for broken in [
            "event: snapshot\ndata: {}\n\n",
            "event: revocation\ndata: {\"seq\":\n\n",
            "event: revocation\ndata: {\"seq\":4}\n\n",
            "event: heartbeat\n\n",
        ] {
            assert!(
                Events::default().read(broken.as_bytes()).is_err(),
                "{broken}"
            );
        }
        assert!(Events::default().read(b"data: \xff\n").is_err());
    }
}
