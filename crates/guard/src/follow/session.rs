//! One connection to the feed, part by part: steps 2 to 6.

use std::{sync::Arc, time::Duration};

use super::{
    Cut, Place,
    pause::Pause,
    snapshot::{Fault, Scanner},
    stream::Part,
    wire::{self, Revision},
};
use crate::{entry::Kind, event::Event, metrics::Count, revocations::Replacement, shared::Shared};

/// The longest data of an event other than a snapshot.
const LONGEST_DATA: usize = 4 * 1024;
/// Seconds of the issuer's clock between two times that entries expire.
const EXPIRY_EVERY: i64 = 30;

/// How far the issuer's clock may go back, in seconds: entries are kept that much longer than any token that they hit.
const SET_BACK: i64 = 60;

/// The issuer tells whole seconds.
const A_SECOND: Duration = Duration::from_secs(1);

/// One connection.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    place: &'a mut Place,
    pause: &'a mut Pause,
    /// When the issuer was asked for this connection, in the clock's milliseconds.
    asked: u64,
    /// The first time that the issuer told on it, in seconds since 1970.
    told: Option<i64>,
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
    /// One that was asked for at `asked`, in the clock's milliseconds.
    pub(super) fn new(
        shared: &'a Shared,
        place: &'a mut Place,
        pause: &'a mut Pause,
        asked: u64,
    ) -> Self {
        Self {
            shared,
            place,
            pause,
            asked,
            told: None,
            in_step: false,
            name: Name::None,
            id: None,
            data: Vec::new(),
            snapshot: None,
        }
    }

    /// Takes the next part of an event; an error ends the connection.
    pub(super) fn take(&mut self, part: Part<'_>) -> Result<(), Cut> {
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
        self.told.get_or_insert(frame.now);
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
            if entry.kind == Kind::Key {
                self.shared.keys_changed();
            }
            point.seq = seq;
            // What came is not asked for again: it is worth coming back soon for the rest.
            self.pause.reset();
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
        if beat.now < self.place.expired.saturating_sub(SET_BACK) {
            // It was ahead when entries expired last, and what was dropped then may count after all.
            return Err(Cut::Malformed("the issuer's clock was set back"));
        }
        let here = self.shared.clock.read();
        self.in_time(beat.now, here.millis)?;
        self.shared.skewed(beat.now.saturating_sub(here.unix));
        if beat.now.saturating_sub(self.place.expired) >= EXPIRY_EVERY {
            self.expire(beat.now);
        }
        self.in_step = true;
        self.heard();
        Ok(())
    }

    /// Whether the issuer's time went on as fast as the time here since this connection was asked for. What somebody on
    /// the way holds back would be heard late, and its times would turn the clock back.
    fn in_time(&mut self, told: i64, millis: u64) -> Result<(), Cut> {
        let there = told.saturating_sub(*self.told.get_or_insert(told)).max(0);
        let here = Duration::from_millis(millis.saturating_sub(self.asked));
        let late = here.saturating_sub(Duration::from_secs(there.unsigned_abs()));
        match late > self.shared.settings.silence + A_SECOND {
            true => Err(Cut::Late(late)),
            false => Ok(()),
        }
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
