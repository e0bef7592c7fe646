//! Times as people and JSON read them.

use symbolon_domain::Timestamp;

/// RFC 3339 in UTC, to the millisecond. A time outside the years that RFC 3339 can write becomes its nearest.
pub fn text(time: Timestamp) -> String {
    let nearest = if time.millis() < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    };
    jiff::Timestamp::from_millisecond(time.millis())
        .unwrap_or(nearest)
        .to_string()
}

/// Reads a time of RFC 3339; what is finer than a millisecond is cut off.
///
/// # Errors
/// When it is none, or has no offset.
pub fn parse(text: &str) -> Result<Timestamp, NotATime> {
    let time: jiff::Timestamp = text.parse().map_err(|_| NotATime)?;
    Ok(Timestamp::from_millis(time.as_millisecond()))
}

/// The text is no time of RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time of RFC 3339, such as 2026-11-21T12:00:00Z")]
pub struct NotATime;
