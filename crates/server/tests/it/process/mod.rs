//! The binary as its owner meets it: processes, signals, files, pipes. Nothing here calls into the server's code.

mod apply;
mod audit;
mod backup;
mod client;
mod clients;
mod commands;
mod confidential;
mod consents;
mod crash;
#[cfg(target_os = "linux")]
mod disk;
mod explain;
mod feed;
mod guards;
mod http;
mod import;
mod keys;
mod migrate;
mod nginx;
mod nodes;
mod oauth;
mod outage;
mod pages;
mod parallel;
mod place;
mod proxy;
mod relocate;
mod revocations;
mod roles;
mod rolling;
mod running;
mod settings;
mod setup;
mod start;
mod stop;
mod token;
