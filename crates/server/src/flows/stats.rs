//! Numbers for whoever looks after the service. They are counted up to a bound and kept for a while, so that nobody can
//! make the database work by asking for them.

mod hours;

use std::sync::Arc;
use std::time::Duration;

use symbolon_domain::audit::AuditKind;
use symbolon_domain::{Timestamp, UserStatus};
pub use symbolon_store::Counted;
use tokio::sync::Mutex;

pub use hours::{Counter, Hour, hours, purge};

use super::Error;
use crate::app::App;

/// What it takes to see them.
pub const READ: &str = "stats:read";
/// How long they are told again before they are counted again.
const AGE: Duration = Duration::from_secs(10);
/// Rows that are counted at most.
const MOST: u32 = 1_000_000;
/// The same for sessions, of which each row is looked at.
const MOST_SESSIONS: u32 = 100_000;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What happened within some time.
#[derive(Debug, Clone, Copy)]
pub struct SignIns {
    /// People who signed in.
    pub succeeded: Counted,
    /// Tries that were refused.
    pub failed: Counted,
}

/// The numbers of a moment.
#[derive(Debug, Clone, Copy)]
pub struct Stats {
    /// When they were counted.
    pub at: Timestamp,
    /// Users who may sign in.
    pub active: Counted,
    /// Users who may not.
    pub disabled: Counted,
    /// Sessions that are alive.
    pub sessions: Counted,
    /// Sign-ins of the last 24 hours.
    pub day: SignIns,
    /// Sign-ins of the last 7 days.
    pub week: SignIns,
    /// Revocations that can hit a living token.
    pub revocations: Counted,
    /// Keys, withdrawn ones included.
    pub keys: usize,
    /// Size of the database in bytes.
    pub database_bytes: i64,
    /// How long this process has been at it.
    pub uptime: Duration,
}

/// The numbers that were counted last, and when the process began.
pub struct Kept {
    began: Timestamp,
    last: Mutex<Option<Arc<Stats>>>,
}

impl Kept {
    /// Nothing was counted yet.
    pub fn new(began: Timestamp) -> Self {
        Self {
            began,
            last: Mutex::new(None),
        }
    }
}

/// The numbers, at most ten seconds old.
///
/// # Errors
/// A fault of the store.
pub async fn stats(app: &App) -> Result<Arc<Stats>, Error> {
    // Who comes while they are counted waits for the same ones.
    let mut last = app.stats.last.lock().await;
    let now = app.clock.now();
    if let Some(kept) = last.as_ref().filter(|kept| now.since(kept.at) < AGE) {
        return Ok(Arc::clone(kept));
    }
    let counted = Arc::new(count(app, now).await?);
    *last = Some(Arc::clone(&counted));
    Ok(counted)
}

async fn count(app: &App, now: Timestamp) -> Result<Stats, Error> {
    let store = &app.store;
    Ok(Stats {
        at: now,
        active: store.count_users(UserStatus::Active, MOST).await?,
        disabled: store.count_users(UserStatus::Disabled, MOST).await?,
        sessions: store.count_sessions(now, MOST_SESSIONS).await?,
        day: sign_ins(app, now.minus(DAY)).await?,
        week: sign_ins(app, now.minus(7 * DAY)).await?,
        revocations: store.count_revocations(now.seconds(), MOST).await?,
        keys: store.list_keys().await?.len(),
        database_bytes: store.size().await?,
        uptime: now.since(app.stats.began),
    })
}

async fn sign_ins(app: &App, since: Timestamp) -> Result<SignIns, Error> {
    let count = |kind| app.store.count_audit(kind, since, MOST);
    Ok(SignIns {
        succeeded: count(AuditKind::LoginSucceeded).await?,
        failed: count(AuditKind::LoginFailed).await?,
    })
}
