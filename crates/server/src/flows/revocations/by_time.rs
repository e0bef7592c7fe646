//! What ends tokens by their time, a client's or all, is said again where its commit took long.
//!
//! 1. The commit names the last second in which a token may have been issued by then.
//! 2. Whoever read the client or the roles before it may issue one until it is done. Where that second has passed, the
//!    same is said again with a later one: also where whoever asked has hung up.

use std::sync::Arc;
use std::time::Duration;

use symbolon_domain::revocation::{Revocation, Subject};
use symbolon_store::{Batch, Error};
use tokio::time::sleep;

use crate::app::App;
use crate::app::timekeeping::last_issue_s;

/// Waits between attempts to say it again.
const PAUSES_MS: [u64; 5] = [100, 200, 400, 800, 1600];

/// Commits `batch` with its revocations.
///
/// # Errors
/// As [`App::commit`].
pub(in crate::flows) async fn commit(
    app: &App,
    batch: Batch,
    mut revocations: Vec<Revocation>,
) -> Result<(), Error> {
    let is_by_time = revocations.iter_mut().any(|one| second(one).is_some());
    match app.shared().filter(|_| is_by_time) {
        Some(app) => tokio::spawn(end(app, batch, revocations))
            .await
            .unwrap_or_else(|error| Err(Error::fault(error))),
        None => app.commit(batch, &revocations).await,
    }
}

async fn end(app: Arc<App>, batch: Batch, ended: Vec<Revocation>) -> Result<(), Error> {
    app.commit(batch, &ended).await?;
    for pause in PAUSES_MS {
        let until_s = last_issue_s(&app.store, app.clock.now());
        let mut late = ended.clone();
        late.retain_mut(|one| {
            second(one).is_some_and(|before_s| std::mem::replace(before_s, until_s) < until_s)
        });
        if late.is_empty() || app.commit(app.store.batch(), &late).await.is_ok() {
            return Ok(());
        }
        sleep(Duration::from_millis(pause)).await;
    }
    for one in &ended {
        tracing::warn!(
            subject = ?one.subject,
            "tokens that were issued while others ended could not be ended: `symbolon revocations add` ends them"
        );
    }
    Ok(())
}

/// The second up to which tokens end, where it is by that.
fn second(revocation: &mut Revocation) -> Option<&mut i64> {
    match &mut revocation.subject {
        Subject::Client { before_s, .. } | Subject::All { before_s } => Some(before_s),
        _ => None,
    }
}
