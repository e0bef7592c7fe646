//! Where tokens may travel.

use reqwest::Url;

use crate::error::BuildError;

/// The issuer's address, without a slash at its end.
pub(crate) fn issuer(address: &str) -> Result<String, BuildError> {
    let url = plain(address)?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Scheme, host and port of an address. What is behind them is not looked at.
pub(crate) fn origin(address: &str) -> Result<String, BuildError> {
    plain(address).map(|url| origin_of(&url))
}

/// Scheme, host and port (RFC 6454 section 6.2).
pub(crate) fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// `https`, or `http` to this machine; no more than a path behind it.
fn plain(address: &str) -> Result<Url, BuildError> {
    let refused = |reason: String| BuildError::Address {
        address: address.to_owned(),
        reason,
    };
    let url = Url::parse(address).map_err(|error| refused(error.to_string()))?;
    let is_plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_plain {
        return Err(refused("more than scheme, host, port and path".to_owned()));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_this_machine(&url) => Ok(url),
        _ => Err(refused(
            "not https, which only this machine may do without".to_owned(),
        )),
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = bare
        .parse()
        .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    loopback || host == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_or_of_this_machine() {
        let good = [
            ("https://auth.example", "https://auth.example"),
            ("https://auth.example/", "https://auth.example"),
            (
                "https://AUTH.example:443/sign-in/",
                "https://auth.example/sign-in",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://localhost:3000", "http://localhost:3000"),
        ];
        for (address, kept) in good {
            assert_eq!(issuer(address).as_deref(), Ok(kept));
        }
        for address in [
            "auth.example",
            "http://auth.example",
            "http://127.0.0.1.auth.example",
            "http://localhost.auth.example",
            "https://ada:secret@auth.example",
            "https://auth.example?a=b",
            "https://auth.example#a",
            "ftp://auth.example",
        ] {
            assert!(issuer(address).is_err(), "{address}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let origin = origin("https://API.example:443/v1/orders").unwrap();
        assert_eq!(origin, "https://api.example");
        for foreign in [
            "http://api.example/",
            "https://api.example:444/",
            "https://api.example.evil.example/",
            "https://api.example@evil.example/",
            "https://evil.example/https://api.example",
            "data:text/plain,https://api.example",
        ] {
            let url = Url::parse(foreign).unwrap();
            assert_ne!(origin_of(&url), origin, "{foreign}");
        }
    }
}
