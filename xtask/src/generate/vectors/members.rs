//! JSON objects whose members are written as they are to stand in the text, right or wrong.

use super::{AUDIENCE, ISSUER, NOW};

/// An object's members in their order, each value as JSON text.
#[derive(Clone)]
pub(super) struct Members(Vec<(String, String)>);

impl Members {
    /// None.
    pub(super) fn empty() -> Self {
        Self(Vec::new())
    }

    /// The members of a good access token.
    pub(super) fn claims() -> Self {
        Self(Vec::new())
            .with("iss", quoted(ISSUER))
            .with("sub", quoted(SUB))
            .with("aud", quoted(AUDIENCE))
            .with("exp", (NOW + 900).to_string())
            .with("iat", NOW.to_string())
            .with("jti", quoted(JTI))
            .with("sid", quoted(SID))
            .with("ver", VER.to_string())
            .with("client_id", quoted(CLIENT))
            .with("scope", quoted("openid"))
            .with("roles", r#"["user"]"#)
    }

    /// The header of an access token.
    pub(super) fn header(alg: &str, kid: &str) -> Self {
        Self(Vec::new())
            .with("alg", quoted(alg))
            .with("typ", quoted("at+jwt"))
            .with("kid", quoted(kid))
    }

    /// The same with this value, JSON text, in the member's place or behind the others.
    pub(super) fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut members = self.clone();
        let value = value.into();
        match members.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => members.0.push((name.to_owned(), value)),
        }
        members
    }

    pub(super) fn without(&self, name: &str) -> Self {
        let mut members = self.clone();
        members.0.retain(|(known, _)| known != name);
        members
    }

    /// The same with a member, its name as JSON text, before the others, whether there is one of that name or not.
    pub(super) fn twice(&self, name: &str, value: &str) -> String {
        self.text().replacen('{', &format!("{{{name}:{value},"), 1)
    }

    pub(super) fn text(&self) -> String {
        let members: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{}:{value}", quoted(name)))
            .collect();
        format!("{{{}}}", members.join(","))
    }
}

pub(super) const SUB: &str = "01995d2e-7a3b-7c55-8a3f-2f6c1f0e9b11";
pub(super) const JTI: &str = "01995d2e-7a3b-7c55-8a3f-2f6c1f0e9b12";
pub(super) const SID: &str = "01995d2e-7a3b-7c55-8a3f-2f6c1f0e9b13";
pub(super) const OTHER: &str = "01995d2e-7a3b-7c55-8a3f-2f6c1f0e9bff";
pub(super) const CLIENT: &str = "symbolon";
pub(super) const VER: i64 = 5;

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
