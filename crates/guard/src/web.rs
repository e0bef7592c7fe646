//! The guard in front of HTTP: a tower layer, axum extractors, and the answers they give.

mod bearer;
mod extract;
mod layer;
mod problem;

use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderValue, header};

use crate::{
    cache::Verified,
    denied::Denied,
    guard::{Guard, Judgement},
    shared::Shared,
};

pub use extract::{Bearer, Claims, Payload};
pub use layer::{GuardLayer, Guarded};

/// What a layer has found about a request, so that what is behind it need not look again.
#[derive(Clone)]
struct Passed {
    by: Arc<Shared>,
    header: HeaderValue,
    verified: Arc<Verified>,
}

/// A request's credential, and what is known of it without waiting.
struct Credential<'a> {
    token: &'a str,
    judgement: Judgement,
    /// Whether this verdict has been counted.
    is_counted: bool,
}

impl Guard {
    fn credential<'a>(
        &self,
        headers: &'a HeaderMap,
        extensions: &Extensions,
    ) -> Result<Credential<'a>, Denied> {
        let token = bearer::credential(headers)?;
        let passed = extensions.get::<Passed>().filter(|passed| {
            // A guard of another issuer, or a header that was changed since, says nothing about this token.
            Arc::ptr_eq(&passed.by, &self.shared)
                && headers.get(header::AUTHORIZATION) == Some(&passed.header)
        });
        Ok(match passed {
            Some(passed) => Credential {
                token,
                judgement: Judgement::Settled(Ok(Arc::clone(&passed.verified))),
                is_counted: true,
            },
            None => Credential {
                token,
                judgement: self.judge(token),
                is_counted: false,
            },
        })
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
