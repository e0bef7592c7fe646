//! What the callers of a refresh say.

use anyhow::{Context as _, Result, bail};
use memchr::memmem;

use crate::load::{Answer, Script};

/// Appends `POST /api/refresh` with a token in its body.
pub fn ask(token: &[u8], out: &mut Vec<u8>) {
    const HEAD: &[u8] = b"POST /api/refresh HTTP/1.1\r\nhost: bench\r\n\
        content-type: application/json\r\ncontent-length: ";
    const BEFORE: &[u8] = b"{\"refreshToken\":\"";
    const AFTER: &[u8] = b"\"}";
    out.extend_from_slice(HEAD);
    let length = BEFORE.len() + token.len() + AFTER.len();
    out.extend_from_slice(length.to_string().as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(BEFORE);
    out.extend_from_slice(token);
    out.extend_from_slice(AFTER);
}

/// The refresh token in an answer.
pub fn token_in(body: &[u8]) -> Result<&[u8]> {
    const NAME: &[u8] = b"\"refreshToken\":\"";
    let at = memmem::find(body, NAME).context("no refresh token in the answer")?;
    let rest = body.get(at + NAME.len()..).unwrap_or_default();
    let end = memchr::memchr(b'"', rest).context("a refresh token without an end")?;
    Ok(rest.get(..end).unwrap_or_default())
}

/// Sessions that are rotated in turn, each connection its own.
pub struct Rotations {
    /// For each connection its sessions' current tokens, and whose turn it is.
    chains: Vec<(Vec<Vec<u8>>, usize)>,
}

impl Rotations {
    /// Deals the tokens out to the connections.
    pub fn new(tokens: Vec<Vec<u8>>, connections: usize) -> Self {
        let mut chains = vec![(Vec::new(), 0); connections];
        for (at, token) in tokens.into_iter().enumerate() {
            if let Some((own, _)) = chains.get_mut(at % connections) {
                own.push(token);
            }
        }
        Self { chains }
    }

    /// The tokens as they are now, for the next run.
    pub fn into_tokens(self) -> Vec<Vec<u8>> {
        self.chains.into_iter().flat_map(|(own, _)| own).collect()
    }
}

impl Script for Rotations {
    fn ask(&mut self, connection: usize, out: &mut Vec<u8>) -> Result<()> {
        let (own, turn) = self.chains.get_mut(connection).context("connection")?;
        *turn = (*turn + 1) % own.len();
        ask(own.get(*turn).context("session")?, out);
        Ok(())
    }

    fn answer(&mut self, connection: usize, answer: &Answer<'_>) -> Result<()> {
        if answer.status != 200 {
            bail!("a refresh was refused: {}", answer.text());
        }
        let next = token_in(answer.body)?;
        let (own, turn) = self.chains.get_mut(connection).context("connection")?;
        let token = own.get_mut(*turn).context("session")?;
        token.clear();
        token.extend_from_slice(next);
        Ok(())
    }
}

/// The same request again and again, whose answer must have one status.
pub struct Same {
    request: Vec<u8>,
    status: u16,
}

impl Same {
    pub fn new(request: Vec<u8>, status: u16) -> Self {
        Self { request, status }
    }

    /// A refresh with this token, whatever comes of it.
    pub fn token(token: &[u8], status: u16) -> Self {
        let mut request = Vec::new();
        ask(token, &mut request);
        Self::new(request, status)
    }

    /// A refresh with a token of the usual length that nobody issued.
    pub fn unknown_token(status: u16) -> Self {
        Self::token(format!("sbr_{}", "A".repeat(88)).as_bytes(), status)
    }
}

impl Script for Same {
    fn ask(&mut self, _connection: usize, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.request);
        Ok(())
    }

    fn answer(&mut self, _connection: usize, answer: &Answer<'_>) -> Result<()> {
        if answer.status != self.status {
            bail!("not the answer expected: {}", answer.text());
        }
        Ok(())
    }
}
