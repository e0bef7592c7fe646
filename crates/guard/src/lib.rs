//! Decides, inside a resource and without asking anybody, whether an access token is good.
//!
//! A `Guard` (feature `follow`) asks its issuer for keys and follows its revocations; with the feature `axum` there are a
//! layer and extractors. Both stand on the [`Checker`], which holds the keys, the live revocations and a bounded cache of
//! tokens it has verified, and has no clock and no network: its owner gives it the time, new keys and the entries of the
//! revocation feed.
//!
//! ```
//! use symbolon_guard::{Effect, Entry, Checker, CheckerOptions, Kind};
//! use symbolon_token::{Algorithm, KeySet, Verifier, feed_key};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::access("https://auth.example", "https://api.example", &[Algorithm::Es256])?;
//! let keys = KeySet::from_jwks_json(br#"{"keys":[]}"#)?;
//! let guard = Checker::new(CheckerOptions { verifier, cache_capacity: 10_000 }, keys);
//!
//! guard.apply(&Entry {
//!     kind: Kind::Session,
//!     key: feed_key("session", "0190a5c0-0000-7000-8000-000000000000"),
//!     effect: Effect::Revoked,
//!     until: 1_790_000_900,
//! });
//! let refused = guard.check("no token at all", 1_790_000_000).unwrap_err();
//! assert_eq!(refused.code(), "invalid_token");
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod cache;
mod checker;
mod demand;
mod entry;
mod keys;
mod proofs;
mod revocations;
mod table;

#[cfg(feature = "follow")]
mod address;
#[cfg(feature = "follow")]
mod clock;
#[cfg(feature = "follow")]
mod credentials;
#[cfg(feature = "follow")]
mod denied;
#[cfg(feature = "follow")]
mod discover;
#[cfg(feature = "follow")]
mod event;
#[cfg(feature = "follow")]
mod follow;
#[cfg(feature = "follow")]
mod guard;
#[cfg(feature = "follow")]
mod introspect;
#[cfg(feature = "follow")]
mod jwks;
#[cfg(feature = "follow")]
mod metrics;
#[cfg(feature = "follow")]
mod remote;
#[cfg(feature = "follow")]
mod resource;
#[cfg(feature = "follow")]
mod shared;
#[cfg(feature = "axum")]
mod web;

pub use cache::Verified;
pub use checker::{Checker, CheckerOptions, Rejection};
pub use demand::Demand;
pub use entry::{Effect, Entry, FeedKey, Kind, MalformedEntry, Parts};
pub use proofs::{Presented, ProofOptions, ProofRejection, Proofs, Scheme};
pub use revocations::{Hit, Replacement, RevocationSet, Subject};

#[cfg(feature = "axum")]
pub use web::{Bearer, Claims, GuardLayer, Guarded, Payload};
#[cfg(feature = "follow")]
pub use {
    address::Address,
    clock::Clock,
    denied::Denied,
    discover::{DiscoverError, Endpoints},
    event::Event,
    follow::Revision,
    guard::{Guard, GuardBuilder, Staleness},
    metrics::Metrics,
    remote::FetchError,
    resource::ResourceMetadata,
};

/// Compiles the examples of the README.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
