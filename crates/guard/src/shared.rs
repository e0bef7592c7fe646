//! What a guard and its follower share.

use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::Client;
use tokio::sync::{Semaphore, watch};

use crate::{
    address::Address,
    checker::Checker,
    clock::Clock,
    credentials::FeedCredentials,
    discover::Endpoints,
    event::{Event, Observer},
    follow::Revision,
    guard::Staleness,
    jwks::Keyring,
    metrics::{Count, Counts, Metrics},
    proofs::Proofs,
};

/// A difference between clocks that is not worth a word.
const SMALL_SKEW: i64 = 2;
/// Before the first snapshot.
const NEVER: u64 = u64::MAX;
/// The same for clocks: whatever is compared next counts more.
const UNCOMPARED: i64 = i64::MIN;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) staleness: Staleness,
    /// Milliseconds.
    pub(crate) staleness_bound: u64,
    pub(crate) silence: Duration,
    pub(crate) resource: Option<String>,
    pub(crate) resource_metadata: Option<String>,
    pub(crate) scopes: Vec<String>,
    /// Where clients reach the resource; without it no proof can be judged.
    pub(crate) address: Option<Address>,
    pub(crate) feed_credentials: Option<FeedCredentials>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) checker: Checker,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) client: Client,
    /// Known once the issuer was asked.
    pub(crate) endpoints: OnceLock<Endpoints>,
    pub(crate) keyring: Keyring,
    pub(crate) counts: Counts,
    pub(crate) observer: Observer,
    pub(crate) proofs: Proofs,
    /// Bounds the questions about tokens that are under way.
    pub(crate) asking: Semaphore,
    /// What was applied last.
    pub(crate) revision: watch::Sender<Option<Revision>>,
    /// When the feed was heard, in the clock's milliseconds.
    heard: AtomicU64,
    /// Whether it was said that the feed is not heard any more.
    is_told_stale: AtomicBool,
    skew: AtomicI64,
    /// The last comparison of the clocks; `UNCOMPARED` before the first.
    ahead: AtomicI64,
    last_failure: Mutex<Option<String>>,
}

/// All that a guard is made of.
pub(crate) struct Ingredients {
    pub(crate) checker: Checker,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) client: Client,
    pub(crate) endpoints: Option<Endpoints>,
    pub(crate) observer: Observer,
    pub(crate) proofs: Proofs,
}

/// Questions about tokens that may be under way at once.
const ASKING: usize = 64;

impl Shared {
    pub(crate) fn new(ingredients: Ingredients) -> Self {
        Self {
            checker: ingredients.checker,
            clock: ingredients.clock,
            settings: ingredients.settings,
            client: ingredients.client,
            endpoints: ingredients
                .endpoints
                .map_or_else(OnceLock::new, OnceLock::from),
            keyring: Keyring::default(),
            counts: Counts::default(),
            observer: ingredients.observer,
            proofs: ingredients.proofs,
            asking: Semaphore::new(ASKING),
            revision: watch::Sender::new(None),
            heard: AtomicU64::new(NEVER),
            is_told_stale: AtomicBool::new(false),
            skew: AtomicI64::new(0),
            ahead: AtomicI64::new(UNCOMPARED),
            last_failure: Mutex::new(None),
        }
    }

    /// The time to judge tokens by, in seconds since 1970, and whether the feed is fresh.
    pub(crate) fn now(&self) -> (i64, bool) {
        let reading = self.clock.read();
        let now = reading
            .unix
            .saturating_add(self.skew.load(Ordering::Relaxed));
        (now, self.is_fresh_at(reading.millis))
    }

    fn is_fresh_at(&self, millis: u64) -> bool {
        let heard = self.heard.load(Ordering::Acquire);
        heard != NEVER && millis.saturating_sub(heard) <= self.settings.staleness_bound
    }

    /// The feed was heard just now.
    pub(crate) fn heard(&self) {
        self.heard
            .store(self.clock.read().millis, Ordering::Release);
        if self.is_told_stale.swap(false, Ordering::AcqRel) {
            tracing::info!("the revocation feed is heard again");
            self.observer.tell(Event::Fresh);
        }
    }

    /// Says it once when the feed is not heard any more.
    pub(crate) fn note_staleness(&self) {
        let was_heard = self.heard.load(Ordering::Acquire) != NEVER;
        if was_heard
            && !self.is_fresh_at(self.clock.read().millis)
            && !self.is_told_stale.swap(true, Ordering::AcqRel)
        {
            let policy = self.settings.staleness;
            tracing::warn!(
                ?policy,
                "the revocation feed has not been heard for too long"
            );
            self.observer.tell(Event::Stale);
        }
    }

    /// The issuer's clock is ahead of this machine's by so many seconds. What was late on its way makes it seem slow, so
    /// of the last two the higher counts.
    pub(crate) fn skewed(&self, seconds: i64) {
        let seconds = seconds.max(self.ahead.swap(seconds, Ordering::Relaxed));
        let counts = seconds.saturating_abs() >= SMALL_SKEW;
        let next = if counts { seconds } else { 0 };
        let last = self.skew.swap(next, Ordering::Relaxed);
        if counts == (last != 0) {
            return;
        }
        match counts {
            true => tracing::warn!(
                seconds,
                "the issuer's clock differs from this machine's; tokens are judged by the issuer's"
            ),
            false => tracing::info!("the issuer's clock agrees with this machine's again"),
        }
        let seconds = counts.then_some(seconds);
        self.observer.tell(Event::Skew { seconds });
    }

    /// All entries up to there are heeded.
    pub(crate) fn reached(&self, point: Revision) {
        self.revision.send_replace(Some(point));
    }

    pub(crate) fn feed_failed(&self, reason: &str) {
        *self.failure() = Some(reason.to_owned());
    }

    /// What went wrong with the feed last.
    pub(crate) fn last_failure(&self) -> Option<String> {
        self.failure().clone()
    }

    fn failure(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn metrics(&self) -> Metrics {
        let millis = self.clock.read().millis;
        let heard = self.heard.load(Ordering::Acquire);
        let revision = self.revision.borrow().clone();
        let value = |what| self.counts.value(what);
        Metrics {
            accepted: value(Count::Accepted),
            rejected: self.counts.rejected(),
            reconnects: value(Count::Reconnect),
            snapshots: value(Count::Snapshot),
            applied: value(Count::Applied),
            malformed: value(Count::Malformed),
            key_fetches: value(Count::KeyFetch),
            key_failures: value(Count::KeyFailure),
            introspections: value(Count::Introspection),
            fresh: self.is_fresh_at(millis),
            seconds_since_heard: (heard != NEVER)
                .then(|| Duration::from_millis(millis.saturating_sub(heard)).as_secs_f64()),
            entries: self.checker.revocations().len(),
            seq: revision.as_ref().map_or(0, |revision| revision.seq),
            epoch: revision.map(|revision| revision.epoch.to_string()),
            skew: self.skew.load(Ordering::Relaxed),
        }
    }
}
