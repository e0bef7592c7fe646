//! Refusals as `application/problem+json` (RFC 9457).

use std::hash::{BuildHasher, RandomState};

use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;

use crate::{demand::Demand, denied::Denied, guard::Guard};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// RFC 9449 section 9.
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The body (RFC 9457 section 3).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
}

/// The answer to a request with these headers. `demands` are those to be met next time.
pub(super) fn refusal<B: From<String>>(
    guard: &Guard,
    denied: Denied,
    demands: &[Demand],
    request: &HeaderMap,
) -> Response<B> {
    let status = StatusCode::from_u16(denied.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let request_id = request_id(request);
    let problem = Problem {
        r#type: format!("urn:symbolon:problem:{}", denied.code()),
        title: status.canonical_reason().unwrap_or("Error"),
        status: denied.status(),
        detail: denied.detail(),
        code: denied.code(),
        request_id: &request_id,
    };
    // Nothing in it can fail to be written.
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let mut response = Response::new(B::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/problem+json");
    headers.insert(CONTENT_TYPE, json);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(Ok(challenge)) = guard.challenge(denied, demands).map(HeaderValue::try_from) {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if denied == Denied::NonceNeeded
        && let Some(Ok(nonce)) = guard.proof_nonce().map(HeaderValue::try_from)
    {
        headers.insert(DPOP_NONCE, nonce);
    }
    if denied == Denied::Overloaded {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The caller's, if it is a plain word, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let is_plain = |text: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (1..=64).contains(&text.len()) && text.bytes().all(plain)
    };
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    match given.filter(is_plain) {
        Some(id) => id.to_owned(),
        None => {
            // Each state is seeded by the system: no secret, but unlike any other.
            let state = RandomState::new();
            format!("{:016x}{:016x}", state.hash_one(0_u8), state.hash_one(1_u8))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_the_callers_if_it_is_a_plain_word() {
        let id = |given: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                REQUEST_ID,
                HeaderValue::from_bytes(given.as_bytes()).unwrap(),
            );
            request_id(&headers)
        };
        let long = "x".repeat(64);
        for good in ["a", "A-b_c.9", long.as_str()] {
            assert_eq!(id(good), good);
        }
        for bad in ["", "a b", "a\"b", "\u{e9}", &"x".repeat(65)] {
            assert_eq!(id(bad).len(), 32, "{bad}");
        }
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }
}
