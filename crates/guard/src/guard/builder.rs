//! The settings of a guard.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Client, Url};
use symbolon_token::{Algorithm, KeySet, Verifier};

use super::{Guard, Staleness, connected};
use crate::{
    address::Address,
    checker::{Checker, CheckerOptions},
    clock::{Clock, millis},
    credentials::FeedCredentials,
    discover::{DiscoverError, Endpoints, issuer_url},
    event::{Event, Observer},
    proofs::{ProofOptions, Proofs},
    remote,
    shared::{Ingredients, Settings, Shared},
};

/// Three heartbeats of the feed.
const THREE_HEARTBEATS: Duration = Duration::from_secs(15);
/// Those that a public key verifies.
const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
];

/// Sets up a [`Guard`]. Only the audience must be given.
#[must_use = "a guard does nothing before it is started"]
pub struct GuardBuilder {
    issuer: String,
    audience: String,
    leeway: Duration,
    staleness: Staleness,
    staleness_bound: Duration,
    silence: Duration,
    start_timeout: Duration,
    cache_capacity: usize,
    resource: Option<String>,
    resource_metadata: Option<String>,
    scopes: Vec<String>,
    address: Option<Address>,
    proofs: ProofOptions,
    endpoints: Option<Endpoints>,
    feed_credentials: Option<FeedCredentials>,
    client: Option<Client>,
    clock: Clock,
    observer: Observer,
}

impl GuardBuilder {
    pub(super) fn new(issuer: String) -> Self {
        Self {
            issuer,
            audience: String::new(),
            leeway: Duration::from_secs(5),
            staleness: Staleness::default(),
            staleness_bound: THREE_HEARTBEATS,
            silence: THREE_HEARTBEATS,
            start_timeout: Duration::from_secs(10),
            cache_capacity: 10_000,
            resource: None,
            resource_metadata: None,
            scopes: Vec::new(),
            address: None,
            proofs: ProofOptions::default(),
            endpoints: None,
            feed_credentials: None,
            client: None,
            clock: Clock::system(),
            observer: Observer(None),
        }
    }

    /// Whom tokens must be for: one of the claim `aud`, byte for byte.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// How far clocks may differ where times of tokens are judged: whole seconds up to 60, and 5 unless set.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// What to do while the feed is not heard; [`Staleness::FailClosed`] unless set.
    pub fn staleness(mut self, policy: Staleness) -> Self {
        self.staleness = policy;
        self
    }

    /// How long the feed may not be heard before that; 15 seconds unless set. The feed's heartbeat comes every 5.
    pub fn staleness_bound(mut self, bound: Duration) -> Self {
        self.staleness_bound = bound;
        self
    }

    /// After how long without a byte a connection to the feed is given up; 15 seconds unless set.
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// How long [`start`](Self::start) may take; 10 seconds unless set.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// How many verified tokens are kept, about; 10,000 unless set. A kept token costs its length and some 900 bytes.
    pub fn cache_capacity(mut self, tokens: usize) -> Self {
        self.cache_capacity = tokens;
        self
    }

    /// The address of the resource that is guarded (RFC 9728 section 1.2), for its metadata document. Challenges then
    /// name where that document is (RFC 9728 section 3.1): the resource's address with the well-known part before its
    /// path, unless [`resource_metadata`](Self::resource_metadata) says otherwise.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Where the metadata document of the resource is, which each challenge names (RFC 9728 section 5.1).
    pub fn resource_metadata(mut self, url: impl Into<String>) -> Self {
        self.resource_metadata = Some(url.into());
        self
    }

    /// The scopes that the metadata document of the resource lists.
    pub fn scopes_supported<S: Into<String>>(
        mut self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Where clients reach the resource: proofs of possession (RFC 9449) name that address. Unless it is set it is that
    /// of [`resource`](Self::resource), whose path is taken for a part of the routes. Without either, tokens that are
    /// bound to a key are refused, for nobody can tell what their proofs must be about.
    pub fn address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// How proofs of possession are judged: how old they may be, how many are remembered, and whether they need a nonce.
    pub fn proofs(mut self, options: ProofOptions) -> Self {
        self.proofs = options;
        self
    }

    /// Where the issuer answers, instead of asking it: for a resource that reaches the issuer by another way than its
    /// public address. Tokens must be of the same issuer all the same.
    pub fn endpoints(mut self, endpoints: Endpoints) -> Self {
        self.endpoints = Some(endpoints);
        self
    }

    /// The id and the secret of an OAuth client, for an issuer whose feed is not for everybody (`feed.access = "clients"`).
    /// They are shown to the feed by HTTP Basic, and to nothing else.
    pub fn feed_credentials(mut self, client_id: &str, client_secret: &str) -> Self {
        self.feed_credentials = Some(FeedCredentials::new(client_id, client_secret));
        self
    }

    /// The HTTP client to use, which many guards can share. It should not follow redirects, which are refused anyway.
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// The clock to judge by; that of the system unless set.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Tells `hook` of everything that happens beside requests. It is called at once and must not block.
    pub fn on_event(mut self, hook: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.observer = Observer(Some(Box::new(hook)));
        self
    }

    /// Asks the issuer, fetches its keys, takes the first snapshot of its revocations, and goes on following.
    ///
    /// # Errors
    ///
    /// [`DiscoverError`] says which of these steps failed, and why.
    pub async fn start(self) -> Result<Guard, DiscoverError> {
        let deadline = tokio::time::sleep(self.start_timeout);
        tokio::pin!(deadline);
        let shared = Arc::new(self.shared()?);
        let endpoints = tokio::select! {
            endpoints = connected(&shared) => endpoints?,
            () = &mut deadline => {
                return Err(DiscoverError::TimedOut {
                    step: match shared.endpoints.get() {
                        None => "asking for the issuer's metadata",
                        Some(_) => "fetching the issuer's keys",
                    },
                });
            }
        };
        let guard = Guard::following(shared);
        tokio::select! {
            () = guard.wait_for(0) => {}
            () = deadline => {
                let last = guard.shared.last_failure();
                return Err(DiscoverError::Feed {
                    url: endpoints.stream.to_string(),
                    reason: last.unwrap_or_else(|| "no snapshot came in time".to_owned()),
                });
            }
        }
        Ok(guard)
    }

    /// Starts without waiting, for a resource that must come up before its issuer. Until its
    /// keys are known tokens are answered with [`Denied::Overloaded`](crate::Denied::Overloaded), whatever the policy;
    /// from then until the first snapshot the policy counts, so that [`Staleness::FailOpen`] lets through what was
    /// revoked. What fails is logged and tried again. It must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`DiscoverError::Setting`] only.
    pub fn start_in_background(self) -> Result<Guard, DiscoverError> {
        Ok(Guard::following(self.shared()?.into()))
    }

    /// What is given in part, and why the rest is needed.
    fn lack(&self) -> Option<(&'static str, &'static str)> {
        let is_half = |shown: &FeedCredentials| !shown.are_whole();
        if self.feed_credentials.as_ref().is_some_and(is_half) {
            return Some(("feed_credentials", "the id or the secret is empty"));
        }
        let lacks_verification = |all: &Endpoints| all.verification.is_none();
        let is_lacking = self.endpoints.as_ref().is_some_and(lacks_verification);
        let why = "the staleness policy needs one for verification";
        (self.staleness == Staleness::Introspect && is_lacking).then_some(("endpoints", why))
    }

    fn shared(self) -> Result<Shared, DiscoverError> {
        issuer_url(&self.issuer)?;
        let refused = |name, reason: &str| DiscoverError::Setting {
            name,
            reason: reason.to_owned(),
        };
        let seconds = match u32::try_from(self.leeway.as_secs()) {
            Ok(seconds) if self.leeway.subsec_nanos() == 0 => seconds,
            _ => return Err(refused("leeway", "not a number of whole seconds up to 60")),
        };
        if self.staleness_bound.is_zero() || self.silence.is_zero() {
            return Err(refused("staleness_bound", "must be longer than nothing"));
        }
        if let Some((name, reason)) = self.lack() {
            return Err(refused(name, reason));
        }
        let verifier = Verifier::access(self.issuer.as_str(), self.audience.as_str(), &ALGORITHMS)?
            .leeway_seconds(seconds)?;
        let resource_metadata = match (self.resource_metadata, &self.resource) {
            (Some(url), _) => Some(checked_url("resource_metadata", &url).map(|_| url)?),
            (None, Some(resource)) => Some(metadata_of(resource)?),
            (None, None) => None,
        };
        let address = match (self.address, &self.resource) {
            (Some(address), _) => Some(address.checked()?),
            (None, Some(resource)) => Some(Address::origin_of(resource)?),
            (None, None) => None,
        };
        let client = match self.client {
            Some(client) => client,
            None => remote::client().map_err(|error| refused("client", &error.to_string()))?,
        };
        let options = CheckerOptions {
            verifier,
            cache_capacity: self.cache_capacity,
        };
        Ok(Shared::new(Ingredients {
            checker: Checker::new(options, KeySet::default()),
            clock: self.clock,
            settings: Settings {
                issuer: self.issuer,
                audience: self.audience,
                staleness: self.staleness,
                staleness_bound: millis(self.staleness_bound),
                silence: self.silence,
                resource: self.resource,
                resource_metadata,
                scopes: self.scopes,
                address,
                feed_credentials: self.feed_credentials,
            },
            client,
            endpoints: self.endpoints,
            observer: self.observer,
            proofs: Proofs::new(self.proofs),
        }))
    }
}

/// RFC 9728 section 3.1.
fn metadata_of(resource: &str) -> Result<String, DiscoverError> {
    let mut url = checked_url("resource", resource)?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("/.well-known/oauth-protected-resource{path}"));
    Ok(url.into())
}

/// An address that may stand in a header within quotes.
fn checked_url(name: &'static str, text: &str) -> Result<Url, DiscoverError> {
    let refused = |reason: String| DiscoverError::Setting { name, reason };
    let url = Url::parse(text).map_err(|error| refused(error.to_string()))?;
    let quotable = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
    match matches!(url.scheme(), "https" | "http") && url.fragment().is_none() && quotable {
        true => Ok(url),
        false => Err(refused("not an https address without fragment".to_owned())),
    }
}

impl fmt::Debug for GuardBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardBuilder")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("staleness", &self.staleness)
            .finish_non_exhaustive()
    }
}
