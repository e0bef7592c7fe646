//! The settings: one tree of real types, read once at the start, a field of `App`, never a global.
//!
//! Later sources win: defaults, the file, the environment (`SYMBOLON_SECTION__KEY`), the command line. A setting that is
//! unknown or wrong in any of them stops the start, with every mistake told at once.

mod checks;
mod error;
mod layers;
mod reader;
mod reference;
mod settings;
mod sources;
mod suggest;
#[cfg(test)]
mod tests;
mod types;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use symbolon_token::Algorithm;

pub use self::error::{ConfigError, ConfigErrors};
use self::reader::Reader;
pub use self::reference::{reference_json, reference_markdown};
pub use self::sources::Sources;
pub use self::types::{
    CookieDomain, CookieName, Issuer, IssuerError, LogFormat, RegistrationMode, SameSite, WebOrigin,
};
use crate::client_address::IpNet;
use crate::hashing::{HashAlgorithm, HashOptions};
use crate::secret::Secret;

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where and as whom the server answers.
    pub server: ServerConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// What nodes share beside it.
    pub cache: CacheConfig,
    /// Access tokens.
    pub tokens: TokensConfig,
    /// Sessions and their refresh tokens.
    pub refresh: RefreshConfig,
    /// The refresh cookie.
    pub cookie: CookieConfig,
    /// Passwords.
    pub password: PasswordConfig,
    /// New accounts.
    pub registration: RegistrationConfig,
    /// Limits on guessing.
    pub throttle: ThrottleConfig,
    /// Pages of other origins.
    pub cors: CorsConfig,
    /// Outgoing mail.
    pub mail: MailConfig,
    /// Log lines.
    pub log: LogConfig,
    /// Metrics.
    pub metrics: MetricsConfig,
    shown: Vec<Shown>,
}

/// `[server]`
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes any.
    pub listen: SocketAddr,
    /// The `iss` of every token. Without it: `http://` and the address of the first start.
    pub issuer: Option<Issuer>,
    /// The folder of the embedded database and the master key.
    pub data: PathBuf,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// 32 bytes in text, already known to be well-formed. Without it: `master.key` in the data folder.
    pub master_key: Option<Secret<String>>,
}

/// `[database]`
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `sqlite:` or `postgres://`. Without it: SQLite in the data folder.
    pub url: Option<Secret<String>>,
}

/// `[cache]`
#[derive(Clone, Debug)]
pub struct CacheConfig {
    /// `redis://` or `rediss://`.
    pub url: Option<Secret<String>>,
}

/// `[tokens]`
#[derive(Clone, Debug)]
pub struct TokensConfig {
    /// The life of an access token.
    pub access_ttl: Duration,
    /// The `aud` of access tokens. Without it: the issuer.
    pub audience: Option<String>,
    /// What new keys are made for.
    pub algorithm: Algorithm,
}

/// `[refresh]`
#[derive(Clone, Debug)]
pub struct RefreshConfig {
    /// A session that is not refreshed for this long ends.
    pub idle_ttl: Duration,
    /// A session ends this long after its sign-in.
    pub absolute_ttl: Duration,
    /// The same for a sign-in without "remember me".
    pub session_ttl: Duration,
    /// For how long the token before the current one may be repeated freely.
    pub leeway: Duration,
    /// For how long it may be repeated by a client that lost the answer.
    pub retry_window: Duration,
}

/// `[cookie]`. The cookie is always `HttpOnly` and `Secure`.
#[derive(Clone, Debug)]
pub struct CookieConfig {
    /// Its name.
    pub name: CookieName,
    /// Its `Domain`.
    pub domain: Option<CookieDomain>,
    /// Its `SameSite`.
    pub same_site: SameSite,
}

/// `[password]`
#[derive(Clone, Debug)]
pub struct PasswordConfig {
    /// What new hashes are made with.
    pub hash: HashAlgorithm,
    /// Code points that a new password has at least.
    pub min_length: usize,
    /// Argon2 memory in KiB.
    pub memory_kib: u32,
    /// Argon2 passes.
    pub iterations: u32,
    /// Argon2 lanes.
    pub parallelism: u32,
    /// The base-two logarithm of bcrypt's rounds.
    pub bcrypt_cost: u32,
}

impl From<&PasswordConfig> for HashOptions {
    fn from(config: &PasswordConfig) -> Self {
        Self {
            algorithm: config.hash,
            memory_kib: config.memory_kib,
            iterations: config.iterations,
            parallelism: config.parallelism,
            bcrypt_cost: config.bcrypt_cost,
            ..Self::default()
        }
    }
}

/// `[registration]`
#[derive(Clone, Debug)]
pub struct RegistrationConfig {
    /// Who may make an account.
    pub mode: RegistrationMode,
}

/// `[throttle]`
#[derive(Clone, Debug)]
pub struct ThrottleConfig {
    /// Whether attempts to sign in are limited.
    pub enabled: bool,
}

/// `[cors]`
#[derive(Clone, Debug)]
pub struct CorsConfig {
    /// Other origins whose pages may call the API with credentials.
    pub origins: Vec<WebOrigin>,
}

/// `[mail]`
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// `smtp://` or `smtps://`.
    pub url: Option<Secret<String>>,
    /// Who mail is from.
    pub from: Option<String>,
}

/// `[log]`
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// For people or for machines.
    pub format: LogFormat,
    /// A level, or directives of `tracing-subscriber`'s `EnvFilter`.
    pub level: String,
}

/// `[metrics]`
#[derive(Clone, Debug)]
pub struct MetricsConfig {
    /// A listener of its own for `/metrics`.
    pub listen: Option<SocketAddr>,
}

/// One setting as it is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Section and key.
    pub name: &'static str,
    /// The value as it was written; `(secret)` for one, empty for none.
    pub value: String,
    /// Where it comes from: `default`, a line of the file, a variable, an option.
    pub source: String,
}

impl Config {
    /// Reads all sources.
    ///
    /// # Errors
    /// Every setting that is unknown, wrong or at odds with another.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let (layers, errors) = layers::collect(sources);
        let mut reader = Reader::new(layers, errors);
        let config = Self::read(&mut reader);
        checks::check(&config, &mut reader);
        reader.finish(config)
    }

    /// Every setting, in the order of the reference, secrets left out.
    #[must_use]
    pub fn show(&self) -> &[Shown] {
        &self.shown
    }

    fn read(reader: &mut Reader) -> Self {
        Self {
            server: ServerConfig::read(reader),
            database: DatabaseConfig {
                url: reader.secret("database.url", types::database_url),
            },
            cache: CacheConfig {
                url: reader.secret("cache.url", types::cache_url),
            },
            tokens: TokensConfig {
                access_ttl: reader.duration("tokens.access_ttl"),
                audience: reader.optional("tokens.audience", types::text),
                algorithm: reader.required("tokens.algorithm", Algorithm::Es256, types::algorithm),
            },
            refresh: RefreshConfig::read(reader),
            cookie: CookieConfig {
                name: reader.required("cookie.name", CookieName::default(), types::parsed),
                domain: reader.optional("cookie.domain", types::parsed),
                same_site: reader.required("cookie.same_site", SameSite::Strict, types::parsed),
            },
            password: PasswordConfig::read(reader),
            registration: RegistrationConfig {
                mode: reader.required("registration.mode", RegistrationMode::Closed, types::parsed),
            },
            throttle: ThrottleConfig {
                enabled: reader.required("throttle.enabled", true, types::plain),
            },
            cors: CorsConfig {
                origins: reader.list("cors.origins", types::parsed),
            },
            mail: MailConfig {
                url: reader.secret("mail.url", types::mail_url),
                from: reader.optional("mail.from", types::mailbox),
            },
            log: LogConfig {
                format: reader.required("log.format", LogFormat::Text, types::parsed),
                level: reader.required("log.level", String::new(), types::log_level),
            },
            metrics: MetricsConfig {
                listen: reader.optional("metrics.listen", types::plain),
            },
            shown: reader.shown(),
        }
    }
}

impl ServerConfig {
    fn read(reader: &mut Reader) -> Self {
        Self {
            listen: reader.required(
                "server.listen",
                SocketAddr::from(([127, 0, 0, 1], 0)),
                types::plain,
            ),
            issuer: reader.optional("server.issuer", types::parsed),
            data: reader.required("server.data", PathBuf::new(), types::path),
            trusted_proxies: reader.list("server.trusted_proxies", types::plain),
            master_key: reader.secret("server.master_key", types::master_key),
        }
    }
}

impl RefreshConfig {
    fn read(reader: &mut Reader) -> Self {
        Self {
            idle_ttl: reader.duration("refresh.idle_ttl"),
            absolute_ttl: reader.duration("refresh.absolute_ttl"),
            session_ttl: reader.duration("refresh.session_ttl"),
            leeway: reader.duration("refresh.leeway"),
            retry_window: reader.duration("refresh.retry_window"),
        }
    }
}

impl PasswordConfig {
    fn read(reader: &mut Reader) -> Self {
        Self {
            hash: reader.required("password.hash", HashAlgorithm::Argon2id, types::parsed),
            min_length: reader.required("password.min_length", 0, types::plain),
            memory_kib: reader.required("password.memory_kib", 0, types::plain),
            iterations: reader.required("password.iterations", 0, types::plain),
            parallelism: reader.required("password.parallelism", 0, types::plain),
            bcrypt_cost: reader.required("password.bcrypt_cost", 0, types::plain),
        }
    }
}
