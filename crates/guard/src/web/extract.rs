//! axum extractors, and the route of the resource's metadata.

use std::{future::ready, sync::Arc};

use axum::{
    Router,
    extract::{FromRef, FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
    routing,
};
use http::{header::CONTENT_TYPE, request::Parts};
use reqwest::Url;
use serde::de::DeserializeOwned;
use symbolon_token::{AccessClaims, encoding};

use super::{Credential, Seen, problem};
use crate::{
    cache::Verified,
    denied::Denied,
    guard::{Guard, Judgement},
};

/// The caller's token: a request without a good one is answered with 401, 503 or 400 and does not reach the handler.
///
/// It takes the guard out of the router's state. Behind a [`GuardLayer`](crate::GuardLayer) of the same guard it takes
/// what the layer has found. As `Option<Bearer<_>>` it lets requests through that have no token at all, but none that
/// have a bad one.
#[derive(Clone, Copy, Debug)]
pub struct Bearer<C = AccessClaims>(pub C);

/// What a handler may want to know of a token.
pub trait Claims: Sized {
    /// Reads it out of a token that is good.
    ///
    /// # Errors
    ///
    /// [`Denied::Invalid`] where the token does not say what is needed.
    fn read(verified: &Arc<Verified>, token: &str) -> Result<Self, Denied>;
}

/// Without copying anything.
impl Claims for Arc<Verified> {
    fn read(verified: &Arc<Verified>, _: &str) -> Result<Self, Denied> {
        Ok(Arc::clone(verified))
    }
}

impl Claims for AccessClaims {
    fn read(verified: &Arc<Verified>, _: &str) -> Result<Self, Denied> {
        Ok(verified.claims().clone())
    }
}

/// The whole payload of a token as a type of yours, for claims that [`AccessClaims`] does not have.
#[derive(Clone, Copy, Debug)]
pub struct Payload<T>(pub T);

impl<T: DeserializeOwned> Claims for Payload<T> {
    fn read(_: &Arc<Verified>, token: &str) -> Result<Self, Denied> {
        let payload = token.split('.').nth(1).unwrap_or_default();
        let json = encoding::decode(payload.as_bytes()).map_err(|_| Denied::Invalid)?;
        let claims = serde_json::from_slice(&json).map_err(|_| Denied::Invalid)?;
        Ok(Self(claims))
    }
}

impl<S, C> FromRequestParts<S> for Bearer<C>
where
    S: Send + Sync,
    Guard: FromRef<S>,
    C: Claims,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let guard = Guard::from_ref(state);
        let seen = Seen::from(&*parts);
        let refused = |denied| problem::refusal(&guard, denied, &[], seen.headers);
        let credential = guard.credential(seen);
        let claims = claims(&guard, credential, seen).await;
        claims.map(Self).map_err(refused)
    }
}

impl<S, C> OptionalFromRequestParts<S> for Bearer<C>
where
    S: Send + Sync,
    Guard: FromRef<S>,
    C: Claims,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Response> {
        let guard = Guard::from_ref(state);
        let seen = Seen::from(&*parts);
        let credential = guard.credential(seen);
        if let Err(Denied::NoToken) = credential {
            return Ok(None);
        }
        let refused = |denied| problem::refusal(&guard, denied, &[], seen.headers);
        let claims = claims(&guard, credential, seen).await.map_err(refused)?;
        Ok(Some(Self(claims)))
    }
}

async fn claims<C: Claims>(
    guard: &Guard,
    credential: Result<Credential<'_>, Denied>,
    seen: Seen<'_>,
) -> Result<C, Denied> {
    let Credential {
        scheme,
        token,
        judgement,
        is_counted,
    } = credential.inspect_err(|denied| guard.shared.counts.reject(*denied))?;
    let verdict = match judgement {
        Judgement::Settled(verdict) => verdict,
        undecided => guard.ask(token, undecided).await,
    };
    let verified = match is_counted {
        true => verdict?,
        false => guard.counted(guard.bind(verdict, (scheme, token), seen))?,
    };
    C::read(&verified, token)
}

impl Guard {
    /// A router that answers with the resource's metadata (RFC 9728) where challenges say that it is; an empty one
    /// where no [resource](crate::GuardBuilder::resource) was named. Merge it into yours.
    pub fn metadata_route<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let document = self
            .resource_metadata()
            .map(|all| serde_json::to_string(&all));
        let url = self.metadata_url().map(Url::parse);
        let (Some(Ok(document)), Some(Ok(url))) = (document, url) else {
            return Router::new();
        };
        let document: Arc<str> = document.into();
        let answer = move || {
            let json = [(CONTENT_TYPE, "application/json")];
            ready((json, document.to_string()).into_response())
        };
        Router::new()
            // The path is the owner's, and has no parameters.
            .without_v07_checks()
            .route(url.path(), routing::get(answer))
    }
}
