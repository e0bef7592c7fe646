//! Who is calling a protected route: the access token alone decides, no store is asked.

use std::sync::Arc;
use std::time::Duration;

use symbolon_domain::{Refusal, SessionId, Timestamp, UserId};
use symbolon_guard::{Rejection, Verified};

use super::{Error, overloaded};
use crate::app::App;

/// As the guards of resources, this one fails closed when it has not heard of revocations for so long.
const STALENESS: Duration = Duration::from_secs(15);

/// A caller with a valid access token of our own sign-in.
#[derive(Clone)]
pub struct Caller {
    /// The token's `sub`.
    pub user: UserId,
    /// The token's `sid`.
    pub session: SessionId,
    /// The whole verified token.
    pub token: Arc<Verified>,
}

/// Checks an access token against keys, claims, time and revocations.
///
/// # Errors
/// `invalid_token`, `token_expired`, `token_revoked` or `token_stale`; `overloaded` where it is not known any more what
/// is revoked.
pub fn authenticate(app: &App, token: &str, now: Timestamp) -> Result<Caller, Error> {
    let verified = check(app, token, now)?;
    let claims = verified.claims();
    // A token of another kind of grant has no session here, and no business on these routes.
    let session = claims.sid.as_deref().and_then(|sid| sid.parse().ok());
    let (Ok(user), Some(session)) = (claims.sub.parse(), session) else {
        return Err(Refusal::InvalidToken.into());
    };
    Ok(Caller {
        user,
        session,
        token: verified,
    })
}

/// The same for a token of any grant.
///
/// # Errors
/// The same.
pub(super) fn check(app: &App, token: &str, now: Timestamp) -> Result<Arc<Verified>, Error> {
    let issuance = app.issuance()?;
    let verified = issuance.guard.check(token, now.seconds());
    let verified = verified.map_err(refusal)?;
    if issuance.feed.silence() > STALENESS {
        return Err(overloaded().into());
    }
    Ok(verified)
}

fn refusal(rejection: Rejection) -> Error {
    Error::Refused(match rejection.code() {
        "token_expired" => Refusal::TokenExpired,
        "token_revoked" => Refusal::TokenRevoked,
        "token_stale" => Refusal::TokenStale,
        _ => Refusal::InvalidToken,
    })
}
