//! Whether the log is sound, as far as that is known without reading all of it.

use symbolon_domain::Timestamp;
use symbolon_domain::audit::AuditKind;

use super::verify::{Report, Wanted, verify};
use super::{AuditFilter, page};
use crate::app::App;
use crate::flows::Error;

/// Where the chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The number of the last line.
    pub seq: i64,
    /// The number of the last line that a server signed, and when it did.
    pub signed: Option<(i64, Timestamp)>,
    /// When a server last found that lines were changed or lost.
    pub broken: Option<Timestamp>,
}

/// What is known without looking at the lines.
///
/// # Errors
/// A fault of the store.
pub async fn standing(app: &App) -> Result<Standing, Error> {
    let filter = AuditFilter {
        kind: Some(AuditKind::AuditBroken),
        ..AuditFilter::default()
    };
    let broken = page(app, &filter, 1, None).await?;
    let signed = app.store.last_audit_checkpoint().await?;
    Ok(Standing {
        seq: app.store.audit_head().await?.seq,
        signed: signed.map(|mark| (mark.seq, mark.at)),
        broken: broken.items.first().map(|row| row.event.at),
    })
}

/// Verifies the latest `most` lines, with the signatures. Also the number behind which it began; none where that is the
/// whole log.
///
/// # Errors
/// A fault of the store, or when the keys are not open.
pub async fn verify_latest(app: &App, most: u32) -> Result<(Report, Option<i64>), Error> {
    let master = &app.issuance()?.master;
    let after = app.store.audit_head().await?.seq - i64::from(most);
    let start = app.store.audit_start().await?.seq;
    let wanted = Wanted {
        expect: None,
        after: Some(after).filter(|after| *after > start),
    };
    Ok((verify(app, Some(master), wanted).await?, wanted.after))
}
