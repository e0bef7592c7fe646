//! Telling clients that a session of theirs has ended (OpenID Connect Back-Channel Logout 1.0).
//!
//! 1. Whatever ends a session of a client notes it in the same batch ([`crate::flows`], `consequences`), if the client has a
//!    `backchannel_logout_uri` (section 2.2). So does the end of the sign-in that a session with `offline_access` came from,
//!    which goes on for its refresh token alone (section 2.7). Nobody who signs out waits for a client.
//! 2. Each client has a lane of its own: one that hangs holds up what it is to be told itself, and nobody else (SECURITY
//!    row F6). A client that is disabled, gone, or has no such address any more is told nothing.
//! 3. What is due is taken for a time: if the worker dies, another takes it then. Two never tell the same at once.
//! 4. The logout token is made (section 2.4): `typ` is `logout+jwt`, it has both `sub` and `sid` and no `nonce`, is good for
//!    two minutes, and is signed as ID tokens are (section 2.6).
//! 5. It is posted as a form (section 2.5), by the bounded client: addresses of the internet only, five seconds (SECURITY
//!    rows F1, F2 and F6).
//! 6. The status tells what follows (section 2.8): [`logout_outcome`]. A client that does not answer at all is left alone for
//!    a minute, with everything that waits for it.
//!
//! A worker that dies between the client's answer and its own note of it tells the client again: that a session has ended
//! stays true.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::{Map, Value, json};
use symbolon_domain::oauth::{LOGOUT_DELIVERY, LogoutOutcome, SILENCE, logout_outcome};
use symbolon_domain::{Client, ClientId, ClientStatus, EndpointUri, Timestamp};
use symbolon_store::LogoutRow;
use symbolon_token::Typ;
use tokio::task::{Id, JoinError, JoinSet};

use super::{claims, id_token};
use crate::app::App;
use crate::clock::Stopwatch;
use crate::flows::clients::resolve;
use crate::flows::{Error, Origin, audit_id, lost_race};
use crate::jobs::Causes;
use crate::metrics::Count;
use crate::outbound::{Answer, Call, Credentials, OutboundError, Sent};

/// The one member of `events` (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How long a logout token is good: a short time, two minutes at most (section 2.4).
const LIFE_S: i64 = 120;
/// How long a worker has one for itself; longer than a call may take, with the wait for its place.
const LEASE: Duration = Duration::from_secs(60);
/// Clients that are told side by side, and calls to each: half of the calls that may be made at once.
const MOST_LANES: usize = 16;
const AT_ONCE: usize = 2;
/// What is taken from the store at once.
const PAGE: u32 = 16;
/// How long a client has a lane, a page more or less: one that answers slowly leaves it to others.
const TURN: Duration = Duration::from_secs(30);
/// Up to here it is counted how many wait.
const MOST_COUNTED: u32 = 100_000;
/// Longest answer that is read, in bytes.
const MOST: usize = 64 * 1024;
/// How soon one is called again that our own bound on calls to its host kept from being called.
const BUSY_PAUSE: Duration = Duration::from_secs(2);

/// The clients that are being told.
#[derive(Default)]
pub struct Lanes {
    running: JoinSet<Option<Timestamp>>,
    clients: HashMap<Id, ClientId>,
    /// Until when clients are left alone that did not answer: those of the last minute.
    silent: HashMap<ClientId, Timestamp>,
}

impl Lanes {
    /// Step 2: opens lanes for clients that there is something to tell, and does not wait for them.
    ///
    /// # Errors
    /// As the store says.
    pub async fn begin(&mut self, app: &Arc<App>) -> Result<(), Error> {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.close(ended);
        }
        let now = app.clock.now();
        self.silent.retain(|_, until| *until > now);
        let waiting = app.store.count_waiting_logouts(MOST_COUNTED).await?;
        app.metrics.logouts_wait(waiting.into());
        // Those that have a lane may stand before the others.
        let most = 2 * MOST_LANES as u32;
        for client in app.store.list_logout_clients(now, most).await? {
            if self.running.len() == MOST_LANES {
                break;
            }
            if self.clients.values().any(|known| *known == client) {
                continue;
            }
            if let Some(until) = self.silent.get(&client) {
                // What ended since then waits as well, and stands in nobody's way.
                put_off(app, &client, *until).await?;
                continue;
            }
            let lane = lane(Arc::clone(app), client.clone());
            let lane = self.running.spawn(lane);
            self.clients.insert(lane.id(), client);
        }
        Ok(())
    }

    /// Waits until every lane is closed.
    pub async fn finish(&mut self) {
        while let Some(ended) = self.running.join_next_with_id().await {
            self.close(ended);
        }
    }

    fn close(&mut self, ended: Result<(Id, Option<Timestamp>), JoinError>) {
        let (id, silent) = match ended {
            Ok(ended) => ended,
            Err(broken) => (broken.id(), None),
        };
        if let Some((client, until)) = self.clients.remove(&id).zip(silent) {
            self.silent.insert(client, until);
        }
    }
}

/// Who is told, and where.
struct Listener {
    client: Arc<Client>,
    uri: EndpointUri,
}

async fn lane(app: Arc<App>, client: ClientId) -> Option<Timestamp> {
    match drain(&app, &client).await {
        Ok(silent) => silent,
        Err(error) => {
            tracing::warn!(%client, error = %Causes(&error), "telling a client of ended sessions failed; trying again");
            None
        }
    }
}

/// Steps 2 to 6 for all that a client is to be told by now: until when it is left alone, if it did not answer.
async fn drain(app: &App, id: &ClientId) -> Result<Option<Timestamp>, Error> {
    let turn = Stopwatch::start();
    while turn.elapsed() < TURN {
        let now = app.clock.now();
        let listener = match resolve(app, id, &Origin::default()).await {
            Ok(found) => found.and_then(listening),
            // Its document cannot be had now.
            Err(Error::Refused(_)) => return leave_alone(app, id).await,
            Err(error) => return Err(error),
        };
        let Some(listener) = listener else {
            drop_up_to(app, id, now, "there is nobody to tell any more").await?;
            return Ok(None);
        };
        let due = app.store.list_due_logouts(id, now, PAGE).await?;
        if due.is_empty() {
            return Ok(None);
        }
        if !told_all(app, &listener, due).await? {
            return leave_alone(app, id).await;
        }
    }
    // Others have the lane now; what is left is due still.
    Ok(None)
}

fn listening(client: Arc<Client>) -> Option<Listener> {
    let uri = client.definition.backchannel_logout_uri.clone()?;
    let active = client.definition.status == ClientStatus::Active;
    active.then_some(Listener { client, uri })
}

/// Tells it of each, and goes no further once it does not answer: whether it did.
async fn told_all(app: &App, listener: &Listener, due: Vec<LogoutRow>) -> Result<bool, Error> {
    let mut rest = due.into_iter();
    let mut running = FuturesUnordered::new();
    let mut answers = true;
    loop {
        while answers
            && running.len() < AT_ONCE
            && let Some(row) = rest.next()
        {
            running.push(tell(app, listener, row));
        }
        match running.next().await {
            Some(answered) => answers &= answered?,
            None => return Ok(answers),
        }
    }
}

/// What a client that does not answer is to be told is put off; what is too old is dropped.
async fn leave_alone(app: &App, id: &ClientId) -> Result<Option<Timestamp>, Error> {
    let now = app.clock.now();
    let too_old = now.minus(LOGOUT_DELIVERY);
    drop_up_to(app, id, too_old, "it did not answer for a day").await?;
    let until = now.plus(SILENCE);
    put_off(app, id, until).await?;
    Ok(Some(until))
}

async fn put_off(app: &App, id: &ClientId, until: Timestamp) -> Result<(), Error> {
    let mut batch = app.store.batch();
    batch.postpone_client_logouts(id, app.clock.now(), until);
    Ok(batch.commit().await?)
}

/// Drops what the client was to be told of sessions that ended until then.
async fn drop_up_to(
    app: &App,
    id: &ClientId,
    before: Timestamp,
    reason: &'static str,
) -> Result<(), Error> {
    let mut dropped = 0;
    loop {
        let some = app.store.purge_logouts(id, before, PAGE).await?;
        dropped += some;
        if some < u64::from(PAGE) {
            break;
        }
    }
    if dropped > 0 {
        app.metrics.logouts_dropped(dropped);
        tracing::warn!(client = %id, dropped, reason, "a client is not told of ended sessions");
    }
    Ok(())
}

/// Steps 3 to 6 for one session: false where there was no answer.
async fn tell(app: &App, listener: &Listener, row: LogoutRow) -> Result<bool, Error> {
    let now = app.clock.now();
    let claimed = LogoutRow {
        due_at: now.plus(LEASE),
        attempts: row.attempts.saturating_add(1),
        ..row.clone()
    };
    let mut batch = app.store.batch();
    batch.claim_logout(&row, claimed.due_at);
    let committed = batch.commit().await;
    if lost_race(&committed) {
        // Another node is at it.
        return Ok(true);
    }
    committed?;
    let token = logout_token(app, &listener.client, &claimed, now).await?;
    let call = Call {
        url: listener.uri.as_str(),
        sent: Sent::Form(&[("logout_token", &token)]),
        credentials: Credentials::None,
        most: MOST,
    };
    let answer = app.outbound.call(call).await;
    if answer
        .as_ref()
        .is_err_and(|error| *error == OutboundError::Busy)
    {
        // Our own bound, and nobody's silence: it was not told, and is told soon.
        let mut batch = app.store.batch();
        batch.release_logout(&claimed, now.plus(BUSY_PAUSE));
        let postponed = batch.commit().await;
        if !lost_race(&postponed) {
            postponed?;
        }
        return Ok(true);
    }
    settle(app, &claimed, &answer).await?;
    Ok(matches!(answer, Ok(_) | Err(OutboundError::Forbidden)))
}

/// Step 4.
async fn logout_token(
    app: &App,
    client: &Client,
    row: &LogoutRow,
    now: Timestamp,
) -> Result<String, Error> {
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| {
        all.insert(name.to_owned(), value);
    };
    put("iss", json!(app.issuance()?.issuer));
    put("aud", json!(client.id.as_str()));
    put("iat", json!(now.seconds()));
    put("exp", json!(now.seconds() + LIFE_S));
    put("jti", json!(audit_id(app, now)?.to_string()));
    put("events", json!({EVENT: {}}));
    put("sub", json!(claims::subject(app, client, row.user)?));
    put("sid", json!(row.session.to_string()));
    let algorithm = id_token::algorithm(app, client, now)?;
    let typ = Typ::Other(Cow::Borrowed("logout+jwt"));
    id_token::sign(app, algorithm, typ, &all, now).await
}

/// Step 6.
async fn settle(
    app: &App,
    row: &LogoutRow,
    answer: &Result<Answer, OutboundError>,
) -> Result<(), Error> {
    let status = answer.as_ref().ok().map(|answer| answer.status);
    let outcome = match answer {
        Err(OutboundError::Forbidden) => LogoutOutcome::Refused,
        _ => logout_outcome(status, (row.created_at, row.attempts), app.clock.now()),
    };
    let error = answer.as_ref().err().map(ToString::to_string);
    let (client, session, attempts) = (&row.client, &row.session, row.attempts);
    let mut batch = app.store.batch();
    match outcome {
        LogoutOutcome::Again(at) => batch.postpone_logout(row, at),
        _ => batch.delete_logout(row),
    };
    match outcome {
        LogoutOutcome::Heard => app.metrics.count(Count::LogoutTold),
        LogoutOutcome::Again(_) => {
            app.metrics.count(Count::LogoutFailed);
            tracing::info!(%client, %session, attempts, status, error, "a client was not told of an ended session; trying again");
        }
        LogoutOutcome::Refused | LogoutOutcome::GivenUp => {
            app.metrics.count(Count::LogoutFailed);
            app.metrics.logouts_dropped(1);
            tracing::warn!(%client, %session, attempts, status, error, "a client is not told of an ended session: {outcome:?}");
        }
    }
    let committed = batch.commit().await;
    // Somebody else has it by now: what becomes of it is theirs to say.
    if lost_race(&committed) {
        return Ok(());
    }
    Ok(committed?)
}
