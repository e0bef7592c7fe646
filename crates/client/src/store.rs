//! Where the refresh token is kept between runs.

mod file;

use std::{any::Any, future::Future, pin::Pin, sync::Mutex};

use thiserror::Error;

use crate::{lock, secret::RefreshToken};

pub use file::FileStore;

/// What a [`RefreshTokenStore`] is doing.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Held by whoever is about to replace the token; dropping it lets the next one.
pub type Exclusive = Box<dyn Any + Send>;

/// Keeps one refresh token: in memory, in a file, in a keychain.
///
/// A client asks it before each refresh and never twice at once, so that what another process has kept since is heeded.
/// Each client has a store of its own.
///
/// ```
/// use symbolon_client::{RefreshToken, RefreshTokenStore, StoreError, StoreFuture};
///
/// # struct Keychain;
/// # impl Keychain {
/// #     async fn read(&self) -> Result<Option<String>, std::io::Error> { Ok(None) }
/// #     async fn write(&self, _: &str) -> Result<(), std::io::Error> { Ok(()) }
/// #     async fn remove(&self) -> Result<(), std::io::Error> { Ok(()) }
/// # }
/// impl RefreshTokenStore for Keychain {
///     fn load(&self) -> StoreFuture<'_, Option<RefreshToken>> {
///         Box::pin(async { Ok(self.read().await.map_err(StoreError::new)?.map(RefreshToken::new)) })
///     }
///     fn save<'a>(&'a self, token: &'a RefreshToken) -> StoreFuture<'a, ()> {
///         Box::pin(async { self.write(token.reveal()).await.map_err(StoreError::new) })
///     }
///     fn clear(&self) -> StoreFuture<'_, ()> {
///         Box::pin(async { self.remove().await.map_err(StoreError::new) })
///     }
/// }
/// ```
pub trait RefreshTokenStore: Send + Sync {
    /// The token that was kept last, if there is one.
    fn load(&self) -> StoreFuture<'_, Option<RefreshToken>>;

    /// Keeps this token in place of any other. When it says that it is done, a loss of power must not undo it.
    fn save<'a>(&'a self, token: &'a RefreshToken) -> StoreFuture<'a, ()>;

    /// Forgets the token. That there is none is no error.
    fn clear(&self) -> StoreFuture<'_, ()>;

    /// Keeps other processes that share this store from replacing the token, until what it gives is dropped. A store
    /// that no other process has needs none, which is what it does unless it is written.
    fn exclusive(&self) -> StoreFuture<'_, Exclusive> {
        Box::pin(async { Ok(Box::new(()) as Exclusive) })
    }
}

/// What a store could not do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the refresh token cannot be kept or read: {0}")]
pub struct StoreError(String);

impl StoreError {
    /// The reason in words. It must not contain the token.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// Keeps the token for the life of the process: whoever starts it signs in.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Option<RefreshToken>>);

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl RefreshTokenStore for MemoryStore {
    fn load(&self) -> StoreFuture<'_, Option<RefreshToken>> {
        Box::pin(async { Ok(lock(&self.0).clone()) })
    }

    fn save<'a>(&'a self, token: &'a RefreshToken) -> StoreFuture<'a, ()> {
        Box::pin(async {
            *lock(&self.0) = Some(token.clone());
            Ok(())
        })
    }

    fn clear(&self) -> StoreFuture<'_, ()> {
        Box::pin(async {
            *lock(&self.0) = None;
            Ok(())
        })
    }
}
