//! Password hashing on threads of its own, so that a storm of sign-ins costs neither the memory nor the time of the
//! requests that have nothing to do with it.
//!
//! The queue is bounded: what cannot be answered soon is refused at once with the time to come back. Verifying without a
//! stored hash does the work of one that exists and never matches (OWASP ASVS 6.3.8).

pub mod notation;
mod pool;
mod scheme;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use symbolon_domain::Password;
use tokio::sync::oneshot;
use tokio::time::sleep;

use self::pool::{Answer, Pool, Work};
pub use self::scheme::HashAlgorithm;
use self::scheme::{BCRYPT_LONGEST, Scheme};
use crate::rng::Rng;

/// How passwords are hashed, and with how much of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashOptions {
    /// What new hashes are made with. Hashes made with either are verified.
    pub algorithm: HashAlgorithm,
    /// Argon2 memory in KiB.
    pub memory_kib: u32,
    /// Argon2 passes over the memory.
    pub iterations: u32,
    /// Argon2 lanes. They are computed one after the other.
    pub parallelism: u32,
    /// The base-two logarithm of bcrypt's rounds.
    pub bcrypt_cost: u32,
    /// Hashes computed at the same time.
    pub threads: usize,
    /// Hashes that may wait for a thread.
    pub queue: usize,
}

impl Default for HashOptions {
    /// Argon2id with OWASP's m=47104 KiB, t=1, p=1; a thread for each core; 256 may wait.
    fn default() -> Self {
        Self {
            algorithm: HashAlgorithm::Argon2id,
            memory_kib: 47_104,
            iterations: 1,
            parallelism: 1,
            bcrypt_cost: 12,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            queue: 256,
        }
    }
}

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The password is the one that was hashed.
    pub matches: bool,
    /// It matches, and the hash was made with another algorithm or other costs than are configured: hash it anew.
    pub rehash: bool,
}

/// Why a hash that another system made cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Its notation is none that is known.
    #[error("The password hash is of a kind that is not known: the user must reset the password.")]
    Unknown,
    /// It is not what its notation says, or says less than is needed.
    #[error("The password hash cannot be read: the user must reset the password.")]
    Malformed,
    /// Whoever steals it finds the password at once.
    #[error("The password hash is too weak to be kept: the user must reset the password.")]
    TooWeak,
    /// A sign-in would take more time or memory than one may.
    #[error("The password hash costs too much to verify: the user must reset the password.")]
    TooCostly,
}

impl Unusable {
    /// A stable word for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "password_hash_unknown",
            Self::Malformed => "password_hash_malformed",
            Self::TooWeak => "password_hash_too_weak",
            Self::TooCostly => "password_hash_too_costly",
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many wait already.
    #[error("too many passwords are waiting to be hashed")]
    Overloaded {
        /// When the queue should have room, in whole seconds.
        retry_after: Duration,
    },
    /// Something is broken here.
    #[error("a password could not be hashed")]
    Fault(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl HashError {
    fn fault(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Fault(source.into())
    }
}

/// The hashing threads. Clones share them; they end when the last clone is dropped.
#[derive(Clone)]
pub struct Hasher {
    pool: Arc<Pool>,
    scheme: Arc<Scheme>,
    rng: Rng,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher")
            .field("scheme", &self.scheme)
            .field("waiting", &self.waiting())
            .finish()
    }
}

impl Hasher {
    /// Starts the threads. Nothing is hashed and no memory taken until the first password comes.
    ///
    /// # Errors
    /// When the costs are none that the algorithm has, or no thread can be started.
    pub fn start(options: impl Into<HashOptions>, rng: &Rng) -> Result<Self, HashError> {
        let options = options.into();
        let scheme = Arc::new(Scheme::new(&options)?);
        let pool = Pool::start(options.threads, options.queue, &scheme)?;
        Ok(Self {
            pool: Arc::new(pool),
            scheme,
            rng: rng.clone(),
        })
    }

    /// Hashes a chosen password under a fresh salt. The result is a PHC string, or bcrypt's own form.
    ///
    /// Dropping the future gives up the place in the queue.
    ///
    /// # Errors
    /// `Overloaded` when the queue is full. `Fault` when there is no entropy or memory, and for a password longer than
    /// [`Hasher::longest_password_bytes`], which the caller should have refused before.
    pub async fn hash(&self, password: Password) -> Result<String, HashError> {
        let salt = self.rng.bytes::<16>().map_err(HashError::fault)?;
        match self.run(Work::Hash { password, salt }).await? {
            Answer::Hash(hash) => Ok(hash),
            Answer::Verdict { .. } => Err(HashError::fault("the wrong kind of answer")),
        }
    }

    /// Compares a presented password with what is stored. `None`, and a stored hash that cannot be read or costs more
    /// than is tolerable, take the time of a configured one and match nothing. Once a hash of other costs was compared, what
    /// does not match is told after the same time for all.
    ///
    /// Dropping the future gives up the place in the queue.
    ///
    /// # Errors
    /// `Overloaded` when the queue is full. `Fault` when there is no memory.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<String>,
    ) -> Result<Verdict, HashError> {
        match self.run(Work::Verify { password, stored }).await? {
            Answer::Verdict { verdict, rest, .. } => {
                if !verdict.matches && !rest.is_zero() {
                    sleep(rest).await;
                }
                Ok(verdict)
            }
            Answer::Hash(_) => Err(HashError::fault("the wrong kind of answer")),
        }
    }

    /// Takes a hash that another system made, in the notation in which it is stored here; it is made anew when its
    /// user signs in. Nothing is computed.
    ///
    /// # Errors
    /// Why it cannot be kept.
    pub fn accept(&self, foreign: &str) -> Result<String, Unusable> {
        let stored = notation::stored(foreign)?;
        self.scheme.check(&stored)?;
        Ok(stored.into_owned())
    }

    /// The most bytes of a password that the configured algorithm looks at, if it has such a bound. A longer one must be
    /// refused when it is chosen (`password_too_long`): it is never cut.
    #[must_use]
    pub fn longest_password_bytes(&self) -> Option<usize> {
        match self.scheme.algorithm() {
            HashAlgorithm::Argon2id => None,
            HashAlgorithm::Bcrypt => Some(BCRYPT_LONGEST),
        }
    }

    /// How many passwords may wait for a thread.
    #[must_use]
    pub fn room(&self) -> usize {
        self.pool.room()
    }

    /// How many passwords wait for a thread.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pool.waiting()
    }

    /// How many passwords were hashed since the start.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.pool.done()
    }

    /// Bytes of working memory that the threads hold. None after ten idle seconds.
    #[must_use]
    pub fn memory_held(&self) -> usize {
        self.pool.memory_held()
    }

    async fn run(&self, work: Work) -> Result<Answer, HashError> {
        let (reply, answer) = oneshot::channel();
        self.pool.submit(work, reply)?;
        answer
            .await
            .map_err(|_| HashError::fault("the hashing thread is gone"))?
    }
}
