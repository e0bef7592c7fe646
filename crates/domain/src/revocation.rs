//! The statement that tokens are dead, and its form in the feed.

use crate::words::words;
use crate::{SessionId, Timestamp, UserId};

#[cfg(test)]
mod tests;

/// Which tokens a revocation hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Those of a session (`sid`).
    Session(SessionId),
    /// Those of a user (`sub`) whose `ver` is lower than `below`.
    User {
        /// Whose.
        id: UserId,
        /// The first token version that is not hit.
        below: i64,
    },
    /// The one with this `jti`.
    Token(String),
    /// Those of a client (`client_id`) issued no later than `before_s`.
    Client {
        /// Whose.
        id: String,
        /// Seconds since 1970.
        before_s: i64,
    },
    /// Those signed with the key of this `kid`.
    Key(String),
    /// All that were issued no later than `before_s`.
    All {
        /// Seconds since 1970.
        before_s: i64,
    },
}

words! {
    /// What is named by the key of an entry.
    pub enum Kind ("revocation kind") {
        /// A session.
        Session => "session",
        /// A user.
        User => "user",
        /// A token.
        Token => "token",
        /// A client.
        Client => "client",
        /// A signing key.
        Key => "key",
        /// Nothing: every token is meant.
        All => "all",
    }
}

words! {
    /// What becomes of a token that is hit.
    pub enum Effect ("revocation effect") {
        /// It is dead (`token_revoked`).
        Revoked => "revoked",
        /// It says what is no longer true (`token_stale`): a refresh gives a good one.
        Stale => "stale",
    }
}

/// The statement that tokens are dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Which tokens.
    pub subject: Subject,
    /// What becomes of them.
    pub effect: Effect,
    /// When no such token can be alive any more, and the statement may be forgotten.
    pub until: Timestamp,
}

impl Revocation {
    /// The kind of its subject, as a word.
    pub fn kind(&self) -> &'static str {
        self.subject.kind().as_str()
    }

    /// What the feed calls its subject: a digest, so that the feed names nobody.
    pub fn key(&self) -> [u8; 16] {
        self.subject.key()
    }

    /// Its form in the feed, at place `seq`.
    pub fn entry(&self, seq: i64) -> Entry {
        Entry {
            seq,
            kind: self.subject.kind(),
            key: self.key(),
            effect: self.effect,
            below: self.subject.below(),
            before: self.subject.before(),
            until_s: self.until.seconds_ceil(),
        }
    }
}

impl Subject {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Session(_) => Kind::Session,
            Self::User { .. } => Kind::User,
            Self::Token(_) => Kind::Token,
            Self::Client { .. } => Kind::Client,
            Self::Key(_) => Kind::Key,
            Self::All { .. } => Kind::All,
        }
    }

    /// What the feed calls it.
    pub fn key(&self) -> [u8; 16] {
        let kind = self.kind().as_str();
        match self {
            Self::Session(id) => symbolon_token::feed_key(kind, &id.to_string()),
            Self::User { id, .. } => symbolon_token::feed_key(kind, &id.to_string()),
            Self::Token(id) | Self::Key(id) | Self::Client { id, .. } => {
                symbolon_token::feed_key(kind, id)
            }
            Self::All { .. } => symbolon_token::feed_key(kind, ""),
        }
    }

    /// The first token version that is not hit, where versions decide.
    pub fn below(&self) -> Option<i64> {
        match self {
            Self::User { below, .. } => Some(*below),
            _ => None,
        }
    }

    /// The last second of issue that is hit, where time decides.
    pub fn before(&self) -> Option<i64> {
        match self {
            Self::Client { before_s, .. } | Self::All { before_s } => Some(*before_s),
            _ => None,
        }
    }
}

/// A revocation as stored and as sent in the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the feed: rises, with gaps.
    pub seq: i64,
    /// What `key` names.
    pub kind: Kind,
    /// The first 16 bytes of SHA-256 over `KIND:ID`.
    pub key: [u8; 16],
    /// What becomes of a token that is hit.
    pub effect: Effect,
    /// For users: tokens whose `ver` is lower are hit.
    pub below: Option<i64>,
    /// For clients and all: tokens whose `iat` is not later are hit, in seconds since 1970.
    pub before: Option<i64>,
    /// When it may be dropped, in seconds since 1970.
    pub until_s: i64,
}
