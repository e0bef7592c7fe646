//! What happened in each hour.

use crate::statement::{Expect, statements};
use crate::{Batch, Error, Store};

statements! {
    LIST = "SELECT hour, name, count FROM hourly_counts WHERE hour >= $1 AND hour <= $2 ORDER BY hour, name LIMIT $3";
    ADD =
        "INSERT INTO hourly_counts (hour, name, count) VALUES ($1, $2, $3) \
         ON CONFLICT (hour, name) DO UPDATE SET count = hourly_counts.count + excluded.count";
    NOTE =
        "INSERT INTO hourly_counts (hour, name, count) VALUES ($1, $2, $3) \
         ON CONFLICT (hour, name) DO UPDATE SET count = excluded.count";
    PURGE =
        "DELETE FROM hourly_counts WHERE hour IN \
         (SELECT hour FROM hourly_counts WHERE hour < $1 ORDER BY hour LIMIT $2)";
}

/// A number of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourlyCount {
    /// Hours since 1970.
    pub hour: i64,
    /// Of what.
    pub name: String,
    /// How many.
    pub count: i64,
}

impl Store {
    /// The numbers of these hours, both included, by hour; at most `limit`.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn list_hourly_counts(
        &self,
        (first, last): (i64, i64),
        limit: u32,
    ) -> Result<Vec<HourlyCount>, Error> {
        let values = vec![first.into(), last.into(), i64::from(limit).into()];
        self.list(LIST, values, limit, |row| {
            Ok(HourlyCount {
                hour: row.int(0)?,
                name: row.text(1)?.to_owned(),
                count: row.int(2)?,
            })
        })
        .await
    }

    /// Drops the numbers of hours before `before`, of at most `limit` hours' rows, and returns how many there were.
    ///
    /// # Errors
    /// [`Error::Busy`] and [`Error::Fault`].
    pub async fn purge_hourly_counts(&self, before: i64, limit: u32) -> Result<u64, Error> {
        self.purge(PURGE, vec![before.into(), i64::from(limit).into()])
            .await
    }
}

impl Batch {
    /// Adds to what was counted in an hour.
    pub fn add_hourly_count(&mut self, hour: i64, name: &'static str, count: i64) -> &mut Self {
        let values = [hour.into(), name.into(), count.into()];
        self.push(ADD, Expect::One, values)
    }

    /// Notes how many there are in an hour, in the place of what was noted before.
    pub fn note_hourly_count(&mut self, hour: i64, name: &'static str, count: i64) -> &mut Self {
        let values = [hour.into(), name.into(), count.into()];
        self.push(NOTE, Expect::One, values)
    }
}
