//! Symbolon, a sign-in and token server.

pub mod app;
pub mod cli;
pub mod client_address;
pub mod clock;
pub mod config;
pub mod feed;
pub mod flows;
pub mod hashing;
pub mod http;
pub mod jobs;
pub mod logging;
pub mod mail;
pub mod metrics;
pub mod nodes;
pub mod outbound;
pub mod pages;
mod rfc3339;
pub mod rng;
pub mod sealing;
pub mod secret;
pub mod state;
pub mod throttle;
pub mod transfer;
