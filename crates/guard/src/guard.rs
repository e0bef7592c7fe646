//! The guard of a resource: judges tokens, and keeps what it judges by up to date.

mod builder;

use std::{sync::Arc, time::Duration};

use symbolon_token::Error;
use tokio::task::JoinHandle;

use crate::{
    cache::Verified,
    checker::Rejection,
    demand::Demand,
    denied::Denied,
    discover::{DiscoverError, Endpoints, discover},
    follow::{Pause, Revision, follow},
    metrics::{Count, Metrics},
    proofs::Presented,
    shared::Shared,
};

pub use builder::GuardBuilder;

/// What a guard does while it does not know whether it has heard of every revocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Staleness {
    /// Answer 503 to whoever has a token that may be good.
    #[default]
    FailClosed,
    /// Ask the issuer about each token: at most 64 at once, 5 seconds each; 503 where that fails.
    Introspect,
    /// Go on with the revocations that are known. A token that was revoked since lives until it expires.
    FailOpen,
}

/// Judges access tokens without asking anybody, while it follows the issuer's keys and revocations.
///
/// Clones are cheap and share everything. The follower ends when the last of them is dropped.
#[derive(Clone, Debug)]
pub struct Guard {
    pub(crate) shared: Arc<Shared>,
    _follower: Arc<Follower>,
}

/// Ends the task when it is dropped.
#[derive(Debug)]
struct Follower(JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What is known of a token without waiting.
pub(crate) enum Judgement {
    Settled(Result<Arc<Verified>, Denied>),
    /// It names a key that is not known, yet.
    UnknownKey,
    /// The issuer is to be asked.
    Ask(Arc<Verified>),
}

impl Guard {
    /// Begins to set up a guard that trusts the tokens of `issuer`, an `https` address without a slash at its end, and
    /// asks it where its keys and its feed are (RFC 8414).
    pub fn discover(issuer: impl Into<String>) -> GuardBuilder {
        GuardBuilder::new(issuer.into())
    }

    /// The token, if it may be let through now. It waits only where it must ask: for keys when the token names one that
    /// is not known, for a verdict when the feed is stale and the policy is [`Staleness::Introspect`].
    ///
    /// A token that is bound to a key is [`Denied::Invalid`] here: see [`verify_presented`](Self::verify_presented).
    ///
    /// # Errors
    ///
    /// The first of [`Denied::Invalid`] and [`Denied::Expired`], [`Denied::Overloaded`], [`Denied::Revoked`],
    /// [`Denied::Stale`] that applies.
    pub async fn verify(&self, token: &str) -> Result<Arc<Verified>, Denied> {
        self.verify_presented(&Presented::bearer(token)).await
    }

    /// As [`verify`](Self::verify), for a token that may be bound to a key, with what its proof is judged by.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify); then [`Denied::InvalidProof`] and [`Denied::NonceNeeded`].
    pub async fn verify_presented(
        &self,
        presented: &Presented<'_>,
    ) -> Result<Arc<Verified>, Denied> {
        let verdict = match self.judge(presented.token) {
            Judgement::Settled(verdict) => verdict,
            undecided => self.ask(presented.token, undecided).await,
        };
        self.counted(self.proven(verdict, presented))
    }

    /// As [`verify`](Self::verify), without waiting: what would need a question is refused.
    ///
    /// For a token that was seen before it takes some 200 ns and allocates nothing.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn check(&self, token: &str) -> Result<Arc<Verified>, Denied> {
        let verdict = match self.judge(token) {
            Judgement::Settled(verdict) => verdict,
            Judgement::UnknownKey => Err(self.unknown_key()),
            Judgement::Ask(_) => Err(Denied::Overloaded),
        };
        self.counted(self.proven(verdict, &Presented::bearer(token)))
    }

    /// Whether a token that is good meets a demand now, for what no layer is in front of.
    ///
    /// # Errors
    ///
    /// [`Denied::Forbidden`] for roles and permissions, [`Denied::InsufficientScope`] for scopes,
    /// [`Denied::InsufficientUserAuthentication`] for sign-ins.
    pub fn require(&self, verified: &Verified, demand: &Demand) -> Result<(), Denied> {
        let claims = verified.claims();
        let leeway = self.shared.checker.leeway();
        let is_met = demand.is_met_at(claims, self.shared.now().0, leeway);
        if is_met {
            return Ok(());
        }
        let denied = demand.denied();
        self.shared.counts.reject(denied);
        Err(denied)
    }

    /// The counters and the state at this moment.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.shared.metrics()
    }

    /// Whether a snapshot was taken and the feed was heard within the staleness bound.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.shared.now().1
    }

    /// Up to where the feed is heeded; none before the first snapshot.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.shared.revision.borrow().clone()
    }

    /// Waits until every entry up to `seq` is heeded (or of another epoch, whose number has come as far).
    pub async fn wait_for(&self, seq: u64) {
        let mut revision = self.shared.revision.subscribe();
        let reached = |now: &Option<Revision>| now.as_ref().is_some_and(|now| now.seq >= seq);
        // The sender lives as long as `self`, so that there is no other end.
        let _ = revision.wait_for(reached).await;
    }

    /// The issuer that is trusted.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.shared.settings.issuer
    }

    /// The audience that tokens must be for.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.shared.settings.audience
    }

    pub(crate) fn judge(&self, token: &str) -> Judgement {
        let shared = &self.shared;
        let (now, is_fresh) = shared.now();
        let verdict = match shared.checker.check(token, now) {
            Err(Rejection::Invalid(Error::UnknownKey)) => return Judgement::UnknownKey,
            Err(rejection @ (Rejection::Invalid(_) | Rejection::Expired)) => {
                tracing::debug!(reason = %rejection, "refused a token");
                return Judgement::Settled(Err(rejection.into()));
            }
            verdict => verdict,
        };
        if is_fresh {
            return Judgement::Settled(verdict.map_err(Denied::from));
        }
        shared.note_staleness();
        match (shared.settings.staleness, verdict) {
            (Staleness::FailClosed, _) => Judgement::Settled(Err(Denied::Overloaded)),
            // The issuer would want a proof of its own, which only the client can make.
            (Staleness::Introspect, Ok(verified)) if verified.claims().cnf.is_some() => {
                Judgement::Settled(Err(Denied::Overloaded))
            }
            (Staleness::Introspect, Ok(verified)) => Judgement::Ask(verified),
            // What is revoked stays revoked, whoever is asked.
            (_, verdict) => Judgement::Settled(verdict.map_err(Denied::from)),
        }
    }

    pub(crate) async fn ask(
        &self,
        token: &str,
        mut judgement: Judgement,
    ) -> Result<Arc<Verified>, Denied> {
        if let Judgement::UnknownKey = judgement {
            self.shared.refetch_keys().await;
            judgement = self.judge(token);
        }
        match judgement {
            Judgement::Settled(verdict) => verdict,
            Judgement::UnknownKey => Err(self.unknown_key()),
            Judgement::Ask(verified) => self.shared.ask(token).await.map(|()| verified),
        }
    }

    /// Without any keys it cannot be told whether a token is good.
    fn unknown_key(&self) -> Denied {
        match self.shared.keyring.is_known() {
            true => Denied::Invalid,
            false => Denied::Overloaded,
        }
    }

    /// The verdict on a token becomes that on the request which brings it.
    pub(crate) fn proven(
        &self,
        verdict: Result<Arc<Verified>, Denied>,
        presented: &Presented<'_>,
    ) -> Result<Arc<Verified>, Denied> {
        let verified = verdict?;
        let bound_to = verified.claims().cnf.as_ref();
        let (now, _) = self.shared.now();
        match self.shared.proofs.check(presented, bound_to, now) {
            Ok(()) => Ok(verified),
            Err(rejection) => {
                tracing::debug!(reason = %rejection, "refused a proof");
                Err(rejection.into())
            }
        }
    }

    /// The value of `DPoP-Nonce` that goes with [`Denied::NonceNeeded`] (RFC 9449 section 9).
    #[must_use]
    pub fn proof_nonce(&self) -> Option<String> {
        self.shared.proofs.nonce(self.shared.now().0)
    }

    pub(crate) fn counted(
        &self,
        verdict: Result<Arc<Verified>, Denied>,
    ) -> Result<Arc<Verified>, Denied> {
        match &verdict {
            Ok(_) => self.shared.counts.count(Count::Accepted),
            Err(denied) => self.shared.counts.reject(*denied),
        }
        verdict
    }

    /// Begins to follow in a task of its own.
    fn following(shared: Arc<Shared>) -> Self {
        let follower = tokio::spawn(run(Arc::clone(&shared)));
        Self {
            shared,
            _follower: Arc::new(Follower(follower)),
        }
    }
}

/// All that goes on beside requests.
async fn run(shared: Arc<Shared>) {
    let endpoints = begin(&shared).await;
    let keep = async {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        loop {
            seconds.tick().await;
            shared.note_staleness();
            shared.refresh_keys().await;
        }
    };
    // Neither ends.
    tokio::join!(follow(&shared, &endpoints.stream), keep);
}

/// Discovers the issuer and fetches its keys, however long it takes.
async fn begin(shared: &Arc<Shared>) -> Endpoints {
    let mut pause = Pause::default();
    loop {
        match connected(shared).await {
            Ok(endpoints) => return endpoints,
            Err(error) => {
                tracing::warn!(%error, "the guard cannot start yet");
                shared.feed_failed(&error.to_string());
            }
        }
        tokio::time::sleep(pause.next()).await;
    }
}

/// The issuer's addresses, after its keys are known.
async fn connected(shared: &Arc<Shared>) -> Result<Endpoints, DiscoverError> {
    let endpoints = match shared.endpoints.get() {
        Some(endpoints) => endpoints.clone(),
        None => {
            let found = discover(&shared.client, &shared.settings.issuer).await?;
            if shared.settings.staleness == Staleness::Introspect && found.verification.is_none() {
                return Err(DiscoverError::Endpoint {
                    name: "verification_uri",
                    reason: "is not there, and the staleness policy needs it",
                });
            }
            shared.endpoints.get_or_init(|| found).clone()
        }
    };
    if !shared.keyring.is_known() {
        let keys = shared.first_keys().await;
        keys.map_err(|reason| DiscoverError::Keys {
            url: endpoints.jwks.to_string(),
            reason,
        })?;
    }
    Ok(endpoints)
}
