//! What holds for every request, whatever its route.
//!
//! 1. A request id: the caller's, if it is a plain word, or a new one.
//! 2. What no handler should see: a URI that is too long, a header that must be single and is not.
//! 3. Preflights, then cross-site requests.
//! 4. The handler; a panic in it is a fault like others.
//! 5. Refusals and faults become problem+json; faults are logged, once.
//! 6. Headers: request id, no-store, and what keeps a browser from doing foolish things. A server that was told to end
//!    says that no other request is taken on this connection.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HOST, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, Request, StatusCode, Version};
use hyper::body::Incoming;
use symbolon_domain::Refusal;
use tower::ServiceExt;

use super::context::Connection;
use super::cors::{self, Reader};
use super::problem::{self, Failure, NonceNeeded};
use super::{csrf, oauth};
use crate::app::App;
use crate::flows::{Error, dpop};
use crate::jobs::Causes;
use crate::metrics::Count;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// RFC 9449 section 8.2.
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Longest path and query.
const URI_BYTES: usize = 8 * 1024;
/// Headers of which a second one would leave open which of them counts.
const SINGLE: [HeaderName; 4] = [AUTHORIZATION, HOST, CONTENT_TYPE, CONTENT_LENGTH];

/// Everything that answers a request, shared by all connections.
pub(super) struct Edge {
    app: Arc<App>,
    router: Router,
    /// Tells the runs of a server apart in request ids.
    run: String,
    requests: AtomicU64,
    https: bool,
}

impl Edge {
    pub(super) fn new(app: Arc<App>, router: Router) -> Self {
        let run = app
            .rng
            .bytes::<6>()
            .map(|bytes| symbolon_token::encoding::encode(&bytes))
            .unwrap_or_default();
        let https = app
            .issuance()
            .is_ok_and(|issuance| issuance.issuer.starts_with("https:"));
        Self {
            app,
            router,
            run,
            requests: AtomicU64::new(1),
            https,
        }
    }

    /// Answers one request of `peer`.
    pub(super) async fn answer(
        &self,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        let request_id = self.request_id(request.headers());
        let reader = Reader::of(&self.app, request.uri().path(), request.headers()).await;
        let method = request.method().clone();
        let path = tracing::enabled!(target: "symbolon::requests", tracing::Level::DEBUG)
            .then(|| request.uri().path().to_owned());
        let version = request.version();
        let mut response = self.handle(peer, &request_id, request).await;
        let failure = problem::render(&mut response, &request_id);
        match failure.as_deref() {
            Some(error @ (Error::Fault { .. } | Error::Store(_))) => {
                self.app.metrics.count(Count::Fault);
                tracing::error!(request_id = &*request_id, error = %Causes(error), "request failed");
            }
            Some(Error::Refused(Refusal::ProofNonceNeeded)) => self.give_nonce(&mut response),
            _ if response.extensions_mut().remove::<NonceNeeded>().is_some() => {
                self.give_nonce(&mut response);
            }
            _ => {}
        }
        cors::allow(&mut response, reader);
        self.finish(&mut response, &request_id);
        // HTTP/2 has its own word for it, which is said when the server stops listening.
        if version < Version::HTTP_2 && self.app.is_draining() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        let status = response.status().as_u16();
        self.app.metrics.answered(status);
        if let Some(path) = path {
            tracing::debug!(target: "symbolon::requests", request_id = &*request_id, %peer, %method, path, status, "answered");
        }
        Ok(response)
    }

    async fn handle(
        &self,
        peer: IpAddr,
        request_id: &Arc<str>,
        request: Request<Incoming>,
    ) -> Response {
        let mut request = request.map(Body::new);
        if let Some(response) = reject(&request) {
            return response;
        }
        if let Some(response) = cors::preflight(request.method(), request.headers()) {
            return response;
        }
        if !oauth::takes_cross_site(request.uri().path())
            && let Err(refusal) = csrf::check(&self.app, request.method(), request.headers())
        {
            return Failure::from(refusal).into_response();
        }
        request.extensions_mut().insert(Connection {
            peer,
            request_id: Arc::clone(request_id),
        });
        let answered = AssertUnwindSafe(self.router.clone().oneshot(request))
            .catch_unwind()
            .await;
        match answered {
            Ok(Ok(response)) => response,
            Err(_panic) => {
                let error = Error::Fault {
                    context: "handling a request",
                    source: "the handler panicked".into(),
                };
                Failure(error).into_response()
            }
        }
    }

    fn request_id(&self, headers: &HeaderMap) -> Arc<str> {
        let given = headers
            .get(REQUEST_ID)
            .and_then(|value| value.to_str().ok());
        let plain = |text: &&str| {
            (1..=64).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        };
        match given.filter(plain) {
            Some(text) => text.into(),
            None => format!(
                "{}-{}",
                self.run,
                self.requests.fetch_add(1, Ordering::Relaxed)
            )
            .into(),
        }
    }

    fn give_nonce(&self, response: &mut Response) {
        let nonce = dpop::nonce(&self.app, self.app.clock.now());
        if let Some(Ok(nonce)) = nonce.map(HeaderValue::try_from) {
            response.headers_mut().insert(DPOP_NONCE, nonce);
        }
    }

    fn finish(&self, response: &mut Response, request_id: &str) {
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(request_id) {
            headers.insert(REQUEST_ID, value);
        }
        let fixed = [
            (CACHE_CONTROL, "no-store"),
            (
                CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            ),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (REFERRER_POLICY, "no-referrer"),
            (OPENER, "same-origin"),
            (RESOURCE, "same-origin"),
        ];
        for (name, value) in fixed {
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
        if self.https {
            headers.insert(
                STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static("max-age=63072000; includeSubDomains"),
            );
        }
    }
}

/// Step 2.
fn reject(request: &Request<Body>) -> Option<Response> {
    if request
        .uri()
        .path_and_query()
        .is_some_and(|text| text.as_str().len() > URI_BYTES)
    {
        let mut response =
            Failure::from(Refusal::MalformedRequest("The URI is too long.".to_owned()))
                .into_response();
        *response.status_mut() = StatusCode::URI_TOO_LONG;
        return Some(response);
    }
    let headers = request.headers();
    let repeated = SINGLE
        .iter()
        .find(|name| headers.get_all(*name).iter().nth(1).is_some());
    let sentence = match repeated {
        Some(name) => format!("The header {name} is given more than once."),
        // RFC 9112 section 3.2.
        None if request.version() == Version::HTTP_11 && !headers.contains_key(HOST) => {
            "The header host is missing.".to_owned()
        }
        None => return None,
    };
    Some(Failure::from(Refusal::MalformedRequest(sentence)).into_response())
}
