//! Tests of the public interface.
#![expect(clippy::unwrap_used, reason = "tests")]

mod assertion;
mod claims;
mod dpop;
mod foreign;
mod fuzz_bodies;
mod id_token;
mod inspect;
mod keys;
mod properties;
mod refresh;
mod rfc;
mod round_trip;
mod security_claims;
mod security_form;
mod security_jws;
mod security_keys;
mod support;
mod wycheproof;
