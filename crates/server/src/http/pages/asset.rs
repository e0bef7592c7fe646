//! `GET /assets/{name}`: what pages load. Its address names its content, so that it is kept for ever.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderValue, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, StatusCode, Uri};
use symbolon_domain::Refusal;

use super::super::problem::Failure;
use super::super::query::query;
use crate::app::App;

/// A year, and no question meanwhile.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOR_A_WHILE: HeaderValue = HeaderValue::from_static("public, max-age=60");
/// An owner's logo may be an SVG: opened by itself, it runs and loads nothing (SECURITY row F5).
const INERT: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
);

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let asset = app.pages.asset(&name).ok_or(Refusal::NotFound)?;
    let [version] = query(&uri, ["v"])?;
    let etag = format!("\"{}\"", asset.version);
    let known = headers.get(IF_NONE_MATCH).is_some_and(|held| *held == etag);
    let compressed = asset.gzip.filter(|_| takes_gzip(&headers));
    let body = match (known, compressed, &asset.body) {
        (true, ..) => Body::empty(),
        (_, Some(gzip), _) => Body::from(gzip),
        (_, None, body) => Body::from(body.clone().into_owned()),
    };
    let mut response = body.into_response();
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    answer.insert(CONTENT_SECURITY_POLICY, INERT);
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let current = version.as_deref() == Some(asset.version.as_str());
    answer.insert(CACHE_CONTROL, if current { FOR_EVER } else { FOR_A_WHILE });
    if let Ok(etag) = HeaderValue::try_from(etag) {
        answer.insert(ETAG, etag);
    }
    if compressed.is_some() && !known {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    Ok(response)
}

/// Whether the browser says that it takes gzip (RFC 9110 section 12.5.3); one that weighs it is not believed.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let wanted = headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    wanted.is_some_and(|wanted| wanted.split(',').any(|one| one.trim() == "gzip"))
}
