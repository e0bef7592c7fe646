//! The calls of a sign-in below `/api`, and their answers.

use std::time::Duration;

use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::{
    credentials::{Login, Registration},
    error::{Error, NetworkError},
    presence::User,
    remote::{Call, Remote},
    secret::{AccessToken, Hidden, RefreshToken},
};

/// The tokens of a session.
pub(crate) struct Tokens {
    pub(crate) access: AccessToken,
    /// How long the access token lives, from when it was asked for at the earliest.
    pub(crate) life: Duration,
    pub(crate) refresh: RefreshToken,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokensBody {
    access_token: Hidden,
    expires_in: u32,
    refresh_token: Hidden,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedInBody {
    access_token: Hidden,
    expires_in: u32,
    refresh_token: Hidden,
    user: User,
}

#[derive(Deserialize)]
struct RegisteredBody {
    user: User,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefreshBody<'a> {
    refresh_token: &'a str,
}

impl Remote {
    /// `POST /api/login`
    pub(crate) async fn login(&self, login: &Login) -> Result<(Tokens, User), Error> {
        let call = self.plain(Method::POST, "/api/login", None);
        let body: SignedInBody = self.ask(call, login.body()).await?;
        let (access, refresh) = (body.access_token, body.refresh_token);
        Ok((tokens(access, body.expires_in, refresh)?, body.user))
    }

    /// `POST /api/register`
    pub(crate) async fn register(&self, registration: &Registration) -> Result<User, Error> {
        let call = self.plain(Method::POST, "/api/register", None);
        let body: RegisteredBody = self.ask(call, registration.body()).await?;
        Ok(body.user)
    }

    /// `POST /api/refresh`
    pub(crate) async fn refresh(
        &self,
        token: &RefreshToken,
        timeout: Duration,
    ) -> Result<Tokens, Error> {
        let mut call = self.plain(Method::POST, "/api/refresh", None);
        call.timeout = timeout;
        let body: TokensBody = self.ask(call, presenting(token)).await?;
        tokens(body.access_token, body.expires_in, body.refresh_token)
    }

    /// `DELETE /api/refresh`: ends the session of the token, if it is one of a live session.
    pub(crate) async fn end(&self, token: &RefreshToken, timeout: Duration) -> Result<(), Error> {
        let mut call = self.plain(Method::DELETE, "/api/refresh", None);
        call.timeout = timeout;
        self.call(call, presenting(token)).await.map(drop)
    }

    /// `POST /api/logout/all`
    pub(crate) async fn end_all(&self, token: &AccessToken) -> Result<(), Error> {
        let call = self.plain(Method::POST, "/api/logout/all", Some(token));
        self.call(call, ()).await.map(drop)
    }

    /// `GET /api/user/profile`
    pub(crate) async fn profile(&self, token: &AccessToken) -> Result<User, Error> {
        let call = self.plain(Method::GET, "/api/user/profile", Some(token));
        self.ask(call, ()).await
    }

    fn plain<'a>(
        &self,
        method: Method,
        path: &'static str,
        bearer: Option<&'a AccessToken>,
    ) -> Call<'a> {
        Call {
            method,
            path,
            bearer,
            timeout: self.timeout,
        }
    }
}

fn presenting(token: &RefreshToken) -> RefreshBody<'_> {
    RefreshBody {
        refresh_token: token.reveal(),
    }
}

fn tokens(access: Hidden, expires_in: u32, refresh: Hidden) -> Result<Tokens, Error> {
    let malformed = || Error::Network(NetworkError::Malformed("no token".to_owned()));
    if refresh.0.is_empty() {
        return Err(malformed());
    }
    Ok(Tokens {
        access: AccessToken::new(access.0).ok_or_else(malformed)?,
        life: Duration::from_secs(expires_in.into()),
        refresh: RefreshToken::hidden(refresh.0),
    })
}
