//! The threads and their bounded queue.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use symbolon_domain::Password;
use tokio::sync::oneshot;

use super::scheme::{Arena, Scheme};
use super::{HashError, Verdict};
use crate::clock::Stopwatch;

/// A thread that had nothing to do for this long gives its memory back.
const IDLE: Duration = Duration::from_secs(10);
/// An allocator such as mimalloc gives freed memory to the system when it is next used after a second or so.
const SETTLE: Duration = Duration::from_secs(2);
/// What a hash is taken to cost before the first was measured.
const FIRST_GUESS: Duration = Duration::from_millis(50);
/// Nobody is told to come back later than this.
const LONGEST_WAIT_SECONDS: u64 = 60;
/// How far the threads step back behind the rest of the process: about a tenth of a processor that others want too.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

pub(super) enum Work {
    Hash {
        password: Password,
        salt: [u8; 16],
    },
    Verify {
        password: Password,
        stored: Option<String>,
    },
}

pub(super) enum Answer {
    Hash(String),
    Verdict {
        verdict: Verdict,
        /// The hash was made with another algorithm or other costs than are configured.
        foreign: bool,
        /// How long a verdict that says no is to be kept back.
        rest: Duration,
    },
}

type Reply = oneshot::Sender<Result<Answer, HashError>>;

/// The sending side: dropping it ends the threads once what they have begun is done.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    room: usize,
    threads: usize,
    idle: Duration,
    memory: AtomicUsize,
    /// Hashes computed since the start.
    done: AtomicU64,
    /// Microseconds that one hash takes, averaged over the last few.
    cost: AtomicU64,
    /// Microseconds that the slowest hash of another making took of late; 0 before the first.
    slowest: AtomicU64,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(Work, Reply)>,
    closed: bool,
}

impl Pool {
    pub(super) fn start(
        threads: usize,
        room: usize,
        scheme: &Arc<Scheme>,
    ) -> Result<Self, HashError> {
        let pool = Self::new(threads, room, IDLE);
        pool.spawn(scheme)?;
        Ok(pool)
    }

    /// A queue that no thread drains yet.
    fn new(threads: usize, room: usize, idle: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                wake: Condvar::new(),
                room,
                threads: threads.max(1),
                idle,
                memory: AtomicUsize::new(0),
                done: AtomicU64::new(0),
                cost: AtomicU64::new(micros(FIRST_GUESS)),
                slowest: AtomicU64::new(0),
            }),
        }
    }

    fn spawn(&self, scheme: &Arc<Scheme>) -> Result<(), HashError> {
        for number in 0..self.shared.threads {
            let (shared, scheme) = (Arc::clone(&self.shared), Arc::clone(scheme));
            std::thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || shared.work(&scheme))
                .map_err(HashError::fault)?;
        }
        Ok(())
    }

    /// Takes a place in the queue, one that was given up if there is no other.
    pub(super) fn submit(&self, work: Work, reply: Reply) -> Result<(), HashError> {
        let mut state = self.shared.lock();
        if state.queue.len() >= self.shared.room {
            state.queue.retain(|(_, reply)| !reply.is_closed());
        }
        if state.queue.len() >= self.shared.room {
            let retry_after = self.shared.time_to_drain(state.queue.len());
            return Err(HashError::Overloaded { retry_after });
        }
        state.queue.push_back((work, reply));
        drop(state);
        self.shared.wake.notify_one();
        Ok(())
    }

    pub(super) fn room(&self) -> usize {
        self.shared.room
    }

    pub(super) fn waiting(&self) -> usize {
        self.shared.lock().queue.len()
    }

    pub(super) fn done(&self) -> u64 {
        self.shared.done.load(Ordering::Relaxed)
    }

    pub(super) fn memory_held(&self) -> usize {
        self.shared.memory.load(Ordering::Relaxed)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn work(&self, scheme: &Scheme) {
        step_back();
        let mut arena = Arena::default();
        while let Some((work, reply)) = self.next(&mut arena) {
            let watch = Stopwatch::start();
            let mut answer = catch_unwind(AssertUnwindSafe(|| perform(scheme, &mut arena, work)))
                .unwrap_or_else(|_| Err(HashError::fault("the hashing code panicked")));
            let took = watch.elapsed();
            self.measured(took);
            if let Ok(Answer::Verdict { foreign, rest, .. }) = &mut answer {
                *rest = self.rest(*foreign, took);
            }
            self.resized(&mut arena, scheme.blocks());
            // Whoever asked may have gone: then nobody wants the answer.
            drop(reply.send(answer));
        }
        self.resized(&mut arena, 0);
    }

    /// The next piece of work that somebody still waits for; `None` when the pool is closed.
    fn next(&self, arena: &mut Arena) -> Option<(Work, Reply)> {
        let mut state = self.lock();
        let mut patience = if arena.bytes() == 0 {
            None
        } else {
            Some(self.idle)
        };
        loop {
            while let Some((work, reply)) = state.queue.pop_front() {
                if !reply.is_closed() {
                    return Some((work, reply));
                }
            }
            if state.closed {
                return None;
            }
            let (woken, waited) = self.wait(state, patience);
            state = woken;
            if waited && state.queue.is_empty() && !state.closed {
                drop(state);
                patience = self.release(arena);
                state = self.lock();
            }
        }
    }

    /// Waits to be woken; tells whether the patience ran out instead.
    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        patience: Option<Duration>,
    ) -> (MutexGuard<'a, State>, bool) {
        match patience {
            None => (
                self.wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                false,
            ),
            Some(patience) => {
                let waited = self.wake.wait_timeout(state, patience);
                let (state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
                (state, waited.timed_out())
            }
        }
    }

    /// Gives idle memory back, at first to the allocator, then through it to the system. Returns when to come again.
    fn release(&self, arena: &mut Arena) -> Option<Duration> {
        if arena.bytes() > 0 {
            self.resized(arena, 0);
            return Some(SETTLE);
        }
        let nudge: Vec<Vec<u8>> = (0..100).map(|_| Vec::with_capacity(1_000)).collect();
        drop(std::hint::black_box(nudge));
        None
    }

    /// Gives back what the arena holds beyond `blocks`, and keeps the sum of all arenas.
    fn resized(&self, arena: &mut Arena, blocks: usize) {
        let before = arena.counted;
        arena.shrink_to(blocks);
        let now = arena.bytes();
        arena.counted = now;
        self.memory
            .fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
    }

    fn measured(&self, took: Duration) {
        self.done.fetch_add(1, Ordering::Relaxed);
        let before = self.cost.load(Ordering::Relaxed);
        self.cost
            .store(before - before / 8 + micros(took) / 8, Ordering::Relaxed);
    }

    /// How long to wait after a hash that took `took`, so that no answer tells that it was not one of ours: all are then
    /// given after a time that the slowest reach.
    fn rest(&self, foreign: bool, took: Duration) -> Duration {
        let before = self.slowest.load(Ordering::Relaxed);
        if foreign {
            let slowest = micros(took).max(before - before / 64);
            self.slowest.store(slowest, Ordering::Relaxed);
        } else if before == 0 {
            return Duration::ZERO;
        }
        let slowest = self.slowest.load(Ordering::Relaxed);
        let floor = slowest.max(self.cost.load(Ordering::Relaxed));
        Duration::from_micros(floor + floor / 4).saturating_sub(took)
    }

    fn time_to_drain(&self, waiting: usize) -> Duration {
        let rounds = (waiting / self.threads + 1) as u64;
        let micros = self.cost.load(Ordering::Relaxed).saturating_mul(rounds);
        Duration::from_secs(micros.div_ceil(1_000_000).clamp(1, LONGEST_WAIT_SECONDS))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn perform(scheme: &Scheme, arena: &mut Arena, work: Work) -> Result<Answer, HashError> {
    match work {
        Work::Hash { password, salt } => scheme
            .hash(arena, password.as_bytes(), salt)
            .map(Answer::Hash),
        Work::Verify { password, stored } => scheme
            .verify(arena, password.as_bytes(), stored.as_deref())
            .map(|(verdict, foreign)| Answer::Verdict {
                verdict,
                foreign,
                rest: Duration::ZERO,
            }),
    }
}

/// Lowers this thread's priority, so that a request that needs no hash need not wait for one. Where the system does not
/// let us, hashing goes on at the priority of the rest.
#[cfg(target_os = "linux")]
fn step_back() {
    if let Err(error) =
        rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS)
    {
        tracing::debug!(%error, "hashing threads run at normal priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}

#[cfg(test)]
mod tests;
