//! The feed's text: JSON, and server-sent events (WHATWG HTML section 9.2.5) that carry it.

use std::fmt::Write;
use std::str::FromStr;

use symbolon_domain::Timestamp;
use symbolon_domain::revocation::Entry;
use symbolon_token::encoding;

use super::Place;

/// A point of the feed as guards name it: `EPOCH:SEQ`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The run of numbers.
    pub epoch: String,
    /// The last number that the guard has.
    pub seq: i64,
}

impl FromStr for Point {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (epoch, seq) = text.rsplit_once(':').ok_or(())?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let digits = !seq.is_empty() && seq.bytes().all(|byte| byte.is_ascii_digit());
        if epoch.is_empty() || epoch.len() > 64 || !epoch.bytes().all(plain) || !digits {
            return Err(());
        }
        Ok(Self {
            epoch: epoch.to_owned(),
            // More digits than a number has are a point of the future.
            seq: seq.parse().unwrap_or(i64::MAX),
        })
    }
}

/// The beginning of a list, up to its entries, which `]}` ends.
#[must_use]
pub fn head(place: &Place, now: Timestamp) -> String {
    let (epoch, seq, now) = (place.epoch(), place.seq(), now.seconds());
    format!("{{\"epoch\":\"{epoch}\",\"seq\":{seq},\"now\":{now},\"entries\":[")
}

/// One entry of a list.
pub fn item(text: &mut String, entry: &Entry) {
    let (seq, kind, effect) = (entry.seq, entry.kind.as_str(), entry.effect.as_str());
    let _infallible = write!(text, "{{\"seq\":{seq},\"kind\":\"{kind}\",\"key\":\"");
    encoding::encode_to(&entry.key, text);
    let _infallible = write!(text, "\",\"effect\":\"{effect}\"");
    if let Some(below) = entry.below {
        let _infallible = write!(text, ",\"below\":{below}");
    }
    if let Some(before) = entry.before {
        let _infallible = write!(text, ",\"before\":{before}");
    }
    let _infallible = write!(text, ",\"until\":{}}}", entry.until_s);
}

/// One entry as an event.
pub fn revocation(text: &mut String, epoch: &str, entry: &Entry) {
    let seq = entry.seq;
    let _infallible = write!(text, "event: revocation\nid: {epoch}:{seq}\ndata: ");
    item(text, entry);
    text.push_str("\n\n");
}

/// An event that says up to which number nothing is missing.
#[must_use]
pub fn heartbeat(now: Timestamp, seq: i64) -> String {
    let now = now.seconds();
    format!("event: heartbeat\ndata: {{\"now\":{now},\"seq\":{seq}}}\n\n")
}
