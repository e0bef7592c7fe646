//! Epochs of the feed that others have replaced, kept in the database: a node that was away when one was renewed knows it
//! again, and does not take the database for one that has lost it.

use symbolon_store::{Batch, Error, Store};

/// The setting that holds them, the latest last, with blanks between.
const FORMER: &str = "feed_former_epochs";
/// How many are remembered.
const MOST: usize = 16;

/// The epochs before this one, as far back as they are remembered.
pub struct Former(Option<String>);

impl Former {
    /// To be read before the feed: whoever renews that later changes this as well.
    ///
    /// # Errors
    /// As the store says.
    pub async fn read(store: &Store) -> Result<Self, Error> {
        Ok(Self(store.find_setting(FORMER).await?))
    }

    /// Whether this was one of them.
    pub fn contains(&self, epoch: &str) -> bool {
        self.epochs().any(|former| former == epoch)
    }

    fn epochs(&self) -> impl Iterator<Item = &str> {
        self.0.as_deref().unwrap_or_default().split_whitespace()
    }

    /// Begins the epoch `next`; those that it replaces are remembered. Where the commit was forestalled, another was
    /// quicker.
    pub fn renew(&self, batch: &mut Batch, replaced: &[&str], next: &str) {
        let known = self.epochs().filter(|epoch| !replaced.contains(epoch));
        let mut former: Vec<&str> = known.chain(replaced.iter().copied()).collect();
        former.retain(|epoch| !epoch.is_empty());
        former.dedup();
        let latest = former.split_off(former.len().saturating_sub(MOST));
        batch
            .replace_setting(FORMER, self.0.as_deref(), Some(&latest.join(" ")))
            .renew_feed(next);
    }
}
