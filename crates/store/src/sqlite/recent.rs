//! Users that were just read: who calls a protected route mostly calls again.
//!
//! A row counts as long as nothing at all was committed since it was read: by this process, which counts its groups
//! of commits before it answers them, or by another one, which [`crate::Store::changed`] notices. So a reader sees
//! every commit that was answered here, and those of other processes as soon as somebody asks for changes, which a
//! server does a hundred times a second.

use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use symbolon_domain::{User, UserId};

/// Users that are kept: one and a half megabytes at most.
const USERS: usize = 4096;

/// Rows, each with the number of commits at which it was read.
pub(crate) struct Recent {
    commits: AtomicU64,
    users: Cache<UserId, (u64, User)>,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self {
            commits: AtomicU64::new(0),
            users: Cache::new(USERS),
        }
    }

    /// To be called after each commit and before anybody hears of it.
    pub(crate) fn forget(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
    }

    /// The user, if it was read since the last commit; or what to give [`Self::keep`] once it is read.
    pub(crate) fn user(&self, id: UserId) -> Result<User, u64> {
        let commits = self.commits.load(Ordering::SeqCst);
        match self.users.get(&id) {
            Some((read_at, user)) if read_at == commits => Ok(user),
            _ => Err(commits),
        }
    }

    /// Keeps a user that was read after [`Self::user`] said `commits`.
    pub(crate) fn keep(&self, commits: u64, user: &User) {
        self.users.insert(user.id, (commits, user.clone()));
    }
}
