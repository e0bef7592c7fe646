//! OAuth 2.1 and OpenID Connect: one file a grant and an endpoint.

pub mod authorize;
pub mod backchannel;
pub mod browser;
mod claims;
mod client_authentication;
pub mod consents;
pub mod end_session;
mod frozen;
pub mod grants;
pub mod id_token;
mod interaction;
pub mod introspect;
pub mod pushed;
pub mod revoke;
mod secret_text;
pub mod token;
pub mod userinfo;

pub use client_authentication::{Credentials, authenticate};

use symbolon_domain::oauth::OAuthError;
use symbolon_domain::{Refusal, Timestamp};

use super::Error;
use crate::app::App;

/// Why an OAuth flow did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// In OAuth's own words.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// The page that was answered is too old, or is none of ours.
    #[error("the page is too old")]
    Expired,
    /// As everywhere else.
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Other(refusal.into())
    }
}

impl From<symbolon_store::Error> for Failed {
    fn from(error: symbolon_store::Error) -> Self {
        Self::Other(error.into())
    }
}

/// Drops what has expired, `rows` at a time.
///
/// # Errors
/// A fault of the store.
pub async fn purge(app: &App, now: Timestamp, rows: u32) -> Result<(), Error> {
    let (store, full) = (&app.store, u64::from(rows));
    while store.purge_authorizations(now, rows).await? == full {}
    // A code that comes a second time after its minute is refused all the same, and no longer ends what it gave.
    while store.purge_codes(now, rows).await? == full {}
    while store.purge_pushed(now, rows).await? == full {}
    while store.purge_devices(now, rows).await? == full {}
    while store.purge_replays(now, rows).await? == full {}
    Ok(())
}
