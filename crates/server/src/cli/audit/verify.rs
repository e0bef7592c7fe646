use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use symbolon_domain::Timestamp;

use super::super::Failed;
use super::super::output::Output;
use crate::app::App;
use crate::flows::audit::{self, ChainRow, ExportedLine, Place, Report, Wanted};
use crate::rfc3339;

/// Longest line of an export: far more than any has.
const LINE_BYTES: u64 = 1 << 20;

#[derive(Args)]
pub(in crate::cli) struct Verify {
    /// Check an export (JSON lines) instead of the database
    #[arg(long, value_name = "FILE", conflicts_with = "after")]
    from_file: Option<PathBuf>,
    /// What this command printed as `head` before: that line must be the same still
    #[arg(long, value_name = "SEQ:CHAIN")]
    expect: Option<Place>,
    /// Only what is behind this number, for a log of which something before it is known to be lost
    #[arg(long, value_name = "SEQ")]
    after: Option<i64>,
}

impl Verify {
    /// The export to check.
    pub(super) fn file(&self) -> Option<&Path> {
        self.from_file.as_deref()
    }

    pub(super) fn of_file(&self, path: &Path, output: &Output) -> Result<(), Failed> {
        let mut reader = BufReader::new(File::open(path)?);
        let mut number = 0;
        let rows = std::iter::from_fn(|| {
            number += 1;
            read(&mut reader, number).transpose()
        });
        let report = audit::verify_lines(rows, self.expect)?;
        answer(&report, None, output)
    }

    pub(super) async fn of_database(&self, app: &App, output: &Output) -> Result<(), Failed> {
        let (master, missing) = match app.known_master().await {
            Ok(Some(master)) => (Some(master), None),
            Ok(None) => (None, Some("this store has no keys yet".to_owned())),
            Err(error) => (None, Some(error.to_string())),
        };
        let wanted = Wanted {
            expect: self.expect,
            after: self.after,
        };
        let report = audit::verify(app, master.as_ref(), wanted).await?;
        let checkpoints = match missing {
            Some(reason) => format!("checkpoints were not checked: {reason}"),
            None => match report.checkpoints.last {
                Some((seq, at)) => format!(
                    "{} checkpoints, the last at line {seq} of {}",
                    report.checkpoints.count,
                    rfc3339::text(at)
                ),
                None => "no checkpoint yet: a server makes them".to_owned(),
            },
        };
        answer(&report, Some(checkpoints), output)
    }
}

/// A line of an export; nothing at its end.
fn read(reader: &mut impl BufRead, number: u64) -> Result<Option<ChainRow>, Failed> {
    let mut text = String::new();
    if reader.take(LINE_BYTES).read_line(&mut text)? == 0 {
        return Ok(None);
    }
    let line: ExportedLine = serde_json::from_str(&text).map_err(|error| {
        Failed::said(
            "malformed_export",
            format!("line {number} of the file is none of an export: {error}"),
        )
    })?;
    Ok(Some(line.into()))
}

/// Prints what was found out. What is wrong goes to standard error, with exit code 1.
fn answer(report: &Report, checkpoints: Option<String>, output: &Output) -> Result<(), Failed> {
    if let Some(finding) = &report.finding {
        let good = match report.last {
            Some((seq, at)) => format!("the last good one is {seq} of {}", rfc3339::text(at)),
            None => "none before it was looked at".to_owned(),
        };
        return Err(Failed::said(finding.code(), format!("{finding}; {good}")));
    }
    let place = |place: Option<(i64, Timestamp)>| {
        place.map(|(seq, at)| json!({ "seq": seq, "at": rfc3339::text(at) }))
    };
    let value = json!({
        "rows": report.rows,
        "first": place(report.first),
        "last": place(report.last),
        "head": report.head.map(|head| head.to_string()),
        "unchained": report.unchained,
        "checkpoints": checkpoints.as_ref().map(|_| json!({
            "checked": report.checkpoints.checked,
            "count": report.checkpoints.count,
            "last": place(report.checkpoints.last),
        })),
    });
    output.done(&value, &sentences(report, checkpoints))
}

fn sentences(report: &Report, checkpoints: Option<String>) -> String {
    let mut lines = vec![match (report.first, report.last) {
        (Some((first, from)), Some((last, to))) => format!(
            "{} lines are good: {first} of {} to {last} of {}",
            report.rows,
            rfc3339::text(from),
            rfc3339::text(to)
        ),
        _ => "the log is empty".to_owned(),
    }];
    if report.unchained > 0 {
        lines.push(format!(
            "{} lines are from before the chain and cannot be checked",
            report.unchained
        ));
    }
    lines.extend(checkpoints);
    if let Some(head) = report.head {
        lines.push(format!("head {head}"));
    }
    lines.join("\n")
}
