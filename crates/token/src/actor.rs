//! Who acts for the subject of a token (RFC 8693 section 4.1).

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::slot::{Nested, Slot};

/// The claim `act`: who acts, and within it for whom that one acted before.
///
/// Only the outermost counts when access is decided; the rest tells by whose
/// hands the token came (RFC 8693 section 4.1). Other members are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// Who acts: a client's id, or the `sub` of the token that it showed for itself.
    pub sub: String,
    /// Who acted before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Self>>,
}

impl Actor {
    /// Actors of one token at most: a token with more is refused.
    pub const MOST: usize = 8;

    /// The claim for these actors, who acts now first; none where there is nobody.
    pub fn chain(actors: impl DoubleEndedIterator<Item = String>) -> Option<Self> {
        actors.rev().fold(None, |act, sub| {
            let act = act.map(Box::new);
            Some(Self { sub, act })
        })
    }

    /// Each `sub`, who acts now first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let chain = std::iter::successors(Some(self), |actor| actor.act.as_deref());
        chain.map(|actor| &*actor.sub)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct RawActor {
    sub: Slot<String>,
    act: Box<Nested<Self>>,
}

impl TryFrom<RawActor> for Actor {
    type Error = Error;

    fn try_from(mut raw: RawActor) -> Result<Self, Error> {
        let malformed = Error::MalformedClaim("act");
        let mut actors = Vec::new();
        loop {
            actors.push(raw.sub.required(malformed, malformed)?);
            match raw.act.0.optional(malformed)? {
                None => break,
                Some(_) if actors.len() == Self::MOST => return Err(malformed),
                Some(before) => raw = before,
            }
        }
        Self::chain(actors.into_iter()).ok_or(malformed)
    }
}
