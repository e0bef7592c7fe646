//! Who is calling a protected route: the access token alone decides, no store is asked.

use std::sync::Arc;
use std::time::Duration;

use symbolon_domain::{Refusal, SessionId, Timestamp, UserId};
use symbolon_guard::{Presented, Rejection, Verified};

use super::login::OWN_CLIENT;
use super::{Error, dpop, opaque, overloaded};
use crate::app::{App, Issuance};

/// As the guards of resources, this one fails closed when it has not heard of revocations for so long.
const STALENESS: Duration = Duration::from_secs(15);

/// Who is calling: with an access token of a person, or from one of our own pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// Whether it is our own sign-in that calls, and no application that the person let in.
    pub is_own: bool,
}

/// Checks an access token against keys, claims, time and revocations, and the proof of its key where it is bound to one.
///
/// # Errors
/// `invalid_token`, `token_expired`, `token_revoked` or `token_stale`; `overloaded` where it is not known any more what
/// is revoked; `invalid_dpop_proof` or `use_dpop_nonce`.
pub fn authenticate(
    app: &App,
    presented: &Presented<'_>,
    now: Timestamp,
) -> Result<(Caller, Arc<Verified>), Error> {
    let verified = check_presented(app, presented, now)?;
    let claims = verified.claims();
    // A token of another kind of grant has no session here, and no business on these routes.
    let session = claims.sid.as_deref().and_then(|sid| sid.parse().ok());
    let (Ok(user), Some(session)) = (claims.sub.parse(), session) else {
        return Err(Refusal::InvalidToken.into());
    };
    let caller = Caller {
        user,
        session,
        is_own: claims.client_id == OWN_CLIENT,
    };
    Ok((caller, verified))
}

/// The same for a token of any grant.
///
/// # Errors
/// The same.
pub fn check_presented(
    app: &App,
    presented: &Presented<'_>,
    now: Timestamp,
) -> Result<Arc<Verified>, Error> {
    let issuance = app.issuance()?;
    let token = opaque::open(issuance, presented.token);
    let verified = issuance.guard.check(&token, now.seconds());
    let verified = verified.map_err(refusal)?;
    must_hear(issuance)?;
    let bound_to = verified.claims().cnf.as_ref();
    let proven = issuance.proofs.check(presented, bound_to, now.seconds());
    proven.map_err(dpop::refusal)?;
    Ok(verified)
}

/// That it is known what is revoked.
///
/// # Errors
/// `overloaded`.
pub(super) fn must_hear(issuance: &Issuance) -> Result<(), Error> {
    match issuance.feed.silence() > STALENESS {
        true => Err(overloaded().into()),
        false => Ok(()),
    }
}

/// The same for a token that came without a proof: one that is bound to a key is refused.
///
/// # Errors
/// The same, save those of proofs.
pub(super) fn check(app: &App, token: &str, now: Timestamp) -> Result<Arc<Verified>, Error> {
    check_presented(app, &Presented::bearer(token), now)
}

fn refusal(rejection: Rejection) -> Error {
    Error::Refused(match rejection.code() {
        "token_expired" => Refusal::TokenExpired,
        "token_revoked" => Refusal::TokenRevoked,
        "token_stale" => Refusal::TokenStale,
        _ => Refusal::InvalidToken,
    })
}
