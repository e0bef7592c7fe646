//! Export: every user, in the order of their ids, a page at a time.

use std::io::{self, Write};

use symbolon_domain::UserId;
use symbolon_domain::audit::AuditKind;

use super::{Error, Origin, audit_id};
use crate::app::App;
use crate::transfer::write::{Layout, Writer};

/// Users in a page.
const PAGE: u32 = 1000;

/// Why an export ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// As any flow.
    #[error(transparent)]
    Flow(#[from] Error),
    /// Where it goes to takes no more.
    #[error("the export cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl From<symbolon_store::Error> for ExportError {
    fn from(error: symbolon_store::Error) -> Self {
        Self::Flow(error.into())
    }
}

/// Writes every user to `out`, and says how many there were. Who is made or changed meanwhile may be in it or not.
/// `watch` hears how many are written.
///
/// # Errors
/// As those of `out` and of the store.
pub async fn export<W: Write>(
    app: &App,
    out: W,
    (layout, with_hashes): (Layout, bool),
    origin: &Origin,
    watch: &mut dyn FnMut(u64),
) -> Result<u64, ExportError> {
    // Before anything is out: whoever takes hashes along must not be able to stop at the last line.
    note(app, (None, with_hashes), origin).await?;
    let mut writer = Writer::begin(out, layout, with_hashes)?;
    let (mut written, mut after) = (0, None);
    loop {
        let page = app.store.list_credentials(PAGE, after).await?;
        for credentials in &page {
            writer.user(&credentials.user, credentials.password_hash.as_deref())?;
        }
        written += page.len() as u64;
        watch(written);
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = Some(last.user.id),
            _ => break,
        }
    }
    writer.end()?;
    Ok(written)
}

/// Notes in the audit log that users are being exported, and whether with the hashes of their passwords; the actor is who
/// does it, where it is a user.
///
/// # Errors
/// `overloaded`, or a fault.
pub async fn note(
    app: &App,
    (actor, with_hashes): (Option<UserId>, bool),
    origin: &Origin,
) -> Result<(), Error> {
    let now = app.clock.now();
    let mut event = origin.event(AuditKind::UsersExported, now);
    event.actor = actor;
    let with = if with_hashes { "with" } else { "without" };
    event.detail = Some(format!("{with} password hashes"));
    let mut batch = app.store.batch();
    batch.insert_audit(audit_id(app, now)?, &event);
    Ok(batch.commit().await?)
}
