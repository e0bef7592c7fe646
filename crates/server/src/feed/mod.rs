//! The revocation feed in memory: what was published last, shared by every reader.
//!
//! 1. One job, [`crate::jobs`]'s follower, publishes: it reads committed revocations in the order of their numbers,
//!    which is that of their commits, so that no reader can be passed by a late commit with an earlier number.
//! 2. What it reads at once becomes one block of text, written once and shared by all readers.
//! 3. Each reader has a place of its own, takes blocks when its connection can, and holds nothing meanwhile. One that
//!    falls behind what is kept here goes on from the store, which has every live revocation.
//! 4. A heartbeat is published only after the store was read: it says that nothing up to its number is missing.
//!    Where it could not be read for a while nobody is let in: whoever comes back would take that for a sign of life.
//! 5. Another epoch ends every stream, and so does the end of the server.

mod followers;
mod mark;
mod text;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use symbolon_domain::Timestamp;
use symbolon_domain::revocation::Entry;
use tokio::sync::{Notify, watch};

use crate::clock::Stopwatch;

use followers::{Followers, Following};

pub use followers::Follower;
pub use mark::{Mark, Marked, digest};
pub use text::{Point, head, heartbeat, item, revocation};

/// Text kept for readers that are a little late.
const KEPT_BYTES: usize = 4 * 1024 * 1024;
/// What a reader takes at once, unless a single block is longer.
const PORTION: usize = 64 * 1024;
/// Streams, and lists under way, served at once.
const STREAMS: usize = 10_000;
/// Streams of one address at once, this machine's own excepted: nobody alone can shut out the others.
const STREAMS_OF_ONE: u32 = 500;
/// What it costs to wake a reader and write to it, about.
const WAKE: Duration = Duration::from_micros(20);
/// However many readers there are, nobody waits longer than this for others.
const LONGEST_GAP: Duration = Duration::from_millis(20);

/// What was published last. One for a process.
pub struct Hub {
    state: Mutex<State>,
    /// Tells readers that there is more; its value says nothing.
    more: watch::Sender<()>,
    /// Tells the publisher that this process has committed a revocation.
    committed: Notify,
    streams: AtomicUsize,
    /// The addresses that have streams, and how many.
    readers: Mutex<HashMap<IpAddr, u32>>,
    followers: Followers,
    begun: Stopwatch,
    /// The age at which the store was read last.
    looked: AtomicI64,
}

struct State {
    epoch: Arc<str>,
    /// The number of the last revocation that was published.
    seq: i64,
    blocks: VecDeque<Block>,
    /// The number of blocks that went before the first one kept.
    gone: u64,
    bytes: usize,
    /// Heartbeats so far.
    beats: u64,
    closed: bool,
}

#[derive(Clone)]
struct Block {
    text: Bytes,
    /// The feed's number after it.
    seq: i64,
    /// The age of the feed at which it was published.
    age: i64,
}

/// Where a reader stands.
#[derive(Clone, Debug)]
pub struct Place {
    epoch: Arc<str>,
    seq: i64,
    next: u64,
}

/// What there is for a reader.
pub enum Read {
    /// Events, as they are sent.
    Events(Bytes),
    /// Nothing yet.
    Nothing,
    /// It has fallen behind: what it lacks up to its new place is to be read from the store.
    Behind(Place),
    /// The stream is over: another epoch has begun, or the server ends.
    Over,
}

/// A stream that is being served; counted until it is dropped.
pub struct Stream {
    hub: Arc<Hub>,
    more: watch::Receiver<()>,
    address: Option<IpAddr>,
    /// Where it stands, once it follows.
    following: Option<Following>,
}

impl Hub {
    /// A feed that stands at `seq` of `epoch`.
    #[must_use]
    pub fn new(epoch: &str, seq: i64) -> Self {
        Self {
            state: Mutex::new(State {
                epoch: epoch.into(),
                seq,
                blocks: VecDeque::new(),
                gone: 0,
                bytes: 0,
                beats: 0,
                closed: false,
            }),
            more: watch::Sender::new(()),
            committed: Notify::new(),
            streams: AtomicUsize::new(0),
            readers: Mutex::default(),
            followers: Followers::default(),
            begun: Stopwatch::start(),
            looked: AtomicI64::new(0),
        }
    }

    /// Where the feed stands, for a reader that is to follow from here.
    #[must_use]
    pub fn place(&self) -> Place {
        self.state().place()
    }

    /// How many streams are served.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    /// Takes a place among the streams for a reader at `address`; `None` where there are too many, or too many of it.
    #[must_use]
    pub fn open(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Stream> {
        let address = address
            .map(network)
            .filter(|address| !address.is_loopback());
        let mut readers = self.readers();
        if address.is_some_and(|address| readers.get(&address) >= Some(&STREAMS_OF_ONE)) {
            return None;
        }
        let free = |open| (open < STREAMS).then_some(open + 1);
        self.streams
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, free)
            .ok()?;
        if let Some(address) = address {
            *readers.entry(address).or_default() += 1;
        }
        Some(Stream {
            hub: Arc::clone(self),
            more: self.more.subscribe(),
            address,
            following: None,
        })
    }

    fn close_one(&self, address: Option<IpAddr>) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
        let mut readers = self.readers();
        if let Some(address) = address
            && let Some(open) = readers.get_mut(&address)
        {
            *open -= 1;
            if *open == 0 {
                readers.remove(&address);
            }
        }
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes revocations that follow those before, in the order of their numbers.
    pub fn publish(&self, entries: &[Entry]) {
        let Some(last) = entries.last() else {
            return;
        };
        let mut state = self.state();
        let mut events = String::with_capacity(entries.len() * 192);
        for entry in entries {
            revocation(&mut events, &state.epoch, entry);
        }
        state.seq = last.seq;
        state.push(events, self.age());
        drop(state);
        self.more.send_replace(());
    }

    /// Says that every revocation that is committed by `now` was published.
    pub fn heartbeat(&self, now: Timestamp) {
        let mut state = self.state();
        let event = heartbeat(now, state.seq);
        state.push(event, self.age());
        state.beats += 1;
        drop(state);
        self.more.send_replace(());
    }

    /// For how long this has been here, in milliseconds.
    #[must_use]
    pub fn age(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Notes that everything which was committed at this age is published.
    pub fn looked(&self, age: i64) {
        self.looked.store(age, Ordering::Relaxed);
    }

    /// For how long the publisher has not been able to read the store: what others revoked since is not known here.
    #[must_use]
    pub fn silence(&self) -> Duration {
        milliseconds(self.age() - self.looked.load(Ordering::Relaxed))
    }

    /// Begins another epoch at `seq`, unless this is the one: every reader has to come back.
    pub fn begin(&self, epoch: &str, seq: i64) {
        let mut state = self.state();
        if *state.epoch == *epoch {
            return;
        }
        state.gone += state.blocks.len() as u64;
        state.blocks.clear();
        (state.epoch, state.seq, state.bytes) = (epoch.into(), seq, 0);
        drop(state);
        self.more.send_replace(());
    }

    /// Ends every stream, for good.
    pub fn close(&self) {
        self.state().closed = true;
        self.more.send_replace(());
    }

    /// Tells the publisher of a commit.
    pub fn committed(&self) {
        self.committed.notify_one();
    }

    /// Waits until this process has committed something since it was last waited for.
    pub async fn wait_for_commit(&self) {
        self.committed.notified().await;
    }

    /// How long the publisher should gather revocations before it wakes every reader again.
    #[must_use]
    pub fn gap(&self) -> Duration {
        let readers = u32::try_from(self.streams()).unwrap_or(u32::MAX);
        WAKE.saturating_mul(readers).min(LONGEST_GAP)
    }

    /// Who follows at this moment, whoever lags most first, and how many there are in all; at most `most` are told.
    #[must_use]
    pub fn followers(&self, most: usize) -> (Vec<Follower>, usize) {
        let standing = self.followers.standing();
        let count = standing.len();
        let (now, state) = (self.age(), self.state());
        let told = standing.into_iter().map(|one| state.judge(one, now));
        let mut told: Vec<_> = told.collect();
        drop(state);
        told.sort_by_key(|one| std::cmp::Reverse((one.lag, one.since)));
        told.truncate(most);
        (told, count)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn place(&self) -> Place {
        Place {
            epoch: Arc::clone(&self.epoch),
            seq: self.seq,
            next: self.gone + self.blocks.len() as u64,
        }
    }

    fn push(&mut self, text: String, age: i64) {
        self.bytes += text.len();
        self.blocks.push_back(Block {
            text: text.into(),
            seq: self.seq,
            age,
        });
        while self.bytes > KEPT_BYTES
            && let Some(oldest) = self.blocks.pop_front()
        {
            self.bytes -= oldest.text.len();
            self.gone += 1;
        }
    }

    /// How far behind somebody is who takes block `next` next.
    fn judge(&self, one: followers::Standing, now: i64) -> Follower {
        let index = one.next.saturating_sub(self.gone) as usize;
        // Of blocks that are gone the oldest one that is kept is the nearest that is known.
        let waiting = self.blocks.get(index).map(|block| now - block.age);
        Follower {
            address: one.address,
            since: milliseconds(now - one.began),
            behind: self.seq.saturating_sub(one.seq).max(0),
            lag: milliseconds(waiting.unwrap_or_default()),
        }
    }

    fn read(&self, place: &mut Place) -> Read {
        if self.closed || self.epoch != place.epoch {
            return Read::Over;
        }
        let Some(index) = place.next.checked_sub(self.gone) else {
            return Read::Behind(self.place());
        };
        let mut waiting = self.blocks.range(index as usize..).peekable();
        let Some(first) = waiting.next() else {
            return Read::Nothing;
        };
        (place.seq, place.next) = (first.seq, place.next + 1);
        if waiting.peek().is_none() {
            return Read::Events(first.text.clone());
        }
        let mut events = BytesMut::from(&first.text[..]);
        for block in waiting {
            if events.len() + block.text.len() > PORTION {
                break;
            }
            events.extend_from_slice(&block.text);
            (place.seq, place.next) = (block.seq, place.next + 1);
        }
        Read::Events(events.freeze())
    }
}

impl Place {
    /// A place to list up to, not to follow from.
    #[must_use]
    pub fn at(epoch: &str, seq: i64) -> Self {
        Self {
            epoch: epoch.into(),
            seq,
            next: u64::MAX,
        }
    }

    /// The epoch that it is in.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The last number: whoever stands here has every revocation up to it.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.seq
    }
}

/// `EPOCH:SEQ`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)
    }
}

impl Stream {
    /// What follows `place`, which moves on. It does not wait.
    pub fn read(&mut self, place: &mut Place) -> Read {
        // Marked before it is looked, so that what comes in between is not missed.
        self.more.borrow_and_update();
        let read = self.hub.state().read(place);
        if let (Some(following), Read::Events(_)) = (&self.following, &read) {
            following.stands(place.seq, place.next);
        }
        read
    }

    /// How many heartbeats there were.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.hub.state().beats
    }

    /// Says that this reader follows from `place` on: it is told of among those who do, until it is dropped.
    pub fn follows(&mut self, place: &Place) {
        let (hub, address) = (&self.hub, self.address);
        let following = hub
            .followers
            .enter(address, hub.age(), (place.seq, place.next));
        self.following = Some(following);
    }

    /// Waits until there is more to read.
    pub async fn wait(&mut self) {
        // The sender lives in the hub, which this holds.
        let _more = self.more.changed().await;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.hub.close_one(self.address);
        if let Some(following) = self.following.take() {
            self.hub.followers.leave(&following);
        }
    }
}

fn milliseconds(count: i64) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or(0))
}

/// One subscriber's addresses are one: those of IPv6 differ in the lower half at will.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests;
