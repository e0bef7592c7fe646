//! The guard in front of HTTP: a tower layer, axum extractors, and the answers they give.

mod bearer;
mod extract;
mod layer;
mod problem;

use std::sync::{Arc, Once};

use axum::extract::OriginalUri;
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header, request::Parts,
};

use crate::{
    cache::Verified,
    denied::Denied,
    guard::{Guard, Judgement},
    proofs::{Presented, Scheme},
    shared::Shared,
};

pub use extract::{Bearer, Claims, Payload};
pub use layer::{GuardLayer, Guarded};

/// The header that a proof comes in (RFC 9449 section 4.1).
const DPOP: HeaderName = HeaderName::from_static("dpop");

/// What a layer has found about a request, so that what is behind it need not look again.
#[derive(Clone)]
struct Passed {
    by: Arc<Shared>,
    header: HeaderValue,
    verified: Arc<Verified>,
}

/// What of a request counts.
#[derive(Clone, Copy)]
struct Seen<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> From<&'a Parts> for Seen<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }
}

impl<'a, B> From<&'a Request<B>> for Seen<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl<'a> Seen<'a> {
    /// The path as the client sent it: a router that was nested takes its own part away.
    fn path(&self) -> &'a str {
        let original = self.extensions.get::<OriginalUri>();
        original.map_or(self.uri, |original| &original.0).path()
    }

    fn host(&self) -> Option<&'a str> {
        // HTTP/2 has it in the URI.
        match self.headers.get(header::HOST) {
            Some(host) => host.to_str().ok(),
            None => self.uri.authority().map(http::uri::Authority::as_str),
        }
    }
}

/// A request's credential, and what is known of it without waiting.
struct Credential<'a> {
    scheme: Scheme,
    token: &'a str,
    judgement: Judgement,
    /// Whether this verdict has been counted, and the proof judged.
    is_counted: bool,
}

impl Guard {
    fn credential<'a>(&self, seen: Seen<'a>) -> Result<Credential<'a>, Denied> {
        let (scheme, token) = bearer::credential(seen.headers)?;
        if scheme == Scheme::Dpop && self.shared.settings.address.is_none() {
            warn_of_no_address();
            return Err(Denied::NoToken);
        }
        let passed = seen.extensions.get::<Passed>().filter(|passed| {
            // A guard of another issuer, or a header that was changed since, says nothing about this token.
            Arc::ptr_eq(&passed.by, &self.shared)
                && seen.headers.get(header::AUTHORIZATION) == Some(&passed.header)
        });
        Ok(match passed {
            Some(passed) => Credential {
                scheme,
                token,
                judgement: Judgement::Settled(Ok(Arc::clone(&passed.verified))),
                is_counted: true,
            },
            None => Credential {
                scheme,
                token,
                judgement: self.judge(token),
                is_counted: false,
            },
        })
    }

    /// The verdict on the request, from that on its token.
    fn bind(
        &self,
        verdict: Result<Arc<Verified>, Denied>,
        (scheme, token): (Scheme, &str),
        seen: Seen<'_>,
    ) -> Result<Arc<Verified>, Denied> {
        let verified = verdict?;
        if scheme == Scheme::Bearer {
            return self.proven(Ok(verified), &Presented::bearer(token));
        }
        let address = self.shared.settings.address.as_ref();
        let uri = address.and_then(|address| address.uri(seen.path(), seen.host()));
        let proofs = seen.headers.get_all(DPOP).iter();
        // What is no text is no proof.
        let proofs: Vec<&str> = proofs
            .map(|proof| proof.to_str().unwrap_or_default())
            .collect();
        let presented = Presented {
            scheme,
            token,
            proofs: &proofs,
            method: seen.method.as_str(),
            uri: uri.as_deref().unwrap_or_default(),
        };
        self.proven(Ok(verified), &presented)
    }

    fn pass(&self, headers: &HeaderMap, extensions: &mut Extensions, verified: &Arc<Verified>) {
        if let Some(header) = headers.get(header::AUTHORIZATION) {
            extensions.insert(Passed {
                by: Arc::clone(&self.shared),
                header: header.clone(),
                verified: Arc::clone(verified),
            });
        }
        extensions.insert(Arc::clone(verified));
    }
}

/// Once: whoever sends such requests should not fill the log.
fn warn_of_no_address() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            "a token came with a proof of possession, and the guard has no address to judge it by"
        );
    });
}
