//! Proofs of possession (DPoP, RFC 9449), of requests for tokens and of requests with them.
//!
//! At the token endpoint (section 5):
//!
//! 1. A request without a header `DPoP` asks for tokens that are bound to nothing.
//! 2. There is one such header, and its proof is good for the method and the address of the endpoint as the issuer
//!    names it: no header of the request says where it went.
//! 3. Where nonces are asked for, it has a living one (section 8).
//! 4. It comes for the first time (section 11.1). What came is remembered by each process for itself, for as long as it
//!    is good.
//! 5. The tokens are bound to the key that signed it.

use symbolon_domain::{Refusal, Timestamp};
use symbolon_guard::{Presented, ProofRejection};
use symbolon_token::Thumbprint;

use super::{Error, overloaded};
use crate::app::App;

/// The proofs of a request, and what they must be about.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The value of each header `DPoP`.
    pub proofs: &'a [&'a str],
    /// The method of the request.
    pub method: &'a str,
    /// The path of the endpoint behind the issuer, such as `/oauth/token`.
    pub path: &'a str,
}

/// The key that the tokens which a request asks for are to be bound to; none where it has no proof.
///
/// # Errors
/// `invalid_dpop_proof`, `use_dpop_nonce` (the answer then has the header `DPoP-Nonce` with [`nonce`]), `overloaded`; a
/// fault.
pub fn bound(app: &App, sent: &Sent<'_>, now: Timestamp) -> Result<Option<Thumbprint>, Error> {
    if sent.proofs.is_empty() {
        return Ok(None);
    }
    let issuance = app.issuance()?;
    let uri = format!("{}{}", issuance.issuer, sent.path);
    let presented = Presented {
        proofs: sent.proofs,
        method: sent.method,
        uri: &uri,
        ..Presented::bearer("")
    };
    let key = issuance.proofs_of_keys.key(&presented, now.seconds());
    Ok(key.map_err(refusal)?)
}

/// The value of the header `DPoP-Nonce` of an answer, where proofs need one (section 8).
#[must_use]
pub fn nonce(app: &App, now: Timestamp) -> Option<String> {
    let issuance = app.issuance().ok()?;
    issuance.proofs.nonce(now.seconds())
}

pub(super) fn refusal(rejection: ProofRejection) -> Refusal {
    tracing::debug!(reason = %rejection, "refused a proof of possession");
    match rejection {
        ProofRejection::Unbound => Refusal::InvalidToken,
        ProofRejection::NotOne | ProofRejection::Invalid(_) | ProofRejection::Replayed => {
            Refusal::InvalidProof
        }
        ProofRejection::NonceNeeded => Refusal::ProofNonceNeeded,
        ProofRejection::Full => overloaded(),
    }
}
