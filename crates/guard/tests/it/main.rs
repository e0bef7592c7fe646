//! The guard against an issuer that answers over TCP and does what a test tells it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of tests are in no #[test] function"
)]

mod discovery;
mod feed;
mod issuer;
mod keys;
mod proofs;
mod sign_in;
mod staleness;
mod vectors;
mod web;
