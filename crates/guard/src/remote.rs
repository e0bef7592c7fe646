//! What a guard asks its issuer: bounded in size and time, and never led elsewhere.

use std::{error::Error, fmt, time::Duration};

use reqwest::{Client, Response, StatusCode, Url};
use thiserror::Error;

/// How long the issuer may take over an answer, or over the head of a stream.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The longest metadata and the longest key set.
const LARGEST: usize = 1 << 20;

/// Why an answer of the issuer is of no use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("{0}")]
    Unreachable(String),
    /// No answer within 10 seconds.
    #[error("no answer within {} seconds", PATIENCE.as_secs())]
    TimedOut,
    /// It sent the guard elsewhere, where it does not go.
    #[error("the answer is a redirect, which is not followed")]
    Redirected,
    /// Another status than 200.
    #[error("the answer has status {0}")]
    Status(u16),
    /// More than 1 MB.
    #[error("the answer is longer than {LARGEST} bytes")]
    TooLarge,
    /// Not the JSON that it should be.
    #[error("the answer is not what it should be: {0}")]
    Malformed(String),
}

/// Connections to an issuer as a guard makes them: no redirects, a bound on connecting.
///
/// # Errors
///
/// Where TLS cannot be set up.
pub(crate) fn client() -> Result<Client, FetchError> {
    // Where the process has chosen another provider of cryptography, that one is used.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _another_thread_was_first =
            rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    Client::builder()
        .connect_timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| unreachable(&error))
}

/// The body behind `url`.
pub(crate) async fn fetch(client: &Client, url: &Url) -> Result<Vec<u8>, FetchError> {
    let whole = async {
        let request = client.get(url.clone()).header("accept", "application/json");
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        body(checked(response, url)?, LARGEST).await
    };
    tokio::time::timeout(PATIENCE, whole)
        .await
        .unwrap_or(Err(FetchError::TimedOut))
}

/// The answer, if it has status 200 and comes from where it was asked for.
pub(crate) fn checked(response: Response, url: &Url) -> Result<Response, FetchError> {
    let status = response.status();
    // A client that the owner made may follow redirects all the same.
    if status.is_redirection() || response.url() != url {
        return Err(FetchError::Redirected);
    }
    if status != StatusCode::OK {
        return Err(FetchError::Status(status.as_u16()));
    }
    Ok(response)
}

/// The whole body, if it has at most `most` bytes.
pub(crate) async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unreachable(&error))?
    {
        if body.len() + chunk.len() > most {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(crate) fn unreachable(error: &reqwest::Error) -> FetchError {
    FetchError::Unreachable(Causes(error).to_string())
}

/// What caused an error, without the address, which the message around it tells.
struct Causes<'a>(&'a reqwest::Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(mut cause) = self.0.source() else {
            return f.write_str("the request failed");
        };
        write!(f, "{cause}")?;
        while let Some(next) = cause.source() {
            write!(f, ": {next}")?;
            cause = next;
        }
        Ok(())
    }
}
