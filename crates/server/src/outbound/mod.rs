//! The one client for all that the server fetches or calls because somebody else said so: documents and keys of clients,
//! back-channel logout, other providers (SECURITY rows F1, F2, F4, F6).
//!
//! 1. Only `https`, without a user and a fragment (`http` to loopback where the owner allows it).
//! 2. A host that is an address must be one of the internet. A name is resolved here, **every** address must be one of the
//!    internet, and the connection goes to one of those that were looked at.
//! 3. No redirect is followed, no proxy of the environment is used, nothing is tried again.
//! 4. An answer has 5 seconds, connecting included, and a size that the caller bounds.
//! 5. Few calls at once, fewer to one host: a slow host does not stand in the way of others.

mod address;
mod freshness;
mod resolver;
mod shelf;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::error::Error as _;
use std::net::IpAddr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Request, Response};
use tokio::sync::Semaphore;
use url::{Host, Url, form_urlencoded};

pub use self::address::is_public;
use self::freshness::max_age;
use self::resolver::{Forbidden, Resolver, may_call};
pub use self::shelf::Shelf;

/// The longest that a call takes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Calls at once, and to one host.
const MOST_AT_ONCE: usize = 64;
const MOST_PER_HOST: usize = 8;

/// Calls what others named.
pub struct Outbound {
    /// Made at the first call: to read the certificates of the system takes its time.
    client: OnceLock<Client>,
    allow_loopback: bool,
    places: Semaphore,
    hosts: Mutex<HashMap<String, usize>>,
}

/// Why a call came to nothing. No text of the other side is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// Not `https`, or not an address of the internet.
    #[error("the address may not be called")]
    Forbidden,
    /// Too many calls at once, or to this host.
    #[error("too many calls at once")]
    Busy,
    /// No connection, or it broke.
    #[error("there was no answer")]
    Unreachable,
    /// No whole answer within five seconds.
    #[error("the answer took too long")]
    TimedOut,
    /// The answer is longer than the caller takes.
    #[error("the answer is too long")]
    TooLong,
    /// This machine cannot make secure connections.
    #[error("secure connections cannot be made")]
    NoTls,
}

/// A call.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Where to.
    pub url: &'a str,
    /// What is sent.
    pub sent: Sent<'a>,
    /// As whom.
    pub credentials: Credentials<'a>,
    /// The longest answer that is taken, in bytes.
    pub most: usize,
}

/// What a call sends.
#[derive(Clone, Copy)]
pub enum Sent<'a> {
    /// Nothing: it fetches (GET).
    Nothing,
    /// A form (POST, `application/x-www-form-urlencoded`).
    Form(&'a [(&'a str, &'a str)]),
}

/// As whom a call is made.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    /// As nobody.
    None,
    /// As a client: its id and its secret, each encoded as a form is (RFC 6749 section 2.3.1).
    Basic(&'a str, &'a str),
    /// With an access token (RFC 6750 section 2.1).
    Bearer(&'a str),
}

/// What came back, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// The status; 3xx like any other.
    pub status: u16,
    /// The media type, in lower case, without parameters.
    pub media_type: Option<String>,
    /// How long it may be kept, where it says so and allows it (RFC 9111 section 5.2.2.1).
    pub max_age: Option<Duration>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Outbound {
    /// A client. With `allow_loopback`, addresses of loopback are called too, by `http` as well.
    #[must_use]
    pub fn new(allow_loopback: bool) -> Self {
        Self {
            client: OnceLock::new(),
            allow_loopback,
            places: Semaphore::new(MOST_AT_ONCE),
            hosts: Mutex::default(),
        }
    }

    /// Fetches what is there: JSON of up to `most` bytes.
    ///
    /// # Errors
    /// As [`OutboundError`] says; a status other than 200 is none.
    pub async fn fetch(&self, url: &str, most: usize) -> Result<Answer, OutboundError> {
        self.call(Call {
            url,
            sent: Sent::Nothing,
            credentials: Credentials::None,
            most,
        })
        .await
    }

    /// Makes a call.
    ///
    /// # Errors
    /// As [`OutboundError`] says; a status other than 200 is none.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, OutboundError> {
        let (url, host) = self.checked(call.url)?;
        let _of_host = self.enter(host)?;
        let client = self.client()?;
        let request = request(client, url, &call)?;
        let whole = async {
            let _place = self.places.acquire().await;
            let response = client.execute(request).await.map_err(sorted)?;
            read(response, call.most).await
        };
        // The wait for a place counts.
        tokio::time::timeout(PATIENCE, whole)
            .await
            .unwrap_or(Err(OutboundError::TimedOut))
    }

    /// Steps 1 and 2, as far as the text tells: `2130706433` and `0x7f.1` are addresses once they are parsed.
    fn checked(&self, text: &str) -> Result<(Url, String), OutboundError> {
        let url = Url::parse(text).map_err(|_| OutboundError::Forbidden)?;
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            Some(Host::Domain(_)) => None,
            None => return Err(OutboundError::Forbidden),
        };
        let plain =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        // Without TLS there is nothing that tells the other side from somebody on the way, save on this machine.
        let loopback = literal.is_some_and(|ip| ip.is_loopback());
        let safe =
            url.scheme() == "https" || (url.scheme() == "http" && self.allow_loopback && loopback);
        let callable = literal.is_none_or(|ip| may_call(ip, self.allow_loopback));
        if !plain || !safe || !callable {
            return Err(OutboundError::Forbidden);
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok((url, host))
    }

    /// Step 3.
    fn client(&self) -> Result<&Client, OutboundError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Another part of the process may have installed it: that is as good.
        let _already_installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_max_idle_per_host(0)
            .http1_only()
            .timeout(PATIENCE)
            .dns_resolver(Resolver {
                allow_loopback: self.allow_loopback,
            })
            .user_agent(concat!("symbolon/", env!("CARGO_PKG_VERSION")));
        let client = client.build().map_err(|error| {
            tracing::error!(error = %Causes(&error), "no secure connections to others");
            OutboundError::NoTls
        })?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Step 5.
    fn enter(&self, host: String) -> Result<OfHost<'_>, OutboundError> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = hosts.entry(host.clone()).or_default();
        if *calls >= MOST_PER_HOST {
            return Err(OutboundError::Busy);
        }
        *calls += 1;
        Ok(OfHost {
            outbound: self,
            host,
        })
    }
}

/// A call to a host, counted while it lasts.
struct OfHost<'a> {
    outbound: &'a Outbound,
    host: String,
}

impl Drop for OfHost<'_> {
    fn drop(&mut self) {
        let hosts = &self.outbound.hosts;
        let mut hosts = hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(calls) = hosts.get_mut(&self.host) {
            *calls = calls.saturating_sub(1);
            if *calls == 0 {
                hosts.remove(&self.host);
            }
        }
    }
}

fn request(client: &Client, url: Url, call: &Call<'_>) -> Result<Request, OutboundError> {
    let request = match call.sent {
        Sent::Nothing => client.get(url),
        Sent::Form(fields) => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(fields);
            let kind = "application/x-www-form-urlencoded";
            let post = client.post(url).header(CONTENT_TYPE, kind);
            post.body(form.finish())
        }
    };
    let request = request.header(ACCEPT, "application/json");
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let request = match call.credentials {
        Credentials::None => request,
        Credentials::Basic(id, secret) => request.basic_auth(encoded(id), Some(encoded(secret))),
        Credentials::Bearer(token) => request.bearer_auth(token),
    };
    request.build().map_err(sorted)
}

/// Step 4.
async fn read(mut response: Response, most: usize) -> Result<Answer, OutboundError> {
    if response
        .content_length()
        .is_some_and(|length| length > most as u64)
    {
        return Err(OutboundError::TooLong);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(sorted)? {
        if body.len() + chunk.len() > most {
            return Err(OutboundError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status: response.status().as_u16(),
        media_type: media_type(response.headers()),
        max_age: max_age(response.headers()),
        body,
    })
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = text.split(';').next()?;
    Some(essence.trim().to_ascii_lowercase())
}

fn sorted(error: reqwest::Error) -> OutboundError {
    let error = error.without_url();
    if error.is_timeout() {
        return OutboundError::TimedOut;
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<Forbidden>() {
            return OutboundError::Forbidden;
        }
        cause = inner.source();
    }
    tracing::debug!(error = %Causes(&error), "a call came to nothing");
    OutboundError::Unreachable
}

/// An error and what caused it.
struct Causes<'a>(&'a reqwest::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(inner) = cause {
            write!(f, ": {inner}")?;
            cause = inner.source();
        }
        Ok(())
    }
}
