//! The sections.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use symbolon_domain::{OpenTerms, Resource};
use symbolon_token::Algorithm;

use super::parse;
use super::reader::Reader;
use super::{
    CookieDomain, CookieName, FeedAccess, Issuer, LogFormat, RegistrationMode, SameSite,
    Verification, WebOrigin,
};
use crate::client_address::IpNet;
use crate::hashing::{HashAlgorithm, HashOptions};
use crate::pages::Colour;
use crate::secret::Secret;

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
    /// How long it goes on after it was told to end, so that balancers turn away first.
    pub drain: Duration,
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
    /// Whether they carry `email`.
    pub email: bool,
    /// What new keys are made for.
    pub algorithm: Algorithm,
    /// For how long a key signs; zero: until it is replaced by command.
    pub rotate_keys: Duration,
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
    /// The domains that addresses must be of, in lower case; all if it is empty.
    pub domains: Vec<String>,
    /// Whether addresses are to be confirmed.
    pub verification: Verification,
}

/// `[feed]`
#[derive(Clone, Debug)]
pub struct FeedConfig {
    /// Who may read the revocation feed.
    pub access: FeedAccess,
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
    /// A folder of files in the place of the built-in templates.
    pub templates: Option<PathBuf>,
}

/// `[pages]`
#[derive(Clone, Debug, Default)]
pub struct PagesConfig {
    /// A folder of files in the place of the built-in ones.
    pub folder: Option<PathBuf>,
    /// What the service is called.
    pub name: Option<String>,
    /// The file of a picture beside the name.
    pub logo: Option<PathBuf>,
    /// The colour of buttons and links.
    pub colour: Option<Colour>,
    /// The file of a style sheet behind the built-in one.
    pub style: Option<PathBuf>,
}

impl PagesConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            folder: reader.optional("pages.folder", parse::path),
            name: reader.optional("pages.name", parse::text),
            logo: reader.optional("pages.logo", parse::path),
            colour: reader.optional("pages.color", parse::parsed),
            style: reader.optional("pages.style", parse::path),
        }
    }
}

/// `[oauth]`
#[derive(Clone, Debug)]
pub struct OauthConfig {
    /// Whether anybody may register a client.
    pub registration: bool,
    /// Whether the URL of a document is a `client_id`.
    pub client_documents: bool,
    /// The hosts of documents that count; all if it is empty.
    pub document_hosts: Vec<String>,
    /// What clients get that described themselves.
    pub open: OpenTerms,
    /// Whether proofs of possession need a nonce (RFC 9449 section 8).
    pub dpop_nonce: bool,
    /// The resources whose access tokens are opaque.
    pub opaque_resources: BTreeSet<Resource>,
}

/// `[outbound]`
#[derive(Clone, Debug)]
pub struct OutboundConfig {
    /// Whether addresses of loopback are called, by `http` too.
    pub allow_loopback_http: bool,
}

impl OutboundConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let name = "outbound.allow_loopback_http";
        Self {
            allow_loopback_http: reader.required(name, false, parse::plain),
        }
    }
}

/// `[audit]`
#[derive(Clone, Debug)]
pub struct AuditConfig {
    /// How long its lines are kept.
    pub retention: Duration,
}

/// `[log]`
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// For people or for machines.
    pub format: LogFormat,
    /// A level, or levels by module, as `tracing-subscriber`'s `Targets` reads them.
    pub level: String,
}

/// `[metrics]`
#[derive(Clone, Debug)]
pub struct MetricsConfig {
    /// A listener of its own for `/metrics`.
    pub listen: Option<SocketAddr>,
}

impl ServerConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            listen: reader.required(
                "server.listen",
                SocketAddr::from(([127, 0, 0, 1], 0)),
                parse::plain,
            ),
            issuer: reader.optional("server.issuer", parse::parsed),
            data: reader.required("server.data", PathBuf::new(), parse::path),
            trusted_proxies: reader.list("server.trusted_proxies", parse::plain),
            master_key: reader.secret("server.master_key", parse::master_key),
            drain: reader.required("server.drain", Duration::ZERO, parse::duration),
        }
    }
}

impl OauthConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            registration: reader.required("oauth.registration", false, parse::plain),
            client_documents: reader.required("oauth.client_documents", false, parse::plain),
            document_hosts: reader.list("oauth.document_hosts", parse::host),
            open: OpenTerms {
                scopes: BTreeSet::from_iter(reader.list("oauth.open_scopes", parse::parsed)),
                resources: BTreeSet::from_iter(reader.list("oauth.open_resources", parse::parsed)),
            },
            dpop_nonce: reader.required("oauth.dpop_nonce", false, parse::plain),
            opaque_resources: BTreeSet::from_iter(
                reader.list("oauth.opaque_resources", parse::parsed),
            ),
        }
    }
}

impl RefreshConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
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
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            hash: reader.required("password.hash", HashAlgorithm::Argon2id, parse::parsed),
            min_length: reader.required("password.min_length", 0, parse::plain),
            memory_kib: reader.required("password.memory_kib", 0, parse::plain),
            iterations: reader.required("password.iterations", 0, parse::plain),
            parallelism: reader.required("password.parallelism", 0, parse::plain),
            bcrypt_cost: reader.required("password.bcrypt_cost", 0, parse::plain),
        }
    }
}
