//! Signs and verifies JSON Web Tokens.
//!
//! Bytes and the time in seconds go in, values come out: no clock, no network,
//! no async. Tokens are JWS in compact form (RFC 7515) signed with one of the
//! [`Algorithm`]s; keys are JWK (RFC 7517); claims are those of RFC 9068 access
//! tokens. A key belongs to one algorithm and a [`Verifier`] to one issuer,
//! one audience and a list of algorithms: none of them can be left out.

#![warn(missing_docs)]

mod actor;
mod algorithm;
pub mod assertion;
mod claims;
mod compact;
pub mod dpop;
pub mod encoding;
mod error;
mod feed;
pub mod foreign;
pub mod id_token;
pub mod inspect;
mod jwk;
mod key;
pub mod refresh;
mod slot;
mod strict;
mod thumbprint;
mod typ;
mod verify;

pub use actor::Actor;
pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use claims::{Access, AccessClaims, Audience, Profile, Registered};
pub use compact::MAX_TOKEN_BYTES;
pub use error::{Error, KeyError};
pub use feed::feed_key;
pub use jwk::{Jwk, Jwks, PrivateJwk};
pub use key::{KeySet, SigningKey, VerifyingKey};
pub use thumbprint::{Confirmation, NotThumbprint, Thumbprint};
pub use typ::Typ;
pub use verify::{BuildError, Verifier};

/// Compiles and runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
