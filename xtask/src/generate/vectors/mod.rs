//! The vectors that every guard must pass, whatever language it is written in: `sdk/vectors/guard.json`.
//!
//! Each case states the verdict that CONTRACT.md and the RFCs ask for. Before anything is written, the network-free core
//! of the Rust guard judges each case too, and a difference ends the generation with the case's name.

mod answers;
mod cases;
mod claims;
mod credentials;
mod demands;
mod feed;
mod forge;
mod headers;
mod judge;
mod members;
mod proofs;
mod revocations;
mod shapes;
mod signatures;
mod streams;

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use symbolon_token::Jwks;

use cases::{Cases, TokenCase};
use feed::Snapshot;
use forge::Forge;

pub(super) const FILE: &str = "sdk/vectors/guard.json";

const ISSUER: &str = "https://auth.example";
const AUDIENCE: &str = "https://api.example";
const NOW: i64 = 1_790_000_000;
const LEEWAY: i64 = 5;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    version: u32,
    issuer: &'static str,
    audience: &'static str,
    now: i64,
    leeway: i64,
    jwks: Jwks,
    feed_keys: Vec<feed::Named>,
    authorization: Vec<credentials::Credential>,
    feeds: BTreeMap<String, Snapshot>,
    tokens: Vec<TokenCase>,
    demands: Vec<demands::Demand>,
    proofs: Vec<proofs::ProofCase>,
    answers: Vec<answers::Answer>,
    streams: Vec<streams::Stream>,
}

/// The text of the file. `existing` is what it holds now: where a signature is made with fresh chance each time, the
/// one that is there stays as long as it fits.
pub(super) fn vectors(existing: Option<&str>) -> Result<String> {
    let mut cases = Cases::new(Forge::new(existing)?);
    claims::add(&mut cases)?;
    headers::add(&mut cases)?;
    shapes::add(&mut cases)?;
    signatures::add(&mut cases)?;
    revocations::add(&mut cases)?;
    let demands = demands::all(&mut cases.forge)?;
    let proofs = proofs::all(&mut cases.forge)?;
    let streams = streams::all(&mut cases.forge)?;
    let jwks = cases.forge.keys.jwks()?;
    let (feeds, tokens) = cases.finish();
    let file = File {
        version: 1,
        issuer: ISSUER,
        audience: AUDIENCE,
        now: NOW,
        leeway: LEEWAY,
        jwks,
        feed_keys: feed::named(),
        authorization: credentials::all(),
        feeds,
        tokens,
        demands,
        proofs,
        answers: answers::all(),
        streams,
    };
    judge::judge(&file)?;
    Ok(format!("{}\n", serde_json::to_string_pretty(&file)?))
}

#[cfg(test)]
mod tests;
