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
    /// When the person gave the password.
    pub auth_time: Timestamp,
    /// The session of the browser that it ends with.
    pub browser: Option<SessionId>,
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
    /// What for.
    pub scopes: Scopes,
    /// At which APIs.
    pub resources: Vec<Resource>,
    /// When they first did.
    pub created_at: Timestamp,
    /// When they last did.
    pub updated_at: Timestamp,
}
