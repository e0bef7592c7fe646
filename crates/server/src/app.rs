//! The application: settings, clock, chance, store and keys, and how it starts.

mod start;
pub(crate) mod timekeeping;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use symbolon_domain::revocation::{Entry, Revocation};
use symbolon_domain::{Client, PasswordRules, RoleBook, SessionId, Timestamp};
use symbolon_guard::{Checker, Proofs};
use symbolon_store::{Batch, DatabaseUrl, Store};
use symbolon_token::Jwks;
use symbolon_token::refresh::RefreshToken;
use tokio::sync::{OnceCell, OwnedRwLockWriteGuard, RwLock, Semaphore};
use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::Config;
use crate::feed::{Hub, Mark, Place};
use crate::flows::Error;
use crate::flows::clients::origins::ClientOrigins;
use crate::flows::feed::FollowingClients;
use crate::flows::import::upload::Imports;
use crate::flows::keys::KeyRing;
use crate::flows::oauth::introspect::SeenTokens;
use crate::flows::stats::Kept;
use crate::flows::upstream::Provider;
use crate::hashing::Hasher;
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::nodes::{Fact, Outlet};
use crate::outbound::{Outbound, Shelf};
use crate::pages::Pages;
use crate::rng::Rng;
use crate::sealing::MasterKey;
use crate::throttle::Throttle;

pub use start::StartError;
pub(crate) use start::{FEED_MARK, ISSUER, MASTER_FILE, database_url, make_folder, open_database};

/// How long the end of the process waits for what is not finished: longer than two commits wait for a lock.
const UNFINISHED: Duration = Duration::from_secs(12);
/// The same for a last look at the feed.
const LAST_LOOK: Duration = Duration::from_secs(1);
/// What the names of settings begin with that are kept in the database.
pub(crate) const STORED: &str = "set:";

/// Everything that a flow needs. One for a process; shared behind an `Arc`.
pub struct App {
    /// The settings as they were at the start, without those that the database keeps: see [`App::settings`].
    pub config: Config,
    /// The clock: the only source of time.
    pub clock: Clock,
    /// The only source of chance.
    pub rng: Rng,
    /// The database.
    pub store: Store,
    /// The pool that hashes passwords.
    pub hasher: Hasher,
    /// Limits on guessing.
    pub throttle: Throttle,
    /// To the other nodes, where they hear each other.
    pub outlet: OnceLock<Outlet>,
    /// What the process counts.
    pub metrics: Metrics,
    /// Renders mail and hands it in.
    pub mail: Mailer,
    /// What pages are made of.
    pub pages: Pages,
    /// Calls what others named.
    pub outbound: Outbound,
    /// Clients that describe themselves in documents, by where these are.
    pub documents: Shelf<Client>,
    /// Keys of clients and of other providers, by where they are.
    pub fetched_keys: Shelf<Jwks>,
    /// Other providers, by issuer.
    pub providers: Shelf<Provider>,
    /// How far the feed was published.
    pub mark: Mark,
    /// The numbers that were counted last.
    pub stats: Kept,
    /// The file of users that was sent here to be imported.
    pub imports: Imports,
    /// The settings with those of the database, as they were read last.
    settings: ArcSwap<Config>,
    /// The roles as they were read last.
    roles: ArcSwap<RoleBook>,
    /// Whose pages may read answers of OAuth's endpoints, as it was read last.
    pub(crate) client_origins: ArcSwap<ClientOrigins>,
    /// The longest life that access tokens in circulation can have: a setting that was lowered does not shorten
    /// the life of those that are out, so revocations and keys are kept for the longest one ever used.
    longest_access_ttl: AtomicU64,
    /// Whether it was told to end: others are to be asked from now on.
    draining: AtomicBool,
    issuance: OnceLock<Issuance>,
    /// Read by what must be done to its end, also when whoever asked for it has hung up, until it is done.
    unfinished: Arc<RwLock<()>>,
    /// Holds the former from the end on, where that did not last too long.
    settled: OnceCell<Option<OwnedRwLockWriteGuard<()>>>,
    this: Weak<Self>,
}

/// What issues and checks tokens: there once the keys are open.
pub struct Issuance {
    /// The `iss` of every token.
    pub issuer: String,
    /// The `aud` of our own access tokens.
    pub audience: String,
    /// The open keys.
    pub ring: ArcSwap<KeyRing>,
    /// Held while the keys change.
    pub ring_writer: Mutex<()>,
    /// Held while a key is made because it is needed now.
    pub key_maker: tokio::sync::Mutex<()>,
    /// The verifier of our own routes.
    pub guard: Checker,
    /// Tokens that were asked about.
    pub seen: SeenTokens,
    /// Judges proofs of possession, and remembers them while they are good.
    pub proofs: Proofs,
    /// The same for requests that bring no token. Anybody can make proofs for those, so they fill a memory of their own.
    pub proofs_of_keys: Proofs,
    /// Opens and seals stored keys.
    pub master: MasterKey,
    /// What was revoked last, for the guards that follow.
    pub feed: Arc<Hub>,
    /// One page of stored revocations is read for guards at a time.
    pub feed_pages: Semaphore,
    /// Who follows it, where not everybody may.
    pub feed_clients: FollowingClients,
}

impl App {
    /// What issues tokens.
    ///
    /// # Errors
    /// A fault in a command that has not opened the keys.
    pub fn issuance(&self) -> Result<&Issuance, Error> {
        self.issuance.get().ok_or_else(|| Error::Fault {
            context: "issuing",
            source: "the keys are not open".into(),
        })
    }

    /// Commits `batch` with its revocations last, so that the feed's counter is locked shortest, and tells the
    /// guard of this process before anybody hears of the commit. What ends tokens by their time is committed by
    /// `flows::revocations::by_time`.
    ///
    /// # Errors
    /// As the store says; nothing is revoked then.
    pub async fn commit(
        &self,
        mut batch: Batch,
        revocations: &[Revocation],
    ) -> Result<(), symbolon_store::Error> {
        for revocation in revocations {
            batch.insert_revocation(revocation);
        }
        batch.commit().await?;
        self.metrics.revoked(revocations.len() as u64);
        if let Some(issuance) = self.issuance.get() {
            for revocation in revocations {
                issuance.apply(&revocation.entry(0));
            }
            if !revocations.is_empty() {
                issuance.feed.committed();
                if let Some(outlet) = self.outlet.get() {
                    outlet.tell(Fact::Revoked);
                }
            }
        }
        Ok(())
    }

    /// Runs to its end what is to be done although whoever asked for it may hang up; [`App::close`] waits for it.
    ///
    /// # Errors
    /// As `work` says; a fault where it panics.
    pub(crate) async fn finish<F>(
        &self,
        work: impl FnOnce(Arc<Self>) -> F,
    ) -> Result<(), symbolon_store::Error>
    where
        F: Future<Output = Result<(), symbolon_store::Error>> + Send + 'static,
    {
        let gone = || symbolon_store::Error::Fault("the application is gone".into());
        let work = work(self.this.upgrade().ok_or_else(gone)?);
        let unfinished = Arc::clone(&self.unfinished).read_owned();
        // Never, once it is settled.
        let unfinished = timeout(UNFINISHED, unfinished).await.map_err(|_| gone())?;
        let done = tokio::spawn(async move {
            let done = work.await;
            drop(unfinished);
            done
        });
        done.await
            .unwrap_or_else(|error| Err(symbolon_store::Error::Fault(error.into())))
    }

    /// The settings with those that the database keeps.
    pub fn settings(&self) -> Arc<Config> {
        self.settings.load_full()
    }

    /// Reads again what the database keeps.
    ///
    /// # Errors
    /// A fault of the store, or of settings that make no sense; the former ones stay then.
    pub async fn reload_settings(&self) -> Result<(), Error> {
        let stored = stored_settings(&self.store).await?;
        let settings = self.config.with_stored(&stored);
        let settings = settings.map_err(|errors| Error::fault("stored settings")(errors.into()))?;
        self.settings.store(Arc::new(settings));
        Ok(())
    }

    /// The definitions of roles as they are: one short look tells whether those that are held still count.
    ///
    /// # Errors
    /// As the store says.
    pub async fn role_book(&self) -> Result<Arc<RoleBook>, symbolon_store::Error> {
        self.role_book_of(self.store.role_state().await?.revision)
            .await
    }

    /// The definitions of this revision, which was read before, or later ones.
    ///
    /// # Errors
    /// The same.
    pub async fn role_book_of(
        &self,
        revision: i64,
    ) -> Result<Arc<RoleBook>, symbolon_store::Error> {
        let held = self.roles.load_full();
        if held.revision() == revision && held.iter().next().is_some() {
            return Ok(held);
        }
        let read = Arc::new(RoleBook::new(revision, self.store.list_roles().await?));
        self.roles.store(Arc::clone(&read));
        Ok(read)
    }

    /// The longest life that access tokens in circulation can have.
    pub fn longest_access_ttl(&self) -> Duration {
        Duration::from_millis(self.longest_access_ttl.load(Ordering::Relaxed))
    }

    /// Reads again how long the tokens of other nodes live.
    ///
    /// # Errors
    /// As the store says.
    pub async fn reload_longest_access_ttl(&self) -> Result<(), symbolon_store::Error> {
        let used = start::longest_ttl(&self.store).await?.unwrap_or_default();
        self.longest_access_ttl
            .fetch_max(millis(used), Ordering::Relaxed);
        Ok(())
    }

    /// From here on others are to be asked: see [`crate::http::serve`].
    pub fn begin_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether it was told to end.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Waits for what must be done to its end, twelve seconds at most. Where that was enough, nothing of that kind begins after
    /// it.
    pub async fn settle(&self) {
        let settle = async || {
            let unfinished = Arc::clone(&self.unfinished).write_owned();
            let settled = timeout(UNFINISHED, unfinished).await.ok();
            if settled.is_none() {
                tracing::warn!(
                    "tokens of a client, or all, were being ended, and that is not finished: see `symbolon revocations list`, \
                     and say it again by `symbolon revocations add`"
                );
            }
            settled
        };
        self.settled.get_or_init(settle).await;
    }

    /// Finishes what was begun and lets go of the database.
    pub async fn close(&self) {
        self.settle().await;
        if let Some(issuance) = self.issuance.get() {
            let place = issuance.feed.place();
            // Lists have told of what was committed since.
            let last = timeout(LAST_LOOK, self.last_of(&place)).await;
            self.mark.keep(&last.ok().flatten().unwrap_or(place));
        }
        self.store.close().await;
    }

    /// Where the feed stands that was published up to `place`; nothing where that is not told.
    async fn last_of(&self, place: &Place) -> Option<Place> {
        let feed = self.store.feed().await.ok()?;
        if feed.epoch != place.epoch() || feed.seq <= place.seq() {
            return None;
        }
        let published = self.store.list_revocations(place.seq() - 1, 1).await.ok()?;
        // What was published was lost: the next start is to notice.
        if published.iter().any(|entry| self.mark.contradicts(entry)) {
            return None;
        }
        let entries = self.store.list_revocations(feed.seq - 1, 1).await.ok()?;
        let last = entries.first()?;
        self.mark.saw(last);
        Some(Place::at(&feed.epoch, last.seq))
    }

    /// The rules for a new password, from the settings.
    pub fn password_rules(&self) -> PasswordRules {
        PasswordRules {
            min_length: self.config.password.min_length,
            ..PasswordRules::default()
        }
    }
}

impl Issuance {
    /// Tells the guard of a stored revocation.
    pub fn apply(&self, entry: &Entry) {
        apply(&self.guard, entry);
    }

    /// Takes other keys, if there are, and lets the guard trust those that are good at `now`.
    ///
    /// # Errors
    /// A fault when a key cannot be used; nothing has changed then.
    pub fn trust(&self, ring: Option<KeyRing>, now: Timestamp) -> Result<(), Error> {
        // One at a time, so that nobody puts back what another has just replaced.
        let _turn = self
            .ring_writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(ring) = ring else {
            self.guard.set_keys(self.ring.load().key_set(now)?);
            self.seen.clear();
            return Ok(());
        };
        self.guard.set_keys(ring.key_set(now)?);
        self.ring.store(Arc::new(ring));
        self.seen.clear();
        Ok(())
    }

    /// The refresh token behind a text, when this server made it.
    pub fn refresh_token(&self, text: &str) -> Option<RefreshToken> {
        let number = RefreshToken::key_number(text)?;
        RefreshToken::parse(self.ring.load().chain(number)?, text)
    }

    /// The token that follows `token`.
    ///
    /// # Errors
    /// A fault when its key was withdrawn since it was parsed.
    pub fn successor(&self, token: &RefreshToken) -> Result<RefreshToken, Error> {
        let ring = self.ring.load();
        let chain = ring.chain(token.key());
        let chain = chain.ok_or_else(|| Error::Fault {
            context: "refreshing",
            source: "its key is gone".into(),
        })?;
        Ok(token.successor(chain))
    }

    /// The first token of a session.
    ///
    /// # Errors
    /// A fault when no refresh key is open.
    pub fn first_refresh_token(
        &self,
        id: SessionId,
        seed: &[u8; 32],
    ) -> Result<RefreshToken, Error> {
        let ring = self.ring.load();
        let chain = ring.newest_chain()?;
        Ok(RefreshToken::first(chain, *id.as_bytes(), *seed))
    }
}

/// What the database keeps, by the names of the settings.
pub(crate) async fn stored_settings(
    store: &Store,
) -> Result<BTreeMap<String, String>, symbolon_store::Error> {
    let rows = store.list_settings(STORED).await?.into_iter();
    let bare = |(name, value): (String, String)| {
        let name = name.strip_prefix(STORED)?.to_owned();
        Some((name, value))
    };
    Ok(rows.filter_map(bare).collect())
}

/// The settings with those of the database, if there is one and they make sense. Its tables stay as they are.
///
/// # Errors
/// A database that cannot be read.
pub(crate) async fn with_stored(config: &Config) -> Result<Option<Config>, StartError> {
    match database_url(config)? {
        DatabaseUrl::SqliteMemory => return Ok(None),
        DatabaseUrl::Sqlite(path) if matches!(path.try_exists(), Ok(false)) => return Ok(None),
        _ => {}
    }
    let store = open_database(config, false).await?;
    let stored = stored_settings(&store).await;
    store.close().await;
    let stored = stored.map_err(|error| StartError::new("database", &error))?;
    Ok(config.with_stored(&stored).ok())
}

/// Looks at what settings name, as a start does.
///
/// # Errors
/// The sentence in which a start would end.
pub(crate) fn check_named(config: &Config) -> Result<(), StartError> {
    let database = database_url(config)?.check();
    database.map_err(|error| StartError::new("database", &error))?;
    Mailer::new(config).map_err(|error| StartError::new("mail", &error))?;
    Pages::new(&config.pages)?;
    Ok(())
}

fn apply(guard: &Checker, entry: &Entry) {
    match guard_entry(entry) {
        Ok(entry) => guard.apply(&entry),
        // Only a row written by hand can lack its bound. It may have been meant for anybody: say so.
        Err(error) => {
            tracing::error!(seq = entry.seq, %error, "a stored revocation cannot be obeyed")
        }
    }
}

/// A stored revocation as guards have it.
///
/// # Errors
/// A bound that its kind needs is absent.
pub(crate) fn guard_entry(
    entry: &Entry,
) -> Result<symbolon_guard::Entry, symbolon_guard::MalformedEntry> {
    symbolon_guard::Entry::try_from(symbolon_guard::Parts {
        kind: entry.kind.as_str(),
        key: entry.key,
        effect: entry.effect.as_str(),
        below: entry.below,
        before: entry.before,
        until: entry.until_s,
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
