//! Who follows the revocation feed, for the pages that show it.

use minijinja::{Value, context};

use crate::flows::feed::Followers;

/// Followers that are shown.
pub(super) const MOST: usize = 100;

/// For a template.
pub(super) fn facts(followers: &Followers) -> Value {
    let shown = followers.told.iter().take(MOST).map(|one| {
        context! {
            address => one.address.map(|address| address.to_string()),
            since => one.since.as_secs(),
            behind => one.behind,
            lag => one.lag.as_secs(),
            late => one.lag.as_secs() > 15,
        }
    });
    context! {
        rows => shown.collect::<Vec<_>>(),
        count => followers.count,
        more => followers.count > MOST,
        seq => followers.seq,
        silent => followers.silence.as_secs() > 5,
    }
}
