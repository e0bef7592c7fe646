//! The server from outside, over real connections: a file for each path, and what holds for all of them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod app;
mod client;
mod document;
mod login;
mod logout;
mod password;
mod people;
mod process;
mod profile;
mod refresh;
mod register;
mod sessions;
mod throttle;
