//! (k) Tokens for clients, introspection and sign-ins of other applications, beside another server of the same kind.

pub mod peer;
pub mod setup;

use std::time::Duration;

use anyhow::{Context as _, Result};
use memchr::memmem;

use crate::{
    Run,
    load::{self, Answer, Figures, Script},
    process::{Folder, Server},
    refresh::rotate::Same,
    report::{Row, Section},
};

const CONNECTIONS: usize = 32;

const NOTE: &str = "Pinned, 32 connections, one core for either server. Clients show a secret with `client_secret_basic`. \
    Ours gives signed tokens (ES256) and keeps codes and sessions on the disk; the other one is npm `oidc-provider` with its \
    adapter in memory and opaque tokens, which is the fastest way to run it. A sign-in is two requests of somebody who is \
    signed in and has agreed: the authorization endpoint gives a code, the token endpoint an access token, a refresh token \
    and an ID token for it.";

/// What is measured, at either server.
pub struct Subject {
    pub server: Server,
    /// `POST` for a token of the client's own.
    pub client_credentials: Vec<u8>,
    /// The same for a token that is signed, wherever it comes from.
    pub signed: Vec<u8>,
    /// `POST` about a token of the first kind.
    pub introspection: Vec<u8>,
    /// The authorization endpoint, with the cookie of each person.
    pub authorize: Vec<Vec<u8>>,
    /// The head of the exchange, up to the length of its body.
    pub exchange: Vec<u8>,
}

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("oauth", "Other applications", NOTE);
    let folder = Folder::new(&run.dir, "oauth")?;
    let (ours, _) = setup::symbolon(run, &folder)?;
    let Some(other) = peer::oidc_provider(run)? else {
        section.push(Row::new(
            "not measured",
            "npm oidc-provider is not there: `cargo xtask bench oauth` installs it where there is Node",
        ));
        return Ok(section);
    };
    let rounds = if run.quick { 1 } else { 3 };
    let time = Duration::from_millis(if run.quick { 1500 } else { 4000 });
    let pair = |make: &dyn Fn(&Subject) -> Box<dyn Script>| -> Result<(Figures, Figures)> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            left.push(load::pinned(
                &ours.server,
                CONNECTIONS,
                time,
                &mut make(&ours),
            )?);
            right.push(load::pinned(
                &other.server,
                CONNECTIONS,
                time,
                &mut make(&other),
            )?);
        }
        Ok((load::middle(left)?, load::middle(right)?))
    };
    let same = |request: &[u8]| -> Box<dyn Script> { Box::new(Same::new(request.to_vec(), 200)) };
    // The other one keeps 1,000 things at a time: what a measurement needs must not have given way to the one before.
    for (what, figures) in [
        (
            "introspection",
            pair(&|subject| same(&subject.introspection))?,
        ),
        (
            "requests of sign-ins, half of them exchanges of a code",
            pair(&|subject| Box::new(SignIns::of(subject)))?,
        ),
        (
            "`client_credentials`",
            pair(&|subject| same(&subject.client_credentials))?,
        ),
        (
            "`client_credentials`, tokens signed with ES256 at both",
            pair(&|subject| same(&subject.signed))?,
        ),
    ] {
        let (ours, other) = figures;
        section.push(
            Row::new(what, ours.text())
                .beside(
                    format!("oidc-provider: {}", other.text()),
                    ours.per_second / other.per_second,
                )
                .at_least(5.0),
        );
    }
    Ok(section)
}

/// Each connection in turn gets a code and exchanges it.
struct SignIns {
    authorize: Vec<Vec<u8>>,
    /// Whose turn it is.
    turn: usize,
    exchange: Vec<u8>,
    /// The code that each connection holds.
    codes: Vec<Option<Vec<u8>>>,
}

impl SignIns {
    fn of(subject: &Subject) -> Self {
        Self {
            authorize: subject.authorize.clone(),
            turn: 0,
            exchange: subject.exchange.clone(),
            codes: vec![None; CONNECTIONS],
        }
    }
}

impl Script for SignIns {
    fn ask(&mut self, connection: usize, out: &mut Vec<u8>) -> Result<()> {
        let held = self.codes.get_mut(connection).context("connection")?;
        match held {
            None => {
                self.turn = (self.turn + 1) % self.authorize.len();
                out.extend_from_slice(self.authorize.get(self.turn).context("person")?);
            }
            Some(code) => {
                let body = [setup::EXCHANGE.as_bytes(), code].concat();
                out.extend_from_slice(&self.exchange);
                out.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
                out.extend_from_slice(&body);
            }
        }
        Ok(())
    }

    fn answer(&mut self, connection: usize, answer: &Answer<'_>) -> Result<()> {
        let held = self.codes.get_mut(connection).context("connection")?;
        *held = match held.take() {
            Some(_) => {
                anyhow::ensure!(answer.status == 200, "{}", answer.text());
                None
            }
            None => Some(code_in(answer)?.to_vec()),
        };
        Ok(())
    }
}

/// The code in the address that a browser is sent to.
pub fn code_in<'a>(answer: &'a Answer<'_>) -> Result<&'a [u8]> {
    const NAME: &[u8] = b"?code=";
    let at = memmem::find(answer.head, NAME);
    let at = at.with_context(|| format!("no code: {}", answer.text()))?;
    let rest = answer.head.get(at + NAME.len()..).unwrap_or_default();
    let end = rest.iter().position(|byte| b"&\r".contains(byte));
    Ok(rest
        .get(..end.context("a code without an end")?)
        .unwrap_or_default())
}
