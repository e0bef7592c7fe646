//! The tower layer.

use std::{
    mem, slice,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::{BoxFuture, Either, FutureExt, ready};
use http::{HeaderMap, Request, Response};
use tower::{Layer, Service};

use super::{Credential, Seen, problem};
use crate::{
    cache::Verified,
    demand::Demand,
    denied::Denied,
    guard::{Guard, Judgement},
    proofs::Scheme,
};

/// Lets only requests with a good token through, and answers the others itself.
///
/// What it lets through has the token as `Arc<Verified>` among the request's extensions.
#[derive(Clone, Debug)]
pub struct GuardLayer {
    guard: Guard,
    demands: Arc<Vec<Demand>>,
}

impl Guard {
    /// A layer for routes that need a good token.
    #[must_use]
    pub fn layer(&self) -> GuardLayer {
        GuardLayer {
            guard: self.clone(),
            demands: Arc::default(),
        }
    }
}

impl GuardLayer {
    /// And this role; otherwise 403 `forbidden`.
    #[must_use]
    pub fn require_role(self, role: &str) -> Self {
        self.require(Demand::any_role([role]))
    }

    /// And one of these roles; otherwise 403 `forbidden`.
    #[must_use]
    pub fn require_any_role<R: Into<Box<str>>>(self, roles: impl IntoIterator<Item = R>) -> Self {
        self.require(Demand::any_role(roles))
    }

    /// And this permission, in the claim `scope`, or `*`; otherwise 403 `forbidden`.
    #[must_use]
    pub fn require_permission(self, permission: &str) -> Self {
        self.require(Demand::permission(permission))
    }

    /// And exactly this scope; otherwise 403 `insufficient_scope`.
    #[must_use]
    pub fn require_scope(self, scope: &str) -> Self {
        self.require(Demand::scope(scope))
    }

    /// And a sign-in no longer ago than this, in whole seconds; otherwise 401 `insufficient_user_authentication`, with
    /// what the client is to ask for next (RFC 9470 section 3).
    #[must_use]
    pub fn require_sign_in_within(self, age: Duration) -> Self {
        self.require(Demand::signed_in_within(age))
    }

    /// And a sign-in in one of these ways, the best first; otherwise 401 `insufficient_user_authentication`, with what the
    /// client is to ask for next (RFC 9470 section 3).
    #[must_use]
    pub fn require_acr<A: Into<Box<str>>>(self, values: impl IntoIterator<Item = A>) -> Self {
        self.require(Demand::acr(values))
    }

    /// And that this is met. Demands are judged in the order in which they were made.
    #[must_use]
    pub fn require(mut self, demand: Demand) -> Self {
        Arc::make_mut(&mut self.demands).push(demand);
        self
    }

    /// The verdict on the request, counted, then that of the demands.
    fn admit(
        &self,
        verdict: Result<Arc<Verified>, Denied>,
    ) -> Result<Arc<Verified>, (Denied, &[Demand])> {
        let verified = verdict.map_err(|denied| (denied, &[][..]))?;
        for demand in &*self.demands {
            if let Err(denied) = self.guard.require(&verified, demand) {
                // The new sign-in is to meet whatever else is asked of it, too.
                let next = match denied {
                    Denied::InsufficientUserAuthentication => &**self.demands,
                    _ => slice::from_ref(demand),
                };
                return Err((denied, next));
            }
        }
        Ok(verified)
    }

    fn refuse<B: From<String>>(
        &self,
        (denied, demands): (Denied, &[Demand]),
        request: &HeaderMap,
    ) -> Response<B> {
        problem::refusal(&self.guard, denied, demands, request)
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service behind a [`GuardLayer`].
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
    layer: GuardLayer,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Send + 'static,
    R: From<String> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    /// What is behind it at once, or something to wait for first.
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<R>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let layer = &self.layer;
        let guard = &layer.guard;
        let seen = Seen::from(&request);
        let verdict = match guard.credential(seen) {
            Ok(Credential {
                judgement: Judgement::Settled(verdict),
                is_counted: true,
                ..
            }) => verdict,
            Ok(Credential {
                judgement: Judgement::Settled(verdict),
                scheme,
                token,
                ..
            }) => guard.counted(guard.bind(verdict, (scheme, token), seen)),
            Ok(Credential {
                judgement,
                scheme,
                token,
                ..
            }) => {
                let credential = (scheme, token.to_owned());
                return Either::Right(self.wait(request, credential, judgement).boxed());
            }
            Err(denied) => guard.counted(Err(denied)),
        };
        match layer.admit(verdict) {
            Ok(verified) => {
                pass(&layer.guard, &mut request, &verified);
                Either::Left(self.inner.call(request))
            }
            Err(refusal) => {
                let response = layer.refuse(refusal, request.headers());
                Either::Right(ready(Ok(response)).boxed())
            }
        }
    }
}

impl<S> Guarded<S> {
    /// Where the issuer must be asked first.
    fn wait<B, R>(
        &mut self,
        mut request: Request<B>,
        (scheme, token): (Scheme, String),
        judgement: Judgement,
    ) -> impl Future<Output = Result<Response<R>, S::Error>> + use<S, B, R>
    where
        S: Service<Request<B>, Response = Response<R>> + Clone,
        R: From<String>,
    {
        // The one that was polled ready goes along, a clone stays.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        async move {
            let guard = &layer.guard;
            let verdict = guard.ask(&token, judgement).await;
            let verdict = guard.bind(verdict, (scheme, &token), Seen::from(&request));
            match layer.admit(guard.counted(verdict)) {
                Ok(verified) => {
                    pass(&layer.guard, &mut request, &verified);
                    inner.call(request).await
                }
                Err(refusal) => Ok(layer.refuse(refusal, request.headers())),
            }
        }
    }
}

fn pass<B>(guard: &Guard, request: &mut Request<B>, verified: &Arc<Verified>) {
    let mut extensions = mem::take(request.extensions_mut());
    guard.pass(request.headers(), &mut extensions, verified);
    *request.extensions_mut() = extensions;
}
