//! `GET /api/revocations`, `GET /api/revocations/stream`

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;
use symbolon_domain::Refusal;
use symbolon_domain::revocation::Entry;
use utoipa::ToSchema;

use super::super::oauth::form::basic;
use super::super::problem::{Failure, Problem};
use super::super::query::query;
use crate::app::App;
use crate::feed::Point;
use crate::flows::{Error, Origin, feed};
use crate::jobs::Causes;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The live revocations.
#[derive(Serialize, ToSchema)]
pub(super) struct RevocationsBody {
    /// Names the run of numbers; another one begins when a backup is restored.
    epoch: String,
    /// The number of the last revocation.
    #[schema(example = 42)]
    seq: i64,
    /// The server's time, in seconds since 1970.
    now: i64,
    /// In the order of their numbers.
    entries: Vec<EntryBody>,
}

/// The statement that tokens are dead, or out of date.
#[derive(Serialize, ToSchema)]
pub(super) struct EntryBody {
    /// Its number; numbers rise, with gaps.
    #[schema(example = 42)]
    seq: i64,
    /// `session`, `user`, `token`, `client`, `key` or `all`.
    #[schema(example = "session")]
    kind: String,
    /// base64url of the first 16 bytes of SHA-256 over `KIND:ID`: the token's `sid`, `sub`, `jti`, `client_id` or `kid`,
    /// nothing for `all`.
    #[schema(example = "q1n8kPBTZdF1yqUuRJ2Q2A")]
    key: String,
    /// `revoked` or `stale`.
    #[schema(example = "revoked")]
    effect: String,
    /// Of kind `user`: tokens whose `ver` is lower are hit.
    below: Option<i64>,
    /// Of kinds `client` and `all`: tokens whose `iat` is not later are hit, in seconds since 1970.
    before: Option<i64>,
    /// When no such token can be alive and the entry may be dropped, in seconds since 1970.
    until: i64,
}

impl From<&Entry> for EntryBody {
    fn from(entry: &Entry) -> Self {
        Self {
            seq: entry.seq,
            kind: entry.kind.as_str().to_owned(),
            key: symbolon_token::encoding::encode(&entry.key),
            effect: entry.effect.as_str().to_owned(),
            below: entry.below,
            before: entry.before,
            until: entry.until_s,
        }
    }
}

/// The revocations that can hit a living token.
#[utoipa::path(get, path = "/api/revocations", operation_id = "listRevocations", tag = "guards", security((), ("clientSecret" = [])),
    params(("since" = Option<String>, Query, description = "`EPOCH:SEQ`: only what is newer, or everything where that point is gone")),
    responses(
        (status = 200, body = RevocationsBody),
        (status = 304, description = "Nothing newer than the `ETag` in `If-None-Match`"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`invalid_credentials`, where `feed.access` is `clients`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    origin: Origin,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let reader = reader(&app, &headers, &origin).await?;
    let since = since(&uri)?;
    let tag = etag(&feed::point(&app).await?);
    if headers
        .get(IF_NONE_MATCH)
        .is_some_and(|given| *given == tag)
    {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let list = feed::list(&app, since, reader).await?;
    let tag = etag(&list.point());
    let pieces = unfold(Some(list), |list| async {
        let mut list = list?;
        let piece = list.next().await;
        sent(piece, list)
    });
    let json = HeaderValue::from_static("application/json");
    Ok((
        [(CONTENT_TYPE, json), (ETAG, tag)],
        Body::from_stream(pieces),
    )
        .into_response())
}

/// The revocations as they come, as server-sent events.
///
/// `snapshot` first, with everything, unless `Last-Event-ID` or `since` names a point to go on from; then `revocation`,
/// one entry each, and `heartbeat` every 5 seconds, which says up to which number nothing is missing. Where only clients read, the
/// stream of one that is changed or deleted ends with a heartbeat.
#[utoipa::path(get, path = "/api/revocations/stream", operation_id = "followRevocations", tag = "guards", security((), ("clientSecret" = [])),
    params(
        ("since" = Option<String>, Query, description = "`EPOCH:SEQ`: the point to go on from"),
        ("Last-Event-ID" = Option<String>, Header, description = "The same, and goes before it")),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`invalid_credentials`, where `feed.access` is `clients`", body = Problem),
        (status = 503, description = "`overloaded`", body = Problem)))]
pub(super) async fn stream(
    State(app): State<Arc<App>>,
    origin: Origin,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let reader = reader(&app, &headers, &origin).await?;
    let since = match headers.get(LAST_EVENT_ID) {
        // Whatever it is, no point of this feed: a snapshot is the answer to that.
        Some(id) => id.to_str().ok().and_then(|id| id.parse().ok()),
        None => since(&uri)?,
    };
    let follow = feed::follow(&app, since, reader).await?;
    let pieces = unfold(Some(follow), |follow| async {
        let mut follow = follow?;
        let piece = follow.next().await;
        sent(piece, follow)
    });
    let fixed = [
        (CONTENT_TYPE, "text/event-stream"),
        // nginx would gather events otherwise.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((fixed, Body::from_stream(pieces)).into_response())
}

/// A piece and whoever has the next one; after an error the answer breaks off.
fn sent<T>(
    piece: Result<Option<Bytes>, Error>,
    source: T,
) -> Option<(Result<Bytes, Error>, Option<T>)> {
    match piece {
        Ok(piece) => piece.map(|piece| (Ok(piece), Some(source))),
        Err(error) => {
            tracing::warn!(error = %Causes(&error), "the feed of revocations breaks off for a reader");
            Some((Err(error), None))
        }
    }
}

fn since(uri: &Uri) -> Result<Option<Point>, Refusal> {
    let [since] = query(uri, ["since"])?;
    let malformed =
        |()| Refusal::MalformedRequest("The parameter since is not EPOCH:SEQ.".to_owned());
    since
        .map(|text| text.parse().map_err(malformed))
        .transpose()
}

/// Weak: the time in the body is another one in each answer (RFC 9110 section 8.8.1).
fn etag(point: &str) -> HeaderValue {
    HeaderValue::try_from(format!("W/\"{point}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Who reads, if they may. What is no credential is none.
async fn reader(app: &App, headers: &HeaderMap, origin: &Origin) -> Result<feed::Reader, Failure> {
    let basic = basic(headers).ok().flatten();
    let shown = basic.as_ref();
    let shown = shown.map(|(id, secret)| (id.as_str(), secret.as_str()));
    Ok(feed::admit(app, shown, origin).await?)
}
