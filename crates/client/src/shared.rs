//! What the clones of a client and their tasks share.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::{
    api::Tokens,
    clock::{Clock, millis},
    error::{Error, Refusal},
    flight::Flight,
    lock,
    pause::{self, Jitter},
    presence::{Presence, SignedOutReason, User},
    remote::Remote,
    secret::{AccessToken, RefreshToken},
    store::RefreshTokenStore,
};

/// Where the next token is asked for before the last one expires: so long before, and no more than this part of its life.
const SOON: (u64, u64) = (60_000, 5);
/// Where callers wait for the next token, for the last one could expire on its way.
const VERY_SOON: (u64, u64) = (10_000, 20);

pub(crate) struct Shared {
    pub(crate) remote: Remote,
    pub(crate) store: Box<dyn RefreshTokenStore>,
    /// Scheme, host and port of each server that may see the access token.
    pub(crate) origins: Vec<String>,
    pub(crate) clock: Clock,
    pub(crate) jitter: Mutex<Jitter>,
    pub(crate) retries: Retries,
    pub(crate) presence: watch::Sender<Presence>,
    state: Mutex<State>,
    /// Whoever holds it may read and replace the refresh token. Held by tasks that nobody drops.
    pub(crate) turn: Arc<AsyncMutex<Held>>,
    /// Goes up when one session takes the place of another, or none does. What began before counts no more.
    era: watch::Sender<u64>,
}

/// How often and how long a refresh is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries {
    pub(crate) attempts: u32,
    /// How long all waits between attempts may be, together.
    pub(crate) patience: Duration,
}

/// A refresh token that the server has given and the store could not keep.
#[derive(Default)]
pub(crate) struct Held(pub(crate) Option<RefreshToken>);

#[derive(Default)]
pub(crate) struct State {
    /// Why nobody is signed in. None also while nothing is known.
    over: Option<Over>,
    access: Option<Access>,
    flight: Option<Flight>,
    rest: Option<Rest>,
}

#[derive(Clone)]
struct Over {
    reason: SignedOutReason,
    refusal: Option<Box<Refusal>>,
}

struct Access {
    token: AccessToken,
    /// Milliseconds of the clock.
    soon: u64,
    very_soon: u64,
    expires: u64,
}

/// After a refresh that failed.
struct Rest {
    /// Milliseconds of the clock.
    until: u64,
    /// The server has asked for it: nobody asks before, not even without a token.
    asked_for: bool,
    error: Error,
}

/// What is known of the access token without waiting.
pub(crate) enum Look {
    Now(Result<AccessToken, Error>),
    Later(Flight),
}

impl Shared {
    pub(crate) fn new(
        remote: Remote,
        store: Box<dyn RefreshTokenStore>,
        origins: Vec<String>,
    ) -> Self {
        Self {
            remote,
            store,
            origins,
            clock: Clock::system(),
            jitter: Mutex::new(Jitter::by_chance()),
            retries: Retries::default(),
            presence: watch::Sender::new(Presence::Unknown),
            state: Mutex::default(),
            turn: Arc::default(),
            era: watch::Sender::new(0),
        }
    }

    /// The access token, or the refresh that will give one. A `refused` token does not count as one.
    pub(crate) fn look(self: &Arc<Self>, refused: Option<&AccessToken>) -> Look {
        let now = self.clock.millis();
        let mut state = lock(&self.state);
        if let Some(over) = &state.over {
            return Look::Now(Err(over.error()));
        }
        let is_refused = |token: &AccessToken| refused.is_some_and(|refused| refused.is(token));
        let usable = state.access.as_ref();
        let usable = usable.filter(|access| now < access.expires && !is_refused(&access.token));
        let token = usable.map(|access| access.token.clone());
        let (early, urgent) = usable.map_or((false, true), |access| {
            (now < access.soon, now >= access.very_soon)
        });
        if let (Some(token), true) = (&token, early) {
            return Look::Now(Ok(token.clone()));
        }
        let rest = state.rest.as_ref().filter(|rest| now < rest.until);
        match (rest, &token) {
            (Some(_), Some(token)) => return Look::Now(Ok(token.clone())),
            (Some(rest), None) if rest.asked_for => return Look::Now(Err(rest.error.clone())),
            _ => {}
        }
        let flight = match state.flight.take().filter(Flight::is_under_way) {
            Some(flight) => flight,
            None => Flight::start(self, refused.cloned()),
        };
        state.flight = Some(flight.clone());
        match token {
            Some(token) if !urgent => Look::Now(Ok(token)),
            _ => Look::Later(flight),
        }
    }

    /// The access token while it lasts, however soon that ends.
    pub(crate) fn last(&self) -> Option<AccessToken> {
        let now = self.clock.millis();
        let state = lock(&self.state);
        let access = state.access.as_ref().filter(|access| now < access.expires);
        access.map(|access| access.token.clone())
    }

    /// The access token if it need not be replaced yet.
    pub(crate) fn fresh(&self, refused: Option<&AccessToken>) -> Option<AccessToken> {
        let now = self.clock.millis();
        let state = lock(&self.state);
        let access = state.access.as_ref().filter(|access| now < access.soon)?;
        let is_refused = refused.is_some_and(|refused| refused.is(&access.token));
        (!is_refused).then(|| access.token.clone())
    }

    /// The refresh that is under way.
    pub(crate) fn under_way(&self) -> Option<Flight> {
        lock(&self.state).flight.clone()
    }

    /// Tells when the era ends that it is now.
    pub(crate) fn era(&self) -> watch::Receiver<u64> {
        self.era.subscribe()
    }

    /// Begins another era with the same session: a refresh that waits for the server is broken off.
    pub(crate) fn interrupt(&self) {
        let mut state = lock(&self.state);
        state.flight = None;
        self.era.send_modify(|era| *era += 1);
    }

    /// Begins another era, in which nobody is known to be signed out.
    pub(crate) fn open(&self) {
        let mut state = lock(&self.state);
        *state = State::default();
        self.era.send_modify(|era| *era += 1);
    }

    /// A token is kept: nobody is known to be signed out any more.
    pub(crate) fn reopen(&self, era: &watch::Receiver<u64>) {
        let mut state = lock(&self.state);
        if !has_ended(era) {
            state.over = None;
        }
    }

    /// Nothing is kept. Who was signed out for a reason still is for that reason.
    pub(crate) fn nobody(&self, era: &watch::Receiver<u64>) {
        let mut state = lock(&self.state);
        if !has_ended(era) && state.over.is_none() {
            let reason = SignedOutReason::NoRefreshToken;
            let refusal = None;
            self.shut(&mut state, Over { reason, refusal });
        }
    }

    /// Begins another era, with this session.
    pub(crate) fn begin(&self, tokens: &Tokens, sent: u64, user: User) {
        let mut state = lock(&self.state);
        *state = State::default();
        state.access = Some(Access::new(tokens, sent));
        self.era.send_modify(|era| *era += 1);
        self.tell(Presence::SignedIn(user));
    }

    /// Begins another era, in which nobody is signed in.
    pub(crate) fn close(&self, reason: SignedOutReason) {
        let mut state = lock(&self.state);
        self.shut(
            &mut state,
            Over {
                reason,
                refusal: None,
            },
        );
    }

    /// The same, if this era has not ended already: what to tell who asks for a token.
    pub(crate) fn close_in(
        &self,
        era: &watch::Receiver<u64>,
        reason: SignedOutReason,
        refusal: Option<Box<Refusal>>,
    ) -> Option<Error> {
        let mut state = lock(&self.state);
        let over = Over { reason, refusal };
        let error = over.error();
        if has_ended(era) {
            return None;
        }
        self.shut(&mut state, over);
        Some(error)
    }

    fn shut(&self, state: &mut State, over: Over) {
        let reason = over.reason;
        *state = State::default();
        state.over = Some(over);
        self.era.send_modify(|era| *era += 1);
        self.tell(Presence::SignedOut(reason));
    }

    /// The refresh that began in `era` has an access token. False where that is of no use any more.
    pub(crate) fn renew(&self, tokens: &Tokens, sent: u64, era: &watch::Receiver<u64>) -> bool {
        let mut state = lock(&self.state);
        if has_ended(era) {
            return false;
        }
        state.access = Some(Access::new(tokens, sent));
        state.rest = None;
        true
    }

    /// The refresh that began in `era` has failed, which is not tried again at once while there is a token. Where it has
    /// signed out, another era has begun.
    pub(crate) fn rest(&self, error: &Error, era: &watch::Receiver<u64>) {
        let asked = error.retry_after();
        let pause = asked.unwrap_or(pause::LONGEST);
        let until = self.clock.millis().saturating_add(millis(pause));
        let mut state = lock(&self.state);
        if !has_ended(era) {
            state.rest = Some(Rest {
                until,
                asked_for: asked.is_some(),
                error: error.clone(),
            });
        }
    }

    /// A refresh has ended: its token is not kept twice.
    pub(crate) fn land(&self) {
        lock(&self.state)
            .flight
            .take_if(|flight| !flight.is_under_way());
    }

    /// The user of this era is known.
    pub(crate) fn know(&self, user: &User, era: &watch::Receiver<u64>) {
        let state = lock(&self.state);
        if !has_ended(era) && state.over.is_none() {
            self.tell(Presence::SignedIn(user.clone()));
        }
    }

    /// Told under the lock of the state, so that listeners hear of things in their order.
    fn tell(&self, presence: Presence) {
        self.presence.send_if_modified(|told| {
            let differs = *told != presence;
            *told = presence;
            differs
        });
    }
}

fn has_ended(era: &watch::Receiver<u64>) -> bool {
    era.has_changed().unwrap_or(true)
}

impl Over {
    fn error(&self) -> Error {
        Error::SignedOut {
            reason: self.reason,
            refusal: self.refusal.clone(),
        }
    }
}

impl Access {
    /// A token that was asked for at `sent` (milliseconds of the clock): its life began then at the earliest.
    fn new(tokens: &Tokens, sent: u64) -> Self {
        let life = millis(tokens.life);
        let expires = sent.saturating_add(life);
        let before = |(most, part): (u64, u64)| expires.saturating_sub(most.min(life / part));
        Self {
            token: tokens.access.clone(),
            soon: before(SOON),
            very_soon: before(VERY_SOON),
            expires,
        }
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: 6,
            patience: Duration::from_secs(30),
        }
    }
}
