//! Following the revocation feed.
//!
//! 1. Connect to the stream. Where the last connection left off at a known point, name it (`Last-Event-ID`).
//! 2. A snapshot of the epoch that is live is applied on top while it arrives: within an epoch nothing is taken back, so
//!    the union is right. The first one and one of another epoch are built beside and put in place when they are
//!    complete. Each gives the point from where to go on.
//! 3. Revocations are applied in order; a number that is not above the last one has been applied already. After one that
//!    withdraws a key, the next token with an unknown key may ask for the keys at once.
//! 4. A heartbeat tells the number that must have come by now. A lower one here means that something was lost: connect
//!    anew and name the last point, which brings it.
//! 5. The feed was *heard* when a snapshot, a heartbeat without a gap, or a revocation after one of these was taken
//!    whole. Its `now` gives the skew of the clocks, and lets entries expire: never by this machine's clock, which may
//!    be ahead and would drop what still counts. Where the issuer's own was ahead then, a new snapshot tells all again.
//! 6. Whatever cannot be read is counted; the next connection names no point and gets a snapshot. Nothing is skipped. An
//!    event that the end of a connection cut off is as if it had not come: the next one goes on from the last whole one.
//! 7. No byte for three heartbeats: the connection is dead, although nobody said so. So it is when what comes is as late
//!    as that, by the issuer's own time since the connection was asked for.
//! 8. After each end wait: 100 ms, doubling to 5 s, with jitter; after something new came from the beginning, save where
//!    it ended in what cannot be read or in a gap, for that may come again and again.

mod pause;
mod session;
mod snapshot;
mod stream;
mod wire;

use std::{convert::Infallible, sync::Arc, time::Duration};

use reqwest::{Response, Url, header};
use tokio::time;

use crate::{
    entry::MalformedEntry,
    event::Event,
    metrics::Count,
    remote::{FetchError, PATIENCE, checked, unreachable},
    shared::Shared,
};

pub(crate) use pause::Pause;
pub use wire::Revision;

use session::Session;
use snapshot::Fault;
use stream::{Events, TooLong};

/// Why a connection to the feed is over.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("{0}")]
    Unanswered(#[from] FetchError),
    #[error("the answer is no event stream")]
    OtherType,
    #[error("the connection ended")]
    Ended,
    #[error("nothing came for {} seconds", .0.as_secs_f32())]
    Silent(Duration),
    #[error("what comes is {} seconds late", .0.as_secs_f32())]
    Late(Duration),
    #[error("entries up to {told} should have come, and the last was {last}")]
    Gap { told: u64, last: u64 },
    #[error("{0}")]
    Malformed(&'static str),
}

impl From<TooLong> for Cut {
    fn from(_: TooLong) -> Self {
        Self::Malformed("a word of the stream is too long")
    }
}

impl From<MalformedEntry> for Cut {
    fn from(_: MalformedEntry) -> Self {
        Self::Malformed("an entry is malformed")
    }
}

impl From<Fault> for Cut {
    fn from(fault: Fault) -> Self {
        Self::Malformed(match fault {
            Fault::Entry => "an entry of the snapshot is malformed",
            Fault::Frame => "the snapshot is malformed",
        })
    }
}

/// What outlives a connection.
#[derive(Debug, Default)]
struct Place {
    /// The epoch of what is in the live set.
    epoch: Option<Arc<str>>,
    /// Where to go on; none where only a snapshot helps.
    point: Option<Revision>,
    /// When entries expired last, by the issuer's clock.
    expired: i64,
}

/// Follows the feed for ever.
pub(crate) async fn follow(shared: &Shared, url: &Url) {
    let mut place = Place::default();
    let mut pause = Pause::default();
    let mut is_first = true;
    loop {
        if !std::mem::take(&mut is_first) {
            shared.counts.count(Count::Reconnect);
        }
        let before = pause.clone();
        let cut = match connect(shared, url, &mut place, &mut pause).await {
            Ok(never) => match never {},
            Err(cut) => cut,
        };
        if let Cut::Malformed(_) | Cut::Gap { .. } = cut {
            pause = before;
        }
        let reason = cut.to_string();
        if let Cut::Malformed(_) = cut {
            place.point = None;
            shared.counts.count(Count::Malformed);
            tracing::warn!(%reason, "the revocation feed cannot be read; taking a new snapshot");
            let reason = reason.clone();
            shared.observer.tell(Event::Malformed { reason });
        } else if pause.is_short() {
            tracing::info!(%reason, "the revocation feed was lost; trying again");
        } else {
            tracing::debug!(%reason, "the revocation feed cannot be reached; trying again");
        }
        shared.feed_failed(&reason);
        shared.observer.tell(Event::Disconnected { reason });
        time::sleep(pause.next()).await;
    }
}

/// Steps 1 to 7, until something ends the connection.
async fn connect(
    shared: &Shared,
    url: &Url,
    place: &mut Place,
    pause: &mut Pause,
) -> Result<Infallible, Cut> {
    let asked = shared.clock.read().millis;
    let mut response = open(shared, url, place).await?;
    shared.observer.tell(Event::Connected);
    let silence = shared.settings.silence;
    let mut events = Events::new();
    let mut session = Session::new(shared, place, pause, asked);
    // An event that the end cuts off is as if it had not come: the next connection brings it whole.
    Err(loop {
        match time::timeout(silence, response.chunk()).await {
            Ok(Ok(Some(bytes))) => events.read(&bytes, |part| session.take(part))?,
            Ok(Ok(None)) => break Cut::Ended,
            Ok(Err(error)) => break unreachable(&error).into(),
            Err(_) => break Cut::Silent(silence),
        }
    })
}

async fn open(shared: &Shared, url: &Url, place: &Place) -> Result<Response, Cut> {
    let mut request = shared
        .client
        .get(url.clone())
        .header(header::ACCEPT, "text/event-stream")
        .header(header::CACHE_CONTROL, "no-cache")
        // The stream has no end; where a client's owner set a time for whole answers, it is not meant for this.
        .timeout(Duration::from_secs(365 * 24 * 3600));
    if let Some(point) = &place.point {
        request = request.header("last-event-id", point.to_string());
    }
    if let Some(credentials) = &shared.settings.feed_credentials {
        request = credentials.shown_by(request);
    }
    let response = time::timeout(PATIENCE, request.send())
        .await
        .map_err(|_| FetchError::TimedOut)?
        .map_err(|error| unreachable(&error))?;
    let response = checked(response, url)?;
    let is_stream = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    match is_stream {
        true => Ok(response),
        false => Err(Cut::OtherType),
    }
}
