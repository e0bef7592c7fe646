//! Opaque access tokens: text that only this server can read, for resources that ask it by introspection (RFC 7662).
//!
//! 1. A token for a resource of `oauth.opaque_resources` is signed as every other, and then sealed under a key that follows
//!    from the master key: every node can open it, also after a restart, and nothing is stored.
//! 2. Whoever is shown one opens it first. What is inside is judged as a token that came as it is: signature, claims, time,
//!    revocations. So whatever ends a token ends it as well.
//! 3. A proof of possession is about the text that the client has (RFC 9449 section 4.2, `ath`), not about what is inside.

use std::borrow::Cow;

use symbolon_token::encoding;

use super::Error;
use crate::app::{App, Issuance};
use crate::rng::Rng;

/// What an opaque token begins with, for those who look for secrets in the wrong places.
pub const PREFIX: &str = "sbo_";
/// What is sealed.
const CONTEXT: &str = "opaque access token";

/// Whether a token for this audience is opaque, whomever else it is for.
pub(super) fn is_for(app: &App, audience: &str) -> bool {
    let mut resources = app.config.oauth.opaque_resources.iter();
    resources.any(|resource| resource.as_str() == audience)
}

/// Step 1.
///
/// # Errors
/// A fault of the random source.
pub(super) fn seal(issuance: &Issuance, rng: &Rng, token: &str) -> Result<String, Error> {
    let sealed = issuance.master.seal_single(rng, CONTEXT, token.as_bytes());
    let sealed = sealed.map_err(|error| Error::fault("opaque token")(error.into()))?;
    Ok(format!("{PREFIX}{}", encoding::encode(&sealed)))
}

/// Step 2: the signed token, of one that was shown. What is not opaque, or was not made here, is left as it is, and is no
/// token to whoever verifies it.
pub(super) fn open<'t>(issuance: &Issuance, shown: &'t str) -> Cow<'t, str> {
    let signed = || {
        let sealed = encoding::decode(shown.strip_prefix(PREFIX)?.as_bytes()).ok()?;
        let signed = issuance.master.open_single(CONTEXT, &sealed).ok()?;
        std::str::from_utf8(&signed).ok().map(str::to_owned)
    };
    signed().map_or(Cow::Borrowed(shown), Cow::Owned)
}
