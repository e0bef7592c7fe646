//! The words of the revocation feed: what an entry says.

use thiserror::Error;

/// The first 16 bytes of SHA-256 over `KIND:ID`, by which the feed names things without telling who they are.
///
/// [`symbolon_token::feed_key`] computes it.
pub type FeedKey = [u8; 16];

/// Which tokens an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Every token of one session (claim `sid`).
    Session,
    /// The tokens of one user (claim `sub`) whose claim `ver` is lower than `below`, or absent.
    User {
        /// The lowest user version that is not hit.
        below: i64,
    },
    /// One token (claim `jti`).
    Token,
    /// The tokens of one client (claim `client_id`) that were issued in second `before` or earlier.
    Client {
        /// The last second of issue that is hit, in seconds since 1970.
        before: i64,
    },
    /// Every token signed with one key (header `kid`).
    Key,
    /// Every token issued in second `before` or earlier; the entry's key says nothing.
    All {
        /// The last second of issue that is hit, in seconds since 1970.
        before: i64,
    },
}

impl Kind {
    /// The feed's word: `session`, `user`, `token`, `client`, `key` or `all`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User { .. } => "user",
            Self::Token => "token",
            Self::Client { .. } => "client",
            Self::Key => "key",
            Self::All { .. } => "all",
        }
    }
}

/// What becomes of a token that an entry hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It is dead, and so is the sign-in it came from: `token_revoked`.
    Revoked,
    /// Its claims are out of date: the client refreshes and goes on, `token_stale`.
    Stale,
}

impl Effect {
    /// The feed's word: `revoked` or `stale`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Stale => "stale",
        }
    }
}

/// One statement of the feed: these tokens are dead, or stale, until no such token can be alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Which tokens.
    pub kind: Kind,
    /// Whose; ignored for [`Kind::All`].
    pub key: FeedKey,
    /// What becomes of them.
    pub effect: Effect,
    /// When no token that it hits can be alive, in seconds since 1970.
    pub until: i64,
}

/// The parts of an entry do not make one: an unknown word, or a bound that its kind needs is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("malformed revocation entry")]
pub struct MalformedEntry;

/// The members of an entry as the feed writes them, before they are known to make sense.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The feed's word for the kind.
    pub kind: &'a str,
    /// The 16 bytes that name the subject.
    pub key: FeedKey,
    /// The feed's word for the effect.
    pub effect: &'a str,
    /// Required for `user`.
    pub below: Option<i64>,
    /// Required for `client` and `all`, in seconds since 1970.
    pub before: Option<i64>,
    /// When the entry may be dropped, in seconds since 1970.
    pub until: i64,
}

impl TryFrom<Parts<'_>> for Entry {
    type Error = MalformedEntry;

    fn try_from(parts: Parts<'_>) -> Result<Self, MalformedEntry> {
        let kind = match (parts.kind, parts.below, parts.before) {
            ("session", ..) => Kind::Session,
            ("token", ..) => Kind::Token,
            ("key", ..) => Kind::Key,
            ("user", Some(below), _) => Kind::User { below },
            ("client", _, Some(before)) => Kind::Client { before },
            ("all", _, Some(before)) => Kind::All { before },
            _ => return Err(MalformedEntry),
        };
        let effect = match parts.effect {
            "revoked" => Effect::Revoked,
            "stale" => Effect::Stale,
            _ => return Err(MalformedEntry),
        };
        Ok(Self {
            kind,
            key: parts.key,
            effect,
            until: parts.until,
        })
    }
}
