//! What runs beside the requests: following revocations and keys that another process wrote, handing in mail, telling clients
//! of ended sessions (`flows/oauth/backchannel.rs`), sealing the audit log, replacing keys by their age, keeping time, and
//! purging.

mod leader;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use symbolon_domain::revocation::Entry;
use symbolon_store::{Feed, Watch};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};

use self::leader::{Job, Leader};
use crate::app::App;
use crate::app::timekeeping::keep_time;
use crate::flows::oauth::backchannel::Lanes;
use crate::flows::{Error, Origin, audit, keys, oauth, once, outbox, revocations, roles, stats};

/// How often guards are told that they have not missed anything (CONTRACT section 3.4).
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How soon a mail that was written is handed in.
const MAIL: Duration = Duration::from_secs(1);
/// How soon clients are told that a session has ended.
const TELL: Duration = Duration::from_secs(1);
/// How often what happened is added to the hour.
const COUNT: Duration = Duration::from_secs(60);
/// How often the clock is compared with the database's.
const TIME: Duration = Duration::from_secs(10);
/// How often what has expired is dropped: from memory, and from the database.
const EXPIRE: Duration = Duration::from_secs(60);
const PURGE: Duration = Duration::from_secs(60);
/// Rows removed by one statement, so that no purge holds up the writes of others for long.
const PURGE_ROWS: u32 = 500;
/// How long a session is kept after its end or expiry, so that its tokens get the right refusal.
const SESSION_GRACE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often the audit log's end is signed.
const SEAL: Duration = Duration::from_secs(10);
/// How often the audit log's oldest lines are dropped: each time leaves a line.
const PURGE_AUDIT: Duration = Duration::from_secs(3600);
/// How often it is looked whether a key has signed for long enough.
const ROTATE_KEYS: Duration = Duration::from_secs(3600);
/// Revocations read at once.
const PAGE: u32 = 1000;
/// How long revocations wait while a changed role is announced.
const ANNOUNCE: Duration = Duration::from_secs(1);

/// The jobs of a process that serves.
#[must_use = "they end when this is dropped"]
pub struct Jobs {
    running: JoinSet<()>,
    leader: Arc<Leader>,
}

impl Jobs {
    /// Starts every job. [`Jobs::stop`] them before the store is closed: they would complain of it.
    ///
    /// # Errors
    /// A fault of the random source.
    pub async fn start(app: &Arc<App>) -> Result<Self, Error> {
        let mut jobs = Self {
            running: JoinSet::new(),
            leader: Arc::new(Leader::begin(app).await?),
        };
        let follower = Arc::clone(app);
        jobs.spawn(async move { follow(&follower).await });
        jobs.own(
            app,
            (EXPIRE, "forgetting"),
            |app| async move { expire(&app) },
        );
        jobs.own(app, (TIME, "asking the time"), |app| async move {
            keep_time(&app.store, &app.clock).await?;
            Ok(())
        });
        jobs.one(app, (Job::Purge, PURGE, "purging"), |app| async move {
            purge(&app).await
        });
        let purging = (Job::PurgeAudit, PURGE_AUDIT, "purging the audit log");
        jobs.one(app, purging, |app| async move { audit::purge(&app).await });
        let rotating = (Job::RotateKeys, ROTATE_KEYS, "replacing keys");
        jobs.one(app, rotating, |app| async move {
            keys::rotate_by_age(&app).await.map(|_| ())
        });
        let mailing = (Job::Mail, MAIL, "handing in mail");
        jobs.one(
            app,
            mailing,
            |app| async move { outbox::deliver(&app).await },
        );
        let sealer = Arc::clone(app);
        jobs.spawn(async move { seal_audit(&sealer).await });
        let counter = Arc::clone(app);
        jobs.spawn(async move { count(&counter).await });
        let (teller, leader) = (Arc::clone(app), Arc::clone(&jobs.leader));
        jobs.spawn(async move { tell_clients(&teller, &leader).await });
        let (renewer, leader) = (Arc::clone(app), Arc::clone(&jobs.leader));
        jobs.spawn(async move { leader.keep(&renewer).await });
        Ok(jobs)
    }

    /// Runs something else until the jobs end.
    pub fn spawn(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(job);
    }

    /// What each process does for itself.
    fn own<F, Fut>(&mut self, app: &Arc<App>, (period, name): (Duration, &'static str), job: F)
    where
        F: Fn(Arc<App>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), Error>> + Send,
    {
        let app = Arc::clone(app);
        self.spawn(async move {
            let mut ticks = every_tick(period);
            loop {
                ticks.tick().await;
                if let Err(error) = job(Arc::clone(&app)).await {
                    tracing::warn!(error = %Causes(&error), "{name} failed; trying again");
                }
            }
        });
    }

    /// What one process does for all.
    fn one<F, Fut>(
        &mut self,
        app: &Arc<App>,
        (job, period, name): (Job, Duration, &'static str),
        run: F,
    ) where
        F: Fn(Arc<App>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Error>> + Send,
    {
        let (leader, run) = (Arc::clone(&self.leader), Arc::new(run));
        self.own(app, (period, name), move |app| {
            let (leader, run) = (Arc::clone(&leader), Arc::clone(&run));
            async move {
                match leader.leads(job) {
                    true => run(app).await,
                    false => Ok(()),
                }
            }
        });
    }

    /// Ends every job, lets others lead, and signs the audit log's end.
    pub async fn stop(mut self, app: &App) {
        self.running.shutdown().await;
        if let Err(error) = self.leader.resign(app).await {
            tracing::debug!(error = %Causes(&error), "the leases are left to run out");
        }
        if let Err(error) = audit::Watcher::default().look(app).await {
            tracing::warn!(error = %Causes(&error), "the audit log is not signed");
        }
    }
}

/// Signs the end of the audit log from time to time.
async fn seal_audit(app: &App) {
    let mut watcher = audit::Watcher::default();
    let mut ticks = every_tick(SEAL);
    loop {
        ticks.tick().await;
        if let Err(error) = watcher.look(app).await {
            tracing::warn!(error = %Causes(&error), "signing the audit log failed; trying again");
        }
    }
}

/// Keeps what happened in each hour.
async fn count(app: &App) {
    let mut counter = stats::Counter::default();
    let mut ticks = every_tick(COUNT);
    loop {
        ticks.tick().await;
        if let Err(error) = counter.keep(app).await {
            tracing::warn!(error = %Causes(&error), "counting failed; trying again");
        }
    }
}

/// Tells clients that sessions have ended, without waiting for one before the next.
async fn tell_clients(app: &Arc<App>, leader: &Leader) {
    let mut lanes = Lanes::default();
    let mut ticks = every_tick(TELL);
    loop {
        ticks.tick().await;
        if !leader.leads(Job::Tell) {
            continue;
        }
        if let Err(error) = lanes.begin(app).await {
            tracing::warn!(error = %Causes(&error), "telling clients of ended sessions failed; trying again");
        }
    }
}

/// Obeys and publishes what is committed to the database, by this process and by others: revocations in the order of
/// the feed, and keys.
pub async fn follow(app: &App) {
    let Ok(issuance) = app.issuance() else {
        tracing::error!("revocations are not followed: the keys are not open");
        return;
    };
    let mut follower = Follower::default();
    let mut beats = every_tick(HEARTBEAT);
    let mut beat_is_due = false;
    loop {
        tokio::select! {
            () = issuance.feed.wait_for_commit() => {}
            () = app.store.signalled() => {}
            () = sleep(app.store.pause()) => {}
            _ = beats.tick() => {
                beat_is_due = true;
                follower.reload_keys(app).await;
                follower.announce(app).await;
            }
        }
        let began = issuance.feed.age();
        let Some(published) = follower.look(app).await else {
            // Guards that hear nothing know that they may be missing something.
            continue;
        };
        issuance.feed.looked(began);
        if std::mem::take(&mut beat_is_due) {
            issuance.feed.heartbeat(app.clock.now());
            app.mark.keep(&issuance.feed.place());
        }
        // So that readers by the thousand are not woken one by one for each of a burst.
        if published {
            sleep(issuance.feed.gap()).await;
        }
    }
}

/// What was seen of the database.
#[derive(Default)]
struct Follower {
    watch: Watch,
    failing: bool,
    /// The last revocation that was published.
    last: Option<Entry>,
    /// The state of keys and settings that is in use here; none where they could not be read.
    reloads: Option<i64>,
    /// The state in which nothing was left unsaid.
    announced: Option<i64>,
}

impl Follower {
    /// Looks once: whether there was a revocation, or nothing where the store does not answer.
    async fn look(&mut self, app: &App) -> Option<bool> {
        match self.catch_up(app).await {
            Ok(published) => {
                self.failing = false;
                Some(published)
            }
            Err(error) => {
                // The change may have been seen and not read: look again whatever the store says.
                self.watch = Watch::default();
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(error = %Causes(&error), "revocations cannot be followed; trying again");
                }
                None
            }
        }
    }

    async fn catch_up(&mut self, app: &App) -> Result<bool, Error> {
        if !app.store.changed(&mut self.watch).await? {
            return Ok(false);
        }
        self.begin_epoch(app).await?;
        let issuance = app.issuance()?;
        // First: who hears that a key was withdrawn asks for the ones that are good.
        self.reload_keys(app).await;
        let mut before = issuance.feed.place().seq();
        // With the last one that is known, which must be the same.
        let mut page = app.store.list_revocations(before - 1, PAGE).await?;
        if self.is_replaced(app, &page, before) {
            self.renew(app).await?;
            before = issuance.feed.place().seq();
            page = app.store.list_revocations(before - 1, PAGE).await?;
        }
        let mut after = before;
        loop {
            let is_last = page.len() < PAGE as usize;
            self.see(app, page.last());
            page.retain(|entry| entry.seq > after);
            for entry in &page {
                issuance.apply(entry);
                after = entry.seq;
            }
            issuance.feed.publish(&page);
            app.metrics.revocations(page.len() as u64);
            if is_last {
                break;
            }
            // Readers would fall behind a burst that is published faster than they are woken.
            sleep(issuance.feed.gap()).await;
            page = app.store.list_revocations(after, PAGE).await?;
        }
        self.announce(app).await;
        Ok(after > before)
    }

    /// Goes over to the epoch of the database. One whose numbers fell behind what was published has lost revocations
    /// (a backup was restored, a standby took over) and will give their numbers again: another epoch begins.
    async fn begin_epoch(&mut self, app: &App) -> Result<(), Error> {
        let issuance = app.issuance()?;
        let place = issuance.feed.place();
        let lost = |feed: &Feed| feed.epoch == place.epoch() && feed.seq < place.seq();
        match self.watch.feed().is_some_and(lost) {
            true => self.renew(app).await,
            false => self.go_over(app).await,
        }
    }

    fn see(&mut self, app: &App, last: Option<&Entry>) {
        if let Some(last) = last {
            app.mark.saw(last);
            self.last = Some(last.clone());
        }
    }

    /// Whether another revocation has the number of the last that was published: it was lost, and its number given again.
    fn is_replaced(&self, app: &App, page: &[Entry], published: i64) -> bool {
        match page.first().filter(|first| first.seq == published) {
            Some(first) => app.mark.contradicts(first),
            // One that is about to be purged may be gone.
            None => self.last.as_ref().is_some_and(|last| {
                last.seq == published && last.until_s > app.clock.now().plus(PURGE).seconds()
            }),
        }
    }

    async fn renew(&mut self, app: &App) -> Result<(), Error> {
        tracing::warn!(
            "the database has lost revocations: the feed of revocations begins another epoch"
        );
        let place = app.issuance()?.feed.place();
        revocations::renew_from(app, place.epoch(), &Origin::default()).await?;
        app.store.changed(&mut self.watch).await?;
        self.go_over(app).await
    }

    async fn go_over(&mut self, app: &App) -> Result<(), Error> {
        let issuance = app.issuance()?;
        let place = issuance.feed.place();
        let Some(feed) = self.watch.feed().filter(|feed| feed.epoch != place.epoch()) else {
            return Ok(());
        };
        // Its numbers say nothing about what the guard of this process has: it is told of all, as others are.
        let (epoch, seq) = (feed.epoch.clone(), feed.seq);
        let mut after = 0;
        while after < seq {
            let page = app.store.list_revocations(after, PAGE).await?;
            for entry in &page {
                issuance.apply(entry);
            }
            after = page.last().map_or(seq, |entry| entry.seq);
            self.see(app, page.last());
        }
        issuance.feed.begin(&epoch, seq);
        Ok(())
    }

    /// Opens the keys and reads stored settings again if some have changed. What cannot be read must not hold up revocations: it is tried
    /// again with the next heartbeat.
    async fn reload_keys(&mut self, app: &App) {
        let now = self.watch.feed().map(|feed| feed.reloads);
        if now == self.reloads {
            return;
        }
        let keys = keys::reload(app).await;
        if let Err(error) = &keys {
            tracing::warn!(error = %Causes(error), "keys cannot be loaded; trying again");
        }
        let settings = app.reload_settings().await;
        if let Err(error) = &settings {
            tracing::warn!(error = %Causes(error), "stored settings cannot be used; trying again");
        }
        if keys.is_ok() && settings.is_ok() {
            self.reloads = now;
        }
    }

    /// Says what a process that changed a role, and died, has left unsaid. It must not hold up revocations either.
    async fn announce(&mut self, app: &App) {
        let now = self.watch.feed().map(|feed| feed.reloads);
        if now == self.announced {
            return;
        }
        match timeout(ANNOUNCE, roles::announce(app)).await {
            Ok(Ok(())) => self.announced = now,
            Ok(Err(error)) => {
                tracing::warn!(error = %Causes(&error), "a changed role is not announced; trying again");
            }
            // A commit that was begun goes on by itself.
            Err(_) => tracing::warn!(
                "announcing a changed role takes long; looking again with the next heartbeat"
            ),
        }
    }
}

fn every_tick(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Drops what has expired from memory.
fn expire(app: &App) -> Result<(), Error> {
    let now = app.clock.now();
    let issuance = app.issuance()?;
    issuance.guard.expire(now.seconds());
    issuance.trust(None, now)
}

async fn purge(app: &App) -> Result<(), Error> {
    let now = app.clock.now();
    while app
        .store
        .purge_sessions(now.minus(SESSION_GRACE), PURGE_ROWS)
        .await?
        == u64::from(PURGE_ROWS)
    {}
    while app
        .store
        .purge_creations(now.minus(once::LIFE), PURGE_ROWS)
        .await?
        == u64::from(PURGE_ROWS)
    {}
    while app
        .store
        .purge_revocations(now.seconds(), PURGE_ROWS)
        .await?
        == u64::from(PURGE_ROWS)
    {}
    outbox::purge(app, now, PURGE_ROWS).await?;
    oauth::purge(app, now, PURGE_ROWS).await?;
    stats::purge(app, now, PURGE_ROWS).await?;
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
