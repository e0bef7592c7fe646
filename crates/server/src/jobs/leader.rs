//! What one node does for all: each such job has a lease in the database.
//!
//! 1. Whoever has the lease renews it from time to time: its number rises.
//! 2. The others remember the number and, by their own clock, since when it has not risen. After [`LIFE`] the holder is taken
//!    for gone, and one of them takes the lease (compare-and-set). No time of one node is compared with that of another, so
//!    that clocks may differ by as much as they like.
//! 3. A holder that stops in order gives its leases up.
//!
//! A holder that is only slow, or cut off from the database for a while, may still be at work when another begins. So a
//! lease saves work and decides nothing: every job also takes what it works on in the database, a row at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use symbolon_store::{Error as StoreError, Lease};
use tokio::sync::Mutex;

use super::{Causes, every_tick};
use crate::app::App;
use crate::clock::Stopwatch;
use crate::flows::{Error, audit_id};

/// How long a lease stands still before its holder is taken for gone.
const LIFE: Duration = Duration::from_secs(15);
/// How often a holder renews it, and the others look.
const BEAT: Duration = Duration::from_secs(4);

/// Names a process that serves.
type Node = [u8; 16];

/// What one process does for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    Purge,
    PurgeAudit,
    Mail,
    Tell,
    RotateKeys,
}

impl Job {
    const ALL: [Self; 5] = [
        Self::Purge,
        Self::PurgeAudit,
        Self::Mail,
        Self::Tell,
        Self::RotateKeys,
    ];

    fn lease(self) -> &'static str {
        match self {
            Self::Purge => "purge",
            Self::PurgeAudit => "audit_purge",
            Self::Mail => "mail",
            Self::Tell => "backchannel_logout",
            Self::RotateKeys => "rotate_keys",
        }
    }
}

/// What this process leads.
pub(super) struct Leader {
    node: Node,
    leads: [AtomicBool; Job::ALL.len()],
    seen: Mutex<[Seen; Job::ALL.len()]>,
}

impl Leader {
    /// An embedded database has one process that serves, which does it all.
    pub(super) async fn begin(app: &App) -> Result<Self, Error> {
        let leads = app.store.is_embedded();
        let leader = Self {
            node: *audit_id(app, app.clock.now())?.as_bytes(),
            leads: Job::ALL.map(|_| AtomicBool::new(leads)),
            seen: Mutex::default(),
        };
        leader.look(app).await;
        Ok(leader)
    }

    /// Whether this process is to do the job now.
    pub(super) fn leads(&self, job: Job) -> bool {
        self.flag(job).load(Ordering::Relaxed)
    }

    fn flag(&self, job: Job) -> &AtomicBool {
        let [purge, audit, mail, tell, keys] = &self.leads;
        match job {
            Job::Purge => purge,
            Job::PurgeAudit => audit,
            Job::Mail => mail,
            Job::Tell => tell,
            Job::RotateKeys => keys,
        }
    }

    /// Steps 1 and 2, for as long as the process serves.
    pub(super) async fn keep(&self, app: &App) {
        let mut ticks = every_tick(BEAT);
        loop {
            ticks.tick().await;
            self.look(app).await;
        }
    }

    async fn look(&self, app: &App) {
        // What is embedded when the process begins may move to a server of its own.
        if app.store.is_embedded() {
            return;
        }
        let mut seen = self.seen.lock().await;
        for (job, seen) in Job::ALL.into_iter().zip(seen.iter_mut()) {
            let leads = seen.look(app, job, self.node).await;
            if let Err(error) = &leads {
                tracing::debug!(error = %Causes(error), "a lease cannot be looked at");
            }
            let leads = leads.unwrap_or_default();
            self.flag(job).store(leads, Ordering::Relaxed);
        }
    }

    /// Step 3.
    pub(super) async fn resign(&self, app: &App) -> Result<(), Error> {
        if app.store.is_embedded() {
            return Ok(());
        }
        let mut batch = app.store.batch();
        for job in Job::ALL {
            batch.release_lease(job.lease(), self.node);
        }
        Ok(batch.commit().await?)
    }
}

/// A lease as it was seen last, and since when it has stood still.
#[derive(Default)]
struct Seen(Option<(Lease, Stopwatch)>);

impl Seen {
    /// Looks, takes or renews: whether this process has the lease.
    async fn look(&mut self, app: &App, job: Job, node: Node) -> Result<bool, Error> {
        let found = app.store.find_lease(job.lease()).await?;
        let next = match next_beat(found.as_ref(), node, self.stands(found)) {
            Turn::Other => return Ok(false),
            Turn::Beat(next) => next,
        };
        let mut batch = app.store.batch();
        batch.replace_lease(job.lease(), found.as_ref(), &next);
        match batch.commit().await {
            Ok(()) => Ok(true),
            // Another was quicker.
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn stands(&mut self, found: Option<Lease>) -> Duration {
        match (&self.0, found) {
            (Some((seen, since)), Some(found)) if *seen == found => since.elapsed(),
            (_, found) => {
                self.0 = found.map(|found| (found, Stopwatch::start()));
                Duration::ZERO
            }
        }
    }
}

/// What a process makes of a lease.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// Somebody else's.
    Other,
    /// To be taken or renewed by this.
    Beat(Lease),
}

/// Step 2. `stands` is how long the lease has been as it is.
fn next_beat(found: Option<&Lease>, node: Node, stands: Duration) -> Turn {
    match found {
        Some(lease) if lease.holder != node && stands < LIFE => Turn::Other,
        found => Turn::Beat(Lease {
            holder: node,
            beat: found.map_or(0, |lease| lease.beat.wrapping_add(1)),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Node = [1; 16];

    fn lease(holder: u8, beat: i64) -> Lease {
        Lease {
            holder: [holder; 16],
            beat,
        }
    }

    #[test]
    fn a_lease_that_nobody_has_is_taken() {
        let turn = next_beat(None, ME, Duration::ZERO);
        assert_eq!(turn, Turn::Beat(lease(1, 0)));
    }

    #[test]
    fn one_that_rises_is_left_alone_and_one_that_stands_still_is_taken() {
        let others = lease(2, 7);
        let soon = LIFE - Duration::from_millis(1);
        assert_eq!(next_beat(Some(&others), ME, Duration::ZERO), Turn::Other);
        assert_eq!(next_beat(Some(&others), ME, soon), Turn::Other);
        let taken = next_beat(Some(&others), ME, LIFE);
        assert_eq!(taken, Turn::Beat(lease(1, 8)));
    }

    #[test]
    fn its_holder_renews_it_long_before_it_is_taken() {
        let renewed = Turn::Beat(lease(1, 8));
        assert_eq!(next_beat(Some(&lease(1, 7)), ME, BEAT), renewed);
        assert!(BEAT * 3 < LIFE);
    }
}
