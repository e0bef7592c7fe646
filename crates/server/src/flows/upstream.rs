//! Signing in at another provider (OpenID Connect Core 1.0 section 3.1, OAuth 2.1 section 4.1): we are the client there.
//!
//! 1. The browser is sent to the provider with a state, a nonce and the challenge of a verifier (RFC 7636), all drawn anew.
//!    What they are stands in a cookie of this browser, under a MAC: who comes back with another browser, later than ten
//!    minutes, for another provider, or with another state, is sent away (SECURITY row H3).
//! 2. Where the provider says who it is in the answer (`iss`, RFC 9207), it is that provider; where it announced to say so, it
//!    does.
//! 3. The code is exchanged by the bounded client, with the verifier. An ID token is verified with the provider's keys: issuer,
//!    audience, nonce, time, an algorithm of the list. Where there is none, the provider's own endpoint says who it is.
//! 4. What becomes of the person is decided: [`symbolon_domain::upstream::arrive`]. Identities are the pair of issuer and
//!    subject, and no address links anything: whose account has the address gives its password first ([`linking`]).

mod arrival;
mod bound;
mod exchange;
mod identities;
mod linking;
mod provider;

use std::time::Duration;

use symbolon_domain::upstream::{Arrival, ForeignIdentity};
use symbolon_domain::{SignInMethod, User};
use symbolon_token::encoding;
use url::Url;
use zeroize::Zeroizing;

use self::bound::Bound;
pub use self::identities::{Identity, list, unlink};
pub use self::linking::{Offer, Offered, link};
pub use self::provider::Provider;
use super::{Error, Origin};
use crate::app::App;
use crate::config::{UpstreamConfig, UpstreamKind};
use crate::outbound::OutboundError;

/// How long a person has at the provider.
pub const LIFE: Duration = Duration::from_secs(600);
/// Longest text that is carried through, in bytes: it goes into a cookie.
const MOST_CARRIED: usize = 2_000;

/// What somebody wants at a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goal {
    /// Whether the person is to sign in there anew, whoever they are.
    pub anew: bool,
    /// What the door needs to go on afterwards.
    pub carried: String,
}

/// Where the browser goes, and what it takes along.
pub struct Begun {
    /// The provider's page.
    pub location: String,
    /// The value of the cookie, good for [`LIFE`].
    pub cookie: Zeroizing<String>,
}

/// What the browser brings back (RFC 6749 section 4.1.2).
#[derive(Clone, Copy, Debug, Default)]
pub struct Returned<'a> {
    /// `state`
    pub state: Option<&'a str>,
    /// `code`
    pub code: Option<&'a str>,
    /// `error`
    pub error: Option<&'a str>,
    /// `iss`
    pub iss: Option<&'a str>,
}

/// Who came.
#[derive(Debug)]
pub struct Landed {
    /// The account.
    pub user: User,
    /// How the person got to it: by signing in, or making it.
    pub arrival: Arrival,
    /// With what.
    pub identity: ForeignIdentity,
    /// How they signed in: whether the provider was asked for a new sign-in.
    pub method: SignInMethod,
    /// As in [`Goal::carried`].
    pub carried: String,
}

/// Why nobody came.
#[derive(Debug, thiserror::Error)]
pub enum NotLanded {
    /// There is no such provider.
    #[error("there is no such provider")]
    Unknown,
    /// It does not belong to what this browser began, or that was too long ago.
    #[error("this is not what the browser began")]
    Unbound,
    /// The person, or the provider, said no.
    #[error("the provider lets nobody in")]
    Denied,
    /// What the provider says does not hold.
    #[error("the provider's answer is refused: {0}")]
    Untrusted(&'static str),
    /// The provider does not answer.
    #[error("the provider does not answer")]
    Unreachable,
    /// The identity is nobody's, and its address that of an account: the owner may link it.
    #[error("an account has the address")]
    Taken(Offered),
    /// The person is not let in here.
    #[error("not let in: {0:?}")]
    Refused(Arrival),
    /// For another reason.
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<OutboundError> for NotLanded {
    fn from(error: OutboundError) -> Self {
        match error {
            OutboundError::Forbidden | OutboundError::TooLong => {
                Self::Untrusted("an address or an answer of it is not taken")
            }
            _ => Self::Unreachable,
        }
    }
}

impl From<symbolon_store::Error> for NotLanded {
    fn from(error: symbolon_store::Error) -> Self {
        Self::Other(error.into())
    }
}

/// The providers that people can choose from: name and label.
pub fn choices(app: &App) -> impl Iterator<Item = (&str, &str)> {
    let upstreams = app.config.upstreams.iter();
    upstreams.map(|one| (one.name.as_str(), one.label.as_str()))
}

/// Step 1.
///
/// # Errors
/// As [`NotLanded`] says.
pub async fn begin(app: &App, name: &str, goal: Goal) -> Result<Begun, NotLanded> {
    let config = find(app, name)?;
    if goal.carried.len() > MOST_CARRIED {
        return Err(NotLanded::Untrusted(
            "what is to be carried through is too long",
        ));
    }
    let provider = provider::of(app, config).await?;
    let anew = goal.anew;
    let bound = Bound::draw(app, name, goal)?;
    let untrusted = |_| NotLanded::Untrusted("the provider's address is none");
    let mut location = Url::parse(&provider.authorization).map_err(untrusted)?;
    let mut query = location.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &config.client_id)
        .append_pair("redirect_uri", &callback_uri(app, name)?)
        .append_pair("state", &bound.state)
        .append_pair("code_challenge", &bound.challenge())
        .append_pair("code_challenge_method", "S256");
    if !config.scopes.is_empty() {
        query.append_pair("scope", &config.scopes.join(" "));
    }
    if matches!(config.kind, UpstreamKind::OpenId { .. }) {
        query.append_pair("nonce", &bound.nonce);
        if anew {
            // A provider that knows neither lets them in as usual.
            query.append_pair("prompt", "login");
            query.append_pair("max_age", "0");
        }
    }
    drop(query);
    Ok(Begun {
        location: location.into(),
        cookie: bound.seal(app)?,
    })
}

/// Steps 1 to 4, once the browser is back. Whatever comes of it, the cookie is used up: the door takes it away.
///
/// # Errors
/// As [`NotLanded`] says.
pub async fn land(
    app: &App,
    (name, cookie): (&str, Option<&str>),
    returned: &Returned<'_>,
    origin: &Origin,
) -> Result<Landed, NotLanded> {
    let config = find(app, name)?;
    let bound = Bound::open(app, cookie.ok_or(NotLanded::Unbound)?)?;
    let is_bound = bound.name == name && returned.state.is_some_and(|state| bound.is_state(state));
    if !is_bound {
        return Err(NotLanded::Unbound);
    }
    let counted = app.throttle.begin_arrival(origin.address, app.clock.now());
    counted.map_err(Error::from)?;
    let provider = provider::of(app, config).await?;
    // Step 2, before anything else of the answer is looked at.
    match returned.iss {
        Some(iss) if iss != config.issuer => {
            return Err(NotLanded::Untrusted("the answer is of another issuer"));
        }
        None if provider.tells_issuer => {
            return Err(NotLanded::Untrusted("the answer does not say whose it is"));
        }
        _ => {}
    }
    let code = match (returned.error, returned.code) {
        (None, Some(code)) => code,
        _ => return Err(NotLanded::Denied),
    };
    let told = exchange::identify(app, (config, &provider), code, &bound).await?;
    arrival::settle(app, told, bound, origin).await
}

fn find<'a>(app: &'a App, name: &str) -> Result<&'a UpstreamConfig, NotLanded> {
    let mut upstreams = app.config.upstreams.iter();
    upstreams
        .find(|one| one.name == name)
        .ok_or(NotLanded::Unknown)
}

/// Where providers send people back to.
fn callback_uri(app: &App, name: &str) -> Result<String, Error> {
    let issuer = &app.issuance()?.issuer;
    Ok(format!("{issuer}/oauth/upstream/{name}/callback"))
}

/// 256 random bits as text.
fn draw(app: &App) -> Result<String, Error> {
    let bytes = app.rng.bytes::<32>();
    let bytes = bytes.map_err(|error| Error::fault("random source")(error.into()))?;
    Ok(encoding::encode(&bytes))
}
