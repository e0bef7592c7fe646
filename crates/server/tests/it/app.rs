//! The real service in this process, on a port of its own, with a clock that stands still and chance that repeats.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::stream::once;
use symbolon::app::App;
use symbolon::clock::Clock;
use symbolon::config::{Config, Sources};
use symbolon::http::serve::serve;
use symbolon::jobs::follow;
use symbolon::rng::Rng;
use symbolon_domain::Timestamp;
use symbolon_domain::audit::{AuditEvent, AuditKind};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::client::{Answer, Request, raw};

/// When every test begins: in the middle of a second, so that rounding shows.
pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_500);
/// The master key of stores without a folder.
const MASTER_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A running service. It stops, and its files go, when it is dropped.
pub struct TestApp {
    pub app: Arc<App>,
    pub clock: Clock,
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    /// Ends with the test.
    follower: JoinSet<()>,
}

impl TestApp {
    /// With the default settings, as far as time and memory allow, and a store in memory.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With settings of its own.
    pub async fn with(settings: &[(&'static str, &str)]) -> Self {
        let sources = memory(cheap(Sources::default()));
        Self::of(&configured(sources, settings), Clock::frozen(START), 1).await
    }

    /// With a file of settings, and others of its own.
    pub async fn with_file(text: &str, settings: &[(&'static str, &str)]) -> Self {
        let folder = Folder::new();
        let path = folder.path().join("symbolon.toml");
        std::fs::write(&path, text).unwrap();
        let sources = memory(cheap(Sources::default())).with_file(Some(path));
        Self::of(&configured(sources, settings), Clock::frozen(START), 1).await
    }

    /// With a database of its own.
    pub async fn on(database: &str, settings: &[(&'static str, &str)]) -> Self {
        let sources = stored(cheap(Sources::default()), database);
        Self::of(&configured(sources, settings), Clock::frozen(START), 1).await
    }

    /// The same with a clock and chance of its own: a node beside others.
    pub async fn timed(
        database: &str,
        clock: Clock,
        seed: u64,
        settings: &[(&'static str, &str)],
    ) -> Self {
        let sources = stored(cheap(Sources::default()), database);
        Self::of(&configured(sources, settings), clock, seed).await
    }

    /// Another installation, with other keys.
    pub async fn of_seed(seed: u64) -> Self {
        let sources = memory(cheap(Sources::default()));
        Self::of(&configured(sources, &[]), Clock::frozen(START), seed).await
    }

    /// With a store in `folder`, which outlives it.
    pub async fn in_folder(folder: &Folder, clock: Clock, seed: u64) -> Self {
        Self::in_folder_with(folder, clock, seed, &[]).await
    }

    /// The same with settings of its own.
    pub async fn in_folder_with(
        folder: &Folder,
        clock: Clock,
        seed: u64,
        settings: &[(&'static str, &str)],
    ) -> Self {
        let data = folder.path().to_str().unwrap().to_owned();
        let sources = cheap(Sources::default()).with_option("server.data", Some(data));
        Self::of(&configured(sources, settings), clock, seed).await
    }

    async fn of(config: &Config, clock: Clock, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = App::open(config.clone(), clock.clone(), Rng::seeded(seed))
            .await
            .unwrap();
        app.open_keys(Some(address)).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        // Dropped unsent when the test ends.
        let told = once(async { stopped.await.unwrap_or_default() });
        tokio::spawn(serve(Arc::clone(&app), listener, told));
        let mut follower = JoinSet::new();
        let followed = Arc::clone(&app);
        follower.spawn(async move { follow(&followed).await });
        Self {
            app,
            clock,
            address,
            stop: Some(stop),
            follower,
        }
    }

    /// Stops answering and closes the store, as a process that ends does.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        self.follower.shutdown().await;
        self.app.store.close().await;
    }

    /// As if the follower could not read the store for a while.
    pub async fn deafen(&mut self, since: Duration) {
        self.follower.shutdown().await;
        let feed = &self.app.issuance().unwrap().feed;
        feed.looked(feed.age() - since.as_millis() as i64);
    }

    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.address, method, path)
    }

    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    pub fn patch(&self, path: &str) -> Request {
        self.request("PATCH", path)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    /// Sends bytes as they are.
    pub async fn raw(&self, bytes: &[u8]) -> Answer {
        raw(self.address, bytes).await
    }

    /// Lets time pass.
    pub fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn now_seconds(&self) -> i64 {
        self.clock.now().seconds()
    }

    /// Every audit row of a kind, the latest first.
    pub async fn audit(&self, kind: AuditKind) -> Vec<AuditEvent> {
        let rows = self.app.store.list_audit(10_000, None).await.unwrap();
        rows.into_iter()
            .map(|row| row.event)
            .filter(|event| event.kind == kind)
            .collect()
    }
}

/// The cheapest hashes that the settings allow.
fn cheap(sources: Sources) -> Sources {
    sources
        .with_option("password.memory_kib", Some("7168".to_owned()))
        .with_option("password.iterations", Some("5".to_owned()))
}

fn memory(sources: Sources) -> Sources {
    stored(sources, "sqlite::memory:")
}

fn stored(sources: Sources, database: &str) -> Sources {
    sources
        .with_option("database.url", Some(database.to_owned()))
        .with_option("server.master_key", Some(MASTER_KEY.to_owned()))
}

fn configured(sources: Sources, settings: &[(&'static str, &str)]) -> Config {
    let set = settings.iter().fold(sources, |sources, (name, value)| {
        sources.with_option(name, Some((*value).to_owned()))
    });
    Config::load(&set).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A folder that goes with its test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let all = Path::new(env!("CARGO_TARGET_TMPDIR"));
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = all.join(format!("symbolon-{}-{number}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => return Self(path),
                // A process of the same number was killed once.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing depends on it, and a panic here would hide the one that matters.
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}
