//! The settings: one tree of real types, read once at the start, a field of `App`, never a global.
//!
//! Later sources win: defaults, the database where a setting may be kept there, the file, the environment (`SYMBOLON_SECTION__KEY`), the command line. A setting that is
//! unknown or wrong in any of them stops the start, with every mistake told at once.

mod checks;
mod cookie;
mod error;
mod layers;
mod parse;
mod reader;
mod reference;
mod settings;
mod sources;
mod suggest;
#[cfg(test)]
mod tests;
mod tree;
mod upstream;
mod urls;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use symbolon_token::Algorithm;

pub use self::cookie::{CookieDomain, CookieName};
pub use self::error::{ConfigError, ConfigErrors};
use self::layers::Layers;
pub use self::parse::parse_duration;
use self::reader::Reader;
pub use self::reference::{Described, described, reference_json, reference_markdown};
pub use self::settings::{is_setting, stored_names};
pub use self::sources::Sources;
pub use self::suggest::nearest_of;
pub use self::tree::{
    AuditConfig, CacheConfig, CookieConfig, CorsConfig, DatabaseConfig, FeedConfig, LogConfig,
    MailConfig, MetricsConfig, OauthConfig, OutboundConfig, PagesConfig, PasswordConfig,
    RefreshConfig, RegistrationConfig, ServerConfig, ThrottleConfig, TokensConfig,
};
pub use self::upstream::{ProfileConfig, UpstreamConfig, UpstreamKind};
pub use self::urls::{Issuer, IssuerError, WebOrigin};
pub use self::words::{FeedAccess, LogFormat, RegistrationMode, SameSite, Verification};

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
    /// The revocation feed.
    pub feed: FeedConfig,
    /// Limits on guessing.
    pub throttle: ThrottleConfig,
    /// Pages of other origins.
    pub cors: CorsConfig,
    /// Outgoing mail.
    pub mail: MailConfig,
    /// Other applications.
    pub oauth: OauthConfig,
    /// Calls to others.
    pub outbound: OutboundConfig,
    /// What people see.
    pub pages: PagesConfig,
    /// The audit log.
    pub audit: AuditConfig,
    /// Log lines.
    pub log: LogConfig,
    /// Metrics.
    pub metrics: MetricsConfig,
    /// Other providers at which people sign in.
    pub upstreams: Arc<[UpstreamConfig]>,
    shown: Vec<Shown>,
    written: Written,
}

/// What the sources said, to be read again with what the database keeps. Holds secrets.
#[derive(Clone)]
struct Written(Layers);

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written")
    }
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
        let collected = layers::collect(sources);
        let mut config = Self::understand(Reader::new(collected.layers, collected.errors))?;
        config.upstreams = collected.upstreams.into();
        Ok(config)
    }

    /// The same settings with those that the database keeps, by name, where nothing else sets them.
    ///
    /// # Errors
    /// Every setting that is wrong, or at odds with another.
    pub fn with_stored(&self, stored: &BTreeMap<String, String>) -> Result<Self, ConfigErrors> {
        let mut layers = self.written.0.clone();
        layers::underlay(&mut layers, stored, false);
        let mut config = Self::understand(Reader::new(layers, Vec::new()))?;
        // Those of the database may be others the next time.
        config.written = self.written.clone();
        config.upstreams = Arc::clone(&self.upstreams);
        Ok(config)
    }

    /// Whether the database may keep these values: as if nothing else set them, for another process may lack what sets them
    /// here.
    ///
    /// # Errors
    /// Every setting that is wrong, or at odds with another.
    pub fn check_stored(&self, stored: &BTreeMap<String, String>) -> Result<(), ConfigErrors> {
        let mut layers = self.written.0.clone();
        layers::underlay(&mut layers, stored, true);
        Self::understand(Reader::new(layers, Vec::new())).map(drop)
    }

    fn understand(mut reader: Reader) -> Result<Self, ConfigErrors> {
        let config = Self::read(&mut reader);
        checks::check(&config, &mut reader);
        reader.finish(config)
    }

    /// Every setting, in the order of the reference, secrets left out.
    #[must_use]
    pub fn show(&self) -> &[Shown] {
        &self.shown
    }

    /// What is set, or what goes with the way that mail takes.
    fn verification(reader: &mut Reader) -> Verification {
        let connected = reader
            .optional("mail.url", parse::plain::<String>)
            .is_some();
        let otherwise = if connected {
            Verification::Optional
        } else {
            Verification::Off
        };
        reader
            .optional("registration.verification", parse::parsed)
            .unwrap_or(otherwise)
    }

    fn read(reader: &mut Reader) -> Self {
        Self {
            server: ServerConfig::read(reader),
            database: DatabaseConfig {
                url: reader.secret("database.url", parse::database_url),
            },
            cache: CacheConfig {
                url: reader.secret("cache.url", parse::cache_url),
            },
            tokens: TokensConfig {
                access_ttl: reader.duration("tokens.access_ttl"),
                audience: reader.optional("tokens.audience", parse::text),
                email: reader.required("tokens.email", false, parse::plain),
                algorithm: reader.required("tokens.algorithm", Algorithm::Es256, parse::algorithm),
                rotate_keys: reader.duration("tokens.rotate_keys"),
            },
            refresh: RefreshConfig::read(reader),
            cookie: CookieConfig {
                name: reader.required("cookie.name", CookieName::default(), parse::parsed),
                domain: reader.optional("cookie.domain", parse::parsed),
                same_site: reader.required("cookie.same_site", SameSite::Strict, parse::parsed),
            },
            password: PasswordConfig::read(reader),
            registration: RegistrationConfig {
                mode: reader.required("registration.mode", RegistrationMode::Closed, parse::parsed),
                domains: reader.list("registration.domains", parse::mail_domain),
                verification: Self::verification(reader),
            },
            feed: FeedConfig {
                access: reader.required("feed.access", FeedAccess::Clients, parse::parsed),
            },
            throttle: ThrottleConfig {
                enabled: reader.required("throttle.enabled", true, parse::plain),
            },
            cors: CorsConfig {
                origins: reader.list("cors.origins", parse::parsed),
            },
            mail: MailConfig {
                url: reader.secret("mail.url", parse::mail_url),
                from: reader.optional("mail.from", parse::mailbox),
                templates: reader.optional("mail.templates", parse::path),
            },
            oauth: OauthConfig::read(reader),
            outbound: OutboundConfig::read(reader),
            pages: PagesConfig::read(reader),
            audit: AuditConfig {
                retention: reader.duration("audit.retention"),
            },
            log: LogConfig {
                format: reader.required("log.format", LogFormat::Text, parse::parsed),
                level: reader.required("log.level", String::new(), parse::log_level),
            },
            metrics: MetricsConfig {
                listen: reader.optional("metrics.listen", parse::plain),
            },
            upstreams: Arc::default(),
            shown: reader.shown(),
            written: Written(reader.layers()),
        }
    }
}
