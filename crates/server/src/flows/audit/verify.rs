//! Verify the audit log: is it what was written, whole and in order?
//!
//! 1. The log begins with its first line, or where a server purged it and signed the place.
//! 2. Each line follows from the one before it, none is missing, none is beside the chain.
//! 3. Each checkpoint is signed by a server, and the chain is what it says.
//! 4. The last line is the end that the database knows.
//! 5. The owner may know a place of the chain from before (`SEQ:CHAIN`): it must be the same still.
//!
//! The first thing that is wrong is the answer.

use std::str::FromStr;

use symbolon_domain::Timestamp;
use symbolon_store::{AuditHead, AuditMark, ChainRow, Store, chain_origin};

use super::super::Error;
use super::judge::{Finding, Judge, Link, Wrong};
use super::seal::{Signed, text};
use crate::app::App;
use crate::sealing::MasterKey;

/// Lines and checkpoints read at once.
const PAGE: u32 = 500;
/// How often it is begun again because a server purged the log meanwhile.
const ROUNDS: usize = 3;

/// A place of the chain: `SEQ:CHAIN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub Link);

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (seq, chain) = text.split_once(':').ok_or(NotAPlace)?;
        let chain = symbolon_token::encoding::decode(chain.as_bytes()).map_err(|_| NotAPlace)?;
        Ok(Self((
            seq.parse().map_err(|_| NotAPlace)?,
            chain.try_into().map_err(|_| NotAPlace)?,
        )))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&text(self.0))
    }
}

/// The text is no place of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place of the audit log, as `symbolon audit verify` prints it: SEQ:CHAIN")]
pub struct NotAPlace;

/// What was found out about checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoints {
    /// How many there are.
    pub count: u64,
    /// The last of them.
    pub last: Option<(i64, Timestamp)>,
    /// Whether their signatures were looked at: they cannot be without the master key.
    pub checked: bool,
}

/// What was found out.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many lines are good.
    pub rows: u64,
    /// Number and time of the first line.
    pub first: Option<(i64, Timestamp)>,
    /// Of the last good one.
    pub last: Option<(i64, Timestamp)>,
    /// The chain up to it.
    pub head: Option<Place>,
    /// Lines from before the chain.
    pub unchained: u64,
    /// Checkpoints.
    pub checkpoints: Checkpoints,
    /// What is wrong, if anything is.
    pub finding: Option<Finding>,
}

impl Report {
    /// Takes a line that follows.
    pub fn add(&mut self, row: &ChainRow, judge: &Judge) {
        let Some((line, _)) = &row.line else {
            return;
        };
        self.rows += 1;
        self.first = self.first.or(Some((row.seq, line.at)));
        self.last = Some((row.seq, line.at));
        self.head = Some(Place(judge.last()));
        if line.kind == symbolon_domain::audit::AuditKind::AuditBroken.as_str() {
            self.find(row.seq, Wrong::Noticed);
        }
    }

    /// Notes what is wrong, unless something was before.
    pub fn find(&mut self, seq: i64, wrong: Wrong) {
        self.finding.get_or_insert(Finding { seq, wrong });
    }
}

/// What to verify.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// A place that the owner knows.
    pub expect: Option<Place>,
    /// Only what is behind this line.
    pub after: Option<i64>,
}

/// Verifies the log of a database. Without the master key, signatures are not looked at.
///
/// # Errors
/// A fault of the store. What is wrong with the log is no error but the answer.
pub async fn verify(
    app: &App,
    master: Option<&MasterKey>,
    wanted: Wanted,
) -> Result<Report, Error> {
    let mut rounds = 1;
    loop {
        let start = app.store.audit_start().await?;
        let report = Verification::of(app, master, &start, wanted).await?;
        // A purge under way looks like missing lines.
        if report.finding.is_none()
            || rounds == ROUNDS
            || app.store.audit_start().await?.seq == start.seq
        {
            return Ok(report);
        }
        rounds += 1;
    }
}

/// A verification under way.
struct Verification<'a> {
    store: &'a Store,
    judge: Judge,
    marks: std::vec::IntoIter<AuditMark>,
    mark: Option<AuditMark>,
    expect: Option<Link>,
    report: Report,
}

impl<'a> Verification<'a> {
    async fn of(
        app: &'a App,
        master: Option<&MasterKey>,
        start: &AuditMark,
        wanted: Wanted,
    ) -> Result<Report, Error> {
        let store = &app.store;
        let (start, after) = begin(store, master, start, wanted).await?;
        let link = match start {
            Ok(link) => link,
            Err(finding) => {
                return Ok(Report {
                    finding: Some(finding),
                    ..Report::default()
                });
            }
        };
        let marks = checkpoints(store, link.0).await?;
        let mut this = Self {
            store,
            judge: Judge::behind(link),
            report: Report {
                checkpoints: Checkpoints {
                    count: marks.len() as u64,
                    last: marks.last().map(|mark| (mark.seq, mark.at)),
                    checked: master.is_some(),
                },
                ..Report::default()
            },
            marks: marks.into_iter(),
            mark: None,
            expect: wanted.expect.map(|place| place.0),
        };
        this.mark = this.marks.next();
        this.run(master, after).await?;
        Ok(this.report)
    }

    async fn run(&mut self, master: Option<&MasterKey>, mut after: i64) -> Result<(), Error> {
        // Read behind the checkpoints and before the lines: what is written from here on is not looked at.
        let head = self.store.audit_head().await?;
        self.compare(master);
        while self.report.finding.is_none() {
            let page = self.store.list_audit_chain(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for row in page.iter().take_while(|row| row.seq <= head.seq) {
                if !self.take(row).await? {
                    return Ok(());
                }
                self.compare(master);
            }
            if last.seq > head.seq {
                break;
            }
        }
        self.end(&head).await
    }

    /// Step 2. False when it does not follow.
    async fn take(&mut self, row: &ChainRow) -> Result<bool, Error> {
        let Err(mismatch) = self.judge.step(row) else {
            self.report.add(row, &self.judge);
            return Ok(self.report.finding.is_none());
        };
        let next = self.store.list_audit_chain(row.seq, 1).await?;
        let finding = mismatch.explain(next.first());
        self.report.find(finding.seq, finding.wrong);
        Ok(false)
    }

    /// Steps 3 and 5, at the line that was just taken.
    fn compare(&mut self, master: Option<&MasterKey>) {
        let (seq, chain) = self.judge.last();
        if self.expect.is_some_and(|place| place.0 == seq) {
            let same = self.expect.take() == Some((seq, chain));
            if !same {
                self.report.find(seq, Wrong::Rewritten);
            }
        }
        while let Some(mark) = self.mark.take_if(|mark| mark.seq <= seq) {
            let genuine = |key| Signed::Checkpoint.is_genuine(key, &mark);
            if master.is_some_and(|key| !genuine(key)) {
                self.report.find(mark.seq, Wrong::Forged);
            } else if mark.seq == seq && mark.chain != chain {
                self.report.find(seq, Wrong::Rewritten);
            }
            self.mark = self.marks.next();
        }
    }

    /// Step 4.
    async fn end(&mut self, head: &AuditHead) -> Result<(), Error> {
        if self.report.finding.is_some() {
            return Ok(());
        }
        let (seq, chain) = self.judge.last();
        let beyond = self
            .mark
            .iter()
            .chain(self.marks.as_slice())
            .map(|mark| mark.seq);
        let known = beyond.chain([head.seq]).max().unwrap_or(seq);
        if known > seq {
            self.report.find(seq + 1, Wrong::Truncated(known));
        } else if chain != head.chain {
            self.report.find(seq, Wrong::Head);
        }
        if let Some((expected, _)) = self.expect {
            let wrong = if expected > seq {
                Wrong::Truncated(expected)
            } else {
                Wrong::Purged
            };
            let at = if expected > seq { seq + 1 } else { expected };
            self.report.find(at, wrong);
        }
        self.beside(head).await
    }

    /// Lines that are in no chain, or behind its end.
    async fn beside(&mut self, head: &AuditHead) -> Result<(), Error> {
        let unchained = i64::from(self.store.count_unchained_audit().await?);
        self.report.unchained = unchained.unsigned_abs();
        if unchained > head.unchained {
            self.report.find(0, Wrong::Unchained);
        }
        if let Some(row) = self.store.list_audit_chain(head.seq, 1).await?.first()
            && row.seq > self.store.audit_head().await?.seq
        {
            self.report.find(row.seq, Wrong::Inserted);
        }
        Ok(())
    }
}

/// Step 1: the link to begin behind, and the number behind which lines are read.
async fn begin(
    store: &Store,
    master: Option<&MasterKey>,
    start: &AuditMark,
    wanted: Wanted,
) -> Result<(Result<Link, Finding>, i64), Error> {
    let wrong = |wrong| {
        Err(Finding {
            seq: start.seq,
            wrong,
        })
    };
    let good = match (start.seq, master) {
        (0, _) => start.chain == chain_origin(),
        (_, Some(key)) => Signed::Start.is_genuine(key, start),
        (_, None) => true,
    };
    if !good {
        return Ok((wrong(Wrong::Start), 0));
    }
    let Some(after) = wanted.after.filter(|after| *after > start.seq) else {
        return Ok((Ok((start.seq, start.chain)), i64::MIN));
    };
    let row = store.list_audit_chain(after - 1, 1).await?.pop();
    let chain = row.filter(|row| row.seq == after).and_then(|row| row.line);
    let link = chain.map(|(_, chain)| (after, chain)).ok_or(Finding {
        seq: after,
        wrong: Wrong::Missing(after),
    });
    Ok((link, after))
}

/// The checkpoints from line `from` on. They are few: one an hour, and those of the last day.
async fn checkpoints(store: &Store, from: i64) -> Result<Vec<AuditMark>, Error> {
    let mut found = Vec::new();
    let mut after = from - 1;
    loop {
        let page = store.list_audit_checkpoints(after, PAGE).await?;
        let full = page.len() == PAGE as usize;
        after = page.last().map_or(after, |mark| mark.seq);
        found.extend(page);
        if !full {
            return Ok(found);
        }
    }
}
