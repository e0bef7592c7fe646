//! Users and clients that were just read: who calls a protected route, or asks for a token, mostly does so again.
//!
//! A user counts as long as nothing at all was committed since it was read: by this process, which counts its groups
//! of commits before it answers them, or by another one, which [`crate::Store::changed`] notices. So a reader sees
//! every commit that was answered here, and those of other processes as soon as somebody asks for changes, which a
//! server does a hundred times a second.
//!
//! A client counts only at the [`Moment`] in which it was read, for which the index of the log is looked at each time: a
//! token that is signed for a client which another process has just disabled would outlive that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use symbolon_domain::{Client, ClientId, User, UserId};

use super::index::Header;

/// Users that are kept: one and a half megabytes at most.
const USERS: usize = 4096;
/// Clients that are kept: a few hundred kilobytes, most of them being small.
const CLIENTS: usize = 256;

/// Rows, each with the number of commits, or the moment, at which it was read.
pub(crate) struct Recent {
    commits: AtomicU64,
    users: Cache<UserId, (u64, User)>,
    clients: Cache<ClientId, (Moment, Arc<Client>)>,
}

/// A state of the database: it is another one after any commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Commits of this process.
    pub(super) commits: u64,
    /// Of the log, which others' commits change as well; nothing without a file.
    pub(super) header: Option<Header>,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self {
            commits: AtomicU64::new(0),
            users: Cache::new(USERS),
            clients: Cache::new(CLIENTS),
        }
    }

    /// To be called after each commit and before anybody hears of it.
    pub(crate) fn forget(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// The user, if it was read since the last commit; or what to give [`Self::keep`] once it is read.
    pub(crate) fn user(&self, id: UserId) -> Result<User, u64> {
        let commits = self.commits();
        match self.users.get(&id) {
            Some((read_at, user)) if read_at == commits => Ok(user),
            _ => Err(commits),
        }
    }

    /// Keeps a user that was read after [`Self::user`] said `commits`.
    pub(crate) fn keep(&self, commits: u64, user: &User) {
        self.users.insert(user.id, (commits, user.clone()));
    }

    /// The client, if it was read at this moment.
    pub(crate) fn client(&self, id: &ClientId, moment: Moment) -> Option<Arc<Client>> {
        let (read_at, client) = self.clients.get(id)?;
        (read_at == moment).then_some(client)
    }

    /// Keeps a client that was read after `moment` was told.
    pub(crate) fn keep_client(&self, moment: Moment, client: &Arc<Client>) {
        let kept = (moment, Arc::clone(client));
        self.clients.insert(client.id.clone(), kept);
    }
}
