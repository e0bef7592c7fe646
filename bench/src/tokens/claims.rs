//! The claims that everybody signs and reads.

use serde::{Deserialize, Serialize};
use symbolon_token::{AccessClaims, Audience};

pub const ISSUER: &str = "https://login.example.com/acme";
pub const AUDIENCE: &str = "https://api.example.com/acme/v1";

/// The same members with a derived reader and nothing strict about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    pub sid: Option<String>,
    pub ver: Option<i64>,
    pub client_id: String,
    pub scope: String,
    pub roles: Vec<String>,
}

pub fn ours(now: i64) -> AccessClaims {
    AccessClaims {
        iss: ISSUER.into(),
        sub: "019a2f3e-7c1b-7d44-9a61-0c5f2b9e8d17".into(),
        aud: Audience::One(AUDIENCE.into()),
        exp: now + 900,
        iat: now,
        jti: "019a2f3e-9f02-7a1c-8e55-7d1f3c0b6a92".into(),
        sid: Some("019a2f3e-7c1b-7d44-9a61-11f0a3d2c4b5".into()),
        ver: Some(3),
        client_id: "symbolon".into(),
        scope: "openid profile email".into(),
        roles: vec!["admin".into(), "user".into()],
        nbf: None,
        email: None,
        cnf: None,
        auth_time: None,
        acr: None,
        act: None,
    }
}

pub fn plain(ours: &AccessClaims) -> Claims {
    Claims {
        iss: ours.iss.clone(),
        sub: ours.sub.clone(),
        aud: AUDIENCE.into(),
        exp: ours.exp,
        iat: ours.iat,
        jti: ours.jti.clone(),
        sid: ours.sid.clone(),
        ver: ours.ver,
        client_id: ours.client_id.clone(),
        scope: ours.scope.clone(),
        roles: ours.roles.clone(),
    }
}
