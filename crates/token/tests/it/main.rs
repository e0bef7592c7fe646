//! Tests of the public interface.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod claims;
mod inspect;
mod keys;
mod properties;
mod refresh;
mod rfc;
mod round_trip;
mod security_jws;
mod security_keys;
mod support;
mod wycheproof;
