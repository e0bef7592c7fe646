//! Export: lines with their chain in the order of their numbers, without a gap, so that they can be verified where they
//! are kept. Read page by page.

use serde::{Deserialize, Serialize};
use symbolon_domain::Timestamp;
use symbolon_domain::audit::AuditKind;
use symbolon_store::{
    AuditLane, AuditLine, AuditRow, AuditSpan, ChainRow, ChainValue, chain_origin,
};
use symbolon_token::encoding;
use uuid::Uuid;

use super::super::Error;
use super::judge::{Judge, Wrong};
use super::verify::{Place, Report};
use crate::app::App;
use crate::rfc3339;

/// Lines read at once.
const PAGE: u32 = 500;
/// How many lines may lie between the order of numbers and that of times, for clocks that differ.
const SKEW: u32 = 100;

/// An export under way.
pub struct Export {
    after: i64,
    end: i64,
    /// Lines from before this are left out at the beginning.
    from: Option<Timestamp>,
}

impl Export {
    /// Begins with the first line of `from`, and ends with the last one before `to`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn begin(
        app: &App,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Self, Error> {
        let head = app.store.audit_head().await?.seq;
        let after = match from {
            Some(at) => last_before(app, at).await?.into_iter().min(),
            None => None,
        };
        let end = match to {
            Some(at) => last_before(app, at)
                .await?
                .into_iter()
                .max()
                .unwrap_or(i64::MIN),
            None => head,
        };
        Ok(Self {
            after: after.unwrap_or(i64::MIN),
            end,
            from,
        })
    }

    /// The next lines; none at the end.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn next(&mut self, app: &App) -> Result<Vec<ChainRow>, Error> {
        loop {
            let mut page = app.store.list_audit_chain(self.after, PAGE).await?;
            page.retain(|row| row.seq <= self.end);
            let Some(last) = page.last() else {
                return Ok(page);
            };
            self.after = last.seq;
            if let Some(from) = self.from {
                let early =
                    |row: &ChainRow| row.line.as_ref().is_some_and(|(line, _)| line.at < from);
                let count = page.iter().take_while(|row| early(row)).count();
                page.drain(..count);
            }
            if !page.is_empty() {
                self.from = None;
                return Ok(page);
            }
        }
    }
}

/// The numbers of the last lines before a moment.
async fn last_before(app: &App, at: Timestamp) -> Result<Vec<i64>, Error> {
    let span = AuditSpan::WHOLE.until(at);
    let rows = app
        .store
        .list_audit_lane(AuditLane::Whole, span, SKEW)
        .await?;
    Ok(rows.iter().filter_map(|row: &AuditRow| row.seq).collect())
}

/// A line as it is exported. What cannot be read in the database is `null`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportedLine {
    /// Its number.
    pub seq: i64,
    /// RFC 3339, UTC.
    pub at: Option<String>,
    /// What happened.
    pub kind: Option<String>,
    /// How that ended; follows from the kind.
    pub outcome: Option<String>,
    /// Who did it.
    pub actor: Option<Uuid>,
    /// To whom.
    pub subject: Option<Uuid>,
    /// On which session.
    pub session: Option<Uuid>,
    /// From which network address.
    pub address: Option<String>,
    /// With which browser or program.
    pub user_agent: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// What else there is to say.
    pub detail: Option<String>,
    /// Its id.
    pub id: Option<Uuid>,
    /// Its chain, in base64url.
    pub chain: Option<String>,
}

impl From<ChainRow> for ExportedLine {
    fn from(row: ChainRow) -> Self {
        let (line, chain) = row.line.unzip();
        let kind = line.as_ref().map(|line| line.kind.clone());
        let known = kind.as_deref().and_then(|kind| kind.parse().ok());
        let outcome = known.map(|kind: AuditKind| kind.outcome().as_str().to_owned());
        let mut exported = Self {
            seq: row.seq,
            at: line.as_ref().map(|line| rfc3339::text(line.at)),
            kind,
            outcome,
            actor: None,
            subject: None,
            session: None,
            address: None,
            user_agent: None,
            request_id: None,
            detail: None,
            id: line.as_ref().map(|line| line.id),
            chain: chain.map(|chain| encoding::encode(&chain)),
        };
        if let Some(line) = line {
            (exported.actor, exported.subject, exported.session) =
                (line.actor, line.subject, line.session);
            (exported.address, exported.user_agent) = (line.address, line.user_agent);
            (exported.request_id, exported.detail) = (line.request_id, line.detail);
        }
        exported
    }
}

impl From<ExportedLine> for ChainRow {
    fn from(exported: ExportedLine) -> Self {
        let seq = exported.seq;
        Self {
            seq,
            line: exported.into_line(),
        }
    }
}

impl ExportedLine {
    fn into_line(self) -> Option<(AuditLine, ChainValue)> {
        let chain = encoding::decode(self.chain?.as_bytes()).ok()?;
        let line = AuditLine {
            id: self.id?,
            at: rfc3339::parse(&self.at?).ok()?,
            kind: self.kind?,
            actor: self.actor,
            subject: self.subject,
            session: self.session,
            address: self.address,
            user_agent: self.user_agent,
            request_id: self.request_id,
            detail: self.detail,
        };
        Some((line, chain.try_into().ok()?))
    }
}

/// Verifies lines that were exported. Those before the first are taken on trust, unless it is the log's first.
///
/// # Errors
/// What reading a line gave.
pub fn verify_lines<E>(
    mut rows: impl Iterator<Item = Result<ChainRow, E>>,
    expect: Option<Place>,
) -> Result<Report, E> {
    let mut report = Report::default();
    let mut expect = expect.map(|place| place.0);
    let mut judge = None;
    while report.finding.is_none()
        && let Some(row) = rows.next().transpose()?
    {
        let judge = match &mut judge {
            Some(judge) => judge,
            none => none.insert(behind_what(&row)),
        };
        // The first one of a part is what the others are measured by.
        let is_given = judge.last().0 == row.seq && report.rows == 0 && row.line.is_some();
        if !is_given && let Err(mismatch) = judge.step(&row) {
            let next = rows.next().transpose()?;
            let finding = mismatch.explain(next.as_ref());
            report.find(finding.seq, finding.wrong);
            break;
        }
        report.add(&row, judge);
        let expected = expect.take_if(|place| place.0 == row.seq);
        if expected.is_some_and(|place| place != judge.last()) {
            report.find(row.seq, Wrong::Rewritten);
        }
    }
    if let (Some((expected, _)), None) = (expect, report.finding) {
        let last = report.last.map_or(0, |(seq, _)| seq);
        match expected > last {
            true => report.find(last + 1, Wrong::Truncated(expected)),
            false => report.find(expected, Wrong::Purged),
        }
    }
    Ok(report)
}

/// What the first line of an export follows.
fn behind_what(row: &ChainRow) -> Judge {
    match &row.line {
        Some((_, chain)) if row.seq != 1 => Judge::behind((row.seq, *chain)),
        _ => Judge::behind((row.seq - 1, chain_origin())),
    }
}
