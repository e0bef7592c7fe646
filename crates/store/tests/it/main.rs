//! The store, from outside. `conformance` holds what is true of every engine; the rest is about one of them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod conformance;
mod harness;
mod migrations;
mod postgres;
mod relocate;
mod sqlite;
