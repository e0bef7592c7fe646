//! Epochs of the feed that others have replaced, kept in the database: a node that was away when one was renewed knows it
//! again, and does not take the database for one that has lost it.

use symbolon_store::{Batch, Error, Store};

/// The setting that holds them, the latest last, with blanks between.
const FORMER: &str = "feed_former_epochs";
/// How many are remembered.
const MOST: usize = 16;

/// The epochs before this one, as far back as they are remembered.
///
/// # Errors
/// As the store says.
pub async fn former_epochs(store: &Store) -> Result<Vec<String>, Error> {
    let kept = store.find_setting(FORMER).await?.unwrap_or_default();
    Ok(kept.split_whitespace().map(str::to_owned).collect())
}

/// Begins the epoch `next`; the one before it is remembered. Where [`is_lost`] says so of the commit, another was quicker.
///
/// # Errors
/// As the store says.
pub async fn renew(store: &Store, batch: &mut Batch, next: &str) -> Result<(), Error> {
    let kept = store.find_setting(FORMER).await?;
    // Behind that: whoever renews it from here on changes what was kept as well.
    let feed = store.feed().await?;
    let former = kept.as_deref().unwrap_or_default().split_whitespace();
    let mut former: Vec<&str> = former.chain([feed.epoch.as_str()]).collect();
    former.retain(|epoch| !epoch.is_empty());
    let latest = former.split_off(former.len().saturating_sub(MOST));
    batch
        .replace_setting(FORMER, kept.as_deref(), Some(&latest.join(" ")))
        .renew_feed(next);
    Ok(())
}

/// Whether another has renewed the feed in between.
pub fn is_lost(committed: &Result<(), Error>) -> bool {
    matches!(committed, Err(Error::Stale | Error::Conflict(_)))
}
