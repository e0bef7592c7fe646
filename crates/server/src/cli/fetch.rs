//! One bounded download, for keys and revocations that an operator names by URL.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use super::discovery::is_sealed;
use super::{Failed, secrets};

const PATIENCE: Duration = Duration::from_secs(10);

/// The id and the secret of an OAuth client, each encoded as in a form (RFC 6749 section 2.3.1).
pub(super) struct Credentials(String, Zeroizing<String>);

impl Credentials {
    /// Those of a client whose secret is asked for, or comes from standard input, to be shown at `feed`.
    pub(super) fn ask(id: &str, feed: &str) -> Result<Self, Failed> {
        if !is_sealed(feed) {
            return Err(Failed::said(
                "bad_argument",
                "with --client the address of the issuer is https: others could read the secret",
            ));
        }
        let secret = byte_serialize(secrets::secret()?.as_bytes()).collect();
        Ok(Self(
            byte_serialize(id.as_bytes()).collect(),
            Zeroizing::new(secret),
        ))
    }

    pub(super) fn show(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.0, Some(self.1.as_str()))
    }
}

/// The body behind `url`, at most `most` bytes; redirects are not followed.
pub(super) fn get(url: &str, most: u64) -> Result<Vec<u8>, Failed> {
    let refused = |status| format!("the server answered {status}");
    load(url, most, None, refused)
}

/// The same of a list of revocations, which not everybody may read.
pub(super) fn feed(
    url: &str,
    most: u64,
    credentials: Option<&Credentials>,
) -> Result<Vec<u8>, Failed> {
    load(url, most, credentials, refused_by_feed)
}

/// What to say where a feed is not given.
pub(super) fn refused_by_feed(status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED => {
            "the server asks for the credentials of an OAuth client, or does not take these: \
             --client CLIENT_ID, with the secret on standard input"
                .to_owned()
        }
        status => format!("the server answered {status}"),
    }
}

fn load(
    url: &str,
    most: u64,
    credentials: Option<&Credentials>,
    refused: fn(StatusCode) -> String,
) -> Result<Vec<u8>, Failed> {
    let address = plain(url);
    let unfetched = |why: &str| Failed::said("cannot_fetch", format!("{address}: {why}"));
    let failed =
        |error: reqwest::Error| unfetched(&super::Causes(&error.without_url()).to_string());
    // Another part of the process may have installed it: that is as good.
    let _already_installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    super::block_on(async move {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none());
        let mut request = client.build().map_err(failed)?.get(url);
        if let Some(credentials) = credentials {
            request = credentials.show(request);
        }
        let mut response = request.send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(unfetched(&refused(response.status())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > most {
                return Err(unfetched("the answer is too long"));
            }
        }
        Ok(body)
    })
}

/// The address as it may be shown: without a user, a password or a query, which may hold secrets.
fn plain(url: &str) -> String {
    let Ok(mut url) = url::Url::parse(url) else {
        return "the address".to_owned();
    };
    // They fail only for addresses that can have neither.
    let _cleared = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        let shown = plain("https://ada:secret@auth.example/keys?token=secret#secret");
        assert_eq!(shown, "https://auth.example/keys");
        assert_eq!(plain("nonsense"), "the address");
    }
}
