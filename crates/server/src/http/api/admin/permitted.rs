//! Who may use a route of administration: the access token is for this server alone, and its scope has the permission, or
//! `*`.
//!
//! That is all that a read needs: what takes a role away makes the token stale at once. A write asks again in its
//! flow, in the transaction that does it.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use symbolon_domain::Refusal;
use symbolon_guard::Demand;

use super::super::super::bearer::of_any_client;
use super::super::super::problem::Failure;
use crate::app::App;
use crate::flows::authenticate::Caller;

/// A caller whose access token has the permission `P`. Stands before the body in a handler's parameters, so that
/// nobody else learns what is wrong with one.
pub(in crate::http) struct Permitted<P> {
    pub(in crate::http) caller: Caller,
    permission: PhantomData<P>,
}

/// A permission that routes ask for.
pub(in crate::http) trait Needed {
    const PERMISSION: &'static str;
}

macro_rules! permissions {
    ($($name:ident = $text:literal;)+) => {
        /// Every one of them.
        pub(in crate::http) const ALL: &[&str] = &[$($text),+];

        $(
            #[doc = concat!("`", $text, "`")]
            pub(in crate::http) enum $name {}

            impl Needed for $name {
                const PERMISSION: &'static str = $text;
            }
        )+
    };
}

permissions! {
    AuditRead = "audit:read";
    ClientsRead = "clients:read";
    ClientsWrite = "clients:write";
    KeysRead = "keys:read";
    KeysWrite = "keys:write";
    RevocationsRead = "revocations:read";
    RevocationsWrite = "revocations:write";
    RolesRead = "roles:read";
    RolesWrite = "roles:write";
    SessionsRead = "sessions:read";
    SessionsWrite = "sessions:write";
    StatsRead = "stats:read";
    UsersRead = "users:read";
    UsersWrite = "users:write";
}

impl<P: Needed> FromRequestParts<Arc<App>> for Permitted<P> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let (caller, token) = of_any_client(parts, app)?;
        // One that is for another API as well could come from there.
        let own = &*app.issuance().map_err(Failure)?.audience;
        let claims = token.claims();
        if claims.aud.iter().any(|audience| audience != own) {
            return Err(Refusal::InvalidToken.into());
        }
        if !Demand::permission(P::PERMISSION).is_met(claims) {
            return Err(Refusal::Forbidden.into());
        }
        Ok(Self {
            caller,
            permission: PhantomData,
        })
    }
}
