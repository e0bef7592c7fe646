//! Sessions that were never signed in: written through the server's own library, so that a row is a
//! row as any other, without the password hash that each would cost over HTTP.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use symbolon::{
    app::App,
    clock::Clock,
    config::{Config, Sources},
    rng::Rng,
};
use symbolon_domain::{
    Email, RoleName, Roles, Session, SessionId, SignInMethod, Timestamp, Transport, User, UserId,
    UserStatus,
    refresh::RefreshState,
    revocation::{Effect, Revocation, Subject},
};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// The issuer of every seeded folder, wherever its server listens.
pub const ISSUER: &str = "http://127.0.0.1:8080";
/// Sessions that one user has.
const SESSIONS_OF_USER: u64 = 10;
/// Sessions written in one transaction.
const BATCH: u64 = 10_000;
/// The first of them was made so long ago; they follow each other in order.
const AGE: Duration = Duration::from_secs(12 * 3600);
/// Sessions made in each millisecond since.
const PER_MILLISECOND: u64 = 200;
/// Longer than any run: what was revoked stays in the feed.
const LONG: Duration = Duration::from_secs(12 * 3600);
/// Where all of them were made.
pub const ADDRESS: &str = "203.0.113.195";
pub const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
/// Of the form and length of a real one. Nobody signs in with it.
const PASSWORD_HASH: &str = "$argon2id$v=19$m=47104,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$\
    MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

/// A data folder with sessions whose tokens we know.
pub struct Seeded {
    data: PathBuf,
    runtime: Runtime,
    app: Arc<App>,
    start: Timestamp,
    count: u64,
}

impl Seeded {
    /// Makes a data folder with its keys and `count` sessions.
    pub fn create(data: &Path, count: u64) -> Result<Self> {
        Self::create_in(data, None, count)
    }

    /// The same with the sessions in another database.
    pub fn create_in(data: &Path, database: Option<&str>, count: u64) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let app = runtime.block_on(open_in(data, database))?;
        let mut seeded = Self {
            data: data.to_owned(),
            start: app.clock.now().minus(AGE),
            runtime,
            app,
            count: 0,
        };
        seeded.fill(count)?;
        Ok(seeded)
    }

    /// Adds sessions until there are `count`. To be called while no server has the folder.
    pub fn grow(&mut self, count: u64) -> Result<()> {
        self.app = self.runtime.block_on(open(&self.data))?;
        self.fill(count)
    }

    fn fill(&mut self, count: u64) -> Result<()> {
        while self.count < count {
            let end = count.min(self.count + BATCH);
            self.runtime.block_on(self.write(self.count, end))?;
            self.count = end;
        }
        // A server is to have the database for itself. The tokens stay known.
        self.runtime.block_on(self.app.store.close());
        Ok(())
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first refresh token of a session.
    pub fn token(&self, at: u64) -> Result<Zeroizing<String>> {
        let issuance = self.app.issuance()?;
        let token = issuance.first_refresh_token(self.session_id(at), &secret(at))?;
        Ok(token.encode())
    }

    /// What the feed calls a session.
    pub fn feed_key(&self, at: u64) -> [u8; 16] {
        Subject::Session(self.session_id(at)).key()
    }

    /// Revokes sessions that do not exist, from one number up to another: what so many logouts leave in the feed. To be
    /// called while no server has the folder.
    pub fn revoke(&mut self, from: u64, to: u64) -> Result<()> {
        self.app = self.runtime.block_on(open(&self.data))?;
        let until = self.app.clock.now().plus(LONG);
        for first in (from..to).step_by(BATCH as usize) {
            let mut batch = self.app.store.batch();
            for at in first..to.min(first + BATCH) {
                let chance = u128::from(mix(at)) << 64 | u128::from(mix(!at));
                batch.insert_revocation(&Revocation {
                    subject: Subject::Session(SessionId::from_bytes(chance.to_le_bytes())),
                    effect: Effect::Revoked,
                    until,
                });
            }
            self.runtime.block_on(batch.commit()).context("revoking")?;
        }
        self.runtime.block_on(self.app.store.close());
        Ok(())
    }

    async fn write(&self, from: u64, to: u64) -> Result<()> {
        let mut batch = self.app.store.batch();
        for at in from..to {
            if at.is_multiple_of(SESSIONS_OF_USER) {
                batch.insert_user(&self.user(at / SESSIONS_OF_USER)?, Some(PASSWORD_HASH));
            }
            batch.insert_session(&self.session(at)?);
        }
        batch.commit().await.context("seeding")
    }

    fn made_at(&self, at: u64) -> Timestamp {
        self.start.plus(Duration::from_millis(at / PER_MILLISECOND))
    }

    /// UUIDv7 (RFC 9562 section 5.7), as the server makes them, but the same at each call.
    fn id(&self, at: u64, kind: u64) -> uuid::Uuid {
        let millis = self.made_at(at).millis().cast_unsigned();
        let chance = u128::from(mix(at ^ kind)) << 64 | u128::from(mix(!at ^ kind));
        uuid::Builder::from_unix_timestamp_millis(millis, &first_bytes(chance)).into_uuid()
    }

    fn session_id(&self, at: u64) -> SessionId {
        SessionId::new(self.id(at, 1 << 62))
    }

    fn user_id(&self, at: u64) -> UserId {
        UserId::new(self.id(at * SESSIONS_OF_USER, 1 << 63))
    }

    fn user(&self, at: u64) -> Result<User> {
        let email = Email::parse(&format!("user-{at:08}@example.com"));
        let made = self.made_at(at * SESSIONS_OF_USER);
        Ok(User {
            id: self.user_id(at),
            email: email.map_err(|problem| anyhow::anyhow!(problem.detail))?,
            username: None,
            name: None,
            roles: Roles::new(vec![RoleName::USER]),
            status: UserStatus::Active,
            email_verified: false,
            token_version: 1,
            version: 1,
            created_at: made,
            updated_at: made,
        })
    }

    fn session(&self, at: u64) -> Result<Session> {
        let id = self.session_id(at);
        let token = self.app.issuance()?.first_refresh_token(id, &secret(at))?;
        let made = self.made_at(at);
        let life = &self.app.config.refresh;
        Ok(Session {
            id,
            user: self.user_id(at / SESSIONS_OF_USER),
            client_id: "symbolon".into(),
            refresh: RefreshState::first(token.digest().into(), token.key(), made),
            idle_ttl: life.idle_ttl,
            expires_at: made.plus(life.absolute_ttl),
            persistent: true,
            transport: Transport::Body,
            method: SignInMethod::Password,
            device: Some("Pixel 9".into()),
            user_agent: Some(USER_AGENT.into()),
            address: Some(ADDRESS.into()),
            created_at: made,
            last_used_at: made,
            ended: None,
        })
    }
}

/// The server's library on a data folder, with its keys.
pub async fn open(data: &Path) -> Result<Arc<App>> {
    open_in(data, None).await
}

async fn open_in(data: &Path, database: Option<&str>) -> Result<Arc<App>> {
    let data = data.display().to_string();
    let sources = Sources::default()
        .with_option("server.data", Some(data))
        .with_option("database.url", database.map(str::to_owned));
    let app = App::open(Config::load(&sources)?, Clock::system(), Rng::system()).await?;
    let address: SocketAddr = ([127, 0, 0, 1], 8080).into();
    app.open_keys(Some(address)).await?;
    Ok(app)
}

/// The secret of a session's first token: the same at each call.
fn secret(at: u64) -> [u8; 32] {
    let mut secret = [0; 32];
    for (number, eight) in (0_u64..).zip(secret.chunks_exact_mut(8)) {
        eight.copy_from_slice(&mix(at.wrapping_mul(4).wrapping_add(number)).to_le_bytes());
    }
    secret
}

fn first_bytes(chance: u128) -> [u8; 10] {
    let mut bytes = [0; 10];
    for (to, from) in bytes.iter_mut().zip(chance.to_le_bytes()) {
        *to = from;
    }
    bytes
}

/// SplitMix64: different numbers give different numbers, with no order left.
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
