//! Calls to the server: bounded in size and time, and never led elsewhere.

use std::{error::Error as _, fmt, time::Duration};

use bytes::Bytes;
use reqwest::{
    Method, Request, Response, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    error::{BuildError, Error, FieldError, NetworkError, Refusal},
    secret::AccessToken,
};

/// The longest answer of the server.
const LARGEST: usize = 1 << 20;
/// Requests fit, so that they are not copied as they grow.
const USUAL: usize = 8 << 10;

/// The server of sign-ins, and the connections that resources share.
#[derive(Debug)]
pub(crate) struct Remote {
    http: reqwest::Client,
    /// Without a slash at its end.
    issuer: String,
    /// How long a call to the issuer may take.
    pub(crate) timeout: Duration,
}

/// A call to the issuer.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) bearer: Option<&'a AccessToken>,
    pub(crate) timeout: Duration,
}

impl Remote {
    pub(crate) fn new(
        http: reqwest::ClientBuilder,
        issuer: String,
        timeout: Duration,
    ) -> Result<Self, BuildError> {
        // Where the process has chosen another provider of cryptography, that one is used.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _another_thread_was_first =
                rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let http = http
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| BuildError::Connections(Causes(&error).to_string()))?;
        Ok(Self {
            http,
            issuer,
            timeout,
        })
    }

    /// The address of a path of the issuer.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Error> {
        Url::parse(&format!("{}{path}", self.issuer))
            .map_err(|error| Error::Request(error.to_string()))
    }

    /// Calls the issuer with a JSON body, and reads its answer.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        body: impl Serialize,
    ) -> Result<T, Error> {
        let answer = self.call(call, body).await?;
        serde_json::from_slice(&answer).map_err(|error| malformed(&error))
    }

    /// Calls the issuer with a JSON body. Only a success is no error; the body of the answer is wiped.
    pub(crate) async fn call(
        &self,
        call: Call<'_>,
        body: impl Serialize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut text = Zeroizing::new(Vec::with_capacity(USUAL));
        serde_json::to_writer(&mut *text, &body)
            .map_err(|error| Error::Request(error.to_string()))?;
        let mut request = Request::new(call.method, self.url(call.path)?);
        if *text != b"null" {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(CONTENT_TYPE, json);
            // The last one who reads it wipes it.
            *request.body_mut() = Some(Bytes::from_owner(text).into());
        }
        if let Some(token) = call.bearer {
            bear(&mut request, token)?;
        }
        let whole = async {
            let response = self.execute(request).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            if status.is_redirection() {
                return Err(Error::Network(NetworkError::Redirected));
            }
            let body = body_of(response).await?;
            match status.is_success() {
                true => Ok(body),
                false => Err(Error::Refused(Box::new(refusal(status, &headers, &body)))),
            }
        };
        tokio::time::timeout(call.timeout, whole)
            .await
            .unwrap_or(Err(Error::Network(NetworkError::TimedOut)))
    }

    /// Sends a request with the token, and nowhere else than where it says.
    pub(crate) async fn send(
        &self,
        mut request: Request,
        token: &AccessToken,
    ) -> Result<Response, Error> {
        bear(&mut request, token)?;
        self.execute(request).await
    }

    async fn execute(&self, request: Request) -> Result<Response, Error> {
        self.http
            .execute(request)
            .await
            .map_err(|error| broken(&error))
    }
}

fn bear(request: &mut Request, token: &AccessToken) -> Result<(), Error> {
    let value = token.header();
    let value =
        value.ok_or_else(|| Error::Request("the token does not fit a header".to_owned()))?;
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}

/// Whether another token may be let through where this one was not. One that stands for a sign-in that is too old for
/// the request (RFC 9470) is not helped by a refresh.
pub(crate) fn asks_for_another_token(response: &Response) -> bool {
    let mut challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
    response.status() == StatusCode::UNAUTHORIZED
        && !challenges.any(|challenge| {
            let text = String::from_utf8_lossy(challenge.as_bytes());
            text.contains("insufficient_user_authentication")
        })
}

async fn body_of(mut response: Response) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut body = Zeroizing::new(Vec::with_capacity(USUAL));
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > LARGEST {
            let long = format!("longer than {LARGEST} bytes");
            return Err(Error::Network(NetworkError::Malformed(long)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Problem details (RFC 9457 section 3.1), of which any may be absent.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ProblemBody {
    code: String,
    detail: String,
    request_id: Option<String>,
    errors: Vec<FieldError>,
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    let problem: ProblemBody = serde_json::from_slice(body).unwrap_or_default();
    let id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    Refusal {
        status: status.as_u16(),
        code: problem.code,
        detail: problem.detail,
        fields: problem.errors,
        request_id: problem.request_id.or_else(|| id.map(str::to_owned)),
        retry_after: headers.get(RETRY_AFTER).and_then(seconds),
    }
}

/// A date is not heeded: it says nothing to a clock that does not know the time of day.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What serde says names types, places and numbers; a text of the answer could be secret, and is left out.
fn malformed(error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    let what = match error.classify() {
        serde_json::error::Category::Data => "not the expected members",
        _ => "not JSON",
    };
    Error::Network(NetworkError::Malformed(format!(
        "{what}, at line {line}, column {column}"
    )))
}

fn broken(error: &reqwest::Error) -> Error {
    if error.is_builder() {
        return Error::Request(Causes(error).to_string());
    }
    Error::Network(match error.is_timeout() {
        true => NetworkError::TimedOut,
        false => NetworkError::Unreachable(Causes(error).to_string()),
    })
}

/// What caused an error, without the address.
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
