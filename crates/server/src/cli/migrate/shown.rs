//! What `symbolon migrate` prints.

use serde::Serialize;

use crate::cli::Failed;
use crate::cli::output::Output;
use crate::flows::relocate::Moved;
use crate::flows::schema::PendingStep;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    up_to_date: bool,
    steps: Vec<Step>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    number: i64,
    name: &'static str,
    former_version_goes_on: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownMove<'a> {
    from: &'a str,
    to: &'a str,
    rows: u64,
    /// The longest time for which writes waited, in milliseconds.
    held_ms: u128,
    tables: Vec<Table<'a>>,
}

#[derive(Serialize)]
struct Table<'a> {
    name: &'a str,
    rows: u64,
    /// In hexadecimal.
    digest: String,
}

/// Says which steps there are, or were.
pub(super) fn show_steps(
    steps: &[PendingStep],
    taken: bool,
    output: &Output,
) -> Result<(), Failed> {
    let shown = Shown {
        up_to_date: taken || steps.is_empty(),
        steps: steps
            .iter()
            .map(|step| Step {
                number: step.number,
                name: step.name,
                former_version_goes_on: step.former_goes_on,
            })
            .collect(),
    };
    if steps.is_empty() {
        return output.done(&shown, "The tables are up to date.");
    }
    if taken {
        let names: Vec<_> = steps.iter().map(|step| step.name).collect();
        return output.done(&shown, &format!("Taken: {}.", names.join(", ")));
    }
    let rows: Vec<_> = steps
        .iter()
        .map(|step| {
            let beside = if step.former_goes_on { "yes" } else { "no" };
            [
                step.number.to_string(),
                step.name.to_owned(),
                beside.to_owned(),
            ]
        })
        .collect();
    output.table(&shown, ["STEP", "NAME", "FORMER VERSION GOES ON"], &rows)
}

/// Says what was moved, and what is to be done.
pub(super) fn show_move(moved: &Moved, output: &Output) -> Result<(), Failed> {
    let tables = moved.tables.iter().map(|table| Table {
        name: &table.table,
        rows: table.rows,
        digest: table
            .digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    });
    let shown = ShownMove {
        from: &moved.from,
        to: &moved.to,
        rows: moved.tables.iter().map(|table| table.rows).sum(),
        held_ms: moved.held.as_millis(),
        tables: tables.collect(),
    };
    let sentence = format!(
        "{} rows of {} tables are in {} now, the same by number and digest; writes waited {} ms. \
         Set database.url to it before the next start.",
        shown.rows,
        shown.tables.len(),
        moved.to,
        shown.held_ms
    );
    output.done(&shown, &sentence)
}
