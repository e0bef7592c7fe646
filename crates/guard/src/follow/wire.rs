//! What the feed writes, and what of it makes sense.

use std::{borrow::Cow, sync::Arc};

use serde::Deserialize;
use symbolon_token::encoding;

use crate::entry::{Entry, MalformedEntry, Parts};

/// A point of the feed: what was applied up to there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The feed's epoch; numbers of different epochs cannot be compared.
    pub epoch: Arc<str>,
    /// The number of the last entry.
    pub seq: u64,
}

impl Revision {
    /// Reads `EPOCH:SEQ`.
    pub(crate) fn read(id: &[u8]) -> Option<Self> {
        let (epoch, seq) = std::str::from_utf8(id).ok()?.rsplit_once(':')?;
        // It goes back as a header, and `+5` is no number here.
        let plain = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_graphic());
        let number = seq.bytes().all(|byte| byte.is_ascii_digit());
        (plain && number).then_some(Self {
            epoch: epoch.into(),
            seq: seq.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)
    }
}

#[derive(Debug, Deserialize)]
struct WireEntry<'a> {
    seq: u64,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    effect: Cow<'a, str>,
    below: Option<i64>,
    before: Option<i64>,
    until: i64,
}

/// An entry with its number.
pub(crate) fn entry(json: &[u8]) -> Result<(u64, Entry), MalformedEntry> {
    let wire: WireEntry<'_> = serde_json::from_slice(json).map_err(|_| MalformedEntry)?;
    let parts = Parts {
        kind: &wire.kind,
        key: encoding::decode_exact(wire.key.as_bytes()).map_err(|_| MalformedEntry)?,
        effect: &wire.effect,
        below: wire.below,
        before: wire.before,
        until: wire.until,
    };
    Ok((wire.seq, Entry::try_from(parts)?))
}

/// The data of a heartbeat.
#[derive(Debug, Deserialize)]
pub(crate) struct Heartbeat {
    pub(crate) now: i64,
    pub(crate) seq: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_an_epoch_and_a_number() {
        let point = Revision::read(b"e:1:7").unwrap();
        assert_eq!(
            (&*point.epoch, point.seq, point.to_string().as_str()),
            ("e:1", 7, "e:1:7")
        );
        for bad in [
            "",
            "e",
            ":7",
            "e:",
            "e:-1",
            "e:+1",
            "e e:1",
            "e:1 ",
            "\u{e9}:1",
            "e:99999999999999999999",
        ] {
            assert_eq!(Revision::read(bad.as_bytes()), None, "{bad}");
        }
    }
}
