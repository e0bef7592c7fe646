//! What happened with the own account lately, out of the audit log.

use uuid::Uuid;

use super::Error;
use super::audit::{self, AuditFilter, AuditRow};
use super::authenticate::Caller;
use super::page::Page;
use crate::app::App;

/// Lines on a page.
const LINES: u32 = 50;

/// A page of the lines about the caller, the latest first, behind the line `after`. What an administrator did to others
/// is not among them. It may be short, or empty, without being the last one.
///
/// # Errors
/// A fault of the store.
pub async fn page(
    app: &App,
    caller: &Caller,
    after: Option<Uuid>,
) -> Result<Page<AuditRow, Uuid>, Error> {
    let filter = AuditFilter {
        user: Some(caller.user),
        ..AuditFilter::default()
    };
    let mut page = audit::page(app, &filter, LINES, after).await?;
    page.items
        .retain(|line| line.event.subject == Some(caller.user));
    Ok(page)
}
