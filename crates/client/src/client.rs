//! The client: signs in, and keeps who is signed in.

mod builder;

use std::{fmt, future::Future, sync::Arc};

use reqwest::{Method, Request, Response, Url};
use tokio::sync::watch;

use crate::{
    address::origin_of,
    credentials::{Login, Registration},
    error::Error,
    presence::{Presence, SignedOutReason, User},
    remote::asks_for_another_token,
    secret::AccessToken,
    shared::Shared,
};

pub use builder::ClientBuilder;

/// Signs in at an issuer and keeps one session alive.
///
/// Clones are cheap and share everything: give each task one. All of them together refresh once. Every method needs a
/// running tokio runtime with its time and I/O.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

impl Client {
    /// Begins to set up a client of `issuer`, an `https` address, or one of this machine.
    pub fn builder(issuer: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(issuer.into())
    }

    /// Makes an account. That signs nobody in.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with `validation_failed` and the fields at fault, `conflict` where the address or the name is
    /// taken, `forbidden` where registration is closed, `rate_limited`; [`Error::Network`], after which there may be an
    /// account.
    pub async fn register(&self, registration: &Registration) -> Result<User, Error> {
        self.shared.remote.register(registration).await
    }

    /// Signs in. The refresh token travels in the body and is kept in the store before this returns. Whoever was signed
    /// in with this client is signed out. An answer that comes after this was dropped signs nobody in.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with `invalid_credentials`, `account_disabled`, `email_not_verified`, `validation_failed`,
    /// `rate_limited`; [`Error::Network`]; [`Error::Storage`], and then who was signed in before still is. None of them
    /// is tried again.
    pub async fn login(&self, login: &Login) -> Result<User, Error> {
        let sent = self.shared.clock.millis();
        let (tokens, user) = self.shared.remote.login(login).await?;
        apart(Arc::clone(&self.shared).adopt(tokens, sent, user.clone())).await?;
        Ok(user)
    }

    /// Signs out: the server ends the session, and the refresh token is forgotten here. It is tried again like a refresh,
    /// in a task that goes on when this is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Network`] or [`Error::Refused`] where the server was not told; then the user is still signed in.
    /// [`Error::Storage`], where the user may still be signed in, which [`presence`](Self::presence) tells.
    pub async fn logout(&self) -> Result<(), Error> {
        apart(Arc::clone(&self.shared).leave()).await
    }

    /// Ends every session of the user, on every device. It is tried again like a refresh, in a task that goes on when this
    /// is dropped.
    ///
    /// # Errors
    ///
    /// As [`logout`](Self::logout) and [`access_token`](Self::access_token). After [`Error::SignedOut`] other devices may
    /// still be signed in.
    pub async fn logout_everywhere(&self) -> Result<(), Error> {
        apart(Arc::clone(&self.shared).leave_everywhere()).await
    }

    /// Takes up the session of the last run, if one was kept: who is signed in. Also for a process whose store is shared
    /// with one in which somebody has signed in since.
    ///
    /// # Errors
    ///
    /// As [`access_token`](Self::access_token). A transient error leaves the session as it is.
    pub async fn restore(&self) -> Result<Option<User>, Error> {
        let era = self.shared.era();
        if !matches!(*self.shared.presence.borrow(), Presence::SignedIn(_)) {
            let kept = self.shared.store.load().await.map_err(Error::Storage)?;
            match kept {
                Some(_) => self.shared.reopen(&era),
                None => {
                    self.shared.nobody(&era);
                    return Ok(None);
                }
            }
        }
        match self.user().await {
            Ok(user) => Ok(Some(user)),
            Err(Error::SignedOut {
                reason: SignedOutReason::NoRefreshToken,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Who is signed in; the server is asked once for each session that was taken up.
    ///
    /// # Errors
    ///
    /// As [`access_token`](Self::access_token).
    pub async fn user(&self) -> Result<User, Error> {
        if let Presence::SignedIn(user) = &*self.shared.presence.borrow() {
            return Ok(user.clone());
        }
        let era = self.shared.era();
        let token = self.shared.access_token().await?;
        let user = match self.shared.remote.profile(&token).await {
            Err(Error::Refused(refusal)) if refusal.status == 401 => {
                let another = self.shared.instead_of(&token).await?;
                self.shared.remote.profile(&another).await
            }
            answered => answered,
        }?;
        self.shared.know(&user, &era);
        Ok(user)
    }

    /// An access token that has not expired. Where less than a minute, or a fifth of its life, is left of it, another one
    /// is fetched meanwhile; where less than 10 seconds or a twentieth are left, this waits for it.
    ///
    /// Dropping this does not stop a refresh.
    ///
    /// # Errors
    ///
    /// [`Error::SignedOut`]; [`Error::Network`] and [`Error::Refused`] where there is no token and the server gave none
    /// after several attempts; [`Error::Storage`].
    pub async fn access_token(&self) -> Result<AccessToken, Error> {
        self.shared.access_token().await
    }

    /// Another access token than this one, which somebody did not let through: the one that has replaced it, or one
    /// that is fetched now. For those who send requests themselves and get a 401.
    ///
    /// # Errors
    ///
    /// As [`access_token`](Self::access_token).
    pub async fn instead_of(&self, refused: &AccessToken) -> Result<AccessToken, Error> {
        self.shared.instead_of(refused).await
    }

    /// Waits until a refresh that is under way has ended and its refresh token is kept. A program that ends while the
    /// server has answered and nothing is kept has 5 minutes (the server's `retry_window`) to start again: call this last.
    pub async fn settle(&self) {
        self.shared.settled().await;
    }

    /// Sends a request with the access token to the issuer or a resource. A 401 is answered with a refresh and the same
    /// request once more, if its body is no stream, and if it does not ask for another sign-in (RFC 9470). Redirects are
    /// not followed: they are answers. A status is no error.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignOrigin`], before anything is sent; as [`access_token`](Self::access_token); [`Error::Network`],
    /// after which the request may have been carried out.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let origin = origin_of(request.url());
        if !self.shared.origins.contains(&origin) {
            return Err(Error::ForeignOrigin { origin });
        }
        let again = request.try_clone();
        let token = self.shared.access_token().await?;
        let response = self.shared.remote.send(request, &token).await?;
        match again {
            Some(again) if asks_for_another_token(&response) => {
                drop(response);
                let another = self.shared.instead_of(&token).await?;
                self.shared.remote.send(again, &another).await
            }
            _ => Ok(response),
        }
    }

    /// [`send`](Self::send)s a `GET` of this address.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); [`Error::Request`] for what is no address.
    pub async fn get(&self, url: &str) -> Result<Response, Error> {
        let url = Url::parse(url).map_err(|error| Error::Request(error.to_string()))?;
        self.send(Request::new(Method::GET, url)).await
    }

    /// Who is signed in, and each change of it. Whoever looks late sees the newest only.
    #[must_use]
    pub fn presence(&self) -> watch::Receiver<Presence> {
        self.shared.presence.subscribe()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("remote", &self.shared.remote)
            .finish_non_exhaustive()
    }
}

/// Does it in a task of its own, which goes on when this is dropped.
async fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work).await.unwrap_or(Err(Error::Interrupted))
}
