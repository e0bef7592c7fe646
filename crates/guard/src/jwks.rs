//! The issuer's keys, fetched at the start, every five minutes, and when a token names a key that is not known.
//!
//! 1. One fetch at a time: whoever wants one while one is under way waits for that.
//! 2. Unknown keys cause a fetch only where the last one began 10 seconds ago or longer; anybody can write a token
//!    that names an unknown key. Where the feed has just told that a key was withdrawn, they need not wait: what follows
//!    is signed with another.
//! 3. A fetch that fails changes nothing: the old keys stay, and it is tried again after half a minute.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use symbolon_token::KeySet;
use tokio::sync::watch;

use crate::{
    clock::millis,
    event::Event,
    metrics::Count,
    remote::{FetchError, PATIENCE, fetch},
    shared::Shared,
};

/// Between two fetches that unknown keys cause.
const COOL_DOWN: Duration = Duration::from_secs(10);
/// Between two fetches without cause.
const INTERVAL: Duration = Duration::from_secs(5 * 60);
/// The same after one that failed.
const RETRY: Duration = Duration::from_secs(30);

/// When keys were fetched.
#[derive(Debug)]
pub(crate) struct Keyring {
    state: Mutex<State>,
    outcome: watch::Sender<Outcome>,
}

#[derive(Debug, Default)]
struct State {
    is_fetching: bool,
    /// When the last fetch began, in the clock's milliseconds.
    began: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Outcome {
    fetches: u64,
    /// Whether there have ever been keys.
    any: bool,
    failure: Option<FetchError>,
}

impl Default for Keyring {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            outcome: watch::Sender::new(Outcome::default()),
        }
    }
}

impl Keyring {
    /// Whether there have ever been keys.
    pub(crate) fn is_known(&self) -> bool {
        self.outcome.borrow().any
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Fetches keys after a token named an unknown one, unless that was done just now.
    pub(crate) async fn refetch_keys(self: &Arc<Self>) {
        self.fetch_keys(COOL_DOWN).await;
    }

    /// Notes that the keys are others than those fetched last.
    pub(crate) fn keys_changed(&self) {
        self.keyring.state().began = None;
    }

    /// Fetches keys if that has not been done for a while.
    pub(crate) async fn refresh_keys(self: &Arc<Self>) {
        let has_failed = self.keyring.outcome.borrow().failure.is_some();
        let apart = if has_failed { RETRY } else { INTERVAL };
        self.fetch_keys(apart).await;
    }

    /// Fetches keys now.
    pub(crate) async fn first_keys(self: &Arc<Self>) -> Result<(), FetchError> {
        self.fetch_keys(Duration::ZERO).await;
        match self.keyring.outcome.borrow().failure.clone() {
            None => Ok(()),
            Some(failure) => Err(failure),
        }
    }

    async fn fetch_keys(self: &Arc<Self>, apart: Duration) {
        let mut outcome = self.keyring.outcome.subscribe();
        if self.begin_fetch(apart) {
            // The fetch has a bound of its own; this one is for a runtime that ends under it.
            let _ = tokio::time::timeout(2 * PATIENCE, outcome.changed()).await;
        }
    }

    /// Whether a fetch is under way, if need be a new one: in a task of its own, which goes on if the request that
    /// caused it is given up.
    fn begin_fetch(self: &Arc<Self>, apart: Duration) -> bool {
        if self.endpoints.get().is_none() {
            return false;
        }
        let now = self.clock.read().millis;
        let mut state = self.keyring.state();
        if state.is_fetching {
            return true;
        }
        let waited = |began: u64| now.saturating_sub(began) >= millis(apart);
        if !state.began.is_none_or(waited) {
            return false;
        }
        *state = State {
            is_fetching: true,
            began: Some(now),
        };
        drop(state);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let fetched = shared.fetch_key_set().await;
            shared.end_fetch(fetched);
        });
        true
    }

    async fn fetch_key_set(&self) -> Result<KeySet, FetchError> {
        self.counts.count(Count::KeyFetch);
        match self.endpoints.get() {
            Some(endpoints) => {
                let body = fetch(&self.client, &endpoints.jwks).await?;
                Ok(KeySet::from_jwks_json(&body)?)
            }
            None => Ok(KeySet::default()),
        }
    }

    fn end_fetch(&self, fetched: Result<KeySet, FetchError>) {
        let failure = match fetched {
            Ok(keys) => {
                let count = keys.len();
                self.checker.set_keys(keys);
                self.observer.tell(Event::KeysFetched { keys: count });
                None
            }
            Err(failure) => {
                self.counts.count(Count::KeyFailure);
                tracing::warn!(reason = %failure, "the issuer's keys could not be fetched; the old ones stay");
                let reason = failure.to_string();
                self.observer.tell(Event::KeysFailed { reason });
                Some(failure)
            }
        };
        // In this order: who begins to wait from now on does not wait for what is over.
        self.keyring.state().is_fetching = false;
        self.keyring.outcome.send_modify(|outcome| {
            outcome.fetches += 1;
            outcome.any |= failure.is_none();
            outcome.failure = failure;
        });
    }
}
