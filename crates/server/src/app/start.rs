//! How the application starts: fail closed, one clear sentence for what is wrong, existing data untouched.
//!
//! 1. The data folder (mode 0700) and the database are opened and migrated.
//! 2. The master key is the setting, or the file in the data folder; a file is made for an empty store only.
//! 3. The stored check value tells whether the key is the one that sealed the store's keys.
//! 4. The issuer is the setting, or the address of the first start, kept in the store.
//! 5. Keys are opened, the first ones made; every live revocation is loaded before anything is verified.

use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use symbolon_guard::{Checker, CheckerOptions, ProofOptions, Proofs};
use symbolon_store::{DatabaseUrl, Feed, OpenOptions, Store};
use symbolon_token::Verifier;
use symbolon_token::dpop::Nonces;
use tokio::sync::{OnceCell, Semaphore};

use super::timekeeping::begin_time;
use super::{App, Issuance};
use crate::clock::Clock;
use crate::config::{Config, Issuer};
use crate::feed::{self, Hub, Mark, Marked};
use crate::flows::feed::FollowingClients;
use crate::flows::import::upload::Imports;
use crate::flows::oauth::introspect::SeenTokens;
use crate::flows::revocations::former::Former;
use crate::flows::stats::Kept;
use crate::flows::{ROUNDS, keys, was_forestalled};
use crate::hashing::Hasher;
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::outbound::{Outbound, Shelf};
use crate::pages::{Pages, PagesError};
use crate::rng::Rng;
use crate::sealing::MasterKey;
use crate::throttle::Throttle;

/// Verified tokens that the process remembers: a hit costs a hundredth of a verification.
const CACHED_TOKENS: usize = 16_384;
const MASTER_CHECK: &str = "master_key_check";
pub(crate) const FEED_MARK: &str = "feed.mark";
pub(crate) const MASTER_FILE: &str = "master.key";
/// The setting of the store that keeps the address of the first start.
pub(crate) const ISSUER: &str = "issuer";
const LONGEST_TTL: &str = "longest_access_ttl_ms";
/// Revocations read at once.
const PAGE: u32 = 10_000;

/// Why the server does not start, in one sentence for its owner.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

impl StartError {
    pub(crate) fn new(context: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut sentence = format!("{context}: {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !sentence.contains(&cause_text) {
                sentence.push_str(": ");
                sentence.push_str(&cause_text);
            }
            source = cause.source();
        }
        Self(sentence)
    }
}

impl From<PagesError> for StartError {
    fn from(error: PagesError) -> Self {
        Self::new("pages", &error)
    }
}

impl App {
    /// Opens the store, which is made if it is not there, and what every command needs; no key is touched.
    ///
    /// # Errors
    /// A folder or database that cannot be opened.
    pub async fn open(config: Config, clock: Clock, rng: Rng) -> Result<Arc<Self>, StartError> {
        Self::open_store(config, clock, rng, true).await
    }

    /// As [`App::open`], for what makes no sense without a store: a mistyped folder is an error then, not a new
    /// and empty one.
    ///
    /// # Errors
    /// A database that is not there or cannot be opened.
    pub async fn open_existing(
        config: Config,
        clock: Clock,
        rng: Rng,
    ) -> Result<Arc<Self>, StartError> {
        Self::open_store(config, clock, rng, false).await
    }

    async fn open_store(
        config: Config,
        clock: Clock,
        rng: Rng,
        create: bool,
    ) -> Result<Arc<Self>, StartError> {
        let url = database_url(&config)?;
        // What needs no database comes first, so that there is none to close when it fails.
        let hasher = Hasher::start(&config.password, &rng)
            .map_err(|error| StartError::new("password hashing", &error))?;
        let mail = Mailer::new(&config).map_err(|error| StartError::new("mail", &error))?;
        let pages = Pages::new(&config.pages)?;
        let store = open_database(&config, create).await?;
        let (used, settings) = match prepare(&store, &clock, &config).await {
            Ok(found) => found,
            Err(error) => {
                store.close().await;
                return Err(error);
            }
        };
        let throttle = Throttle::new(config.throttle.enabled, rng.table_seed(), hasher.room());
        Ok(Arc::new_cyclic(|this| Self {
            this: this.clone(),
            unfinished: Arc::default(),
            settled: OnceCell::new(),
            hasher,
            throttle,
            outlet: OnceLock::new(),
            mail,
            pages,
            outbound: Outbound::new(config.outbound.allow_loopback_http),
            documents: Shelf::default(),
            fetched_keys: Shelf::default(),
            providers: Shelf::default(),
            metrics: Metrics::default(),
            stats: Kept::new(clock.now()),
            imports: Imports::default(),
            mark: Mark::new(
                (url != DatabaseUrl::SqliteMemory).then(|| config.server.data.join(FEED_MARK)),
            ),
            settings: ArcSwap::from_pointee(settings),
            roles: ArcSwap::default(),
            client_origins: ArcSwap::default(),
            longest_access_ttl: super::millis(config.tokens.access_ttl.max(used)).into(),
            draining: AtomicBool::new(false),
            issuance: OnceLock::new(),
            config,
            clock,
            rng,
            store,
        }))
    }

    /// Opens the keys, so that tokens can be issued and checked. `bound` is the address that is served, where
    /// one is: it becomes the issuer of a store that has none.
    ///
    /// # Errors
    /// A master key that is missing, unreadable or another one; a key that does not open.
    pub async fn open_keys(&self, bound: Option<SocketAddr>) -> Result<(), StartError> {
        let settings = self.reload_settings().await;
        settings.map_err(|error| flow_error("settings", &error))?;
        let master = self.open_master().await?;
        let issuer = self.issuer(bound).await?;
        self.remember_longest_ttl().await?;
        let epoch = self.begin_feed().await?;
        let ring = keys::open(self, &master)
            .await
            .map_err(|error| flow_error("keys", &error))?;
        let audience = self
            .config
            .tokens
            .audience
            .clone()
            .unwrap_or_else(|| issuer.clone());
        let verifier = Verifier::access(&issuer, &audience, &symbolon_token::Algorithm::ALL)
            .map_err(|error| StartError::new("issuer", &error))?;
        let set = ring
            .key_set(self.clock.now())
            .map_err(|error| flow_error("keys", &error))?;
        let guard = Checker::new(
            CheckerOptions {
                verifier,
                cache_capacity: CACHED_TOKENS,
            },
            set,
        );
        let seq = load_revocations(&self.store, &self.mark, &guard).await?;
        self.mark.resume(&epoch, seq);
        let (proofs, proofs_of_keys) = (self.proofs(&master)?, self.proofs(&master)?);
        let issuance = Issuance {
            issuer,
            audience,
            ring: ArcSwap::from_pointee(ring),
            ring_writer: Mutex::default(),
            seen: SeenTokens::default(),
            key_maker: tokio::sync::Mutex::default(),
            guard,
            proofs,
            proofs_of_keys,
            master,
            feed: Arc::new(Hub::new(&epoch, seq)),
            feed_pages: Semaphore::new(1),
            feed_clients: FollowingClients::default(),
        };
        let _already_open = self.issuance.set(issuance);
        Ok(())
    }

    /// Nodes that share a master key give the same nonces.
    fn proofs(&self, master: &MasterKey) -> Result<Proofs, StartError> {
        let nonces = match self.config.oauth.dpop_nonce {
            true => {
                let secret = master.subkey("DPoP nonces");
                let secret = secret.map_err(|error| StartError::new("master key", &error))?;
                Some(Nonces::new(&secret))
            }
            false => None,
        };
        Ok(Proofs::new(ProofOptions {
            nonces,
            ..ProofOptions::default()
        }))
    }

    async fn remember_longest_ttl(&self) -> Result<(), StartError> {
        let longest = self.longest_access_ttl();
        let known = longest_ttl(&self.store).await.map_err(store_error)?;
        // Never a shorter one: another node may have started with a longer life since this one looked.
        if known.is_none_or(|known| known < longest) {
            let mut batch = self.store.batch();
            batch.put_setting(LONGEST_TTL, &longest.as_millis().to_string());
            batch.commit().await.map_err(store_error)?;
        }
        Ok(())
    }

    /// The epoch of the feed: the one that is there, unless the database was restored from a backup. One that was renewed
    /// since this node was here has told the guards already.
    async fn begin_feed(&self) -> Result<String, StartError> {
        let epoch = self.rng.bytes::<9>();
        let epoch = epoch.map_err(|error| StartError::new("random source", &error))?;
        let epoch = symbolon_token::encoding::encode(&epoch);
        for _ in 0..ROUNDS {
            // The mark first: a server beside this command may go on meanwhile.
            let mark = self.mark.read();
            let former = Former::read(&self.store).await.map_err(store_error)?;
            let feed = self.store.feed().await.map_err(store_error)?;
            // What this node has published, and the database does not know.
            let lost = match mark {
                Some(kept) if self.is_lost(&kept, &feed, &former).await? => Some(kept.point),
                _ => None,
            };
            let mut batch = self.store.batch();
            match lost {
                None if !feed.epoch.is_empty() => return Ok(feed.epoch),
                None => {
                    batch.begin_feed(&epoch);
                }
                Some(mark) => {
                    tracing::warn!(
                        "the database does not have the last revocations that this node published, as when it was restored from a backup: \
                         the feed of revocations begins another epoch, and guards load everything anew"
                    );
                    former.renew(&mut batch, &[&mark.epoch, &feed.epoch], &epoch);
                }
            }
            let committed = batch.commit().await;
            if !was_forestalled(&committed) {
                committed.map_err(store_error)?;
                break;
            }
        }
        // Another node may have been quicker.
        Ok(self.store.feed().await.map_err(store_error)?.epoch)
    }

    /// Whether the database does not know what was kept: it never came that far, or another revocation has that number.
    async fn is_lost(
        &self,
        kept: &Marked,
        feed: &Feed,
        former: &Former,
    ) -> Result<bool, StartError> {
        let Marked { point, last: known } = kept;
        if point.epoch != feed.epoch {
            return Ok(!former.contains(&point.epoch));
        }
        let last = self.store.list_revocations(point.seq.saturating_sub(1), 1);
        let last = last.await.map_err(store_error)?;
        // One that was purged says nothing.
        let given_again = last.first().is_some_and(|entry| {
            entry.seq == point.seq && known.is_some_and(|known| known != feed::digest(entry))
        });
        Ok(point.seq > feed.seq || given_again)
    }

    /// The master key, checked against the store.
    ///
    /// # Errors
    /// A master key that is missing, unreadable or another one.
    pub async fn open_master(&self) -> Result<MasterKey, StartError> {
        let known = self
            .store
            .find_setting(MASTER_CHECK)
            .await
            .map_err(store_error)?;
        let master = match &self.config.server.master_key {
            Some(setting) => MasterKey::from_config(setting),
            None => {
                if known.is_none() {
                    make_folder(&self.config.server.data)?;
                }
                self.read_master(known.is_none())
            }
        };
        let master = master.map_err(|error| match error.is_missing() {
            true => StartError(format!(
                "the master key of this store is missing: put {} back, or set server.master_key to the same key",
                self.config.server.data.join(MASTER_FILE).display()
            )),
            false => StartError::new("master key", &error),
        })?;
        let check = master
            .check_value()
            .map_err(|error| StartError::new("master key", &error))?;
        let known = match known {
            Some(known) => known,
            None => self.keep_once(MASTER_CHECK, &check).await?,
        };
        if known == check {
            return Ok(master);
        }
        Err(StartError(
            "the master key does not open the keys of this store: give the key that the store was made with, by \
             server.master_key or the file master.key in the data folder"
                .to_owned(),
        ))
    }

    /// The master key of a store that has one already; none is made.
    ///
    /// # Errors
    /// As [`App::open_master`].
    pub async fn known_master(&self) -> Result<Option<MasterKey>, StartError> {
        let known = self.store.find_setting(MASTER_CHECK).await;
        match known.map_err(store_error)? {
            Some(_) => self.open_master().await.map(Some),
            None => Ok(None),
        }
    }

    fn read_master(&self, empty_store: bool) -> Result<MasterKey, crate::sealing::MasterKeyError> {
        let path = self.config.server.data.join(MASTER_FILE);
        match MasterKey::read_file(&path) {
            Err(error) if error.is_missing() && empty_store => {
                match MasterKey::create_file(&path, &self.rng) {
                    // Another process starts on the same folder, and was quicker.
                    Err(error) if error.is_there_already() => MasterKey::read_file(&path),
                    other => other,
                }
            }
            other => other,
        }
    }

    async fn issuer(&self, bound: Option<SocketAddr>) -> Result<String, StartError> {
        if let Some(issuer) = &self.config.server.issuer {
            return Ok(issuer.as_str().to_owned());
        }
        if let Some(kept) = self.store.find_setting(ISSUER).await.map_err(store_error)? {
            return Ok(kept);
        }
        let bound = bound.ok_or_else(|| {
            StartError("no issuer is known: set server.issuer, or start the server once".to_owned())
        })?;
        let issuer =
            Issuer::of_address(bound).map_err(|error| StartError::new("server.issuer", &error))?;
        self.keep_once(ISSUER, issuer.as_str()).await
    }

    /// Keeps a value unless there is one, and returns the one that is kept: another node may have been quicker.
    async fn keep_once(&self, name: &str, value: &str) -> Result<String, StartError> {
        self.store
            .batch()
            .insert_setting_once(name, value)
            .commit()
            .await
            .map_err(store_error)?;
        Ok(self
            .store
            .find_setting(name)
            .await
            .map_err(store_error)?
            .unwrap_or_else(|| value.to_owned()))
    }
}

/// The database of the settings as it is, its tables not looked at. `create` makes one that is not there.
pub(crate) async fn open_database(config: &Config, create: bool) -> Result<Store, StartError> {
    let url = database_url(config)?;
    if create && matches!(url, DatabaseUrl::Sqlite(_)) {
        make_folder(&config.server.data)?;
    }
    let options = OpenOptions {
        create,
        ..OpenOptions::default()
    };
    Store::open(&url, &options)
        .await
        .map_err(|error| StartError::new("database", &error))
}

/// Brings the tables up to date, and tells the longest life that an access token was ever given, and the settings with
/// those of the database.
async fn prepare(
    store: &Store,
    clock: &Clock,
    config: &Config,
) -> Result<(Duration, Config), StartError> {
    begin_time(store, clock).await.map_err(store_error)?;
    store
        .migrate(clock.now())
        .await
        .map_err(|error| StartError::new("database", &error))?;
    let used = longest_ttl(store).await.map_err(store_error)?;
    let stored = super::stored_settings(store).await.map_err(store_error)?;
    // A server does not start with those that make no sense; a command must, for it is what puts them right.
    let settings = config.with_stored(&stored);
    Ok((
        used.unwrap_or_default(),
        settings.unwrap_or_else(|_| config.clone()),
    ))
}

pub(super) async fn longest_ttl(store: &Store) -> Result<Option<Duration>, symbolon_store::Error> {
    let used = store.find_setting(LONGEST_TTL).await?;
    let millis = used.and_then(|text| text.parse().ok());
    Ok(millis.map(Duration::from_millis))
}

/// Where the data is, as the settings say.
pub(crate) fn database_url(config: &Config) -> Result<DatabaseUrl, StartError> {
    match &config.database.url {
        Some(url) => url
            .expose()
            .parse()
            .map_err(|error: symbolon_store::OpenError| StartError::new("database.url", &error)),
        None => Ok(DatabaseUrl::Sqlite(config.server.data.join("symbolon.db"))),
    }
}

pub(crate) fn make_folder(path: &Path) -> Result<(), StartError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| {
            StartError(format!(
                "the data folder {} cannot be made: {error}",
                path.display()
            ))
        })
}

/// Tells the guard of every live revocation, and returns the number of the last.
async fn load_revocations(store: &Store, mark: &Mark, guard: &Checker) -> Result<i64, StartError> {
    // What is committed from here on is followed.
    let last = store.feed().await.map_err(store_error)?.seq;
    let mut after = 0;
    loop {
        let page = store
            .list_revocations(after, PAGE)
            .await
            .map_err(store_error)?;
        for entry in &page {
            super::apply(guard, entry);
            if entry.seq <= last {
                mark.saw(entry);
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = last.seq,
            _ => return Ok(last),
        }
    }
}

fn store_error(error: symbolon_store::Error) -> StartError {
    StartError::new("database", &error)
}

fn flow_error(context: &str, error: &crate::flows::Error) -> StartError {
    StartError::new(context, error)
}
