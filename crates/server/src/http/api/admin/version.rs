//! Versions of what is shown, against lost updates (RFC 9110 sections 8.8.3 and 13.1): a strong `ETag`, `If-Match` on what
//! changes, `If-None-Match` on what reads.

use axum::response::{IntoResponse, Response};
use http::header::{ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use symbolon_domain::Refusal;

use super::super::super::body::Answer;

/// The version that a change is meant for; none where the request does not say, or says any.
///
/// # Errors
/// `malformed_request` for what is no list of tags, `precondition_failed` for tags that no version of ours has.
pub(in crate::http) fn expected(headers: &HeaderMap) -> Result<Option<i64>, Refusal> {
    let tags = tags(headers, &IF_MATCH)?;
    match tags.as_slice() {
        [] => Ok(None),
        ["*"] => Ok(None),
        [only] => number(only).map(Some).ok_or(Refusal::PreconditionFailed),
        _ => Err(Refusal::MalformedRequest(
            "If-Match takes one version here.".to_owned(),
        )),
    }
}

/// What is shown with its version, or that whoever asks has it already.
///
/// # Errors
/// `malformed_request` for what is no list of tags.
pub(in crate::http) fn shown<B: Serialize>(
    headers: &HeaderMap,
    version: i64,
    body: B,
) -> Result<Response, Refusal> {
    let known = tags(headers, &IF_NONE_MATCH)?;
    let is_same = |tag: &&str| *tag == "*" || number(tag) == Some(version);
    let response = match known.iter().any(is_same) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Answer(StatusCode::OK, body).into_response(),
    };
    Ok(versioned(response, version))
}

/// The answer with the version of what it shows.
pub(in crate::http) fn versioned(mut response: Response, version: i64) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// The tags of a header, quotes and `W/` included; `*` alone stands for any.
fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Vec<&'a str>, Refusal> {
    let mut found = Vec::new();
    for value in headers.get_all(name) {
        let text = value.to_str().map_err(|_| malformed(name))?;
        found.extend(text.split(',').map(str::trim).filter(|tag| !tag.is_empty()));
    }
    let quoted = |tag: &str| {
        let inner = tag.strip_prefix("W/").unwrap_or(tag);
        inner.len() >= 2 && inner.starts_with('"') && inner.ends_with('"')
    };
    match found.as_slice() {
        ["*"] => Ok(found),
        tags if tags.iter().all(|tag| quoted(tag)) => Ok(found),
        _ => Err(malformed(name)),
    }
}

/// Only strong tags of ours are numbers.
fn number(tag: &str) -> Option<i64> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

fn malformed(name: &HeaderName) -> Refusal {
    Refusal::MalformedRequest(format!(
        "The header {name} takes entity tags such as \"3\", or *."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Option<i64>, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, value.parse().expect("a header"));
        expected(&headers)
    }

    #[test]
    fn one_version_or_any() {
        assert_eq!(read("\"17\""), Ok(Some(17)));
        assert_eq!(read("*"), Ok(None));
        assert_eq!(expected(&HeaderMap::new()), Ok(None));
        for other in ["\"x\"", "W/\"3\"", "\"-1\"", "\"\"", "\"+1\""] {
            assert_eq!(read(other), Err(Refusal::PreconditionFailed), "{other}");
        }
        for bad in ["17", "\"17", "\"1\", \"2\"", "\"1\", *"] {
            let refusal = read(bad).unwrap_err();
            assert_eq!(refusal.code(), "malformed_request", "{bad}");
        }
    }
}
