//! One session takes the place of another, or none does.
//!
//! Each runs in a task of its own, so that dropping whoever asked for it leaves nothing half done, and has its turn with
//! the refresh token, so that no refresh puts an old one back.

use std::{future::Future, sync::Arc, time::Duration};

use crate::{
    api::Tokens,
    error::Error,
    flight::PROMPT,
    presence::{SignedOutReason, User},
    secret::RefreshToken,
    shared::{Held, Shared},
};

/// How many answers a sign-out everywhere may have of which each refuses its token.
const REFUSALS: u32 = 4;

impl Shared {
    /// Keeps the session of a sign-in that was sent at `sent` (milliseconds of the clock).
    ///
    /// 1. The access token of the session before is forgotten, and a refresh of it is broken off.
    /// 2. The new refresh token is kept. Where that fails, the session before goes on and the new one is ended.
    /// 3. The new session counts. The session before is ended at the server, as far as it can be reached.
    pub(crate) async fn adopt(
        self: Arc<Self>,
        tokens: Tokens,
        sent: u64,
        user: User,
    ) -> Result<(), Error> {
        self.open();
        let mut held = Arc::clone(&self.turn).lock_owned().await;
        let exclusive = self.store.exclusive().await;
        let before = self.newest(&held).await;
        let kept = match &exclusive {
            Ok(_) => self.store.save(&tokens.refresh).await,
            Err(error) => Err(error.clone()),
        };
        let superfluous = match &kept {
            Ok(()) => {
                held.0 = None;
                self.begin(&tokens, sent, user);
                before.ok().flatten()
            }
            Err(_) => Some(tokens.refresh),
        };
        drop((exclusive, held));
        if let Some(superfluous) = superfluous {
            let prompt = PROMPT.min(self.remote.timeout);
            let _it_expires_all_the_same = self.remote.end(&superfluous, prompt).await;
        }
        kept.map_err(Error::Storage)
    }

    /// Signs out. Where the server cannot be told, somebody is still signed in.
    ///
    /// 1. A refresh that is under way is broken off, for it may last.
    /// 2. The server ends the session of the refresh token, also where the access token has expired. It is told again
    ///    like a refresh is tried again.
    /// 3. The refresh token is forgotten, and no access token is handed out any more.
    pub(crate) async fn leave(self: Arc<Self>) -> Result<(), Error> {
        self.interrupt();
        let mut held = Arc::clone(&self.turn).lock_owned().await;
        let _exclusive = self.store.exclusive().await.map_err(Error::Storage)?;
        if let Some(token) = self.newest(&held).await? {
            let timeout = self.remote.timeout;
            self.insist(|| self.remote.end(&token, timeout)).await?;
        }
        self.forget(&mut held, SignedOutReason::LoggedOut).await
    }

    /// Signs out on every device. Where the server cannot be told or refuses, somebody is still signed in.
    ///
    /// 1. The server ends every session of the user of the access token; another token is tried if this one is refused.
    ///    Where only the answer was lost, the next attempt hears that the session is over.
    /// 2. The refresh token is forgotten, and no access token is handed out any more.
    pub(crate) async fn leave_everywhere(self: Arc<Self>) -> Result<(), Error> {
        let mut token = self.access_token().await?;
        let (mut waited, mut failures) = (Duration::ZERO, 0);
        loop {
            let error = match self.remote.end_all(&token).await {
                Ok(()) => break,
                Err(error) => error,
            };
            failures += 1;
            if error.refusal().is_some_and(|refusal| refusal.status == 401) && failures < REFUSALS {
                token = match self.instead_of(&token).await {
                    Err(Error::SignedOut { .. }) if failures > 1 => break,
                    another => another?,
                };
            } else {
                waited = self.pause(error, failures, waited).await?;
            }
        }
        self.interrupt();
        let mut held = Arc::clone(&self.turn).lock_owned().await;
        let _exclusive = self.store.exclusive().await;
        let reason = SignedOutReason::LoggedOutEverywhere;
        self.forget(&mut held, reason).await
    }

    /// The refresh token that the server gave last.
    async fn newest(&self, held: &Held) -> Result<Option<RefreshToken>, Error> {
        match &held.0 {
            Some(unkept) => Ok(Some(unkept.clone())),
            None => self.store.load().await.map_err(Error::Storage),
        }
    }

    /// The session is over, also where that cannot be kept.
    async fn forget(&self, held: &mut Held, reason: SignedOutReason) -> Result<(), Error> {
        held.0 = None;
        let forgotten = self.store.clear().await;
        self.close(reason);
        forgotten.map_err(Error::Storage)
    }

    /// Does it again while the server is not there, busy or broken.
    async fn insist<F>(&self, mut attempt: impl FnMut() -> F) -> Result<(), Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let (mut waited, mut failures) = (Duration::ZERO, 0);
        loop {
            let error = match attempt().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            failures += 1;
            waited = self.pause(error, failures, waited).await?;
        }
    }
}
