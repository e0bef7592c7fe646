//! The live revocations, and whether a token is among them.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use arc_swap::ArcSwap;

use crate::{
    entry::{Effect, Entry, FeedKey, Kind},
    table::{Marks, Seed},
};

/// All that revocations ask about a token, computed once when it is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Of the claim `sid`; a token that has none belongs to no session.
    pub session: Option<FeedKey>,
    /// Of the claim `sub`.
    pub user: FeedKey,
    /// Of the claim `jti`.
    pub token: FeedKey,
    /// Of the claim `client_id`.
    pub client: FeedKey,
    /// Of the header's `kid`.
    pub key: FeedKey,
    /// The claim `ver`; a token that has none is older than every version.
    pub version: Option<i64>,
    /// The claim `iat`, in seconds since 1970.
    pub issued_at: i64,
}

/// The revocation that hit a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What becomes of the token.
    pub effect: Effect,
    /// Which sort of entry it was, with the widest bound known for that subject.
    pub kind: Kind,
}

/// The live revocations: a million cost some 35 MB, and a look takes tens of nanoseconds.
///
/// Entries may be applied twice and in any order: of two about the same subject the wider bound and the later `until`
/// count. An entry goes on hitting until [`expire`](Self::expire) drops it.
///
/// Reading never waits for a writer longer than a few stores. Writers take turns.
pub struct RevocationSet {
    live: ArcSwap<Live>,
    writer: Mutex<Seed>,
}

impl RevocationSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        let seed = Seed::random();
        Self {
            live: ArcSwap::from_pointee(Live::new(seed)),
            writer: Mutex::new(seed),
        }
    }

    /// Adds one entry. When this returns, every later [`find`](Self::find) heeds it.
    pub fn apply(&self, entry: &Entry) {
        let _turn = self.turn();
        self.live.load().apply(entry);
    }

    /// Puts a snapshot in the place of everything; readers see the old or the new, nothing between.
    ///
    /// What was applied before and is not in the snapshot is forgotten: call this and [`apply`](Self::apply) in the
    /// feed's order, from one place. While it runs, both sets are in memory; a million entries take a fraction of a
    /// second.
    pub fn replace(&self, snapshot: impl IntoIterator<Item = Entry>) {
        let mut next = self.beside();
        for entry in snapshot {
            next.apply(&entry);
        }
        self.install(next);
    }

    /// An empty set to be filled beside this one, which goes on deciding until [`install`](Self::install).
    #[must_use]
    pub fn beside(&self) -> Replacement {
        Replacement(Live::new(*self.turn()))
    }

    /// Puts what was filled beside in the place of everything, at once. To drop a replacement instead changes nothing.
    pub fn install(&self, replacement: Replacement) {
        let _turn = self.turn();
        self.live.store(replacement.0.into());
    }

    /// Drops the entries whose `until` is `now` or earlier (seconds since 1970), and says how many they were.
    pub fn expire(&self, now: i64) -> usize {
        let _turn = self.turn();
        let live = self.live.load();
        live.revoked.expire(now) + live.stale.expire(now)
    }

    /// The revocation that hits the token, if one does. `Revoked` goes before `Stale`.
    #[must_use]
    pub fn find(&self, subject: &Subject) -> Option<Hit> {
        let live = self.live.load();
        let hit = |effect| move |kind| Hit { effect, kind };
        live.revoked
            .find(subject)
            .map(hit(Effect::Revoked))
            .or_else(|| live.stale.find(subject).map(hit(Effect::Stale)))
    }

    /// How many subjects are named. Two entries about the same subject with the same effect are one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live.load().len()
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn turn(&self) -> MutexGuard<'_, Seed> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for RevocationSet {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for RevocationSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevocationSet")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// A set of revocations in the making: a snapshot that is still arriving.
pub struct Replacement(Live);

impl Replacement {
    /// Adds one entry.
    pub fn apply(&mut self, entry: &Entry) {
        self.0.apply(entry);
    }
}

impl std::fmt::Debug for Replacement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replacement")
            .field("len", &self.0.len())
            .finish_non_exhaustive()
    }
}

struct Live {
    revoked: Sort,
    stale: Sort,
}

impl Live {
    fn new(seed: Seed) -> Self {
        Self {
            revoked: Sort::new(seed),
            stale: Sort::new(seed),
        }
    }

    fn apply(&self, entry: &Entry) {
        match entry.effect {
            Effect::Revoked => self.revoked.apply(entry),
            Effect::Stale => self.stale.apply(entry),
        }
    }

    fn len(&self) -> usize {
        self.revoked.len() + self.stale.len()
    }
}

/// The entries of one effect.
struct Sort {
    sessions: Marks<()>,
    tokens: Marks<()>,
    keys: Marks<()>,
    users: Marks<i64>,
    clients: Marks<i64>,
    /// `NEVER` where there is no such entry.
    all_before: AtomicI64,
    all_until: AtomicI64,
}

const NEVER: i64 = i64::MIN;

impl Sort {
    fn new(seed: Seed) -> Self {
        Self {
            sessions: Marks::new(seed),
            tokens: Marks::new(seed),
            keys: Marks::new(seed),
            users: Marks::new(seed),
            clients: Marks::new(seed),
            all_before: AtomicI64::new(NEVER),
            all_until: AtomicI64::new(NEVER),
        }
    }

    fn apply(&self, entry: &Entry) {
        let Entry {
            kind, key, until, ..
        } = entry;
        match *kind {
            Kind::Session => self.sessions.put(key, *until, ()),
            Kind::Token => self.tokens.put(key, *until, ()),
            Kind::Key => self.keys.put(key, *until, ()),
            Kind::User { below } => self.users.put(key, *until, below),
            Kind::Client { before } => self.clients.put(key, *until, before),
            Kind::All { before } => {
                self.all_until.fetch_max(*until, Ordering::Release);
                self.all_before.fetch_max(before, Ordering::Release);
            }
        }
    }

    fn expire(&self, now: i64) -> usize {
        let mut dropped =
            self.sessions.expire(now) + self.tokens.expire(now) + self.keys.expire(now);
        dropped += self.users.expire(now) + self.clients.expire(now);
        if self.has_all() && self.all_until.load(Ordering::Acquire) <= now {
            self.all_before.store(NEVER, Ordering::Release);
            self.all_until.store(NEVER, Ordering::Release);
            dropped += 1;
        }
        dropped
    }

    fn find(&self, subject: &Subject) -> Option<Kind> {
        let issued_by = |before: i64| subject.issued_at <= before;
        if subject
            .session
            .is_some_and(|key| self.sessions.find(&key).is_some())
        {
            return Some(Kind::Session);
        }
        if let Some(below) = self.users.find(&subject.user)
            && subject.version.is_none_or(|version| version < below)
        {
            return Some(Kind::User { below });
        }
        if self.tokens.find(&subject.token).is_some() {
            return Some(Kind::Token);
        }
        if let Some(before) = self.clients.find(&subject.client)
            && issued_by(before)
        {
            return Some(Kind::Client { before });
        }
        if self.keys.find(&subject.key).is_some() {
            return Some(Kind::Key);
        }
        let before = self.all_before.load(Ordering::Acquire);
        (before != NEVER && issued_by(before)).then_some(Kind::All { before })
    }

    fn has_all(&self) -> bool {
        self.all_before.load(Ordering::Acquire) != NEVER
    }

    fn len(&self) -> usize {
        let identities = self.sessions.len() + self.tokens.len() + self.keys.len();
        identities + self.users.len() + self.clients.len() + usize::from(self.has_all())
    }
}

#[cfg(test)]
mod tests;
