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
