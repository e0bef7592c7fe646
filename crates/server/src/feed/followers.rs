//! Who follows the feed at the moment, and how far each has come: for people who look after it. Nothing depends on it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Somebody who follows the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// From which network address; none for this machine's own.
    pub address: Option<IpAddr>,
    /// For how long.
    pub since: Duration,
    /// How many numbers of the feed it has not taken yet.
    pub behind: i64,
    /// For how long something has been there that it has not taken yet; nothing for who has everything.
    pub lag: Duration,
}

/// All of them.
#[derive(Default)]
pub(super) struct Followers {
    all: Mutex<HashMap<u64, Arc<Place>>>,
    entered: AtomicU64,
}

/// A place among them.
pub(super) struct Following {
    number: u64,
    place: Arc<Place>,
}

struct Place {
    address: Option<IpAddr>,
    /// The age of the feed at which it came.
    began: i64,
    seq: AtomicI64,
    next: AtomicU64,
}

/// Where somebody stands.
pub(super) struct Standing {
    pub(super) address: Option<IpAddr>,
    pub(super) began: i64,
    pub(super) seq: i64,
    pub(super) next: u64,
}

impl Followers {
    pub(super) fn enter(
        &self,
        address: Option<IpAddr>,
        began: i64,
        (seq, next): (i64, u64),
    ) -> Following {
        let number = self.entered.fetch_add(1, Ordering::Relaxed);
        let place = Arc::new(Place {
            address,
            began,
            seq: seq.into(),
            next: next.into(),
        });
        self.all().insert(number, Arc::clone(&place));
        Following { number, place }
    }

    pub(super) fn leave(&self, following: &Following) {
        self.all().remove(&following.number);
    }

    pub(super) fn standing(&self) -> Vec<Standing> {
        let standing = |place: &Arc<Place>| Standing {
            address: place.address,
            began: place.began,
            seq: place.seq.load(Ordering::Relaxed),
            next: place.next.load(Ordering::Relaxed),
        };
        self.all().values().map(standing).collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u64, Arc<Place>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Following {
    pub(super) fn stands(&self, seq: i64, next: u64) {
        self.place.seq.store(seq, Ordering::Relaxed);
        self.place.next.store(next, Ordering::Relaxed);
    }
}
