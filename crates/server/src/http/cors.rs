//! Cross-origin reads (WHATWG Fetch): exact origins, never a wildcard with credentials.
//!
//! 1. Pages of an origin of the settings read everything, with cookies.
//! 2. Pages of a client's origin read what an application asks for with credentials of its own, without cookies; nothing at
//!    the authorization endpoint, which is for people (OAuth 2.1 section 7.5).
//! 3. What is public and the same for all, every page may read: metadata and keys.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, Method, StatusCode};

use crate::app::App;
use crate::flows::clients::origins::is_of_a_client;

/// What pages of clients call.
const FOR_CLIENTS: [&str; 4] = [
    "/oauth/token",
    "/oauth/userinfo",
    "/oauth/revoke",
    "/oauth/par",
];

/// True for an origin that the settings name, byte for byte.
pub(super) fn is_listed(app: &App, origin: &str) -> bool {
    app.config
        .cors
        .origins
        .iter()
        .any(|listed| listed.as_str() == origin)
}

/// The pages of which origin may read an answer.
pub(super) enum Reader {
    Nobody,
    /// That of the settings, with cookies.
    Listed(HeaderValue),
    /// That of a client, without.
    Client(HeaderValue),
    Anybody,
}

impl Reader {
    /// The reader of what this request is answered.
    pub(super) async fn of(app: &App, path: &str, headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(ORIGIN) else {
            return Self::Nobody;
        };
        let Ok(origin) = value.to_str() else {
            return Self::Nobody;
        };
        if is_listed(app, origin) {
            return Self::Listed(value.clone());
        }
        if path.starts_with("/.well-known/") {
            return Self::Anybody;
        }
        // While the store does not answer, the endpoints do not either.
        if FOR_CLIENTS.contains(&path) && is_of_a_client(app, origin).await.unwrap_or_default() {
            return Self::Client(value.clone());
        }
        Self::Nobody
    }
}

/// The answer to a preflight, for a listed origin; others get none of its headers.
pub(super) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Response> {
    if method != Method::OPTIONS || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
    );
    answer.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type, dpop, x-request-id"),
    );
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    Some(response)
}

/// Lets pages read the answer.
pub(super) fn allow(response: &mut Response, reader: Reader) {
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin, Sec-Fetch-Site"));
    let (origin, cookies) = match reader {
        Reader::Listed(origin) => (origin, true),
        Reader::Client(origin) => (origin, false),
        Reader::Anybody => (HeaderValue::from_static("*"), false),
        Reader::Nobody => {
            headers.remove(ACCESS_CONTROL_ALLOW_METHODS);
            headers.remove(ACCESS_CONTROL_ALLOW_HEADERS);
            headers.remove(ACCESS_CONTROL_MAX_AGE);
            return;
        }
    };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("dpop-nonce, retry-after, www-authenticate, x-request-id"),
    );
    if cookies {
        headers.insert(
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
    }
}
