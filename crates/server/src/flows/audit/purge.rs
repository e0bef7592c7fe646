//! Retention: the oldest lines go, in bites, and the chain begins behind the last of them.
//!
//! The new beginning is signed in the same transaction, so that nobody but a server can move it. A line in the log says
//! how many went.

use symbolon_domain::audit::AuditKind;
use symbolon_store::ChainRow;

use super::super::{Error, Origin, audit_id, lost_race};
use super::seal::{Signed, thin};
use crate::app::App;

/// Lines that go in one transaction, so that no purge holds up the writes of others for long.
const BITE: u32 = 500;

/// Deletes the lines that are older than the setting `audit.retention`.
///
/// # Errors
/// A fault of the store, or `overloaded`.
pub async fn purge(app: &App) -> Result<(), Error> {
    let now = app.clock.now();
    let before = now.minus(app.settings().audit.retention);
    thin(app, now).await?;
    while app.store.purge_unchained_audit(before, BITE).await? == u64::from(BITE) {}
    let master = &app.issuance()?.master;
    let (mut gone, mut last) = (0, 0);
    loop {
        let start = app.store.audit_start().await?;
        let rows = app.store.list_audit_chain(start.seq, BITE).await?;
        // What cannot be read has no age of its own.
        let is_old = |row: &&ChainRow| row.line.as_ref().is_none_or(|(line, _)| line.at < before);
        let old = rows.iter().take_while(is_old).count();
        let end = rows[..old].iter().rposition(|row| row.line.is_some());
        let Some((row, (_, chain))) =
            end.and_then(|end| Some((&rows[end], rows[end].line.as_ref()?)))
        else {
            break;
        };
        let to = Signed::Start.sign(master, (row.seq, *chain), now)?;
        let mut batch = app.store.batch();
        batch.purge_audit(start.seq, &to);
        let purged = batch.commit().await;
        if lost_race(&purged) {
            // Another server is at it.
            break;
        }
        purged?;
        gone += end.map_or(0, |end| end + 1);
        last = row.seq;
        if old < BITE as usize {
            break;
        }
    }
    if gone > 0 {
        note(app, gone, last).await?;
    }
    Ok(())
}

async fn note(app: &App, gone: usize, last: i64) -> Result<(), Error> {
    let now = app.clock.now();
    let mut event = Origin::default().event(AuditKind::AuditPurged, now);
    event.detail = Some(format!("{gone} lines, up to number {last}"));
    let mut batch = app.store.batch();
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(batch.commit().await?)
}
