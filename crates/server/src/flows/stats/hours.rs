//! What happened in each hour, for charts.
//!
//! 1. Every process adds what it counted since the last time to the hour, every minute; what it could not add stays for the
//!    next time. What is left when it ends is lost: these are for looking at, not for accounts.
//! 2. How many sessions live is noted as it is.
//! 3. Hours are kept for 40 days.

use std::collections::BTreeMap;
use std::time::Duration;

use symbolon_domain::Timestamp;

use super::MOST_SESSIONS;
use crate::app::App;
use crate::flows::Error;

const HOUR_MS: i64 = 3_600_000;
const KEPT: Duration = Duration::from_secs(40 * 24 * 3600);
/// Names that an hour has, and more.
const NAMES: u32 = 16;
const SESSIONS: &str = "sessions";
/// Live sessions are counted every so often, in rounds of [`Counter::keep`]: it takes longer than the rest.
const ROUNDS: u32 = 5;

/// What happened in an hour, by name: `sign_ins`, `refusals`, `refreshes`, `revocations`, and how many `sessions` lived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    /// When it began.
    pub began: Timestamp,
    /// The numbers; none where nothing was noted.
    pub counts: BTreeMap<String, i64>,
}

/// What a process has added so far.
#[derive(Debug, Default)]
pub struct Counter {
    added: BTreeMap<&'static str, u64>,
    round: u32,
}

impl Counter {
    /// Steps 1 and 2.
    ///
    /// # Errors
    /// A fault of the store: it is added the next time.
    pub async fn keep(&mut self, app: &App) -> Result<(), Error> {
        let now = app.clock.now();
        let hour = now.millis().div_euclid(HOUR_MS);
        let mut batch = app.store.batch();
        let mut totals = Vec::new();
        for (name, total) in app.metrics.totals() {
            let new = total.saturating_sub(self.added.get(name).copied().unwrap_or_default());
            if let (Ok(new), true) = (i64::try_from(new), new > 0) {
                batch.add_hourly_count(hour, name, new);
            }
            totals.push((name, total));
        }
        if self.round == 0 {
            let live = app.store.count_sessions(now, MOST_SESSIONS).await?;
            batch.note_hourly_count(hour, SESSIONS, i64::from(live.found));
        }
        batch.commit().await?;
        self.round = (self.round + 1) % ROUNDS;
        self.added.extend(totals);
        Ok(())
    }
}

/// The last `hours`, the current one included, the oldest first.
///
/// # Errors
/// A fault of the store.
pub async fn hours(app: &App, hours: u32) -> Result<Vec<Hour>, Error> {
    let last = app.clock.now().millis().div_euclid(HOUR_MS);
    let first = last - i64::from(hours) + 1;
    let limit = hours.saturating_mul(NAMES);
    let rows = app.store.list_hourly_counts((first, last), limit).await?;
    let mut all: BTreeMap<i64, BTreeMap<String, i64>> =
        (first..=last).map(|hour| (hour, BTreeMap::new())).collect();
    for row in rows {
        all.entry(row.hour).or_default().insert(row.name, row.count);
    }
    let hour = |(hour, counts)| Hour {
        began: Timestamp::from_millis(hour * HOUR_MS),
        counts,
    };
    Ok(all.into_iter().map(hour).collect())
}

/// Step 3, `rows` at a time.
///
/// # Errors
/// A fault of the store.
pub async fn purge(app: &App, now: Timestamp, rows: u32) -> Result<(), Error> {
    let before = now.minus(KEPT).millis().div_euclid(HOUR_MS);
    while app.store.purge_hourly_counts(before, rows).await? >= u64::from(rows) {}
    Ok(())
}
