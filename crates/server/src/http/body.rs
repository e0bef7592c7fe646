//! Bodies: JSON only, bounded in size, time and depth, unknown and repeated members refused.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use symbolon_domain::{FieldError, Refusal};

pub(super) use axum::body::Bytes;

use super::problem::Failure;

/// Longest body.
const MOST_BYTES: usize = 64 * 1024;
/// Longest wait for a body.
const PATIENCE: Duration = Duration::from_secs(15);
const TYPE_MISMATCH: (&str, &str) = ("type_mismatch", "This value has the wrong type.");

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        Ok(Self(json(request).await?.0))
    }
}

/// A JSON body, and the bytes that it was.
pub(super) async fn json<T: DeserializeOwned>(request: Request) -> Result<(T, Bytes), Refusal> {
    if !is_json(request.headers()) {
        return Err(Refusal::UnsupportedMediaType);
    }
    let bytes = read(request.into_body()).await?;
    Ok((parse(&bytes)?, bytes))
}

/// A JSON body, or none at all.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let typed = request.headers().contains_key(CONTENT_TYPE);
        let json = is_json(request.headers());
        let bytes = read(request.into_body()).await?;
        match (bytes.is_empty(), typed, json) {
            (true, false, _) | (true, _, true) => Ok(Self(T::default())),
            (_, _, true) => Ok(Self(parse(&bytes)?)),
            _ => Err(Refusal::UnsupportedMediaType.into()),
        }
    }
}

/// `application/x-www-form-urlencoded`, as a form of our own pages is sent.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|text| text.split(';').next());
    essence.is_some_and(|essence| {
        essence
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

/// `application/json`, with no charset but UTF-8 (RFC 8259 section 8.1).
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(text) = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let utf8 = parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .all(|(name, value)| {
            !name.trim().eq_ignore_ascii_case("charset")
                || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        });
    essence.trim().eq_ignore_ascii_case("application/json") && utf8
}

pub(super) async fn read(body: Body) -> Result<Bytes, Refusal> {
    // What says that it is too long need not be waited for.
    if body.size_hint().lower() > MOST_BYTES as u64 {
        return Err(Refusal::PayloadTooLarge);
    }
    let whole = tokio::time::timeout(PATIENCE, Limited::new(body, MOST_BYTES).collect());
    match whole.await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::PayloadTooLarge),
        Ok(Err(_)) => Err(Refusal::MalformedRequest(
            "The body ended too early.".to_owned(),
        )),
        Err(_) => Err(Refusal::MalformedRequest(
            "The body did not arrive in time.".to_owned(),
        )),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    // The derived parser would take the values of an array for the members, in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Refusal::Validation(vec![FieldError {
            pointer: String::new(),
            code: TYPE_MISMATCH.0,
            detail: TYPE_MISMATCH.1.to_owned(),
        }]));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut deserializer);
    let end = deserializer.end();
    parsed
        .map_err(|error| refusal(&error))
        .and_then(|value| match end {
            Ok(()) => Ok(value),
            Err(_) => Err(Refusal::MalformedRequest(
                "The body has more than one JSON value.".to_owned(),
            )),
        })
}

fn refusal(error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let inner = error.inner();
    if inner.classify() != Category::Data {
        let place = format!("line {}, column {}", inner.line(), inner.column());
        return Refusal::MalformedRequest(format!("The body is not valid JSON ({place})."));
    }
    let mut pointer = String::new();
    for segment in error.path() {
        pointer.push('/');
        pointer.push_str(&segment.to_string().replace('~', "~0").replace('/', "~1"));
    }
    let text = inner.to_string();
    let (code, detail) = if text.starts_with("unknown field") {
        ("unknown_field", "This field is not known here.")
    } else if text.starts_with("duplicate field") {
        ("duplicate_field", "This field is given twice.")
    } else {
        TYPE_MISMATCH
    };
    let shown = pointer
        .chars()
        .filter(|character| !character.is_control())
        .take(64)
        .collect();
    Refusal::Validation(vec![FieldError {
        pointer: shown,
        code,
        detail: detail.to_owned(),
    }])
}

/// What a required field that is absent, or null, is answered with.
pub(super) fn missing(pointer: &str) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        code: "required",
        detail: "This field is required.".to_owned(),
    }
}

/// A member that may be absent, null or a value: `None`, `Some(None)`, `Some(Some(value))`.
pub(super) fn nullable<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}

/// A JSON answer with its status.
pub(super) struct Answer<T>(pub(super) StatusCode, pub(super) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.1) {
            Ok(body) => {
                let mut response = Response::new(Body::from(body));
                *response.status_mut() = self.0;
                response
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Err(error) => Failure(crate::flows::Error::Fault {
                context: "writing an answer",
                source: error.into(),
            })
            .into_response(),
        }
    }
}
