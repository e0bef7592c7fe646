//! The issuer's metadata (RFC 8414): where its keys and its feed are.

use std::net::IpAddr;

use reqwest::{Client, Url};
use serde::Deserialize;
use symbolon_token::{BuildError, KeyError};
use thiserror::Error;

use crate::remote::{FetchError, fetch};

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

/// Where an issuer answers a guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Its keys.
    pub jwks: Url,
    /// Its revocation feed, as a stream.
    pub stream: Url,
    /// Where it judges a token; needed for [`Staleness::Introspect`](crate::Staleness::Introspect) only.
    pub verification: Option<Url>,
}

/// Why a guard could not start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DiscoverError {
    /// A setting of the guard is of no use.
    #[error("the guard's setting `{name}`: {reason}")]
    Setting {
        /// Which.
        name: &'static str,
        /// In words.
        reason: String,
    },
    /// The metadata could not be had.
    #[error("the issuer's metadata at {url}: {reason}")]
    Metadata {
        /// Where it should be.
        url: String,
        /// Why not.
        reason: FetchError,
    },
    /// The metadata is that of another issuer (RFC 8414 section 3.3).
    #[error("the issuer is `{expected}`, but its metadata says `{found}`")]
    WrongIssuer {
        /// The one that the guard was told to trust.
        expected: String,
        /// The one that the metadata names.
        found: String,
    },
    /// The metadata names no address for something, or one that is not safe.
    #[error("the issuer's metadata: `{name}` {reason}")]
    Endpoint {
        /// The member.
        name: &'static str,
        /// In words.
        reason: &'static str,
    },
    /// The keys could not be had.
    #[error("the issuer's keys at {url}: {reason}")]
    Keys {
        /// Where they should be.
        url: String,
        /// Why not.
        reason: FetchError,
    },
    /// No snapshot of the revocation feed came in time.
    #[error("the revocation feed at {url}: {reason}")]
    Feed {
        /// Where it should be.
        url: String,
        /// What went wrong last.
        reason: String,
    },
    /// Not all steps were done in time.
    #[error("{step} took too long")]
    TimedOut {
        /// The step that was under way.
        step: &'static str,
    },
}

impl From<BuildError> for DiscoverError {
    fn from(error: BuildError) -> Self {
        let name = match error {
            BuildError::NoIssuer => "issuer",
            BuildError::NoAudience => "audience",
            BuildError::NoAlgorithm => "algorithms",
            BuildError::LeewayTooLong => "leeway",
        };
        Self::Setting {
            name,
            reason: error.to_string(),
        }
    }
}

impl From<KeyError> for FetchError {
    fn from(error: KeyError) -> Self {
        Self::Malformed(error.to_string())
    }
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: Option<String>,
    revocation_stream_uri: Option<String>,
    verification_uri: Option<String>,
}

/// The issuer as an address.
pub(crate) fn issuer_url(issuer: &str) -> Result<Url, DiscoverError> {
    let refused = |reason: String| DiscoverError::Setting {
        name: "issuer",
        reason,
    };
    let url = Url::parse(issuer).map_err(|error| refused(error.to_string()))?;
    // RFC 8414 section 2.
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !plain || !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        let reason = "not an https address without query and fragment".to_owned();
        return Err(refused(reason));
    }
    Ok(url)
}

/// RFC 8414 section 3.1: the well-known part goes between host and path.
fn metadata_url(issuer: &Url) -> Url {
    let mut url = issuer.clone();
    let path = issuer.path().trim_end_matches('/');
    url.set_path(&format!("{WELL_KNOWN}{path}"));
    url
}

/// Asks the issuer where things are.
pub(crate) async fn discover(client: &Client, issuer: &str) -> Result<Endpoints, DiscoverError> {
    let base = issuer_url(issuer)?;
    let url = metadata_url(&base);
    let failed = |reason| DiscoverError::Metadata {
        url: url.to_string(),
        reason,
    };
    let body = fetch(client, &url).await.map_err(failed)?;
    let metadata: Metadata = serde_json::from_slice(&body)
        .map_err(|error| failed(FetchError::Malformed(error.to_string())))?;
    if metadata.issuer != issuer {
        return Err(DiscoverError::WrongIssuer {
            expected: issuer.to_owned(),
            // Enough to see the mistake, and no more than a log line should hold.
            found: metadata.issuer.chars().take(200).collect(),
        });
    }
    let required = |name, uri: Option<String>| match uri {
        Some(uri) => endpoint(&base, name, &uri),
        None => Err(DiscoverError::Endpoint {
            name,
            reason: "is not there",
        }),
    };
    Ok(Endpoints {
        jwks: required("jwks_uri", metadata.jwks_uri)?,
        stream: required("revocation_stream_uri", metadata.revocation_stream_uri)?,
        verification: metadata
            .verification_uri
            .map(|uri| endpoint(&base, "verification_uri", &uri))
            .transpose()?,
    })
}

/// An address out of the metadata, if tokens and keys are safe on the way there.
fn endpoint(issuer: &Url, name: &'static str, uri: &str) -> Result<Url, DiscoverError> {
    let refused = |reason| DiscoverError::Endpoint { name, reason };
    let url = Url::parse(uri).map_err(|_| refused("is not an absolute address"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("holds a password"));
    }
    let safe = match url.scheme() {
        "https" => true,
        "http" => {
            is_loopback(&url) || (issuer.scheme() == "http" && url.origin() == issuer.origin())
        }
        _ => false,
    };
    match safe {
        true => Ok(url),
        false => Err(refused("is not an https address")),
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_goes_before_the_path() {
        for (issuer, expected) in [
            (
                "https://auth.example",
                "https://auth.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://auth.example/",
                "https://auth.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://auth.example/tenant/1",
                "https://auth.example/.well-known/oauth-authorization-server/tenant/1",
            ),
        ] {
            let url = issuer_url(issuer).unwrap();
            assert_eq!(metadata_url(&url).as_str(), expected, "{issuer}");
        }
    }

    #[test]
    fn an_issuer_is_a_plain_address() {
        for bad in [
            "",
            "auth.example",
            "ftp://auth.example",
            "https://auth.example?x=1",
            "https://auth.example#x",
            "https://me@auth.example",
            "file:///etc/passwd",
        ] {
            assert!(issuer_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn endpoints_are_safe_addresses() {
        let check = |issuer: &str, uri: &str| {
            endpoint(&Url::parse(issuer).unwrap(), "jwks_uri", uri).is_ok()
        };
        assert!(check("https://a.example", "https://keys.example/jwks"));
        for near in [
            "http://127.0.0.1:1/j",
            "http://[::1]:1/j",
            "http://localhost/j",
        ] {
            assert!(check("https://a.example", near), "{near}");
        }
        assert!(check("http://a.example:80", "http://a.example/jwks"));
        for far in [
            "http://a.example/jwks",
            "http://localhost.example/jwks",
            "ftp://a.example/jwks",
            "/jwks",
            "https://user:word@a.example/jwks",
        ] {
            assert!(!check("https://a.example", far), "{far}");
        }
        assert!(!check("http://a.example", "http://b.example/jwks"));
        assert!(!check("http://a.example", "http://a.example:81/jwks"));
    }
}
