//! What runs beside the requests: following revocations and keys that another process wrote, and purging.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::flows::{Error, keys};

/// How soon what another process committed, a revocation or a key, is known here.
const FOLLOW: Duration = Duration::from_millis(10);
/// How often what has expired is dropped.
const PURGE: Duration = Duration::from_secs(60);
/// Rows removed by one statement, so that no purge holds up the writes of others for long.
const PURGE_ROWS: u32 = 500;
/// How long a session is kept after its end or expiry, so that its tokens get the right refusal.
const SESSION_GRACE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long audit rows are kept.
const AUDIT_LIFE: Duration = Duration::from_secs(400 * 24 * 3600);
/// Revocations read at once.
const PAGE: u32 = 1000;

/// Starts every job. Shut them down before the store is closed: they would complain of it.
#[must_use = "they end when this is dropped"]
pub fn start(app: &Arc<App>) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    let follower = Arc::clone(app);
    jobs.spawn(async move { follow(&follower).await });
    let purger = Arc::clone(app);
    jobs.spawn(every(purger, PURGE, "purging", |app| async move {
        purge(&app).await
    }));
    jobs
}

async fn every<F, Fut>(app: Arc<App>, period: Duration, name: &'static str, job: F)
where
    F: Fn(Arc<App>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Error>> + Send,
{
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = job(Arc::clone(&app)).await {
            tracing::warn!(error = %Causes(&error), "{name} failed; trying again");
        }
    }
}

/// Obeys what other processes commit to the same database: revocations in the order of the feed, and keys.
async fn follow(app: &App) {
    let mut watch = symbolon_store::Watch::default();
    let mut after = 0;
    let mut failing = false;
    let mut ticks = interval(FOLLOW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let outcome = async {
            if !app.store.changed(&mut watch).await? {
                return Ok(());
            }
            catch_up(app, &mut after).await?;
            keys::reload(app).await
        };
        match outcome.await {
            Ok(()) => failing = false,
            Err(error) => {
                // The change may have been seen and not read: look again whatever the store says.
                watch = symbolon_store::Watch::default();
                if !failing {
                    tracing::warn!(error = %Causes(&error), "revocations cannot be followed; trying again");
                }
                failing = true;
            }
        }
    }
}

async fn catch_up(app: &App, after: &mut i64) -> Result<(), Error> {
    let issuance = app.issuance()?;
    loop {
        let page = app.store.list_revocations(*after, PAGE).await?;
        for entry in &page {
            issuance.apply(entry);
            *after = entry.seq;
        }
        if page.len() < PAGE as usize {
            return Ok(());
        }
    }
}

async fn purge(app: &App) -> Result<(), Error> {
    let now = app.clock.now();
    let issuance = app.issuance()?;
    issuance.guard.expire(now.seconds());
    issuance.guard.set_keys(issuance.ring.load().key_set(now)?);
    while app
        .store
        .purge_sessions(now.minus(SESSION_GRACE), PURGE_ROWS)
        .await?
        == u64::from(PURGE_ROWS)
    {}
    while app
        .store
        .purge_revocations(now.seconds(), PURGE_ROWS)
        .await?
        == u64::from(PURGE_ROWS)
    {}
    while app
        .store
        .purge_audit(now.minus(AUDIT_LIFE), PURGE_ROWS)
        .await?
        == u64::from(PURGE_ROWS)
    {}
    Ok(())
}

/// An error with what caused it, in one line.
pub(crate) struct Causes<'a>(pub &'a dyn std::error::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
