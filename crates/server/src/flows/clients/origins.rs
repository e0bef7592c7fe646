//! Whose pages may read what OAuth's endpoints answer: the origins of active clients (SECURITY section 3, decision 7).
//!
//! A browser asks before the request (WHATWG Fetch, "CORS-preflight fetch"), and says then only which origin the page has.

use std::collections::BTreeSet;
use std::time::Duration;

use symbolon_domain::{ClientOrigin, Timestamp};

use crate::app::App;
use crate::flows::Error;

/// A change counts after this time at the latest.
const FRESH: Duration = Duration::from_secs(5);
const MOST_CLIENTS: u32 = 10_000;

/// The origins as they were read.
#[derive(Default)]
pub struct ClientOrigins {
    read_at: Option<Timestamp>,
    all: BTreeSet<String>,
}

/// Whether an active client has this origin, byte for byte.
///
/// # Errors
/// A fault of the store.
pub async fn is_of_a_client(app: &App, origin: &str) -> Result<bool, Error> {
    // What is none is not worth a look.
    if ClientOrigin::parse(origin).is_err() {
        return Ok(false);
    }
    let now = app.clock.now();
    let held = app.client_origins.load();
    if held.read_at.is_some_and(|at| now.since(at) < FRESH) {
        return Ok(held.all.contains(origin));
    }
    let read = app.store.list_client_origins(MOST_CLIENTS).await?;
    let all = read.into_iter().flatten().map(|one| one.to_string());
    let fresh = ClientOrigins {
        read_at: Some(now),
        all: all.collect(),
    };
    let is_known = fresh.all.contains(origin);
    app.client_origins.store(fresh.into());
    Ok(is_known)
}
