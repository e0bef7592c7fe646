//! What the callers of a refresh say.

use std::borrow::Cow;

use anyhow::{Context as _, Result, bail};
use memchr::memmem;

use crate::load::{Answer, Script};

/// How a server is asked for a refresh, and where its answer holds the next token.
pub struct Form {
    /// The head of the request, up to the length of its body.
    head: Cow<'static, [u8]>,
    /// What stands around the token in the body.
    around: [&'static [u8]; 2],
    /// What stands before the token in the answer.
    name: &'static [u8],
}

impl Form {
    /// `POST /api/refresh` with the token in a JSON body.
    pub const fn json() -> Self {
        const HEAD: &[u8] =
            b"POST /api/refresh HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n";
        Self {
            head: Cow::Borrowed(HEAD),
            around: [b"{\"refreshToken\":\"", b"\"}"],
            name: b"\"refreshToken\":\"",
        }
    }

    /// The token endpoint of OAuth (RFC 6749 section 6), with the head that a client's request has.
    pub fn oauth(head: Vec<u8>) -> Self {
        Self {
            head: Cow::Owned(head),
            around: [b"grant_type=refresh_token&refresh_token=", b""],
            name: b"\"refresh_token\":\"",
        }
    }

    /// Appends the request for this token's successor.
    pub fn ask(&self, token: &[u8], out: &mut Vec<u8>) {
        let [before, after] = self.around;
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"content-length: ");
        let length = before.len() + token.len() + after.len();
        out.extend_from_slice(length.to_string().as_bytes());
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(before);
        out.extend_from_slice(token);
        out.extend_from_slice(after);
    }

    /// The refresh token in an answer.
    pub fn token_in<'a>(&self, body: &'a [u8]) -> Result<&'a [u8]> {
        let at = memmem::find(body, self.name).context("no refresh token in the answer")?;
        let rest = body.get(at + self.name.len()..).unwrap_or_default();
        let end = memchr::memchr(b'"', rest).context("a refresh token without an end")?;
        Ok(rest.get(..end).unwrap_or_default())
    }
}

/// Appends `POST /api/refresh` with a token in its body.
pub fn ask(token: &[u8], out: &mut Vec<u8>) {
    Form::json().ask(token, out);
}

/// The refresh token in an answer of ours.
pub fn token_in(body: &[u8]) -> Result<&[u8]> {
    Form::json().token_in(body)
}

/// Sessions that are rotated in turn, each connection its own.
pub struct Rotations {
    form: Form,
    /// For each connection its sessions' current tokens, and whose turn it is.
    chains: Vec<(Vec<Vec<u8>>, usize)>,
}

impl Rotations {
    /// Deals the tokens of our sessions out to the connections.
    pub fn new(tokens: Vec<Vec<u8>>, connections: usize) -> Self {
        Self::of(Form::json(), tokens, connections)
    }

    /// The same with the tokens of any server.
    pub fn of(form: Form, tokens: Vec<Vec<u8>>, connections: usize) -> Self {
        let mut chains = vec![(Vec::new(), 0); connections];
        for (at, token) in tokens.into_iter().enumerate() {
            if let Some((own, _)) = chains.get_mut(at % connections) {
                own.push(token);
            }
        }
        Self { form, chains }
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
        self.form.ask(own.get(*turn).context("session")?, out);
        Ok(())
    }

    fn answer(&mut self, connection: usize, answer: &Answer<'_>) -> Result<()> {
        if answer.status != 200 {
            bail!("a refresh was refused: {}", answer.text());
        }
        let next = self.form.token_in(answer.body)?;
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
