//! The audit log, read: one line, or a page of those that a filter chooses.
//!
//! 1. The narrowest index that the filter names gives lines, the latest first: that of a session, of a user, of a kind;
//!    else all of them. Where there are two (a user who acts, and to whom it is done) they are merged.
//! 2. Lines that the rest of the filter does not choose are left out.
//! 3. What is read for a page has a bound, so that nobody can make a question that reads the whole log. A page that
//!    meets it is short, and says where to go on.

mod export;
mod judge;
mod purge;
mod seal;
mod standing;
mod verify;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use symbolon_domain::audit::{AuditEvent, AuditKind, Outcome};
use symbolon_domain::{Refusal, SessionId, Timestamp, UserId};
use symbolon_store::{AuditLane, AuditSpan};
pub use symbolon_store::{AuditRow, ChainRow};
use uuid::Uuid;

pub use export::{Export, ExportedLine, verify_lines};
pub use judge::{Finding, Judge, Mismatch, Wrong};
pub use purge::purge;
pub use seal::Watcher;
pub use standing::{Standing, standing, verify_latest};
pub use verify::{Checkpoints, NotAPlace, Place, Report, Wanted, verify};

use super::Error;
use super::page::Page;
use crate::app::App;

/// Rows read at once where a filter leaves out some of them.
const SCAN: u32 = 500;
/// How often that is done for one page.
const SCANS: usize = 8;

/// Which lines of the audit log.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter {
    /// Those of what this user did, or that was done to them.
    pub user: Option<UserId>,
    /// Those of what this user did.
    pub actor: Option<UserId>,
    /// Those of this session.
    pub session: Option<SessionId>,
    /// Those of this kind.
    pub kind: Option<AuditKind>,
    /// Those that ended so.
    pub outcome: Option<Outcome>,
    /// Those from this moment on.
    pub from: Option<Timestamp>,
    /// Those from before this moment.
    pub to: Option<Timestamp>,
}

impl AuditFilter {
    /// Step 1: the lists that have every line that is wanted.
    fn lanes(&self) -> Vec<AuditLane> {
        let of_kind = AuditKind::ALL.iter().copied().map(AuditLane::Kind);
        match self {
            Self { session: Some(id), .. } => vec![AuditLane::Session(*id)],
            Self { actor: Some(id), .. } => vec![AuditLane::Actor(*id)],
            Self { user: Some(id), .. } => vec![AuditLane::Subject(*id), AuditLane::Actor(*id)],
            Self { kind: Some(kind), .. } => vec![AuditLane::Kind(*kind)],
            // They are few kinds, and rare.
            Self { outcome: Some(Outcome::Failure), .. } => of_kind
                .filter(|lane| matches!(lane, AuditLane::Kind(kind) if kind.outcome() == Outcome::Failure))
                .collect(),
            _ => vec![AuditLane::Whole],
        }
    }

    fn span(&self) -> AuditSpan {
        let span = self
            .from
            .map_or(AuditSpan::WHOLE, |at| AuditSpan::WHOLE.since(at));
        self.to.map_or(span, |at| span.until(at))
    }

    /// Step 2.
    fn chooses(&self, event: &AuditEvent) -> bool {
        let is_of = |user| event.actor == Some(user) || event.subject == Some(user);
        self.user.is_none_or(is_of)
            && self.actor.is_none_or(|user| event.actor == Some(user))
            && self.session.is_none_or(|id| event.session == Some(id))
            && self.kind.is_none_or(|kind| event.kind == kind)
            && self
                .outcome
                .is_none_or(|outcome| event.kind.outcome() == outcome)
    }
}

/// A page of the lines that `filter` chooses, the latest first, behind the line `after`. It may be short, or empty,
/// without being the last one.
///
/// # Errors
/// A fault of the store.
pub async fn page(
    app: &App,
    filter: &AuditFilter,
    limit: u32,
    after: Option<Uuid>,
) -> Result<Page<AuditRow, Uuid>, Error> {
    let lanes = filter.lanes();
    let mut span = filter.span();
    if let Some(after) = after {
        span = span.before(after);
    }
    let mut page = Page {
        items: Vec::new(),
        next: None,
    };
    // What is enough where nothing is left out.
    let mut rows = limit.saturating_add(1);
    for _ in 0..SCANS {
        let (found, more) = scan(app, &lanes, span, rows).await?;
        page.items
            .extend(found.into_iter().filter(|row| filter.chooses(&row.event)));
        if page.items.len() > limit as usize {
            page.items.truncate(limit as usize);
            page.next = page.items.last().map(|row| row.id);
            return Ok(page);
        }
        page.next = more;
        let Some(last) = more else {
            return Ok(page);
        };
        span = span.before(last);
        rows = SCAN;
    }
    Ok(page)
}

/// The latest lines of several lanes, and the last of them if there may be more behind it.
async fn scan(
    app: &App,
    lanes: &[AuditLane],
    span: AuditSpan,
    rows: u32,
) -> Result<(Vec<AuditRow>, Option<Uuid>), Error> {
    let mut found = Vec::new();
    let mut horizon = None;
    for lane in lanes {
        let part = app.store.list_audit_lane(*lane, span, rows).await?;
        if part.len() == rows as usize {
            // Nothing is known of this lane behind its last line.
            horizon = horizon.max(part.last().map(|row| row.id));
        }
        found.extend(part);
    }
    if lanes.len() > 1 {
        found.sort_unstable_by_key(|row: &AuditRow| std::cmp::Reverse(row.id));
        found.dedup_by_key(|row| row.id);
        found.retain(|row| horizon.is_none_or(|last| row.id >= last));
    }
    Ok((found, horizon))
}

/// The addresses of the users whom lines name, as far as they are there still.
///
/// # Errors
/// A fault of the store.
pub async fn addresses(app: &App, rows: &[AuditRow]) -> Result<BTreeMap<UserId, String>, Error> {
    let named = |row: &AuditRow| [row.event.actor, row.event.subject];
    let named: BTreeSet<UserId> = rows.iter().flat_map(named).flatten().collect();
    let found = join_all(named.iter().map(|id| app.store.find_user(*id))).await;
    let mut addresses = BTreeMap::new();
    for user in found {
        if let Some(user) = user? {
            addresses.insert(user.id, user.email.to_string());
        }
    }
    Ok(addresses)
}

/// A line.
///
/// # Errors
/// `not_found`, or a fault of the store.
pub async fn find(app: &App, id: Uuid) -> Result<AuditRow, Error> {
    Ok(app.store.find_audit(id).await?.ok_or(Refusal::NotFound)?)
}
