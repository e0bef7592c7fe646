//! What was fetched, for as long as it may be kept, in bounded memory.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use symbolon_domain::Timestamp;

/// Entries of one shelf.
const MOST: usize = 1_000;
/// How long an entry is kept at least and at most, whatever its answer says.
const LIFE: RangeInclusive<Duration> = Duration::from_secs(5 * 60)..=Duration::from_secs(24 * 3600);

/// What was fetched, by where it was. Failures are not kept.
pub struct Shelf<T> {
    entries: Mutex<HashMap<String, Entry<T>>>,
}

struct Entry<T> {
    value: Arc<T>,
    since: Timestamp,
    until: Timestamp,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
        }
    }
}

impl<T> Shelf<T> {
    /// What is there and still good, and since when.
    pub fn find(&self, place: &str, now: Timestamp) -> Option<(Arc<T>, Timestamp)> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(place).filter(|entry| now < entry.until)?;
        Some((Arc::clone(&entry.value), entry.since))
    }

    /// Keeps a value for as long as its answer says, within five minutes and a day. What would end first gives way.
    pub fn keep(&self, place: &str, value: T, max_age: Option<Duration>, now: Timestamp) -> Arc<T> {
        let life = max_age
            .unwrap_or(*LIFE.start())
            .clamp(*LIFE.start(), *LIFE.end());
        let value = Arc::new(value);
        let entry = Entry {
            value: Arc::clone(&value),
            since: now,
            until: now.plus(life),
        };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST && !entries.contains_key(place) {
            let first = entries.iter().min_by_key(|(_, entry)| entry.until);
            if let Some(first) = first.map(|(place, _)| place.clone()) {
                entries.remove(&first);
            }
        }
        entries.insert(place.to_owned(), entry);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn what_is_kept_is_kept_for_a_while() {
        for (max_age, life) in [
            (None, 300),
            (Some(0), 300),
            (Some(3_600), 3_600),
            (Some(u64::MAX / 2_000), 86_400),
        ] {
            let shelf = Shelf::default();
            shelf.keep("a", 1, max_age.map(Duration::from_secs), at(0));
            assert_eq!(shelf.find("a", at(life - 1)), Some((Arc::new(1), at(0))));
            assert_eq!(shelf.find("a", at(life)), None);
            assert_eq!(shelf.find("b", at(0)), None);
        }
    }

    #[test]
    fn a_full_shelf_stays_as_large_as_it_is() {
        let shelf = Shelf::default();
        for number in 0..MOST {
            shelf.keep(&number.to_string(), number, None, at(number as i64 / 100));
        }
        shelf.keep("5", 5, Some(Duration::from_secs(3_600)), at(20));
        shelf.keep("more", 1, None, at(20));
        assert_eq!(shelf.entries.lock().unwrap().len(), MOST);
        assert!(shelf.find("more", at(21)).is_some() && shelf.find("5", at(21)).is_some());
    }
}
