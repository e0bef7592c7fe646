//! What ends a session, and what only seems to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use symbolon_client::{
    Clock, Error, Login, Presence, RefreshToken, RefreshTokenStore, SignedOutReason, StoreError,
    StoreFuture,
};

use crate::fake::{Fake, Fault, LIFE};

/// A store that other processes write to, and that fails when it is told to.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Inside>);

#[derive(Default)]
struct Inside {
    token: Mutex<Option<String>>,
    fails: AtomicBool,
}

impl Kept {
    pub(crate) fn token(&self) -> Option<String> {
        self.0.token.lock().unwrap().clone()
    }

    fn put(&self, token: &str) {
        *self.0.token.lock().unwrap() = Some(token.to_owned());
    }

    fn fail(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::SeqCst);
    }
}

impl RefreshTokenStore for Kept {
    fn load(&self) -> StoreFuture<'_, Option<RefreshToken>> {
        Box::pin(async { Ok(self.token().map(RefreshToken::new)) })
    }

    fn save<'a>(&'a self, token: &'a RefreshToken) -> StoreFuture<'a, ()> {
        Box::pin(async {
            if self.0.fails.load(Ordering::SeqCst) {
                return Err(StoreError::new("the disk is full"));
            }
            self.put(token.reveal());
            Ok(())
        })
    }

    fn clear(&self) -> StoreFuture<'_, ()> {
        Box::pin(async {
            *self.0.token.lock().unwrap() = None;
            Ok(())
        })
    }
}

async fn with_a_store(fake: &Fake, clock: &Clock) -> (symbolon_client::Client, Kept) {
    let kept = Kept::default();
    let client = fake.builder(clock).store(kept.clone()).build().unwrap();
    client.login(&Login::new("ada", "secret")).await.unwrap();
    (client, kept)
}

#[tokio::test]
async fn only_the_word_of_the_server_signs_out() {
    for (status, code, reason) in [
        (401, "session_revoked", SignedOutReason::SessionRevoked),
        (
            401,
            "refresh_token_reused",
            SignedOutReason::RefreshTokenReused,
        ),
        (
            401,
            "refresh_token_expired",
            SignedOutReason::RefreshTokenExpired,
        ),
        (
            401,
            "invalid_refresh_token",
            SignedOutReason::InvalidRefreshToken,
        ),
        (401, "no_refresh_token", SignedOutReason::NoRefreshToken),
        (403, "account_disabled", SignedOutReason::AccountDisabled),
    ] {
        let fake = Fake::start().await;
        let clock = Clock::frozen();
        let (client, kept) = with_a_store(&fake, &clock).await;
        let mut presence = client.presence();
        presence.mark_unchanged();
        clock.advance(LIFE);
        fake.meets([Fault::Problem(status, code)]);
        let error = client.access_token().await.unwrap_err();
        assert!(matches!(&error, Error::SignedOut { reason: told, .. } if *told == reason));
        let refusal = error.refusal().unwrap();
        assert_eq!(
            (refusal.code.as_str(), refusal.detail.as_str()),
            (code, "A sentence.")
        );
        assert_eq!(refusal.request_id.as_deref(), Some("r1"));
        assert!(presence.has_changed().unwrap());
        assert_eq!(*presence.borrow(), Presence::SignedOut(reason));
        assert_eq!(kept.token(), None);
        // It is known from here on, without asking.
        assert_eq!(client.access_token().await.unwrap_err().code(), Some(code));
        assert_eq!(fake.refreshes(), 1);
        client.login(&Login::new("ada", "secret")).await.unwrap();
        assert_eq!(client.access_token().await.unwrap().reveal(), "at_1_0");
    }
}

#[tokio::test]
async fn a_copied_token_ends_the_session_for_both() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let (client, kept) = with_a_store(&fake, &clock).await;
    let stolen = kept.token().unwrap();
    for _ in 0..2 {
        clock.advance(LIFE);
        client.access_token().await.unwrap();
    }
    kept.put(&stolen);
    clock.advance(LIFE);
    let error = client.access_token().await.unwrap_err();
    assert_eq!(error.code(), Some("refresh_token_reused"));
}

#[tokio::test]
async fn what_another_process_has_kept_is_heeded() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let (client, kept) = with_a_store(&fake, &clock).await;
    let (_other, others) = with_a_store(&fake, &clock).await;
    kept.put(&others.token().unwrap());
    clock.advance(LIFE);
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_1_1");
}

#[tokio::test]
async fn a_refused_token_that_has_been_replaced_meanwhile_does_not_sign_out() {
    let mut fake = Fake::start().await;
    let clock = Clock::frozen();
    let (client, kept) = with_a_store(&fake, &clock).await;
    let (_other, others) = with_a_store(&fake, &clock).await;
    clock.advance(LIFE);
    fake.world().families[0] = None;
    fake.meets([Fault::Held]);
    let waiting = tokio::spawn(async move { client.access_token().await });
    fake.arrival().await;
    kept.put(&others.token().unwrap());
    fake.let_go();
    assert_eq!(waiting.await.unwrap().unwrap().reveal(), "at_1_1");
    assert_eq!(kept.token().as_deref(), Some("sbr_1_1"));
}

#[tokio::test]
async fn no_access_token_is_handed_out_before_the_next_refresh_token_is_kept() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let (client, kept) = with_a_store(&fake, &clock).await;
    clock.advance(LIFE);
    kept.fail(true);
    for _ in 0..3 {
        let error = client.access_token().await.unwrap_err();
        assert!(matches!(error, Error::Storage(_)), "{error:?}");
    }
    assert_eq!(
        (fake.refreshes(), kept.token().as_deref()),
        (1, Some("sbr_0_0"))
    );
    kept.fail(false);
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_2");
    assert_eq!(kept.token().as_deref(), Some("sbr_0_2"));
    assert_eq!(fake.world().repeats, 0, "what was not kept was not lost");
}

#[tokio::test]
async fn a_sign_in_that_cannot_be_kept_leaves_the_one_before() {
    let fake = Fake::start().await;
    let clock = Clock::frozen();
    let (client, kept) = with_a_store(&fake, &clock).await;
    kept.fail(true);
    let error = client
        .login(&Login::new("ada", "secret"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Storage(_)), "{error:?}");
    assert_eq!(fake.calls("/api/refresh"), ["sbr_1_0"], "it is ended");
    kept.fail(false);
    assert_eq!(client.access_token().await.unwrap().reveal(), "at_0_1");
}
