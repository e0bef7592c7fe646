//! The settings of a client.

use std::{fmt, sync::Arc, time::Duration};

use super::Client;
use crate::{
    address,
    clock::Clock,
    error::BuildError,
    pause::Jitter,
    remote::Remote,
    shared::Shared,
    store::{MemoryStore, RefreshTokenStore},
};

/// What the list of the user's devices shows, unless a device was named.
const USER_AGENT: &str = concat!("symbolon-client/", env!("CARGO_PKG_VERSION"));

/// Sets up a [`Client`].
#[must_use = "a client does nothing before it is built"]
pub struct ClientBuilder {
    issuer: String,
    resources: Vec<String>,
    store: Box<dyn RefreshTokenStore>,
    http: Option<reqwest::ClientBuilder>,
    timeout: Duration,
    attempts: u32,
    patience: Duration,
    clock: Clock,
    seed: Option<u64>,
}

impl ClientBuilder {
    pub(super) fn new(issuer: String) -> Self {
        Self {
            issuer,
            resources: Vec::new(),
            store: Box::new(MemoryStore::new()),
            http: None,
            timeout: Duration::from_secs(20),
            attempts: 6,
            patience: Duration::from_secs(30),
            clock: Clock::system(),
            seed: None,
        }
    }

    /// An address whose origin (scheme, host and port) may see the access token, beside the issuer's. Call it for each.
    pub fn resource(mut self, address: impl Into<String>) -> Self {
        self.resources.push(address.into());
        self
    }

    /// Where the refresh token is kept; in memory unless set.
    pub fn store(mut self, store: impl RefreshTokenStore + 'static) -> Self {
        self.store = Box::new(store);
        self
    }

    /// How connections are made: roots, proxies, the name of the program. Redirects stay off.
    pub fn http(mut self, http: reqwest::ClientBuilder) -> Self {
        self.http = Some(http);
        self
    }

    /// How long the issuer may take over an answer; 20 seconds unless set, and at most 4 for the first two attempts of a
    /// refresh. Requests to resources have the timeout that they bring.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a refresh is tried while the server is not there, busy or broken; 6 times unless set, at least once.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long a refresh may wait between its attempts in all, `Retry-After` included; 30 seconds unless set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Tells the time; the system's unless set.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Makes the waits between attempts the same in each run, for tests.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The client. Nothing is asked or read yet.
    ///
    /// # Errors
    ///
    /// [`BuildError::Address`] for an issuer or a resource that is not a plain `https` address, or one of this machine;
    /// [`BuildError::Connections`] where TLS cannot be set up.
    pub fn build(self) -> Result<Client, BuildError> {
        let issuer = address::issuer(&self.issuer)?;
        let mut origins = vec![address::origin(&self.issuer)?];
        for resource in &self.resources {
            origins.push(address::origin(resource)?);
        }
        let http = self
            .http
            .unwrap_or_else(|| reqwest::Client::builder().user_agent(USER_AGENT));
        let remote = Remote::new(http, issuer, self.timeout)?;
        let mut shared = Shared::new(remote, self.store, origins);
        shared.clock = self.clock;
        shared.retries.attempts = self.attempts;
        shared.retries.patience = self.patience;
        if let Some(seed) = self.seed {
            shared.jitter = Jitter::seeded(seed).into();
        }
        Ok(Client {
            shared: Arc::new(shared),
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("issuer", &self.issuer)
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}
