//! Retention: the oldest lines go, in bites, and the chain begins behind the last of them.
//!
//! Before they go they are verified, as before anything is signed. The new beginning is signed in the same transaction, so
//! that nobody but a server can move it. A line in the log says how many went.

use symbolon_domain::audit::AuditKind;
use symbolon_store::ChainRow;

use super::super::{Error, Origin, audit_id, lost_race};
use super::judge::{Judge, Link};
use super::seal::{Signed, note_break, thin};
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
        let mut rows = app.store.list_audit_chain(start.seq, BITE).await?;
        // What cannot be read has no age of its own, and is no line that was written.
        let is_old = |row: &ChainRow| row.line.as_ref().is_none_or(|(line, _)| line.at < before);
        rows.truncate(rows.iter().take_while(|row| is_old(row)).count());
        let Some(last_row) = rows.last() else { break };
        let Some(end) = sound(app, (start.seq, start.chain), &rows).await? else {
            // What was meddled with is evidence, and its age is no longer known.
            note_break(app, (start.seq, start.chain), (last_row.seq, start.chain)).await?;
            break;
        };
        let to = Signed::Start.sign(master, end, now)?;
        let mut batch = app.store.batch();
        batch.purge_audit(start.seq, &to);
        let purged = batch.commit().await;
        if lost_race(&purged) {
            // Another server is at it.
            break;
        }
        purged?;
        gone += rows.len();
        last = end.0;
        if rows.len() < BITE as usize {
            break;
        }
    }
    if gone > 0 {
        note(app, gone, last).await?;
    }
    Ok(())
}

/// Where the chain stands behind these lines, if they are what was written: each follows from the one before it, and every
/// checkpoint among them is signed and says the same. A purge signs where the chain begins, so it must not take the word of
/// whoever can write to the database for what was there.
async fn sound(app: &App, start: Link, rows: &[ChainRow]) -> Result<Option<Link>, Error> {
    let master = &app.issuance()?.master;
    let mut judge = Judge::behind(start);
    let marks = app.store.list_audit_checkpoints(start.0, BITE).await?;
    let mut marks = marks.iter().peekable();
    for row in rows {
        if judge.step(row).is_err() {
            return Ok(None);
        }
        while let Some(mark) = marks.next_if(|mark| mark.seq <= row.seq) {
            let fits = (mark.seq, mark.chain) == judge.last();
            if !fits || !Signed::Checkpoint.is_genuine(master, mark) {
                return Ok(None);
            }
        }
    }
    Ok(Some(judge.last()))
}

async fn note(app: &App, gone: usize, last: i64) -> Result<(), Error> {
    let now = app.clock.now();
    let mut event = Origin::default().event(AuditKind::AuditPurged, now);
    event.detail = Some(format!("{gone} lines, up to number {last}"));
    let mut batch = app.store.batch();
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(batch.commit().await?)
}
