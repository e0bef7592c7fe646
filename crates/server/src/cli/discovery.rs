//! Where an issuer that an operator names has its keys and its feed (RFC 8414).

use std::net::IpAddr;

use serde::Deserialize;
use url::Url;

use super::{Failed, fetch};

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";
/// Longest metadata that is read.
const MOST_BYTES: u64 = 1024 * 1024;

/// What an issuer says of itself.
#[derive(Deserialize)]
pub(super) struct Endpoints {
    pub(super) issuer: String,
    /// Its keys.
    #[serde(rename = "jwks_uri")]
    pub(super) jwks: String,
    /// Its live revocations.
    #[serde(rename = "revocation_feed_uri")]
    pub(super) feed: String,
    /// The same as a stream.
    #[serde(rename = "revocation_stream_uri")]
    pub(super) stream: String,
}

/// Asks `issuer` where things are.
pub(super) fn discover(issuer: &str) -> Result<Endpoints, Failed> {
    let issuer = issuer.trim_end_matches('/');
    let base = Url::parse(issuer).ok().filter(Url::has_host);
    let base = base.ok_or_else(|| {
        Failed::said(
            "bad_argument",
            "--url takes the address of an issuer, such as https://auth.example",
        )
    })?;
    let body = fetch::get(well_known(&base).as_str(), MOST_BYTES)?;
    let wrong = |sentence: String| Failed::said("bad_metadata", sentence);
    let endpoints: Endpoints = serde_json::from_slice(&body)
        .map_err(|error| wrong(format!("the issuer's metadata cannot be read: {error}")))?;
    if endpoints.issuer != issuer {
        let named: String = endpoints.issuer.escape_debug().take(200).collect();
        return Err(wrong(format!(
            "the server there is the issuer {named}: give that address"
        )));
    }
    for uri in [&endpoints.jwks, &endpoints.feed, &endpoints.stream] {
        if !is_safe(&base, uri) {
            return Err(wrong(
                "the issuer's metadata names an address that is not https".to_owned(),
            ));
        }
    }
    Ok(endpoints)
}

/// RFC 8414 section 3.1: the well-known part goes between host and path.
fn well_known(issuer: &Url) -> Url {
    let mut url = issuer.clone();
    let path = issuer.path().trim_end_matches('/');
    url.set_path(&format!("{WELL_KNOWN}{path}"));
    url
}

/// Whether nobody on the way can change what comes from there, unless the operator has allowed that already.
fn is_safe(issuer: &Url, uri: &str) -> bool {
    let is_allowed = |url: Url| {
        issuer.scheme() == "http" && url.scheme() == "http" && url.origin() == issuer.origin()
    };
    is_sealed(uri) || Url::parse(uri).is_ok_and(is_allowed)
}

/// Whether nobody on the way can read what is sent there: by TLS, or to this machine.
pub(super) fn is_sealed(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_near = host == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    url.scheme() == "https" || (url.scheme() == "http" && is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_goes_before_the_path() {
        for (issuer, expected) in [
            (
                "https://a.example",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/b",
                "https://a.example/.well-known/oauth-authorization-server/b",
            ),
        ] {
            assert_eq!(well_known(&Url::parse(issuer).unwrap()).as_str(), expected);
        }
    }

    #[test]
    fn addresses_are_safe_ones() {
        let safe = |issuer: &str, uri: &str| is_safe(&Url::parse(issuer).unwrap(), uri);
        assert!(safe("https://a.example", "https://b.example/jwks"));
        assert!(safe("https://a.example", "http://[::1]:1/jwks"));
        assert!(safe("http://a.example", "http://a.example:80/jwks"));
        assert!(!safe("https://a.example", "http://a.example/jwks"));
        assert!(!safe("http://a.example", "http://b.example/jwks"));
        assert!(!safe("https://a.example", "file:///etc/passwd"));
        assert!(!safe("https://a.example", "/jwks"));
        // A secret is not shown where the operator has no more than allowed what anybody may read.
        assert!(is_sealed("https://a.example/feed") && is_sealed("http://127.0.0.1:8080/feed"));
        assert!(!is_sealed("http://a.example/feed") && !is_sealed("ftp://localhost/feed"));
    }
}
