//! The steps that bring the tables of the database up to date: what there is to do, and doing it.
//!
//! Every start takes them. An owner who runs several nodes takes them before, and looks first whether the programs that
//! run now go on beside the new tables.

use crate::app::{StartError, open_database};
use crate::clock::Clock;
use crate::config::Config;

pub use symbolon_store::PendingStep;

/// The steps that are still to be taken, in their order. Changes nothing.
///
/// # Errors
/// A database that is not there or cannot be read, or one that was changed by a newer or another program.
pub async fn plan(config: &Config) -> Result<Vec<PendingStep>, StartError> {
    let store = open_database(config, false).await?;
    let steps = store.pending_steps().await;
    store.close().await;
    steps.map_err(|error| StartError::new("database", &error))
}

/// Takes the steps that are still to be taken, and tells which these were. A database that is not there is made.
///
/// # Errors
/// As [`plan`], and what is in the way of writing; the tables are as before then.
pub async fn migrate(config: &Config, clock: &Clock) -> Result<Vec<PendingStep>, StartError> {
    let store = open_database(config, true).await?;
    let taken = async {
        let steps = store.pending_steps().await?;
        store.migrate(clock.now()).await?;
        Ok::<_, symbolon_store::OpenError>(steps)
    };
    let steps = taken.await;
    store.close().await;
    steps.map_err(|error| StartError::new("database", &error))
}
