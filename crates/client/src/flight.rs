//! A refresh, and everybody who waits for it.
//!
//! 1. Whoever needs an access token joins the refresh that is under way, or starts one in a task of its own: dropping
//!    those who wait does not stop it, so that no answer of the server is thrown away.
//! 2. The task waits for its turn with the refresh token. Where the last turn has brought a fresh access token, it is done.
//! 3. A refresh token that the store could not keep the last time is kept first; else the store is asked for its own.
//!    There may be none, which signs out.
//! 4. The token is presented (CONTRACT section 5). What has no answer, is busy or is broken is tried again with the same
//!    token, after a wait that grows; the server gives the same answer again. It waits as long as it is asked to, and
//!    gives up where that is too long. Nothing of this signs anybody out.
//! 5. A refused token signs out, unless the store has another one by now, of another process: then that one is presented.
//! 6. The next refresh token is kept, durably. Only then is the access token handed out.
//!
//! A sign-in or a sign-out meanwhile ends the wait for the server, and what comes of the refresh is of no use.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    api::Tokens,
    error::{Error, Refusal},
    lock, pause,
    presence::SignedOutReason,
    secret::{AccessToken, RefreshToken},
    shared::{Look, Shared},
};

/// How long the first answers may take. The server repeats an answer without conditions for 10 seconds (`leeway`), in
/// which two more attempts fit.
pub(crate) const PROMPT: Duration = Duration::from_secs(4);
const PROMPT_ATTEMPTS: u32 = 2;
/// How often a caller looks again whose refresh was overtaken by a sign-in or a sign-out.
const ROUNDS: u32 = 8;
/// How many tokens of other processes are tried.
const OTHERS: u32 = 3;

type Outcome = Result<AccessToken, Halt>;

/// A refresh that is under way. Clones wait for the same one.
#[derive(Clone)]
pub(crate) struct Flight(watch::Receiver<Option<Outcome>>);

#[derive(Clone)]
enum Halt {
    Failed(Error),
    /// Somebody has signed in or out.
    Overtaken,
}

impl Flight {
    pub(crate) fn start(shared: &Arc<Shared>, refused: Option<AccessToken>) -> Self {
        let (done, flight) = watch::channel(None);
        let (shared, era) = (Arc::clone(shared), shared.era());
        tokio::spawn(async move {
            let outcome = shared.fly(refused.as_ref(), era.clone()).await;
            if let Err(Halt::Failed(error)) = &outcome {
                shared.rest(error, &era);
            }
            let _nobody_waits = done.send(Some(outcome));
            shared.land();
        });
        Self(flight)
    }

    /// Whether it has not ended, and its task was not ended either.
    pub(crate) fn is_under_way(&self) -> bool {
        self.0.borrow().is_none() && self.0.has_changed().is_ok()
    }

    /// What came of it. None where that is to be looked for again.
    async fn outcome(mut self) -> Option<Result<AccessToken, Error>> {
        let outcome = self.0.wait_for(Option::is_some).await.ok()?;
        match outcome.clone()? {
            Ok(token) => Some(Ok(token)),
            Err(Halt::Failed(error)) => Some(Err(error)),
            Err(Halt::Overtaken) => None,
        }
    }
}

impl Shared {
    /// An access token that has some time left.
    pub(crate) async fn access_token(self: &Arc<Self>) -> Result<AccessToken, Error> {
        let renewed = self.wait(None).await;
        match renewed {
            // As long as it lasts, the old one is as good. Who is signed out has none.
            Err(_) => self.last().map_or(renewed, Ok),
            Ok(_) => renewed,
        }
    }

    /// Waits until the refresh that is under way has ended, if there is one, and its token is kept.
    pub(crate) async fn settled(&self) {
        if let Some(flight) = self.under_way() {
            let _whatever_came_of_it = flight.outcome().await;
        }
        drop(self.turn.lock().await);
    }

    /// Another one than this, which somebody did not let through.
    pub(crate) async fn instead_of(
        self: &Arc<Self>,
        refused: &AccessToken,
    ) -> Result<AccessToken, Error> {
        self.wait(Some(refused)).await
    }

    async fn wait(self: &Arc<Self>, refused: Option<&AccessToken>) -> Result<AccessToken, Error> {
        for _ in 0..ROUNDS {
            let flight = match self.look(refused) {
                Look::Now(result) => return result,
                Look::Later(flight) => flight,
            };
            match flight.outcome().await {
                // It was on its way to us when it was refused already.
                Some(Ok(token)) if refused.is_some_and(|refused| refused.is(&token)) => {}
                Some(result) => return result,
                None => {}
            }
        }
        Err(Error::Interrupted)
    }

    /// Steps 2 to 6.
    async fn fly(&self, refused: Option<&AccessToken>, mut era: watch::Receiver<u64>) -> Outcome {
        let mut held = Arc::clone(&self.turn).lock_owned().await;
        if era.has_changed().unwrap_or(true) {
            return Err(Halt::Overtaken);
        }
        if let Some(token) = self.fresh(refused) {
            return Ok(token);
        }
        let _exclusive = self.store.exclusive().await?;
        if let Some(unkept) = &held.0 {
            self.store.save(unkept).await?;
            held.0 = None;
        }
        let mut presented = self.store.load().await?;
        for _ in 0..OTHERS {
            let Some(token) = &presented else {
                return Err(self.ended(SignedOutReason::NoRefreshToken, None, &era));
            };
            let exchanged = tokio::select! {
                biased;
                _ = era.changed() => return Err(Halt::Overtaken),
                exchanged = self.exchange(token) => exchanged,
            };
            let (error, reason) = match exchanged {
                Ok((tokens, sent)) => {
                    let kept = self.store.save(&tokens.refresh).await;
                    held.0 = kept.is_err().then(|| tokens.refresh.clone());
                    kept?;
                    let counts = self.renew(&tokens, sent, &era);
                    return counts.then_some(tokens.access).ok_or(Halt::Overtaken);
                }
                Err(error) => match ends_the_session(&error) {
                    Some(reason) => (error, reason),
                    None => return Err(Halt::Failed(error)),
                },
            };
            let stored = self.store.load().await?;
            if stored.as_ref().is_none_or(|stored| stored.is(token)) {
                return Err(self.over(reason, error, &era).await);
            }
            presented = stored;
        }
        Err(Halt::Failed(Error::Interrupted))
    }

    /// Step 4: the next tokens, and when the request was sent that they answer.
    async fn exchange(&self, token: &RefreshToken) -> Result<(Tokens, u64), Error> {
        let mut waited = Duration::ZERO;
        let mut failures = 0;
        loop {
            let timeout = match failures < PROMPT_ATTEMPTS {
                true => PROMPT.min(self.remote.timeout),
                false => self.remote.timeout,
            };
            let sent = self.clock.millis();
            let error = match self.remote.refresh(token, timeout).await {
                Ok(tokens) => return Ok((tokens, sent)),
                Err(error) => error,
            };
            failures += 1;
            waited = self.pause(error, failures, waited).await?;
        }
    }

    /// Waits before the next attempt, if there is to be one: how long it has waited in all.
    pub(crate) async fn pause(
        &self,
        error: Error,
        failures: u32,
        waited: Duration,
    ) -> Result<Duration, Error> {
        if !error.is_transient() || failures >= self.retries.attempts {
            return Err(error);
        }
        let own = lock(&self.jitter).of(pause::whole(failures));
        let wait = own.saturating_add(error.retry_after().unwrap_or_default());
        let waited = waited.saturating_add(wait);
        if waited > self.retries.patience {
            return Err(error);
        }
        self.clock.wait(wait).await;
        Ok(waited)
    }

    /// Step 5.
    async fn over(
        &self,
        reason: SignedOutReason,
        error: Error,
        era: &watch::Receiver<u64>,
    ) -> Halt {
        // It is dead in any case.
        let _nothing_else_can_be_done = self.store.clear().await;
        let refusal = match error {
            Error::Refused(refusal) => Some(refusal),
            _ => None,
        };
        self.ended(reason, refusal, era)
    }

    fn ended(
        &self,
        reason: SignedOutReason,
        refusal: Option<Box<Refusal>>,
        era: &watch::Receiver<u64>,
    ) -> Halt {
        let error = self.close_in(era, reason, refusal);
        error.map_or(Halt::Overtaken, Halt::Failed)
    }
}

impl From<crate::store::StoreError> for Halt {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Failed(Error::Storage(error))
    }
}

/// Why the session is over, if that is what the refusal says. A busy server says nothing of the kind, whatever its words.
fn ends_the_session(error: &Error) -> Option<SignedOutReason> {
    let refusal = error.refusal().filter(|refusal| !refusal.is_transient())?;
    SignedOutReason::of_refresh(&refusal.code)
}
