//! Following the revocation feed.
//!
//! 1. Connect to the stream. Where the last connection left off at a known point, name it (`Last-Event-ID`).
//! 2. A snapshot of the epoch that is live is applied on top while it arrives: within an epoch nothing is taken back, so
//!    the union is right. The first one and one of another epoch are built beside and put in place when they are
//!    complete. Each gives the point from where to go on.
//! 3. Revocations are applied in order; a number that is not above the last one has been applied already.
//! 4. A heartbeat tells the number that must have come by now. A lower one here means that something was lost: connect
//!    anew and name the last point, which brings it.
//! 5. The feed was *heard* when a snapshot, a heartbeat without a gap, or a revocation after one of these was taken
//!    whole. Its `now` gives the skew of the clocks, and lets entries expire: never by this machine's clock, which may
//!    be ahead and would drop what still counts.
//! 6. Whatever cannot be read, or ends in the middle of an event, is counted; the next connection names no point and
//!    gets a snapshot. Nothing is skipped.
//! 7. No byte for three heartbeats: the connection is dead, although nobody said so.
//! 8. After each end wait: 100 ms, doubling to 5 s, with jitter; after something was heard from the beginning.

mod snapshot;
mod stream;
mod wire;

use std::{
    convert::Infallible,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use reqwest::{Response, Url, header};
use tokio::time;

use crate::{
    entry::MalformedEntry,
    event::Event,
    metrics::Count,
    remote::{FetchError, PATIENCE, checked, unreachable},
    revocations::Replacement,
    shared::Shared,
};

pub use wire::Revision;

use snapshot::{Fault, Scanner};
use stream::{Events, Part, TooLong};

/// The longest data of an event other than a snapshot.
const LONGEST_DATA: usize = 4 * 1024;
/// Seconds of the issuer's clock between two times that entries expire.
const EXPIRY_EVERY: i64 = 30;

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
        let cut = match connect(shared, url, &mut place, &mut pause).await {
            Ok(never) => match never {},
            Err(cut) => cut,
        };
        let reason = cut.to_string();
        if let Cut::Malformed(_) = cut {
            place.point = None;
            shared.counts.count(Count::Malformed);
            tracing::warn!(%reason, "the revocation feed cannot be read; taking a new snapshot");
            let reason = reason.clone();
            shared.observer.tell(Event::Malformed { reason });
        } else {
            tracing::info!(%reason, "the revocation feed was lost; trying again");
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
    let mut response = open(shared, url, place).await?;
    shared.observer.tell(Event::Connected);
    let silence = shared.settings.silence;
    let mut events = Events::new();
    let mut session = Session::new(shared, place, pause);
    let ended = loop {
        match time::timeout(silence, response.chunk()).await {
            Ok(Ok(Some(bytes))) => events.read(&bytes, |part| session.take(part))?,
            Ok(Ok(None)) => break Cut::Ended,
            Ok(Err(error)) => break unreachable(&error).into(),
            Err(_) => break Cut::Silent(silence),
        }
    };
    Err(match events.is_between() {
        true => ended,
        false => Cut::Malformed("an event ended early"),
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

/// One connection.
struct Session<'a> {
    shared: &'a Shared,
    place: &'a mut Place,
    pause: &'a mut Pause,
    /// Whether this connection has told how far the feed is, so that what follows is no backlog.
    in_step: bool,
    name: Name,
    id: Option<Revision>,
    data: Vec<u8>,
    snapshot: Option<Box<Arriving>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Name {
    /// Not told yet.
    #[default]
    None,
    Snapshot,
    Revocation,
    Heartbeat,
    /// One that this guard does not know.
    Other,
}

/// A snapshot of which not all has come.
struct Arriving {
    scanner: Scanner,
    /// None where it is applied on top of the live set.
    beside: Option<Replacement>,
    /// This machine's time when it began, which its `now` is to be compared with.
    began: i64,
}

impl<'a> Session<'a> {
    fn new(shared: &'a Shared, place: &'a mut Place, pause: &'a mut Pause) -> Self {
        Self {
            shared,
            place,
            pause,
            in_step: false,
            name: Name::None,
            id: None,
            data: Vec::new(),
            snapshot: None,
        }
    }

    fn take(&mut self, part: Part<'_>) -> Result<(), Cut> {
        match part {
            Part::Name(name) => self.name(name),
            Part::Id(id) => {
                self.id = Revision::read(id);
                Ok(())
            }
            Part::Data(data) => self.data(data),
            Part::End => self.end(),
        }
    }

    fn name(&mut self, name: &[u8]) -> Result<(), Cut> {
        self.name = match name {
            b"snapshot" => Name::Snapshot,
            b"revocation" => Name::Revocation,
            b"heartbeat" => Name::Heartbeat,
            _ => Name::Other,
        };
        // Where the data came first.
        let data = std::mem::take(&mut self.data);
        match data.is_empty() {
            true => Ok(()),
            false => self.data(&data),
        }
    }

    fn data(&mut self, data: &[u8]) -> Result<(), Cut> {
        match self.name {
            Name::Other => Ok(()),
            Name::Snapshot => self.snapshot_data(data),
            Name::None | Name::Revocation | Name::Heartbeat => {
                self.data.extend_from_slice(data);
                match self.data.len() > LONGEST_DATA {
                    true => Err(Cut::Malformed("an event is too long")),
                    false => Ok(()),
                }
            }
        }
    }

    /// Step 2.
    fn snapshot_data(&mut self, data: &[u8]) -> Result<(), Cut> {
        let mut arriving = match self.snapshot.take() {
            Some(arriving) => arriving,
            None => self.begin_snapshot(),
        };
        let checker = &self.shared.checker;
        match &mut arriving.beside {
            Some(beside) => arriving.scanner.read(data, |entry| beside.apply(&entry))?,
            None => arriving.scanner.read(data, |entry| checker.apply(&entry))?,
        }
        self.snapshot = Some(arriving);
        Ok(())
    }

    fn begin_snapshot(&mut self) -> Box<Arriving> {
        let live = self.place.epoch.as_ref();
        let is_on_top = live.is_some() && self.id.as_ref().map(|id| &id.epoch) == live;
        Box::new(Arriving {
            scanner: Scanner::new(),
            beside: (!is_on_top).then(|| self.shared.checker.beside()),
            began: self.shared.clock.read().unix,
        })
    }

    fn end(&mut self) -> Result<(), Cut> {
        match std::mem::take(&mut self.name) {
            Name::Snapshot => self.end_snapshot()?,
            Name::Revocation => self.revocation()?,
            Name::Heartbeat => self.heartbeat()?,
            Name::None | Name::Other => {}
        }
        self.id = None;
        self.data.clear();
        self.snapshot = None;
        Ok(())
    }

    fn end_snapshot(&mut self) -> Result<(), Cut> {
        let arriving = self.snapshot.take().ok_or(Fault::Frame)?;
        let frame = arriving.scanner.finish()?;
        let point = Revision {
            epoch: frame.epoch.into(),
            seq: frame.seq,
        };
        if self.id.as_ref().is_some_and(|id| *id != point) {
            return Err(Cut::Malformed("a snapshot is of another point than its id"));
        }
        let checker = &self.shared.checker;
        if let Some(beside) = arriving.beside {
            checker.install(beside);
        }
        self.place.epoch = Some(Arc::clone(&point.epoch));
        self.place.point = Some(point.clone());
        self.shared.counts.count(Count::Snapshot);
        self.shared.skewed(frame.now.saturating_sub(arriving.began));
        self.expire(frame.now);
        self.in_step = true;
        tracing::info!(entries = checker.revocations().len(), revision = %point, "took a snapshot of the revocation feed");
        self.heard();
        self.shared
            .observer
            .tell(Event::Snapshot { seq: point.seq });
        self.shared.reached(point);
        Ok(())
    }

    /// Step 3.
    fn revocation(&mut self) -> Result<(), Cut> {
        let (seq, entry) = wire::entry(&self.data)?;
        let (Some(id), Some(point)) = (&self.id, &mut self.place.point) else {
            return Err(Cut::Malformed(
                "an entry without id, or before any snapshot",
            ));
        };
        if id.epoch != point.epoch || id.seq != seq {
            return Err(Cut::Malformed("an entry is of another point than its id"));
        }
        if seq > point.seq {
            self.shared.checker.apply(&entry);
            point.seq = seq;
            let point = point.clone();
            self.shared.counts.count(Count::Applied);
            self.shared.reached(point);
            self.shared.observer.tell(Event::Applied { seq });
        }
        if self.in_step {
            self.heard();
        }
        Ok(())
    }

    /// Step 4.
    fn heartbeat(&mut self) -> Result<(), Cut> {
        let beat: wire::Heartbeat = serde_json::from_slice(&self.data)
            .map_err(|_| Cut::Malformed("a heartbeat is malformed"))?;
        let Some(point) = &self.place.point else {
            return Err(Cut::Malformed("a heartbeat before any snapshot"));
        };
        if beat.seq > point.seq {
            let (told, last) = (beat.seq, point.seq);
            return Err(Cut::Gap { told, last });
        }
        let local = self.shared.clock.read().unix;
        self.shared.skewed(beat.now.saturating_sub(local));
        if beat.now.saturating_sub(self.place.expired) >= EXPIRY_EVERY {
            self.expire(beat.now);
        }
        self.in_step = true;
        self.heard();
        Ok(())
    }

    /// Step 5.
    fn heard(&mut self) {
        self.pause.reset();
        self.shared.heard();
    }

    fn expire(&mut self, now: i64) {
        self.place.expired = now;
        self.shared.checker.expire(now);
    }
}

/// Step 8.
#[derive(Debug)]
pub(crate) struct Pause {
    next: Duration,
}

impl Pause {
    const SHORTEST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);

    /// How long to wait now: between half and the whole of what it has grown to.
    pub(crate) fn next(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(Self::LONGEST);
        // Each state is seeded by the system, which is chance enough for guards not to come back all at once.
        let chance = RandomState::new().hash_one(0_u8) % 1_024;
        whole / 2 + whole * u32::try_from(chance).unwrap_or_default() / 2_048
    }

    fn reset(&mut self) {
        self.next = Self::SHORTEST;
    }
}

impl Default for Pause {
    fn default() -> Self {
        Self {
            next: Self::SHORTEST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_differ() {
        let mut pause = Pause::default();
        let taken: Vec<u128> = (0..9).map(|_| pause.next().as_millis()).collect();
        for (pause, whole) in taken
            .iter()
            .zip([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
        {
            assert!((whole / 2..=whole).contains(pause), "{pause} of {whole}");
        }
        pause.reset();
        assert!(pause.next() <= Pause::SHORTEST);
        let several: std::collections::HashSet<Duration> = (0..20)
            .map(|_| {
                Pause {
                    next: Pause::LONGEST,
                }
                .next()
            })
            .collect();
        assert!(several.len() > 5);
    }

    #[test]
    fn a_point_is_an_epoch_and_a_number() {
        let point = Revision::read(b"e:1:7").unwrap();
        assert_eq!(
            (&*point.epoch, point.seq, point.to_string().as_str()),
            ("e:1", 7, "e:1:7")
        );
        for bad in [
            "",
            "e",
            ":7",
            "e:",
            "e:-1",
            "e:+1",
            "e e:1",
            "e:1 ",
            "\u{e9}:1",
            "e:99999999999999999999",
        ] {
            assert_eq!(Revision::read(bad.as_bytes()), None, "{bad}");
        }
    }
}
