//! Collects the cases of single tokens.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::NOW;
use super::feed::{Snapshot, Written};
use super::forge::{EDDSA, Forge};
use super::members::{Members, SUB};

pub(super) const INVALID: Option<&str> = Some("invalid_token");
pub(super) const EXPIRED: Option<&str> = Some("token_expired");
pub(super) const ACCEPTED: Option<&str> = None;

/// One token and the verdict on it.
#[derive(Serialize)]
pub(super) struct TokenCase {
    pub(super) name: String,
    pub(super) token: String,
    /// Names one of the feeds, whose `now` is that of the case.
    pub(super) feed: String,
    /// The clock of guard and server, in seconds.
    pub(super) now: i64,
    /// `null` where the token is accepted.
    pub(super) code: Option<&'static str>,
    /// The claim `sub` of an accepted token.
    pub(super) subject: Option<&'static str>,
}

pub(super) struct Cases {
    pub(super) forge: Forge,
    feeds: BTreeMap<String, Snapshot>,
    tokens: Vec<TokenCase>,
}

/// Whether a token is accepted (`None`), or the code of its refusal.
pub(super) type Code = Option<&'static str>;

impl Cases {
    pub(super) fn new(forge: Forge) -> Self {
        Self {
            forge,
            feeds: BTreeMap::new(),
            tokens: Vec::new(),
        }
    }

    /// A token at the usual time while nothing is revoked.
    pub(super) fn token(&mut self, name: impl Into<String>, token: String, code: Code) {
        self.token_at(name, token, NOW, code);
    }

    pub(super) fn token_at(
        &mut self,
        name: impl Into<String>,
        token: String,
        now: i64,
        code: Code,
    ) {
        let feed = if now == NOW {
            "empty".to_owned()
        } else {
            format!("empty at {now}")
        };
        self.put(name.into(), token, (feed, now, Vec::new()), code);
    }

    /// A token at the usual time under a feed of its own.
    pub(super) fn under(&mut self, name: String, token: String, entries: &[Written], code: Code) {
        let feed = (name.clone(), NOW, entries.to_vec());
        self.put(name, token, feed, code);
    }

    /// A good signature over these claims, text.
    pub(super) fn claims(
        &mut self,
        name: impl Into<String>,
        claims: &str,
        code: Code,
    ) -> Result<()> {
        let header = self.forge.header(EDDSA)?.text();
        let token = self.forge.sign(EDDSA, &header, claims.as_bytes())?;
        self.token(name, token, code);
        Ok(())
    }

    /// Good claims under this header, text, with a good signature of the usual key.
    pub(super) fn header(
        &mut self,
        name: impl Into<String>,
        header: &str,
        code: Code,
    ) -> Result<()> {
        let claims = Members::claims().text();
        let token = self.forge.sign(EDDSA, header, claims.as_bytes())?;
        self.token(name, token, code);
        Ok(())
    }

    pub(super) fn finish(self) -> (BTreeMap<String, Snapshot>, Vec<TokenCase>) {
        (self.feeds, self.tokens)
    }

    fn put(
        &mut self,
        name: String,
        token: String,
        (feed, now, entries): (String, i64, Vec<Written>),
        code: Code,
    ) {
        let snapshot = Snapshot {
            epoch: "e1",
            seq: entries.iter().map(|entry| entry.seq).max().unwrap_or(0),
            now,
            entries,
        };
        self.feeds.insert(feed.clone(), snapshot);
        self.tokens.push(TokenCase {
            name,
            token,
            feed,
            now,
            code,
            subject: code.is_none().then_some(SUB),
        });
    }
}
