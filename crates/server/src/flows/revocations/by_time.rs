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

/// Waits before attempts to say it again.
const PAUSES_MS: [u64; 6] = [0, 100, 200, 400, 800, 1600];

/// Commits `batch` with its revocations.
///
/// # Errors
/// As [`App::commit`]; [`Error::Busy`] where it was committed, and what had to be said again was not.
pub(in crate::flows) async fn commit(
    app: &App,
    batch: Batch,
    mut revocations: Vec<Revocation>,
) -> Result<(), Error> {
    match revocations.iter_mut().any(|one| second(one).is_some()) {
        true => app.finish(|app| end(app, batch, revocations)).await,
        false => app.commit(batch, &revocations).await,
    }
}

async fn end(app: Arc<App>, batch: Batch, mut ended: Vec<Revocation>) -> Result<(), Error> {
    app.commit(batch, &ended).await?;
    ended.retain_mut(|one| second(one).is_some());
    for pause in PAUSES_MS {
        sleep(Duration::from_millis(pause)).await;
        let until_s = last_issue_s(&app.store, app.clock.now());
        let mut late = ended.clone();
        late.retain_mut(|one| {
            second(one).is_some_and(|before_s| std::mem::replace(before_s, until_s) < until_s)
        });
        if late.is_empty() || app.commit(app.store.batch(), &late).await.is_ok() {
            return Ok(());
        }
        // Before the next attempt, after which the process may be gone.
        if pause == 0 {
            warn(&late, "this is tried again for some seconds");
        }
    }
    warn(&ended, "this was tried for some seconds, and is given up");
    Err(Error::Busy)
}

fn warn(late: &[Revocation], how: &str) {
    for one in late {
        tracing::warn!(
            subject = ?one.subject,
            effect = ?one.effect,
            "tokens that were issued while this was being committed may go on until they expire; {how}: `symbolon revocations add \
             --client ID` (or `--all`; with `--stale` where the effect is that) ends them"
        );
    }
}

/// The second up to which tokens end, where it is by that.
fn second(revocation: &mut Revocation) -> Option<&mut i64> {
    match &mut revocation.subject {
        Subject::Client { before_s, .. } | Subject::All { before_s } => Some(before_s),
        _ => None,
    }
}
