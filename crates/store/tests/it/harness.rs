//! Stores of every engine, and things to put into them.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use symbolon_domain::refresh::{Digest, RefreshState};
use symbolon_domain::{
    Email, Roles, Session, SessionId, SignInMethod, Timestamp, Transport, User, UserId, UserStatus,
    Username,
};
use symbolon_store::{DatabaseUrl, OpenOptions, Store};
use symbolon_testkit::Postgres;
use uuid::Uuid;

/// A folder that goes with the value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("symbolon-store-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// A UUIDv7 of a moment, told apart from others of it by `number`.
pub fn uuid(millis: i64, number: u16) -> Uuid {
    let version = 7u128 << 76;
    let variant = 2u128 << 62;
    Uuid::from_u128(
        (u128::try_from(millis).unwrap() << 80) | version | variant | u128::from(number),
    )
}

pub fn user_id(number: u16) -> UserId {
    UserId::new(uuid(1_000, number))
}

pub fn session_id(number: u16) -> SessionId {
    SessionId::new(uuid(2_000, number))
}

pub fn user(number: u16) -> User {
    User {
        id: user_id(number),
        email: Email::parse(&format!("User{number}@Example.com")).unwrap(),
        username: Some(Username::parse(&format!("User{number}")).unwrap()),
        name: None,
        roles: Roles::parse("user").unwrap(),
        status: UserStatus::Active,
        email_verified: false,
        token_version: 1,
        version: 1,
        created_at: at(1_000),
        updated_at: at(1_000),
    }
}

pub fn admin(number: u16) -> User {
    User {
        roles: Roles::parse("admin user").unwrap(),
        ..user(number)
    }
}

/// A session of user `owner`, made at 10,000, idle after 5,000 ms, over at 100,000.
pub fn session(number: u16, owner: u16) -> Session {
    Session {
        id: session_id(number),
        user: user_id(owner),
        client_id: "symbolon".into(),
        refresh: RefreshState::first(Digest::new([7; 32]), 1, at(10_000)),
        idle_ttl: Duration::from_secs(5),
        expires_at: at(100_000),
        persistent: true,
        transport: Transport::Cookie,
        method: SignInMethod::Password,
        device: None,
        user_agent: None,
        address: None,
        created_at: at(10_000),
        last_used_at: at(10_000),
        ended: None,
    }
}

/// The state that follows another one.
pub fn next(state: &RefreshState, now: i64) -> RefreshState {
    let generation = state.generation + 1;
    let mut digest = [9; 32];
    digest[..8].copy_from_slice(&generation.to_be_bytes());
    RefreshState {
        generation,
        digest: Digest::new(digest),
        rotated_at: at(now),
        ..*state
    }
}

pub async fn open(url: &str) -> Store {
    let url: DatabaseUrl = url.parse().unwrap();
    let store = Store::open(&url, &OpenOptions::default()).await.unwrap();
    store.migrate(at(1)).await.unwrap();
    store
}

/// A place where a store can be opened, more than once if it is not in memory.
pub struct Place {
    pub url: String,
    _folder: Option<Folder>,
}

impl Place {
    pub fn file() -> Self {
        let folder = Folder::new();
        Self {
            url: format!("sqlite:{}", folder.file("s.db").display()),
            _folder: Some(folder),
        }
    }

    pub fn memory() -> Self {
        Self {
            url: "sqlite::memory:".into(),
            _folder: None,
        }
    }

    pub fn postgres() -> Option<Self> {
        Some(Self {
            url: Postgres::shared()?.url(),
            _folder: None,
        })
    }

    pub async fn open(&self) -> Store {
        open(&self.url).await
    }

    pub fn is_shared(&self) -> bool {
        self.url != "sqlite::memory:"
    }
}

/// Makes three tests of each function: the same on a file, in memory and on PostgreSQL.
macro_rules! on_every_engine {
    ($($test:ident),+ $(,)?) => {
        $(mod $test {
            use crate::harness::Place;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite_file() {
                super::$test(&Place::file()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite_memory() {
                super::$test(&Place::memory()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(place) = Place::postgres() {
                    super::$test(&place).await;
                }
            }
        })+
    };
}

pub(crate) use on_every_engine;

/// Commits one verb after another and says what came out.
macro_rules! commit {
    ($store:expr, $($verb:ident($($argument:expr),* $(,)?)),+) => {{
        let mut batch = $store.batch();
        $(batch.$verb($($argument),*);)+
        batch.commit().await
    }};
}

pub(crate) use commit;
