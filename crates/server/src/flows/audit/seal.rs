//! Checkpoints: from time to time the server signs where the chain stands, with a MAC under a key derived from the
//! master key. Whoever can write to the database can compute a chain anew, but not its checkpoints.
//!
//! 1. The server remembers the last place that it signed; after a start it is the newest checkpoint that is genuine.
//! 2. What was written since must follow from there, line by line. So nothing is signed that was changed while a server
//!    was looking.
//! 3. If it does not follow, a line in the log says so, an error is logged and counted, and the server goes on from
//!    what is there now: it cannot be undone, and must not be hidden.
//! 4. The end of the chain is signed. The first checkpoint of an hour is kept as long as its line.

use std::time::Duration;

use symbolon_domain::Timestamp;
use symbolon_domain::audit::AuditKind;
use symbolon_store::{AuditHead, AuditMark};

use super::super::{Error, Origin, audit_id};
use super::judge::{Judge, Link};
use crate::app::App;
use crate::metrics::Count;
use crate::sealing::MasterKey;

/// The subkey of checkpoints.
const LABEL: &str = "audit log";
/// Lines read at once.
const PAGE: u32 = 500;
/// How long every checkpoint is there; of those before, one an hour.
const DENSE: Duration = Duration::from_secs(24 * 3600);
const HOUR_MS: i64 = 3_600_000;

/// What a signature says of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The chain came to here.
    Checkpoint,
    /// What is before was purged.
    Start,
}

impl Signed {
    fn text(self, (seq, chain): &Link, at: Timestamp) -> Vec<u8> {
        let what: &[u8] = match self {
            Self::Checkpoint => b"checkpoint",
            Self::Start => b"start",
        };
        [what, &seq.to_be_bytes(), chain, &at.millis().to_be_bytes()].concat()
    }

    /// Signs a place.
    ///
    /// # Errors
    /// Only when the crypto library refuses.
    pub fn sign(self, master: &MasterKey, place: Link, at: Timestamp) -> Result<AuditMark, Error> {
        let mac = master.mac(LABEL, &self.text(&place, at));
        Ok(AuditMark {
            seq: place.0,
            chain: place.1,
            at,
            mac: Some(mac.map_err(|error| Error::fault("audit checkpoint")(error.into()))?),
        })
    }

    /// Whether a mark was signed under this master key.
    pub fn is_genuine(self, master: &MasterKey, mark: &AuditMark) -> bool {
        let text = self.text(&(mark.seq, mark.chain), mark.at);
        let mac = mark.mac.unwrap_or_default();
        master.mac_is(LABEL, &text, &mac).unwrap_or(false)
    }
}

/// Signs the end of the chain again and again.
#[derive(Default)]
pub struct Watcher {
    known: Option<Known>,
}

/// What was signed last.
#[derive(Clone, Copy)]
struct Known {
    place: Link,
    /// When the newest checkpoint was made, if there is one.
    at: Option<Timestamp>,
}

impl Watcher {
    /// Signs the end of the chain if it has moved.
    ///
    /// # Errors
    /// A fault of the store, or `overloaded`.
    pub async fn look(&mut self, app: &App) -> Result<(), Error> {
        let master = &app.issuance()?.master;
        let head = app.store.audit_head().await?;
        let known = self.known(app, master).await?;
        let end = (head.seq, head.chain);
        if end == known.place {
            self.known = Some(known);
            return Ok(());
        }
        if !follows(app, known.place, &head).await? {
            note_break(app, known.place, end).await?;
            // That line is signed with the next look.
            self.known = Some(Known {
                place: end,
                ..known
            });
            return Ok(());
        }
        let now = app.clock.now();
        let mark = Signed::Checkpoint.sign(master, end, now)?;
        let hour = |at: Timestamp| at.millis().div_euclid(HOUR_MS);
        let first_of_hour = known.at.is_none_or(|at| hour(at) != hour(now));
        let mut batch = app.store.batch();
        batch.insert_audit_checkpoint(&mark, first_of_hour);
        batch.commit().await?;
        self.known = Some(Known {
            place: end,
            at: Some(now),
        });
        tracing::debug!(seq = head.seq, "audit log signed");
        Ok(())
    }

    /// Step 1.
    async fn known(&self, app: &App, master: &MasterKey) -> Result<Known, Error> {
        let start = app.store.audit_start().await?;
        let behind_start = |at| Known {
            place: (start.seq, start.chain),
            at,
        };
        let known = match self.known {
            Some(known) => known,
            None => match app.store.last_audit_checkpoint().await? {
                Some(mark) if Signed::Checkpoint.is_genuine(master, &mark) => Known {
                    place: (mark.seq, mark.chain),
                    at: Some(mark.at),
                },
                Some(mark) => {
                    note_break(app, (mark.seq, mark.chain), (mark.seq, mark.chain)).await?;
                    behind_start(None)
                }
                None => behind_start(None),
            },
        };
        // Another server may have purged lines that this one had not looked at for long.
        if start.seq > known.place.0 && Signed::Start.is_genuine(master, &start) {
            return Ok(behind_start(known.at));
        }
        Ok(known)
    }
}

/// Step 2: whether the chain leads from `known` to `head`.
async fn follows(app: &App, known: Link, head: &AuditHead) -> Result<bool, Error> {
    let mut judge = Judge::behind(known);
    while judge.last().0 < head.seq {
        let page = app.store.list_audit_chain(judge.last().0, PAGE).await?;
        if page.is_empty() {
            return Ok(false);
        }
        for row in page.iter().take_while(|row| row.seq <= head.seq) {
            if judge.step(row).is_err() {
                return Ok(false);
            }
        }
        if page.iter().all(|row| row.seq > head.seq) {
            return Ok(false);
        }
    }
    Ok(judge.last() == (head.seq, head.chain))
}

/// Step 3.
pub(super) async fn note_break(app: &App, known: Link, found: Link) -> Result<(), Error> {
    let now = app.clock.now();
    tracing::error!(
        known = known.0,
        found = found.0,
        "the audit log is not what it was: lines were changed or lost; run `symbolon audit verify`"
    );
    app.metrics.count(Count::AuditBreak);
    let mut event = Origin::default().event(AuditKind::AuditBroken, now);
    event.detail = Some(format!(
        "signed up to {}, found {}",
        text(known),
        text(found)
    ));
    let mut batch = app.store.batch();
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(batch.commit().await?)
}

/// A place of the chain as people keep it: `SEQ:CHAIN`.
pub fn text((seq, chain): Link) -> String {
    format!("{seq}:{}", symbolon_token::encoding::encode(&chain))
}

/// Deletes checkpoints that are not kept.
///
/// # Errors
/// A fault of the store.
pub(super) async fn thin(app: &App, now: Timestamp) -> Result<(), Error> {
    app.store.purge_audit_checkpoints(now.minus(DENSE)).await?;
    Ok(())
}
