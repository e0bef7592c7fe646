use std::collections::{BTreeMap, BTreeSet};

use super::Scopes;
use crate::{ClientId, Resource, SessionId, Timestamp, UserId};

/// What a session of a client may do: settled when the person agreed, and never more afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The session.
    pub session: SessionId,
    /// Who agreed.
    pub user: UserId,
    /// Whose session it is.
    pub client: ClientId,
    /// What for.
    pub scopes: Scopes,
    /// At which APIs; at our own where there is none.
    pub resources: Vec<Resource>,
    /// When the person signed in.
    pub auth_time: Timestamp,
    /// The session of the browser that it ends with.
    pub browser: Option<SessionId>,
    /// The session of the browser where the person agreed, if it outlives that (`offline_access`): when that ends, the
    /// client is told all the same (OpenID Connect Back-Channel Logout 1.0 section 2.7).
    pub agreed_in: Option<SessionId>,
    /// The thumbprint of the key that its refresh tokens are bound to (RFC 9449 section 5).
    pub jkt: Option<String>,
    /// The parameter `claims` of the request.
    pub claims: Option<String>,
    /// When it may be forgotten: the end of the session.
    pub expires_at: Timestamp,
}

/// What a person has agreed to, once and for the next time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Who.
    pub user: UserId,
    /// Towards whom.
    pub client: ClientId,
    /// What for, and where.
    pub agreement: Agreement,
    /// For compare-and-set: one more with each change, 0 before it is kept.
    pub version: i64,
    /// When they first did.
    pub created_at: Timestamp,
    /// When they last did.
    pub updated_at: Timestamp,
}

/// Scopes at each API, our own under none: who agreed to one thing here and another there has not agreed to either
/// elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreement(BTreeMap<Option<Resource>, Scopes>);

impl Agreement {
    /// Beside what there is, these scopes at each of these APIs, or at our own.
    #[must_use]
    pub fn with(mut self, resources: &[Resource], scopes: &Scopes) -> Self {
        for place in places(resources) {
            let at = self.0.entry(place).or_default();
            *at = at.with(scopes);
        }
        self
    }

    /// The scopes that were agreed to at each of these APIs, or at our own; nothing where there is one without.
    pub fn at(&self, resources: &[Resource]) -> Option<Scopes> {
        let mut all = places(resources)
            .into_iter()
            .map(|place| self.0.get(&place));
        let first = all.next()??.clone();
        all.try_fold(first, |left, at| {
            let at = at?;
            Some(left.without(|scope| !at.contains(scope.as_str())))
        })
    }

    /// Each API with its scopes.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&Resource>, &Scopes)> {
        self.0
            .iter()
            .map(|(place, scopes)| (place.as_ref(), scopes))
    }

    /// All scopes, wherever.
    pub fn scopes(&self) -> Scopes {
        let all = self.0.values();
        all.fold(Scopes::default(), |all, scopes| all.with(scopes))
    }

    /// All APIs but our own.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.0.keys().flatten()
    }
}

impl FromIterator<(Option<Resource>, Scopes)> for Agreement {
    fn from_iter<I: IntoIterator<Item = (Option<Resource>, Scopes)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

fn places(resources: &[Resource]) -> BTreeSet<Option<Resource>> {
    match resources {
        [] => BTreeSet::from([None]),
        some => some.iter().cloned().map(Some).collect(),
    }
}
