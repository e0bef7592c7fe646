//! Requests as OAuth sends them: a form in the body (RFC 6749 section 3.2; OAuth 2.1 section 3.2.2), or the query.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use base64_simd::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use symbolon_domain::oauth::{OAuthError, Parameters};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::super::body;
use super::reply::Told;
use crate::flows::oauth::Credentials;

/// What a client asks, and what it shows to say who it is.
pub(super) struct ClientRequest {
    basic: Option<(String, Zeroizing<String>)>,
    parameters: Parameters,
    /// A proof of possession among the rest.
    pub(super) headers: HeaderMap,
}

impl ClientRequest {
    pub(super) fn credentials(&self) -> Credentials<'_> {
        let basic = self.basic.as_ref();
        Credentials {
            basic: basic.map(|(id, secret)| (id.as_str(), secret.as_str())),
            parameters: &self.parameters,
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for ClientRequest {
    type Rejection = Told;

    async fn from_request(request: Request, _: &S) -> Result<Self, Told> {
        let (parts, body) = request.into_parts();
        Ok(Self {
            basic: basic(&parts.headers)?,
            parameters: of_body(&parts.headers, body).await?,
            headers: parts.headers,
        })
    }
}

/// The parameters of a body.
///
/// # Errors
/// `invalid_request`; a body that is too long or does not come.
pub(super) async fn of_body(headers: &HeaderMap, body: Body) -> Result<Parameters, Told> {
    if !body::is_form(headers) {
        let sentence = "The body is a form: application/x-www-form-urlencoded.";
        return Err(OAuthError::invalid_request(sentence).into());
    }
    let bytes = body::read(body).await?;
    Ok(of(&bytes)?)
}

/// The parameters of a query.
///
/// # Errors
/// `invalid_request`.
pub(super) fn of_query(uri: &Uri) -> Result<Parameters, OAuthError> {
    of(uri.query().unwrap_or_default().as_bytes())
}

fn of(bytes: &[u8]) -> Result<Parameters, OAuthError> {
    let pairs = form_urlencoded::parse(bytes);
    Parameters::read(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())))
}

/// The id and the secret of `Authorization: Basic` (RFC 6749 section 2.3.1): each encoded as in a form, then joined by a
/// colon, then in base64.
///
/// # Errors
/// `invalid_client` for another scheme, and for what cannot be read.
pub(in crate::http) fn basic(
    headers: &HeaderMap,
) -> Result<Option<(String, Zeroizing<String>)>, OAuthError> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let read = || {
        let (scheme, text) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = Zeroizing::new(STANDARD.decode_to_vec(text).ok()?);
        let text = std::str::from_utf8(&bytes).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some((decoded(id)?, Zeroizing::new(decoded(secret)?)))
    };
    read().map(Some).ok_or_else(OAuthError::invalid_client)
}

/// One value of a form.
fn decoded(text: &str) -> Option<String> {
    // As ours are. No copy of a secret is left behind then.
    if text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._*".contains(&b))
    {
        return Some(text.to_owned());
    }
    // Behind a name, so that what it holds cannot be taken for the next one.
    let encoded = format!("v={}", text.replace('&', "%26"));
    let (_, value) = form_urlencoded::parse(encoded.as_bytes()).next()?;
    (!value.contains('\u{fffd}')).then(|| value.into_owned())
}
