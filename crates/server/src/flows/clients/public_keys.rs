//! The public keys of clients that sign: kept here, or fetched from where they are and kept for a while.

use std::sync::Arc;
use std::time::Duration;

use symbolon_domain::{Client, ClientJwks};
use symbolon_token::Jwks;

use super::super::{Error, Origin, overloaded};
use crate::app::App;
use crate::outbound::{Answer, OutboundError};

/// Longest answer, in bytes.
const MOST: usize = 64 * 1024;
/// How soon keys are fetched again for one that is not among them.
const PAUSE: Duration = Duration::from_secs(60);

/// Which keys will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Those that are remembered.
    Known,
    /// Newer ones, for the one that is needed was not among them: those of the last minute will do.
    Newer,
}

/// The public keys of a client; none where it has none, or where what it has is of no use.
///
/// # Errors
/// `overloaded` where their host does not answer, `rate_limited` where too many were fetched for who asks.
pub async fn public_keys(
    app: &App,
    client: &Client,
    wanted: Wanted,
    origin: &Origin,
) -> Result<Option<Arc<Jwks>>, Error> {
    let parts = &client.definition;
    if let Some(jwks) = &parts.jwks {
        return Ok(Some(Arc::new(jwks.keys().clone())));
    }
    match &parts.jwks_uri {
        Some(uri) => fetch_keys(app, uri.as_str(), wanted, origin).await,
        None => Ok(None),
    }
}

/// The keys at a URI that a client or another provider named. Nobody makes us fetch without a limit.
pub(in crate::flows) async fn fetch_keys(
    app: &App,
    uri: &str,
    wanted: Wanted,
    origin: &Origin,
) -> Result<Option<Arc<Jwks>>, Error> {
    let now = app.clock.now();
    if let Some((keys, since)) = app.fetched_keys.find(uri, now)
        && (wanted == Wanted::Known || now.since(since) < PAUSE)
    {
        return Ok(Some(keys));
    }
    app.throttle.begin_document(origin.address, now)?;
    let answer = match app.outbound.fetch(uri, MOST).await {
        Ok(answer) if answer.status < 500 => answer,
        Err(OutboundError::Forbidden | OutboundError::TooLong) => return Ok(None),
        Ok(_) | Err(_) => return Err(overloaded().into()),
    };
    let keys = read(&answer);
    Ok(keys.map(|keys| app.fetched_keys.keep(uri, keys, answer.max_age, now)))
}

/// Keys of kinds that are not ours are left out, as there may be such for other servers; one that is weak or private refuses
/// the whole set.
fn read(answer: &Answer) -> Option<Jwks> {
    if answer.status != 200 {
        return None;
    }
    let keys = Jwks::parse(&answer.body).ok()?;
    (keys.keys.len() <= ClientJwks::MOST_KEYS * 2).then_some(keys)
}
