//! Signs in at a Symbolon server, and keeps the session alive for every task of a program.
//!
//! ```no_run
//! use symbolon_client::{Client, FileStore, Login};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("https://auth.example")
//!     .resource("https://api.example")
//!     .store(FileStore::new("session"))
//!     .build()?;
//! if client.restore().await?.is_none() {
//!     client.login(&Login::new("ada", "correct horse battery").device("Ada's laptop")).await?;
//! }
//! let orders = client.get("https://api.example/orders").await?;
//! println!("{}", orders.text().await?);
//! # Ok(())
//! # }
//! ```
//!
//! The access token lives in memory and is replaced before it expires; a 401 replaces it too, and the request is sent
//! once more. However many tasks need another one, one refresh is under way, and it goes on when they are dropped. What
//! the server repeats, loses or delays signs nobody out: only its word that the session is over does.

#![warn(missing_docs)]

mod address;
mod api;
mod client;
mod clock;
mod credentials;
mod error;
mod flight;
mod pause;
mod presence;
mod remote;
mod secret;
mod shared;
mod store;
mod turnover;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use client::{Client, ClientBuilder};
pub use clock::Clock;
pub use credentials::{Login, Registration};
pub use error::{BuildError, Error, FieldError, NetworkError, Refusal};
pub use presence::{Presence, SignedOutReason, User};
pub use secret::{AccessToken, RefreshToken};
pub use store::{Exclusive, FileStore, MemoryStore, RefreshTokenStore, StoreError, StoreFuture};

/// What requests and answers are made of.
pub use reqwest;

/// Each holder leaves it whole, also by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
