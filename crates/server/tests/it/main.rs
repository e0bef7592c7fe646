//! The server from outside, over real connections: a file for each path, and what holds for all of them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod admin;
mod app;
mod audit;
mod bearer;
mod client;
mod clocks;
mod conformance;
mod cross_site;
mod docs;
mod document;
mod documents;
mod edge;
mod equal_work;
mod http2;
mod import;
mod jwks;
mod login;
mod logout;
mod mail;
mod matrix;
mod oauth;
mod operations;
mod pages;
mod password;
mod people;
mod process;
mod profile;
mod refresh;
mod refusals;
mod register;
mod registration;
mod revocations;
mod secrets;
mod sessions;
mod setup;
mod throttle;
mod upstream;
mod verify;
mod web;
