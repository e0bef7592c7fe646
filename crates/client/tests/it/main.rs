//! The client against a server that answers over TCP and does what a test tells it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of tests are in no #[test] function"
)]

mod crowd;
mod fake;
mod faults;
mod over;
mod refresh;
mod send;
mod session;
mod store;
